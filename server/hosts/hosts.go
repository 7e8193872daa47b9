// Package hosts is the server's end of the host socket: it takes what probes
// say of their hosts and sessions, and tells them what the journal has decided.
package hosts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/server/owner"
)

// Limits of the host socket.
const (
	helloTimeout = 10 * time.Second
	writeTimeout = 10 * time.Second
	silence      = 45 * time.Second // a host unheard of for so long is disconnected
	pingEvery    = 15 * time.Second
	outbox       = 4096 // frames to one host that are not written yet
	framesPerS   = 200
	frameBurst   = 2000
	lingerFor    = time.Second // after a close frame
	lingerBytes  = 4 << 20
)

// Close codes, as in the public interface.
const (
	closeProtocol  = 4400
	closeAuth      = 4401
	closeSlow      = 4408
	closeTakenOver = 4409
	closeTooLarge  = 4413
	closeTooMany   = 4429
	closeGoingAway = 4503
)

// pool is what the hub needs of a pool's owner.
type pool interface {
	Do(ctx context.Context, c admission.Command) (admission.Outcome, error)
	Observe(s admission.Sample) error
	Read(ctx context.Context, f func(now time.Time, p *admission.Pool)) error
}

// Options of a hub. All are needed but CheckGate.
type Options struct {
	Issuer         string   // of tickets: the service's public URL
	JWKSURL        string   // where gates find the ticket keys
	FrameAncestors []string // origins that may embed what a gate serves
	// Enrol mints a token for a host that came with one that only enrols.
	Enrol func(host string) (string, error)
	// CheckGate says what is wrong with a host's gate URL, as an HTTP gate
	// behind an HTTPS page.
	CheckGate func(url string) error
	Log       *slog.Logger
}

// Hub holds the connections of all hosts of this server.
type Hub struct {
	o     Options
	pools map[string]pool
	mu    sync.Mutex
	conns map[string]*conn // by host
	// calibrations under way, by host
	calibrations map[string]*calibrating
	active       sync.WaitGroup
	closing      bool
}

// New makes a hub without hosts.
func New(o Options) *Hub {
	return &Hub{o: o, pools: map[string]pool{}, conns: map[string]*conn{}, calibrations: map[string]*calibrating{}}
}

// Add makes a pool known. Call it before the hub serves.
func (h *Hub) Add(name string, p pool) { h.pools[name] = p }

// Caller is who connects, by the token that was checked.
type Caller struct {
	Host  string
	Enrol bool // the token only enrols: the host is given one of its own
}

// Connect serves GET /v1/hosts/{host}/connect for a caller whose token has
// been checked. It returns when the host is gone.
func (h *Hub) Connect(w http.ResponseWriter, r *http.Request, caller Caller) error {
	up := websocket.Upgrader{
		Subprotocols: []string{wire.HostProtocol}, ReadBufferSize: 4096, WriteBufferSize: 4096,
		CheckOrigin: func(*http.Request) bool { return true }, // hosts are not browsers; the token decides
	}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return nil //nolint:nilerr // the upgrader has answered
	}
	h.mu.Lock()
	if h.closing {
		h.mu.Unlock()
		return closeWith(ws, closeGoingAway, "this server is going away")
	}
	h.active.Add(1)
	h.mu.Unlock()
	defer h.active.Done()

	c := newConn(ws, caller.Host, h.o.Log)
	writing := make(chan struct{})
	go func() { defer close(writing); c.writeLoop() }()
	err = h.serve(r.Context(), c, caller)
	c.shut(closeFor(err))
	<-writing
	c.linger()
	_ = ws.Close()
	return nil
}

// closeFor gives the close code and the words for what ended a connection.
func closeFor(err error) (int, string) {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.code, refused.text
	}
	return websocket.CloseNormalClosure, ""
}

// refusal ends a connection with a close code that says why.
type refusal struct {
	code int
	text string
}

func (r *refusal) Error() string { return r.text }

func refuse(code int, format string, args ...any) error {
	return &refusal{code: code, text: fmt.Sprintf(format, args...)}
}

