// Package play is the service's end of the browser WebSocket: it turns what
// browsers ask into commands, and what the journal holds into messages.
package play

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/admission"
)

// Protocol is the subprotocol's name.
const Protocol = "rendergate.v1"

// pool is what the hub needs of the pool's owner.
type pool interface {
	Do(ctx context.Context, c admission.Command) (admission.Outcome, error)
	Read(ctx context.Context, f func(now time.Time, p *admission.Pool)) error
}

// Options of a hub. All are needed. The tickets and Mime are asked for on the
// owner's goroutine and must not block.
type Options struct {
	Pool            string // its name
	Owner           pool
	PlayerTicket    func(client, session, host string) (token string, expires time.Time, err error)
	SpectatorTicket func(client, session string) (token string, err error)
	Mime            func(session string) string
	WatchBase       func(r *http.Request) string // ws(s)://host before /v1/watch/
	OriginAllowed   func(r *http.Request) bool
	Connect         func(address string) (release func(), ok bool)
	Join            func(address string) bool
	// Identify says who a token is of; the token may be empty.
	Identify func(ctx context.Context, token string) (identity, class string, err error)
	Log      *slog.Logger
}

// Hub holds the browsers of one pool that are connected to this server.
type Hub struct {
	o      Options
	up     websocket.Upgrader
	ctx    context.Context //nolint:containedctx // of the connections, which outlive their handlers
	cancel context.CancelFunc
	active sync.WaitGroup
	dirty  atomic.Bool // places may have changed

	writers *writers
	poll    *poller // nil: a goroutine waits for each connection
	places  *places // owned by the pool's owner

	mu      sync.Mutex
	conns   map[*conn]struct{}
	clients map[string]*conn // the current connection of each client
	reports map[string]Report
	closing bool
}

// New makes a hub without connections.
func New(o Options) *Hub {
	ctx, cancel := context.WithCancel(context.Background())
	h := &Hub{
		o: o, ctx: ctx, cancel: cancel, conns: map[*conn]struct{}{}, clients: map[string]*conn{}, reports: map[string]Report{},
		writers: newWriters(), places: newPlaces(),
		up: websocket.Upgrader{
			// What the library reads in one piece is small; longer reads go around its buffer.
			Subprotocols: []string{Protocol}, ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer, WriteBufferPool: &sync.Pool{},
			CheckOrigin: func(*http.Request) bool { return true }, // refused after the upgrade, so that the page learns why
		},
	}
	var err error
	if h.poll, err = newPoller(); err != nil {
		o.Log.Warn("every connection costs a goroutine", "pool", o.Pool, "err", err)
	}
	return h
}

const (
	readBuffer   = 128 // bytes, for each connection
	writeBuffer  = 512 // shared
	closeTimeout = time.Second
)

// Connect serves GET /v1/pools/{pool}/play for a client at an address. It
// returns after the upgrade; nothing of the request is kept.
func (h *Hub) Connect(w http.ResponseWriter, r *http.Request, address string) {
	c := &conn{writers: h.writers, address: address, watchBase: h.o.WatchBase(r), release: func() {}}
	ws, err := h.up.Upgrade(hijacker{w, h.poll, &c.sock}, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	if c.ws = ws; c.sock.flush(writeTimeout) != nil {
		_ = c.sock.Close()
		return
	}
	c.heard.Store(time.Now().UnixNano())
	ws.SetPongHandler(func(string) error { return nil })
	ws.SetPingHandler(func(payload string) error {
		c.sendPong([]byte(payload))
		return nil
	})
	ws.SetCloseHandler(func(int, string) error { return nil })
	if !h.enter(c) {
		_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(closeGoingAway, "this server is going away"), time.Time{})
		_ = c.sock.flush(writeTimeout)
		_ = c.sock.Close()
		return
	}
	if h.poll != nil && c.sock.conn == nil {
		if err := h.poll.add(c); err != nil {
			h.o.Log.Warn("a connection is lost", "pool", h.o.Pool, "err", err)
			h.gone(c)
			return
		}
	}
	h.greet(c, r)
	h.park(c)
}

// enter counts the connection among those here, unless it is too late.
func (h *Hub) enter(c *conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.conns[c] = struct{}{}
	h.active.Add(1) // until gone
	return true
}

// greet refuses the connection where it must.
func (h *Hub) greet(c *conn, r *http.Request) {
	release, ok := h.o.Connect(c.address)
	if ok {
		c.release = release
	}
	switch {
	case !h.o.OriginAllowed(r):
		c.close(closeOrigin, "this origin is not allowed")
	case !ok:
		c.close(closeTooMany, "too many connections from this address")
	case c.ws.Subprotocol() != Protocol:
		c.close(closeProtocol, "want the subprotocol "+Protocol)
	}
}

// Run sends and reads until the context ends, then closes.
func (h *Hub) Run(ctx context.Context) error {
	h.writers.start()
	defer h.writers.stop()
	if h.poll == nil {
		h.tick(ctx)
		h.Close()
		return nil
	}
	polling := make(chan error, 1)
	go func() { polling <- h.poll.run(func(c *conn) { go h.serve(c) }) }()
	h.tick(ctx)
	h.Close()
	return errors.Join(h.poll.close(), <-polling)
}

// tick sends places and pings, and ends what takes too long, until ctx ends.
func (h *Hub) tick(ctx context.Context) {
	second, ping := time.NewTicker(time.Second), time.NewTicker(pingEach)
	defer second.Stop()
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-second.C:
			h.sendPlaces(ctx)
			for _, c := range h.all() {
				c.sweep(now)
			}
		case <-ping.C:
			for _, c := range h.all() {
				c.sendPing()
			}
		}
	}
}

// Close tells everybody that this server goes away, and waits until they are
// gone: those who do not answer for a second.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	h.cancel()
	for _, c := range h.all() {
		c.close(closeGoingAway, "this server is going away")
	}
	late := time.AfterFunc(closeTimeout, func() {
		for _, c := range h.all() {
			c.hangUp()
		}
	})
	defer late.Stop()
	h.active.Wait()
}

// Reports are the players' newest reports by session.
func (h *Hub) Reports() map[string]Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make(map[string]Report, len(h.reports))
	for session, r := range h.reports {
		all[session] = r
	}
	return all
}

func (h *Hub) all() []*conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*conn, 0, len(h.conns))
	for c := range h.conns {
		list = append(list, c)
	}
	return list
}

func (h *Hub) of(client string) *conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clients[client]
}

// register makes the connection its client's only one.
func (h *Hub) register(c *conn, client string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.mu.Lock()
	before := c.client
	c.client = client
	c.mu.Unlock()
	if before != "" && before != client && h.clients[before] == c {
		delete(h.clients, before)
	}
	if old := h.clients[client]; old != nil && old != c {
		old.close(closeTakenOver, "another window of yours has taken over")
	}
	if _, there := h.conns[c]; there {
		h.clients[client] = c
	}
}

// forget says whether the connection was its client's current one.
func (h *Hub) forget(c *conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c)
	client := c.id()
	if client == "" || h.clients[client] != c {
		return false
	}
	delete(h.clients, client)
	return !h.closing
}

// random is 128 bits that nobody can guess.
func random() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
