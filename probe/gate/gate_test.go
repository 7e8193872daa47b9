package gate_test

import (
	"crypto/ed25519"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rendergate/rendergate/probe/gate"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/ticket"
)

func TestATicketOpensTheSession(t *testing.T) {
	b := start(t, nil)
	c := b.browser()
	token := b.ticket(nil)
	got := b.get(c, "/s/s1/play.html?a=1&ticket="+token+"&b=%20", "Accept", "text/html")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/s/s1/play.html?a=1&b=%20" {
		t.Fatalf("%s to %q", got.Status, got.Header.Get("Location"))
	}
	cookie := got.Cookies()[0]
	if cookie.Path != "/s/s1/" || !cookie.HttpOnly || cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || len(cookie.Value) < 26 {
		t.Fatalf("cookie: %+v", cookie)
	}
	if got.Header.Get("Referrer-Policy") != "no-referrer" || got.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("headers: %v", got.Header)
	}
	got = b.get(c, "/s/s1/play.html?a=1", "Cookie", "theme=dark; rendergate_admin=secret")
	if got.StatusCode != http.StatusOK || got.body != "the application" {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	req := b.app.last()
	if req.URL.Path != "/play.html" || req.URL.RawQuery != "a=1" || req.Header.Get("X-Forwarded-Prefix") != "/s/s1" ||
		req.Header.Get("Cookie") != "theme=dark" || req.Host != strings.TrimPrefix(b.url, "http://") || req.Header.Get("X-Forwarded-For") != "127.0.0.1" {
		t.Fatalf("the application got %s %v %v", req.URL, req.Host, req.Header)
	}
	if strings.Contains(b.log.String(), token) || strings.Contains(b.log.String(), cookie.Value) {
		t.Fatal("the log holds a ticket or a cookie")
	}
	b.tells(presence{"s1", true})
}

func TestWhoDoesNotGetIn(t *testing.T) {
	b := start(t, nil)
	b.open("s2")
	_, forged, _ := ed25519.GenerateKey(nil)
	used := b.ticket(nil)
	if got := b.get(b.browser(), "/s/s1/?ticket="+used); got.StatusCode != http.StatusSeeOther {
		t.Fatal(got.Status)
	}
	cases := map[string]struct {
		path string
		want int
	}{
		"nothing":         {"/s/s1/", 401},
		"an empty ticket": {"/s/s1/?ticket=", 401},
		"no ticket":       {"/s/s1/?ticket=abc", 401},
		"used":            {"/s/s1/?ticket=" + used, 401},
		"forged":          {"/s/s1/?ticket=" + b.sign(b.claims(), jwt.SigningMethodEdDSA, forged), 401},
		"alg none":        {"/s/s1/?ticket=" + b.sign(b.claims(), jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), 401},
		"HS256":           {"/s/s1/?ticket=" + b.sign(b.claims(), jwt.SigningMethodHS256, []byte(b.key.Public().(ed25519.PublicKey))), 401},
		"expired": {"/s/s1/?ticket=" + b.ticket(func(c *wire.Claims) {
			c.IssuedAt, c.IssuedAtMS, c.Expires = c.IssuedAt-100, 0, c.IssuedAt-40
		}), 401},
		"before the gate": {"/s/s1/?ticket=" + b.ticket(func(c *wire.Claims) { c.IssuedAt, c.IssuedAtMS, c.Expires = c.IssuedAt-2, 0, c.IssuedAt+50 }), 401},
		"other host":      {"/s/s1/?ticket=" + b.ticket(func(c *wire.Claims) { c.Audience = "render-2" }), 401},
		"other session":   {"/s/s2/?ticket=" + b.ticket(nil), 401},
		"spectator":       {"/s/s1/?ticket=" + b.ticket(func(c *wire.Claims) { c.Role = ticket.Spectator }), 401},
		"other service":   {"/s/s1/?ticket=" + b.ticket(func(c *wire.Claims) { c.Issuer = "https://evil.example.com" }), 401},
		"unknown session": {"/s/s9/?ticket=" + b.ticket(nil), 404},
		"no session":      {"/", 404},
		"elsewhere":       {"/metrics", 404},
		"leaving":         {"/s/s1/a/%2e%2e/b", 404},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := b.get(b.browser(), c.path, "Accept", "text/html")
			if got.StatusCode != c.want {
				t.Fatalf("%s, want %d: %s", got.Status, c.want, got.body)
			}
			if len(got.Cookies()) != 0 || !strings.Contains(got.body, "<h1>") || strings.Contains(got.body, "eyJ") {
				t.Errorf("cookies %v, page %s", got.Cookies(), got.body)
			}
		})
	}
	if b.app.count() != 0 {
		t.Errorf("%d requests reached the application", b.app.count())
	}
	if strings.Contains(b.log.String(), "eyJ") {
		t.Error("a ticket stands in the log")
	}
}