func (h *Hub) serve(ctx context.Context, c *conn, caller Caller) error {
	hello, err := c.readHello()
	if err != nil {
		return err
	}
	p, err := h.checkHello(hello, caller)
	if err != nil {
		return err
	}
	c.hello, c.pool, c.calibrated = *hello, p, h.calibrated
	if caller.Enrol {
		if c.token, err = h.o.Enrol(caller.Host); err != nil {
			return refuse(closeAuth, "enrolling %q: %v", caller.Host, err)
		}
	}
	h.enter(c)
	defer h.leave(c)
	if _, err := p.Do(ctx, admission.HostUp{Facts: facts(hello), Running: running(hello)}); err != nil {
		return refuse(closeGoingAway, "not ready: %v", err)
	}
	h.o.Log.Info("host connected", "host", c.host, "pool", hello.Pool, "version", hello.Version,
		"cores", hello.Cores, "gpus", len(hello.GPUs), "running", len(hello.Running))
	h.warnOfKind(ctx, p, facts(hello))
	return c.readLoop(ctx)
}

// warnOfKind says of which apps the profile is of another kind of machine.
func (h *Hub) warnOfKind(ctx context.Context, p pool, f admission.HostFacts) {
	var apps map[string]admission.Profile
	if err := p.Read(ctx, func(_ time.Time, pool *admission.Pool) { apps = pool.Policy().Apps }); err != nil {
		return // the pool is stopping
	}
	for _, name := range f.Apps {
		if m := apps[name].Machine; m.Differs(f.Machine()) {
			h.o.Log.Warn("the app's profile is of another kind of machine: its calibrated seats do not count on this host, and its costs are held to be less sure; run `rendergate calibrate` here",
				"host", f.Host, "app", name, "profile_of", m.String(), "host_is", f.Machine().String())
		}
	}
}

func (h *Hub) checkHello(hello *wire.Hello, caller Caller) (pool, error) {
	if hello.Host != caller.Host {
		return nil, refuse(closeAuth, "hello names host %q, but the token and the address are for %q", hello.Host, caller.Host)
	}
	p := h.pools[hello.Pool]
	if p == nil {
		return nil, refuse(closeProtocol, "no pool %q here; pools: %v", hello.Pool, h.poolNames())
	}
	if err := checkFacts(hello); err != nil {
		return nil, refuse(closeProtocol, "hello: %v", err)
	}
	if h.o.CheckGate != nil {
		if err := h.o.CheckGate(hello.GateURL); err != nil {
			return nil, refuse(closeProtocol, "gate_url: %v", err)
		}
	}
	return p, nil
}

func (h *Hub) poolNames() []string {
	names := make([]string, 0, len(h.pools))
	for name := range h.pools {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// enter registers the connection; a newer one of the same host displaces the older.
func (h *Hub) enter(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.conns[c.host]; old != nil {
		old.shut(closeTakenOver, "the host has connected anew")
	}
	h.conns[c.host] = c
}

// leave says that the host is gone, unless it has connected anew since.
func (h *Hub) leave(c *conn) {
	h.mu.Lock()
	current := h.conns[c.host] == c
	if current {
		delete(h.conns, c.host)
	}
	h.mu.Unlock()
	if !current {
		return
	}
	h.o.Log.Warn("host gone", "host", c.host)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := c.pool.Do(ctx, admission.HostDown{Host: c.host}); err != nil {
		h.o.Log.Debug("host gone, not recorded", "host", c.host, "err", err)
	}
}

// Skew says how far a connected host's clock is off, in seconds.
func (h *Hub) Skew(host string) float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.conns[host]; c != nil {
		return c.skewS.load()
	}
	return 0
}

// Disconnect ends a host's connection, as one that is not authenticated.
func (h *Hub) Disconnect(host, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.conns[host]; c != nil {
		c.shut(closeAuth, why)
	}
}

// Close disconnects every host and waits for them. Sessions go on.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closing = true
	for _, c := range h.conns {
		c.shut(closeGoingAway, "this server is going away")
	}
	h.mu.Unlock()
	h.active.Wait()
}

