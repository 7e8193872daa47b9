// Package api is the HTTP edge of the admission service: the pages, the /v1
// calls, health, metrics and the sockets' addresses. Handlers return errors;
// problem.go turns them into answers in one place.
package api

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/hosts"
	"github.com/rendergate/rendergate/server/journal"
	"github.com/rendergate/rendergate/server/play"
	"github.com/rendergate/rendergate/server/relay"
)

// Owner is what the API needs of a pool's owner.
type Owner interface {
	Do(ctx context.Context, c admission.Command) (admission.Outcome, error)
	Read(ctx context.Context, f func(now time.Time, p *admission.Pool)) error
	Ready() error
}

// Audit is the audit trail of a pool.
type Audit interface {
	List(ctx context.Context, after uint64, limit int) ([]journal.AuditEntry, error)
	Follow(ctx context.Context, after uint64, f func(journal.AuditEntry) error) error
}

// Access decides who may do what.
type Access interface {
	// Operator names who makes an operator's call, and whether a cookie said so.
	Operator(r *http.Request) (name string, cookie bool, err error)
	Login(w http.ResponseWriter, r *http.Request, name, password string) error
	Logout(w http.ResponseWriter, r *http.Request)
	// Revoke makes the token that a host was given worthless.
	Revoke(host string) error
	// Host names the host that connects to the address of the named host.
	Host(r *http.Request, host string) (hosts.Caller, error)
	OriginAllowed(r *http.Request) bool
	// Address is the client's, behind trusted proxies.
	Address(r *http.Request) string
}

// Pool is one pool that is served.
type Pool struct {
	Name  string
	Owner Owner
	Play  *play.Hub
	Audit Audit
}

// Options of the API. All are needed.
type Options struct {
	Pools   []Pool
	Hosts   *hosts.Hub
	Relay   *relay.Relay
	Access  Access
	JWKS    func() ([]byte, error)
	Metrics http.Handler
	Pages   fs.FS // what web/embed.go holds
	Built   bool  // false if the pages were not built
	Secure  bool  // the service is reached by HTTPS
	Version string
	Log     *slog.Logger
}

type api struct {
	Options
	pools map[string]Pool
	stop  <-chan struct{} // closed when the service goes away: ends event streams
}

// Limits of HTTP calls. Sockets have their own.
const (
	bodyLimit   = "64K"
	callsPerS   = 100
	callsBurst  = 400
	loginsPerS  = 1
	loginsBurst = 10
)

// New makes the handler of the whole service. Event streams end when stop is closed.
func New(o Options, stop <-chan struct{}) http.Handler {
	a := &api{Options: o, pools: map[string]Pool{}, stop: stop}
	for _, p := range o.Pools {
		a.pools[p.Name] = p
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = a.answerError
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: a.logPanic}), a.headers, middleware.BodyLimit(bodyLimit))
	a.routes(e)
	return e
}

func (a *api) logPanic(c echo.Context, err error, stack []byte) error {
	a.Log.Error("panic in a handler", "path", c.Path(), "err", err, "stack", string(stack))
	return err
}

func (a *api) routes(e *echo.Echo) {
	a.pageRoutes(e)
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", a.ready)
	e.GET("/metrics", echo.WrapHandler(a.Metrics))
	e.GET("/openapi.json", a.openAPI)
	e.GET("/.well-known/jwks.json", a.jwks)

	e.GET("/v1/pools/:pool/play", a.play)
	e.GET("/v1/watch/:session", a.watch)
	e.GET("/v1/hosts/:host/connect", a.connectHost)
	e.GET("/v1/hosts/:host/publish/:session", a.publish)

	calls := a.limit(callsPerS, callsBurst)
	e.GET("/v1/lobby", a.lobby, calls)
	e.POST("/v1/login", a.login, a.limit(loginsPerS, loginsBurst))
	e.POST("/v1/logout", a.logout, calls)

	v1 := e.Group("/v1", calls, a.operator)
	v1.GET("/me", a.me)
	v1.GET("/pools", a.listPools)
	v1.GET("/pools/:pool", a.showPool)
	v1.GET("/pools/:pool/hosts", a.listHosts)
	v1.GET("/pools/:pool/sessions", a.listSessions)
	v1.GET("/pools/:pool/queue", a.listQueue)
	v1.GET("/pools/:pool/events", a.listEvents)
	v1.GET("/pools/:pool/explain", a.explain)
	v1.GET("/pools/:pool/policy", a.showPolicy)
	v1.PATCH("/pools/:pool/policy", a.patchPolicy)
	v1.POST("/pools/:pool/pause", a.pause)
	v1.POST("/pools/:pool/resume", a.resume)
	v1.POST("/hosts/:host/drain", a.drain)
	v1.POST("/hosts/:host/undrain", a.undrain)
	v1.POST("/hosts/:host/calibration", a.calibrate)
	v1.DELETE("/hosts/:host/calibration", a.endCalibration)
	v1.DELETE("/hosts/:host/token", a.revokeHost)
	v1.DELETE("/sessions/:id", a.endSession)
	v1.DELETE("/entries/:id", a.removeEntry)
	v1.POST("/entries/:id/promote", a.promote)
}