func TestNothingIsTrustedBeforeTheService(t *testing.T) {
	g, err := gate.New(gate.Options{
		Listen: "127.0.0.1:0", PublicURL: &url.URL{Scheme: "http", Host: "g"}, Notify: func(string, bool) {}, Log: start(t, nil).logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	g.Open("s1", &url.URL{Scheme: "http", Host: "127.0.0.1:1"})
	if status := ask(g, "/s/s1/?ticket=x"); status != http.StatusServiceUnavailable {
		t.Fatalf("status %d", status)
	}
	if status := ask(g, "/healthz"); status != http.StatusOK {
		t.Fatalf("health: status %d", status)
	}
}

func TestACookieOpensItsOwnSessionAlone(t *testing.T) {
	b := start(t, nil)
	b.open("s2")
	c := b.browser()
	got := b.get(c, "/s/s1/?ticket="+b.ticket(nil))
	value := got.Cookies()[0].Name + "=" + got.Cookies()[0].Value
	if got := b.get(b.browser(), "/s/s2/", "Cookie", value); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("cookie of s1 at s2: %s", got.Status)
	}
	if got := b.get(b.browser(), "/s/s1/", "Cookie", value[:len(value)-1]); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("a shortened cookie: %s", got.Status)
	}
	if got := b.get(b.browser(), "/s/s1/", "Cookie", "rendergate-seat=x; "+value); got.StatusCode != http.StatusOK {
		t.Errorf("a stale cookie beside the good one: %s", got.Status)
	}
}

func TestSockets(t *testing.T) {
	b := start(t, nil)
	if c, status := b.dial(nil, "", b.url); c != nil || status != http.StatusUnauthorized {
		t.Fatalf("without anything: %d", status)
	}
	c := b.browser()
	b.enter(c)
	b.echo(b.socket(c))
	if got := b.app.last().Header.Get("Cookie"); got != "" {
		t.Errorf("the application's socket got cookies %q", got)
	}
	for _, origin := range []string{"https://evil.example.com", "null", "http://" + strings.Replace(strings.TrimPrefix(b.url, "http://"), "127", "126", 1)} {
		if conn, status := b.dial(c, "", origin); conn != nil || status != http.StatusForbidden {
			t.Errorf("a socket from %s: %d", origin, status)
		}
	}
	b.tells(presence{"s1", true})
}

func TestASocketMayBringItsTicket(t *testing.T) {
	b := start(t, nil)
	c := b.browser()
	conn, status := b.dial(c, "?x=1&ticket="+b.ticket(nil), "")
	if conn == nil {
		t.Fatalf("status %d", status)
	}
	b.echo(conn)
	if got := b.app.last().URL.RawQuery; got != "x=1" {
		t.Errorf("the application got the query %q", got)
	}
	b.echo(b.socket(c)) // the answer brought the cookie
	if _, status := b.dial(nil, "?ticket=junk", ""); status != http.StatusUnauthorized {
		t.Errorf("junk: %d", status)
	}
}

func TestANewerPlayerDisplacesTheOlder(t *testing.T) {
	b := start(t, nil)
	older, newer := b.browser(), b.browser()
	b.enter(older)
	first := b.socket(older)
	b.echo(first)
	b.tells(presence{"s1", true})
	b.enter(newer)
	b.gone(first)
	second := b.socket(newer)
	b.echo(second)
	if got := b.get(older, "/s/s1/"); got.StatusCode != http.StatusConflict || !strings.Contains(got.body, "taken over") {
		t.Fatalf("the older: %s %s", got.Status, got.body)
	}
	if _, status := b.dial(older, "", b.url); status != http.StatusConflict {
		t.Fatalf("the older's socket: %d", status)
	}
	b.echo(second)
	b.enter(older) // takes it back, with a ticket of its own
	b.gone(second)
}

func TestDropAndReturn(t *testing.T) {
	b := start(t, nil)
	c := b.browser()
	b.enter(c)
	conn := b.socket(c)
	b.tells(presence{"s1", true})
	if _, ok := b.gate.Idle("s1"); !ok {
		t.Error("nobody there to be idle")
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	b.tells(presence{"s1", false})
	if _, ok := b.gate.Idle("s1"); ok {
		t.Error("still there")
	}
	b.echo(b.socket(c))
	b.tells(presence{"s1", true})
}

// A client that is cut off without a word, as by its network, is noticed as one
// that closes: here its connection is reset.
func TestAResetIsADrop(t *testing.T) {
	b := start(t, nil)
	c := b.browser()
	b.enter(c)
	conn := b.socket(c)
	b.tells(presence{"s1", true})
	tcp := conn.NetConn().(*net.TCPConn)
	if err := tcp.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := tcp.Close(); err != nil {
		t.Fatal(err)
	}
	b.tells(presence{"s1", false})
}

func TestClosingASessionCutsItsPlayerOff(t *testing.T) {
	b := start(t, nil)
	c := b.browser()
	b.enter(c)
	conn := b.socket(c)
	b.gate.Close("s1")
	b.gone(conn)
	if got := b.get(c, "/s/s1/"); got.StatusCode != http.StatusNotFound {
		t.Fatalf("after the end: %s", got.Status)
	}
	b.open("s1")
	if got := b.get(c, "/s/s1/"); got.StatusCode != http.StatusUnauthorized {
		t.Fatalf("the old cookie at a new session of that name: %s", got.Status)
	}
}

func TestStoppingCutsEverybodyOff(t *testing.T) {
	b := start(t, nil)
	c := b.browser()
	b.enter(c)
	conn := b.socket(c)
	b.echo(conn)
	b.shutdown()
	b.gone(conn)
}