// Committed tells hosts what the journal has decided. It never blocks: a host
// that does not read is disconnected, and learns the rest when it is back.
func (h *Hub) Committed(c owner.Commit) {
	for _, e := range c.Events {
		switch b := e.Body.(type) {
		case admission.HostConnected:
			h.welcome(c, b.Facts.Host)
		case admission.SessionStarting:
			h.start(c, b)
		case admission.SessionMoved, admission.SessionEnded:
			session, reason := sessionOf(b)
			h.stopEverywhereElse(c, session, reason)
		case admission.HostDrained:
			h.send(c, b.Host, wire.ToHost{Type: "drain", Drain: &wire.Drain{On: true}})
		case admission.HostUndrained:
			h.send(c, b.Host, wire.ToHost{Type: "drain", Drain: &wire.Drain{On: false}})
		case admission.SessionReady:
			h.publish(c, b.Session)
		case admission.ViewStarted:
			h.publish(c, b.Session)
		case admission.ViewEnded:
			h.publish(c, b.Session)
		}
	}
}

func sessionOf(b admission.Body) (string, admission.Why) {
	switch b := b.(type) {
	case admission.SessionMoved:
		return b.Session, b.Reason
	case admission.SessionEnded:
		return b.Session, b.Reason
	}
	return "", ""
}

// send puts a frame into a host's outbox, stamped with the decision it follows from.
func (h *Hub) send(c owner.Commit, host string, frame wire.ToHost) {
	frame.Journal, frame.Seq = c.Journal, c.Seq
	h.mu.Lock()
	defer h.mu.Unlock()
	if to := h.conns[host]; to != nil {
		to.push(frame)
	}
}

// welcome tells a host what the pool knows of it: its sessions, those that are
// to end, and those whose stream is wanted.
func (h *Hub) welcome(c owner.Commit, host string) {
	view, ok := c.Pool.Host(c.Now, host)
	if !ok {
		return
	}
	var known, stopping []string
	for _, id := range view.Sessions {
		s, ok := c.Pool.Session(id)
		switch {
		case !ok:
		case s.Phase == admission.PhaseStopping:
			stopping = append(stopping, id)
		case s.Phase != admission.PhaseOffered && s.Phase != admission.PhasePending:
			known = append(known, id)
		}
	}
	h.mu.Lock()
	token := ""
	if to := h.conns[host]; to != nil {
		token = to.token
	}
	h.mu.Unlock()
	h.send(c, host, wire.ToHost{Type: "welcome", Welcome: &wire.Welcome{
		Token: token, Issuer: h.o.Issuer, JWKSURL: h.o.JWKSURL, Sessions: append([]string{}, known...),
		Draining: view.Draining, FrameAncestors: append([]string{}, h.o.FrameAncestors...),
	}})
	for _, id := range stopping {
		h.send(c, host, stopFrame(id, admission.WhyLeft))
	}
	for _, id := range known {
		h.publish(c, id)
	}
}

func (h *Hub) start(c owner.Commit, b admission.SessionStarting) {
	s, ok := c.Pool.Session(b.Session)
	if !ok {
		return
	}
	h.send(c, b.Host, wire.ToHost{Type: "start", Start: &wire.Start{
		Session: b.Session, App: s.App, GPU: b.GPU, BitrateBps: s.BitrateBps, Attempt: b.Attempt,
	}})
}

// stopEverywhereElse ends a session's processes on every host but the one that
// the pool now has it on in a living phase.
func (h *Hub) stopEverywhereElse(c owner.Commit, session string, reason admission.Why) {
	keep := ""
	s, ok := c.Pool.Session(session)
	if ok && s.Phase != admission.PhaseStopping {
		keep = s.Host
	}
	h.mu.Lock()
	var others []string
	for host := range h.conns {
		if host != keep && (keep != "" || !ok || host == s.Host) {
			others = append(others, host)
		}
	}
	h.mu.Unlock()
	for _, host := range others {
		h.send(c, host, stopFrame(session, reason))
	}
}

func stopFrame(session string, reason admission.Why) wire.ToHost {
	return wire.ToHost{Type: "stop", Stop: &wire.Stop{Session: session, Reason: string(reason)}}
}

// publish says whether a session's stream is wanted: it is while somebody looks on.
func (h *Hub) publish(c owner.Commit, session string) {
	s, ok := c.Pool.Session(session)
	if !ok || s.ReadyAt.IsZero() {
		return
	}
	h.send(c, s.Host, wire.ToHost{Type: "publish", Publish: &wire.Publish{Session: session, On: s.Watchers > 0}})
}
