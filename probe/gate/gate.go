// Package gate stands in front of the applications of a host. Nobody reaches a
// session without a ticket of the service; the gate knows who is connected, so
// it also tells when a session's player comes, goes, and last did something.
package gate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/ticket"
)

// Limits of the gate.
const (
	headerTimeout  = 10 * time.Second
	keepOpen       = 60 * time.Second // an idle connection of HTTP
	writeTimeout   = 30 * time.Second // a client that takes nothing for so long is cut off
	bodyTimeout    = 30 * time.Second // one that sends nothing of a body it began
	answerTimeout  = 2 * time.Minute  // until an application begins to answer
	stopTimeout    = 2 * time.Second
	maxHeaderBytes = 32 << 10
	maxBodyBytes   = 64 << 20
	maxSockets     = 16  // of one session
	maxRequests    = 256 // of one session at once
)

// DefaultConnections is how many connections one address may have.
const DefaultConnections = 256

// verifier checks and uses up tickets.
type verifier interface {
	Verify(ctx context.Context, token string, want ticket.Want) (wire.Claims, error)
}

// Options of a gate. Listen, PublicURL, Notify and Log are needed.
type Options struct {
	Listen         string
	PublicURL      *url.URL    // where browsers reach it; https makes its cookies Secure
	TLS            *tls.Config // nil: plain HTTP
	FrameAncestors []string    // origins that may embed its pages, besides those of Embed
	Connections    int         // from one address; 0 means DefaultConnections
	// Notify hears that a session's player has come (true) or gone. It is
	// called in order for each session and must not block.
	Notify func(session string, here bool)
	Log    *slog.Logger
}

// Gate is an HTTP server in front of sessions. Make it with [New].
type Gate struct {
	o        Options
	listener net.Listener
	trust    atomic.Pointer[verifier]
	embed    atomic.Pointer[string] // the Content-Security-Policy of every answer

	mu     sync.Mutex
	closed bool
	seats  map[string]*seat
	active sync.WaitGroup // requests
}

// New makes a gate without sessions.
func New(o Options) (*Gate, error) {
	if o.PublicURL == nil || o.Notify == nil || o.Log == nil {
		return nil, errors.New("gate: PublicURL, Notify and Log are needed")
	}
	if o.Connections == 0 {
		o.Connections = DefaultConnections
	}
	g := &Gate{o: o, seats: map[string]*seat{}}
	g.Embed(nil)
	return g, nil
}

// Trust sets who checks tickets. Until then nobody gets in.
func (g *Gate) Trust(v *ticket.Verifier) {
	var checks verifier = v
	g.trust.Store(&checks)
}

// Embed sets which origins may embed the gate's pages, besides those of
// [Options.FrameAncestors] and the gate's own. What is no origin is left out.
func (g *Gate) Embed(origins []string) {
	policy := framePolicy(g.o.FrameAncestors, origins)
	g.embed.Store(&policy)
}

// Open puts a session behind the gate. One that is there already gets the new
// upstream, and its player stays.
func (g *Gate) Open(session string, upstream *url.URL) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	s := g.seats[session]
	if s == nil {
		s = newSeat(session, func(here bool) { g.o.Notify(session, here) })
		g.seats[session] = s
	}
	s.forward(upstream, g)
}

// Close takes a session from the gate and cuts its player off. Nobody is told
// that the player has gone.
func (g *Gate) Close(session string) {
	g.mu.Lock()
	s := g.seats[session]
	delete(g.seats, session)
	g.mu.Unlock()
	if s != nil {
		s.close()
	}
}

// Idle says for how long a session's player has sent nothing; false while
// nobody is connected to it.
func (g *Gate) Idle(session string) (time.Duration, bool) {
	s := g.seat(session)
	if s == nil {
		return 0, false
	}
	return s.presence.idle()
}

func (g *Gate) seat(session string) *seat {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seats[session]
}

// Listen opens the gate's address. Run does it too, if it was not done before.
func (g *Gate) Listen(ctx context.Context) (net.Addr, error) {
	if g.listener != nil {
		return g.listener.Addr(), nil
	}
	lc := listenConfig()
	l, err := lc.Listen(ctx, "tcp", g.o.Listen)
	if err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	g.listener = newListener(l, g.o.Connections, g.o.Log)
	return l.Addr(), nil
}

// Run serves until ctx ends, then cuts everybody off. It returns nil then, and
// an error if it could not serve.
func (g *Gate) Run(ctx context.Context) error {
	if _, err := g.Listen(ctx); err != nil {
		return err
	}
	server := &http.Server{
		Handler: g, ReadHeaderTimeout: headerTimeout, IdleTimeout: keepOpen, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(g.o.Log.Handler(), slog.LevelDebug), TLSConfig: g.o.TLS,
	}
	failed := make(chan error, 1)
	go func() {
		if g.o.TLS != nil {
			failed <- server.ServeTLS(g.listener, "", "")
			return
		}
		failed <- server.Serve(g.listener)
	}()
	select {
	case err := <-failed:
		g.stop(server)
		return fmt.Errorf("gate: %w", err)
	case <-ctx.Done():
		g.stop(server)
		<-failed
		return nil
	}
}

// stop ends all sessions' connections and waits for the last request.
func (g *Gate) stop(server *http.Server) {
	g.mu.Lock()
	g.closed = true
	seats := g.seats
	g.seats = map[string]*seat{}
	g.mu.Unlock()
	for _, s := range seats {
		s.close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		if err := server.Close(); err != nil {
			g.o.Log.Debug("gate", "err", err)
		}
	}
	g.active.Wait()
}

// begin counts a request, unless the gate is closing.
func (g *Gate) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.active.Add(1)
	}
	return !g.closed
}