// headers sets what every answer carries.
func (a *api) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "SAMEORIGIN")
		if a.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// limit holds one address to so many calls a second.
func (a *api) limit(perS, burst int) echo.MiddlewareFunc {
	return middleware.RateLimiterWithConfig(middleware.RateLimiterConfig{
		Store: middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{
			Rate: rate.Limit(perS), Burst: burst, ExpiresIn: time.Minute,
		}),
		IdentifierExtractor: func(c echo.Context) (string, error) { return a.Access.Address(c.Request()), nil },
		DenyHandler: func(echo.Context, string, error) error {
			return problemf(http.StatusTooManyRequests, "too_many", "more than %d calls a second from this address", perS)
		},
	})
}

// operatorKey is where the operator's name stands in echo's context.
const operatorKey = "operator"

// operator lets operators through; a cookie counts only with a matching Origin
// for what changes something.
func (a *api) operator(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		name, cookie, err := a.Access.Operator(c.Request())
		if err != nil {
			c.Response().Header().Set("WWW-Authenticate", `Bearer realm="rendergate"`)
			return problemf(http.StatusUnauthorized, "unauthorized", "%v", err)
		}
		changes := c.Request().Method != http.MethodGet && c.Request().Method != http.MethodHead
		if changes && (cookie || c.Request().Header.Get("Origin") != "") && !a.sameOrigin(c.Request()) {
			return problemf(http.StatusForbidden, "origin", "the Origin %q may not do this; see allowed_origins", c.Request().Header.Get("Origin"))
		}
		c.Set(operatorKey, name)
		return next(c)
	}
}

// sameOrigin says whether a call comes from a page of ours; a cookie without
// an Origin does not count.
func (a *api) sameOrigin(r *http.Request) bool {
	return r.Header.Get("Origin") != "" && a.Access.OriginAllowed(r)
}

func operatorName(c echo.Context) string {
	name, _ := c.Get(operatorKey).(string)
	return name
}

func (a *api) ready(c echo.Context) error {
	for _, p := range a.Pools {
		if err := p.Owner.Ready(); err != nil {
			return problemf(http.StatusServiceUnavailable, "not_ready", "pool %s: %v", p.Name, err)
		}
	}
	return c.String(http.StatusOK, "ready\n")
}

func (a *api) jwks(c echo.Context) error {
	keys, err := a.JWKS()
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=60")
	return c.JSONBlob(http.StatusOK, keys)
}

// pool is the one that the path names.
func (a *api) pool(c echo.Context) (Pool, error) {
	p, ok := a.pools[c.Param("pool")]
	if !ok {
		return Pool{}, problemf(http.StatusNotFound, "unknown_pool", "no pool %q; GET /v1/pools lists them", c.Param("pool"))
	}
	return p, nil
}

// do gives the command to the pool and waits until the journal has it.
func (a *api) do(c echo.Context, p Pool, command admission.Command) error {
	outcome, err := p.Owner.Do(c.Request().Context(), command)
	if err != nil {
		return err
	}
	if outcome.Refused != nil {
		return refusalProblem(outcome.Refused)
	}
	return nil
}
