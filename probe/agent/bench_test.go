//go:build linux

package agent

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/config"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/ticket"
)

const patience = 20 * time.Second

// service is the server's end: real sockets and real tickets, and a test in
// place of the pool.
type service struct {
	t      *testing.T
	url    string
	key    ed25519.PrivateKey
	hosts  chan *host
	relays chan *websocket.Conn
	tokens func(string) bool // which are taken; nil: all
	ids    atomic.Int64
}

// host is one connection of a probe.
type host struct {
	t      *testing.T
	ws     *websocket.Conn
	token  string
	hello  wire.Hello
	frames chan wire.FromHost // all but samples
	sample chan wire.Sample   // the newest
	err    error              // why it ended; read it after frames is closed
}

func serve(t *testing.T) *service {
	s := &service{t: t, hosts: make(chan *host, 10), relays: make(chan *websocket.Conn, 10)}
	_, s.key, _ = ed25519.GenerateKey(nil)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		x := base64.RawURLEncoding.EncodeToString(s.key.Public().(ed25519.PublicKey))
		_ = json.NewEncoder(w).Encode(ticket.JWKS{Keys: []ticket.JWK{{Type: "OKP", Curve: "Ed25519", ID: "k1", X: x}}})
	})
	mux.HandleFunc("GET /v1/hosts/{host}/connect", s.connect)
	mux.HandleFunc("GET /v1/hosts/{host}/publish/{session}", func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{Subprotocols: []string{wire.PublishProtocol}}).Upgrade(w, r, nil)
		if err == nil && r.Header.Get("Authorization") == "Bearer given" {
			s.relays <- conn
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *service) connect(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if s.tokens != nil && !s.tokens(token) || r.PathValue("host") != "h1" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	ws, err := (&websocket.Upgrader{Subprotocols: []string{wire.HostProtocol}}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	h := &host{t: s.t, ws: ws, token: token, frames: make(chan wire.FromHost, 100), sample: make(chan wire.Sample, 1)}
	var first wire.FromHost
	if err := ws.ReadJSON(&first); err != nil || first.Hello == nil {
		s.t.Errorf("first frame: %+v, %v", first, err)
		return
	}
	h.hello = *first.Hello
	go h.read()
	s.hosts <- h
}

func (h *host) read() {
	defer close(h.frames)
	for {
		var f wire.FromHost
		if h.err = h.ws.ReadJSON(&f); h.err != nil {
			return
		}
		if f.Type != "sample" {
			h.frames <- f
			continue
		}
		select {
		case <-h.sample:
		default:
		}
		h.sample <- *f.Sample
	}
}

// next waits for the next probe that connects.
func (s *service) next() *host {
	s.t.Helper()
	select {
	case h := <-s.hosts:
		return h
	case <-time.After(patience):
		s.t.Fatal("no probe connects")
		return nil
	}
}

// welcome answers the hello of the next probe.
func (s *service) welcome(journal string, seq uint64, known ...string) *host {
	s.t.Helper()
	h := s.next()
	h.send(wire.ToHost{Type: "welcome", Journal: journal, Seq: seq, Welcome: &wire.Welcome{
		Issuer: "https://service", JWKSURL: "/.well-known/jwks.json", Sessions: append([]string{}, known...),
	}})
	return h
}

func (h *host) send(f wire.ToHost) {
	h.t.Helper()
	if err := h.ws.WriteJSON(f); err != nil {
		h.t.Fatal(err)
	}
}

// start orders a session and returns when it is ready.
func (h *host) start(seq uint64, session string) {
	h.t.Helper()
	h.order(seq, wire.Start{Session: session, App: "good", GPU: -1, Attempt: 1})
	h.says(session, starting, "")
	h.says(session, ready, "")
}

func (h *host) order(seq uint64, s wire.Start) {
	h.t.Helper()
	h.send(wire.ToHost{Type: "start", Journal: "j1", Seq: seq, Start: &s})
}

func (h *host) stop(seq uint64, session string) {
	h.t.Helper()
	h.send(wire.ToHost{Type: "stop", Journal: "j1", Seq: seq, Stop: &wire.Stop{Session: session, Reason: "left"}})
}

// says waits for the next news of a session, skipping what repeats itself.
func (h *host) says(session, state, reason string) {
	h.t.Helper()
	for last := ""; ; {
		select {
		case f, ok := <-h.frames:
			if !ok {
				h.t.Fatalf("the connection ended: %v; want %s %s", h.err, session, state)
			}
			got := *f.Session
			if got.Session == session && got.State == state && strings.Contains(got.Reason, reason) {
				return
			}
			if got.State == last || got.State != starting {
				h.t.Fatalf("got %+v, want %s %s %q", got, session, state, reason)
			}
			last = got.State
		case <-time.After(patience):
			h.t.Fatalf("no news within %v; want %s %s", patience, session, state)
		}
	}
}

// quiet checks that nothing was said until an order that is certainly answered
// has been: one for an app that does not exist.
func (h *host) quiet(seq uint64) {
	h.t.Helper()
	name := fmt.Sprintf("probe%d", seq)
	h.order(seq, wire.Start{Session: name, App: "none", GPU: -1, Attempt: 1})
	for f := range h.frames {
		if f.Session.Session != name {
			h.t.Fatalf("got %+v, want nothing", *f.Session)
		}
		if f.Session.State == ended {
			return
		}
	}
	h.t.Fatal(h.err)
}

func (s *service) ticket(session string) string {
	now := time.Now().Add(5 * time.Millisecond) // within the leeway, after the gate's start
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, ticket.Claims{Claims: wire.Claims{
		Issuer: "https://service", Audience: "h1", Client: "c1", Session: session, Role: ticket.Player, Pool: "p",
		ID: fmt.Sprint("j", s.ids.Add(1)), IssuedAt: now.Unix(), IssuedAtMS: now.UnixMilli(), NotBefore: now.Unix(), Expires: now.Unix() + 60,
	}})
	token.Header["kid"] = "k1"
	signed, err := token.SignedString(s.key)
	if err != nil {
		s.t.Fatal(err)
	}
	return signed
}

