package gate_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/gate"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/ticket"
)

const (
	issuer = "https://service.example.com"
	host   = "render-1"
)

// presence is what the gate told of a session's player.
type presence struct {
	session string
	here    bool
}

// bench is a gate on loopback, with an application behind it and a service
// whose keys it fetches.
type bench struct {
	t        testing.TB
	gate     *gate.Gate
	url      string // of the gate
	app      *app
	key      ed25519.PrivateKey
	told     chan presence
	log      *safeBuffer
	started  time.Time
	ids      atomic.Int64
	fetched  atomic.Int64 // times the keys were asked for
	tls      bool
	shutdown func()
}

// safeBuffer takes the log of many goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}
func (s *safeBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// app is an application: it shows what it was asked, and echoes on /ws.
type app struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	answer   http.HandlerFunc // besides /ws; nil: 200
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.requests = append(a.requests, r)
	answer := a.answer
	a.mu.Unlock()
	if r.URL.Path == "/ws" {
		a.echo(w, r)
		return
	}
	if answer != nil {
		answer(w, r)
		return
	}
	_, _ = io.WriteString(w, "the application")
}

// echo uses gorilla's own check of the Origin: the gate must not break it.
func (a *app) echo(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close() // a test's own
	for {
		kind, data, err := c.ReadMessage()
		if err != nil || c.WriteMessage(kind, data) != nil {
			return
		}
	}
}

// last is the newest request that reached the application.
func (a *app) last() *http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.requests) == 0 {
		return nil
	}
	return a.requests[len(a.requests)-1]
}

func (a *app) count() int { a.mu.Lock(); defer a.mu.Unlock(); return len(a.requests) }

func (a *app) answers(f http.HandlerFunc) { a.mu.Lock(); defer a.mu.Unlock(); a.answer = f }

func start(t *testing.T, change func(*gate.Options)) *bench {
	t.Helper()
	b := &bench{t: t, told: make(chan presence, 100), log: &safeBuffer{}, app: &app{}}
	_, b.key, _ = ed25519.GenerateKey(nil)
	b.app.Server = httptest.NewServer(b.app)
	t.Cleanup(b.app.Close)
	o := gate.Options{
		Listen: "127.0.0.1:0", PublicURL: &url.URL{Scheme: "http", Host: "gate.example.com"},
		Notify: func(s string, here bool) { b.told <- presence{s, here} },
		Log:    slog.New(slog.NewTextHandler(io.MultiWriter(b.log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&o)
	}
	var err error
	if b.gate, err = gate.New(o); err != nil {
		t.Fatal(err)
	}
	addr, err := b.gate.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.url = "http://" + addr.String()
	if b.tls = o.TLS != nil; b.tls {
		b.url = "https://" + addr.String()
	}
	b.gate.Trust(b.verifier())
	b.open("s1")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.gate.Run(ctx) }()
	b.shutdown = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(b.shutdown)
	return b
}

func (b *bench) open(session string) {
	u, err := url.Parse(b.app.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	b.gate.Open(session, u)
}

// verifier fetches its keys from a service, as a probe's does.
func (b *bench) verifier() *ticket.Verifier {
	set, err := json.Marshal(ticket.JWKS{Keys: []ticket.JWK{{
		Type: "OKP", Curve: "Ed25519", ID: "k1", X: base64.RawURLEncoding.EncodeToString(b.key.Public().(ed25519.PublicKey)),
	}}})
	if err != nil {
		b.t.Fatal(err)
	}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b.fetched.Add(1)
		_, _ = w.Write(set)
	}))
	b.t.Cleanup(service.Close)
	b.started = time.Now()
	return ticket.New(ticket.Options{
		Keys:   &ticket.Remote{URL: service.URL, Client: service.Client(), Now: time.Now},
		Issuer: issuer, Audience: host, Now: time.Now,
	})
}

// claims are of a good ticket. Its time is that of the gate's start, to the
// millisecond: no test needs to wait.
func (b *bench) claims() wire.Claims {
	at := b.started.Add(time.Millisecond)
	return wire.Claims{
		Issuer: issuer, Audience: host, Client: "c1", Session: "s1", Role: ticket.Player, Pool: "p",
		ID: fmt.Sprint("j", b.ids.Add(1)), IssuedAt: at.Unix(), IssuedAtMS: at.UnixMilli(), NotBefore: at.Unix(), Expires: at.Unix() + 60,
	}
}

func (b *bench) ticket(change func(*wire.Claims)) string {
	c := b.claims()
	if change != nil {
		change(&c)
	}
	return b.sign(c, jwt.SigningMethodEdDSA, b.key)
}

func (b *bench) sign(c wire.Claims, method jwt.SigningMethod, key any) string {
	token := jwt.NewWithClaims(method, ticket.Claims{Claims: c})
	token.Header["kid"] = "k1"
	signed, err := token.SignedString(key)
	if err != nil {
		b.t.Fatal(err)
	}
	return signed
}

// browser follows no redirects by itself and keeps cookies.
func (b *bench) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	transport := &http.Transport{}
	b.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Jar: jar, Transport: transport, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	body string
}

func (b *bench) get(c *http.Client, path string, headers ...string) answer {
	b.t.Helper()
	return b.do(c, http.MethodGet, path, headers...)
}

func (b *bench) do(c *http.Client, method, path string, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close() // read to its end
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res, string(body)}
}

// enter opens the session with a fresh ticket.
func (b *bench) enter(c *http.Client) {
	b.t.Helper()
	if got := b.get(c, "/s/s1/?ticket="+b.ticket(nil)); got.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("a good ticket: %s %s", got.Status, got.body)
	}
}

// dial opens the session's socket; a status other than 101 is returned.
func (b *bench) dial(c *http.Client, query, origin string) (*websocket.Conn, int) {
	b.t.Helper()
	d := websocket.Dialer{HandshakeTimeout: 10 * time.Second}
	if c != nil {
		d.Jar = c.Jar
	}
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	conn, res, err := d.DialContext(b.t.Context(), "ws"+strings.TrimPrefix(b.url, "http")+"/s/s1/ws"+query, header)
	if res == nil {
		b.t.Fatal(err)
	}
	if err != nil {
		return nil, res.StatusCode
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn, res.StatusCode
}

func (b *bench) socket(c *http.Client) *websocket.Conn {
	b.t.Helper()
	conn, status := b.dial(c, "", b.url)
	if conn == nil {
		b.t.Fatalf("socket: status %d", status)
	}
	return conn
}

// echo checks that a socket works.
func (b *bench) echo(c *websocket.Conn) {
	b.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		b.t.Fatal(err)
	}
	if _, data, err := c.ReadMessage(); err != nil || string(data) != "hello" {
		b.t.Fatalf("echo: %q, %v", data, err)
	}
}

// gone checks that a socket is being closed.
func (b *bench) gone(c *websocket.Conn) {
	b.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		b.t.Fatal(err)
	}
	if _, _, err := c.ReadMessage(); err == nil || strings.Contains(err.Error(), "timeout") {
		b.t.Fatalf("the socket was to be closed: %v", err)
	}
}

func (b *bench) tells(want ...presence) {
	b.t.Helper()
	for _, w := range want {
		select {
		case got := <-b.told:
			if got != w {
				b.t.Fatalf("told %+v, want %+v", got, w)
			}
		case <-time.After(20 * time.Second):
			b.t.Fatalf("not told of %+v within 20 s", w)
		}
	}
}
