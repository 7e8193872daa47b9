package api

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/auth"
)

type credentials struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

func (a *api) login(c echo.Context) error {
	if !a.sameOrigin(c.Request()) {
		return problemf(http.StatusForbidden, "origin", "log in from the operator page; scripts use an API token")
	}
	var in credentials
	if err := c.Bind(&in); err != nil {
		return problemf(http.StatusBadRequest, "not_understood", `want {"name": …, "password": …}`)
	}
	err := a.Access.Login(c.Response(), c.Request(), in.Name, in.Password)
	if many, ok := errors.AsType[*auth.TooManyError](err); ok {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(many.RetryAfter.Seconds()))))
		return problemf(http.StatusTooManyRequests, "too_many", "%v", err)
	}
	if err != nil {
		return problemf(http.StatusUnauthorized, "unauthorized", "%v", err)
	}
	return c.JSON(http.StatusOK, map[string]string{"name": in.Name})
}

func (a *api) logout(c echo.Context) error {
	if !a.sameOrigin(c.Request()) {
		return problemf(http.StatusForbidden, "origin", "log out from the operator page")
	}
	a.Access.Logout(c.Response(), c.Request())
	return c.NoContent(http.StatusNoContent)
}

// act gives a command to the pool that the path names and shows the pool.
func (a *api) act(c echo.Context, command admission.Command) error {
	p, err := a.pool(c)
	if err != nil {
		return err
	}
	if err := a.do(c, p, command); err != nil {
		return err
	}
	return a.showPool(c)
}

func (a *api) pause(c echo.Context) error  { return a.act(c, admission.Pause{By: operatorName(c)}) }
func (a *api) resume(c echo.Context) error { return a.act(c, admission.Unpause{By: operatorName(c)}) }

// revokeHost takes a host's own token from it, and its connection. The host can
// enrol again; its sessions go on until it is given up as lost.
func (a *api) revokeHost(c echo.Context) error {
	host := c.Param("host")
	err := a.Access.Revoke(host)
	switch {
	case errors.Is(err, auth.ErrHostNotKnown):
		return problemf(http.StatusNotFound, "unknown_host", "no host %q has enrolled; a token that stands in the config is revoked there", host)
	case err != nil:
		return err
	}
	a.Log.Warn("the token of a host was revoked", "host", host, "by", operatorName(c))
	a.Hosts.Disconnect(host, "its token was revoked")
	return c.NoContent(http.StatusNoContent)
}

// find gives the command to the pool in which has says that the thing is.
func (a *api) find(c echo.Context, what, id string, has func(time.Time, *admission.Pool) bool, command admission.Command) error {
	for _, p := range a.Pools {
		found := false
		if err := a.read(c, p, func(now time.Time, pool *admission.Pool) { found = has(now, pool) }); err != nil {
			return err
		}
		if !found {
			continue
		}
		if err := a.do(c, p, command); err != nil {
			return err
		}
		return c.NoContent(http.StatusNoContent)
	}
	return problemf(http.StatusNotFound, "unknown_"+what, "no %s %q in any pool", what, id)
}

func (a *api) onHost(c echo.Context, command admission.Command) error {
	id := c.Param("host")
	has := func(now time.Time, p *admission.Pool) bool { _, ok := p.Host(now, id); return ok }
	return a.find(c, "host", id, has, command)
}

func (a *api) drain(c echo.Context) error {
	return a.onHost(c, admission.Drain{Host: c.Param("host"), By: operatorName(c)})
}

func (a *api) undrain(c echo.Context) error {
	return a.onHost(c, admission.Undrain{Host: c.Param("host"), By: operatorName(c)})
}

func (a *api) endSession(c echo.Context) error {
	id := c.Param("id")
	has := func(_ time.Time, p *admission.Pool) bool { _, ok := p.Session(id); return ok }
	return a.find(c, "session", id, has, admission.EndSession{Session: id, By: operatorName(c)})
}

func (a *api) onEntry(c echo.Context, command admission.Command) error {
	id := c.Param("id")
	has := func(_ time.Time, p *admission.Pool) bool { _, ok := p.Entry(id); return ok }
	return a.find(c, "entry", id, has, command)
}

func (a *api) removeEntry(c echo.Context) error {
	return a.onEntry(c, admission.RemoveEntry{Entry: c.Param("id"), By: operatorName(c)})
}

func (a *api) promote(c echo.Context) error {
	return a.onEntry(c, admission.Promote{Entry: c.Param("id"), By: operatorName(c)})
}