// probe is a probe in this process.
type probe struct {
	gate string
	log  *lines
	stop func()
}

type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *lines) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// text is the config of a probe whose apps are this test binary.
func text(server string) string {
	app := func(name, kind string) string {
		return fmt.Sprintf("  %s: {command: [%q, app, %s, \"{{.Port}}\"], upstream: \"http://127.0.0.1:{{.Port}}\", "+
			"publish: \"ws://127.0.0.1:{{.Port}}/publish\", stop_timeout: 300ms, ready: {timeout: 10s}}\n", name, os.Args[0], kind)
	}
	return fmt.Sprintf("server: %s\nhost: h1\npool: p\nperiod: 100ms\nuplink: 1 Gbit/s\nports: {from: 23000, to: 23999}\n"+
		"gate: {listen: \"127.0.0.1:0\", public_url: \"http://127.0.0.1:1\"}\napps:\n", server) +
		app("good", "good") + app("crash", "crash") + app("never", "never") + app("tree", "tree")
}

func (s *service) probe(change func(*Options)) *probe {
	s.t.Helper()
	c, err := config.Parse("probe.yaml", []byte(text(s.url)), config.Flags{})
	if err != nil {
		s.t.Fatal(err)
	}
	p := &probe{log: &lines{}}
	address := make(chan net.Addr, 1)
	o := Options{
		Config: c, Sampling: sampling(noGPUs), Token: "given", Version: "test", Listening: func(a net.Addr) { address <- a },
		Log: slog.New(slog.NewTextHandler(io.MultiWriter(p.log, s.t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, o) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(p.stop)
	select {
	case a := <-address:
		p.gate = a.String()
	case err := <-done:
		done <- err
		s.t.Fatal(err)
	}
	return p
}

// player is a browser with a socket to a session.
func (s *service) player(p *probe, session string) *websocket.Conn {
	s.t.Helper()
	jar, _ := cookiejar.New(nil)
	c := http.Client{Jar: jar, Timeout: patience}
	req, _ := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+p.gate+"/s/"+session+"/?ticket="+s.ticket(session), nil)
	res, err := c.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if string(body) != "page" {
		s.t.Fatalf("%s %s", res.Status, body)
	}
	d := websocket.Dialer{Jar: jar}
	conn, res, err := d.DialContext(s.t.Context(), "ws://"+p.gate+"/s/"+session+"/ws", nil)
	if err != nil {
		s.t.Fatalf("socket: %v %v", err, res)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// living counts processes that carry the session's mark.
func living(session string) int {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	n := 0
	for _, f := range files {
		env, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(env), "RENDERGATE_SESSION="+session+"\x00") {
			n++
		}
	}
	return n
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
