package gate_test

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"

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

func TestAnswersStayInTheirSession(t *testing.T) {
	b := start(t, func(o *gate.Options) { o.FrameAncestors = []string{"https://shop.example.com", "no origin; at all"} })
	b.gate.Embed([]string{issuer, "https://shop.example.com", "https://x.example.com; script-src *"})
	c := b.browser()
	b.enter(c)
	appHost := strings.TrimPrefix(b.app.URL, "http://")
	locations := map[string]string{
		"/menu?x=1#y":                       "/s/s1/menu?x=1#y",
		"menu":                              "menu",
		"?a":                                "?a",
		"/s/s1/menu":                        "/s/s1/menu",
		"http://" + appHost + "/menu":       "/s/s1/menu",
		"http://" + appHost:                 "/s/s1/",
		b.url + "/menu":                     "/s/s1/menu",
		"//" + appHost + "/menu":            "/s/s1/menu",
		"https://elsewhere.example.com/x?y": "https://elsewhere.example.com/x?y",
		"/a%2Fb":                            "/s/s1/a%2Fb",
		"/s/s2/":                            "/s/s1/s/s2/",
		"http://[::1":                       "/s/s1/",
	}
	for give, want := range locations {
		b.app.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", give)
			w.WriteHeader(http.StatusFound)
		})
		if got := b.get(c, "/s/s1/x").Header.Get("Location"); got != want {
			t.Errorf("Location %q became %q, want %q", give, got, want)
		}
	}
	b.app.answers(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for _, v := range []string{"a=1", "b=2; Path=/; Secure", "c=3; path=/menu; Domain=example.com", "rendergate-seat=stolen; Path=/", "d=4; Path=/s/s1/x"} {
			h.Add("Set-Cookie", v)
		}
		h.Add("Content-Security-Policy", "default-src 'self'; Frame-Ancestors 'none', script-src 'self'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "unsafe-url")
		h.Set("Service-Worker-Allowed", "/")
		h.Set("Clear-Site-Data", `"cookies"`)
	})
	got := b.get(c, "/s/s1/x").Header
	want := http.Header{
		"Set-Cookie": {"a=1; Path=/s/s1/", "b=2; Secure; Path=/s/s1/", "c=3; Path=/s/s1/menu", "d=4; Path=/s/s1/x"},
		"Content-Security-Policy": {
			"default-src 'self'", "script-src 'self'", "frame-ancestors 'self' https://shop.example.com https://service.example.com",
		},
		"X-Frame-Options": nil, "Referrer-Policy": {"no-referrer"}, "Service-Worker-Allowed": nil, "Clear-Site-Data": nil,
	}
	for name, values := range want {
		if fmt.Sprint(got[name]) != fmt.Sprint(values) {
			t.Errorf("%s: got %q, want %q", name, got[name], values)
		}
	}
}

func TestOnHTTPSTheCookieIsForEmbedding(t *testing.T) {
	b := start(t, func(o *gate.Options) { o.PublicURL = &url.URL{Scheme: "https", Host: "gate.example.com"} })
	line := b.get(b.browser(), "/s/s1/?ticket="+b.ticket(nil)).Header.Get("Set-Cookie")
	for _, want := range []string{"Path=/s/s1/", "HttpOnly", "Secure", "SameSite=None", "Partitioned"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %q", want, line)
		}
	}
}

func TestSmallThings(t *testing.T) {
	b := start(t, nil)
	c := b.browser()
	if got := b.get(c, "/s/s1?ticket="+b.ticket(nil)); got.Header.Get("Location") != "/s/s1/" {
		t.Errorf("without the slash: %s %s", got.Status, got.Header.Get("Location"))
	}
	if got := b.get(c, "/s/s1?x=1"); got.StatusCode != http.StatusPermanentRedirect && got.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the slash: %s", got.Status)
	}
	token := b.ticket(nil)
	if got := b.get(c, "/s/s1/?ticket="+token, "Sec-Purpose", "prefetch"); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("prefetch: %s", got.Status)
	}
	if got := b.do(c, http.MethodPost, "/s/s1/?ticket="+token); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a ticket with POST: %s", got.Status)
	}
	if got := b.get(c, "/s/s1/?ticket="+token); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the ticket is still good: %s", got.Status)
	}
	if got := b.do(c, http.MethodPost, "/s/s1/", "Origin", "https://evil.example.com"); got.StatusCode != http.StatusForbidden {
		t.Errorf("POST from elsewhere: %s", got.Status)
	}
	if got := b.do(c, http.MethodPost, "/s/s1/", "Origin", b.url); got.StatusCode != http.StatusOK {
		t.Errorf("POST of its own: %s", got.Status)
	}
	if got := b.get(c, "/s/s1/"+strings.Repeat("x", 40<<10)); got.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a huge header: %s", got.Status)
	}
	b.app.Close()
	if got := b.get(c, "/s/s1/"); got.StatusCode != http.StatusBadGateway || strings.Contains(got.body, "127.0.0.1") {
		t.Errorf("a dead application: %s %s", got.Status, got.body)
	}
}

func TestStreamsAreNotHeldBack(t *testing.T) {
	b := start(t, nil)
	c := b.browser()
	b.enter(c)
	more := make(chan struct{})
	defer close(more)
	b.app.answers(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		select {
		case <-more:
		case <-r.Context().Done():
		}
	})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/s/s1/stream", nil)
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() // a test's own
	part := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, part); err != nil || string(part) != "first" {
		t.Fatalf("%q, %v", part, err)
	}
	b.gate.Close("s1") // ends streams as well
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("the stream ended as if it were whole")
	}
}

func TestOneAddressHasSoManyConnections(t *testing.T) {
	b := start(t, func(o *gate.Options) { o.Connections = 3 })
	var conns []net.Conn
	for range 3 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	fourth, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if err := fourth.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := fourth.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Fatalf("the fourth: %v", err)
	}
	for _, c := range append(conns, fourth) {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) { // each try is a request: it waits by itself
		if res, err := b.browser().Get(b.url + "/healthz"); err == nil {
			_ = res.Body.Close()
			return
		}
	}
	t.Fatal("closed connections did not make room")
}

func TestASessionHasSoManySockets(t *testing.T) {
	b := start(t, nil)
	c := b.browser()
	b.enter(c)
	for range 16 {
		b.socket(c)
	}
	if conn, status := b.dial(c, "", b.url); conn != nil || status != http.StatusTooManyRequests {
		t.Fatalf("the 17th: %d", status)
	}
}

func TestForgedTicketsDoNotFloodTheService(t *testing.T) {
	b := start(t, nil)
	for range 50 {
		token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, ticket.Claims{Claims: b.claims()})
		token.Header["kid"] = fmt.Sprint("forged", b.ids.Add(1))
		signed, _ := token.SignedString(b.key)
		b.get(b.browser(), "/s/s1/?ticket="+signed)
	}
	if n := b.fetched.Load(); n > 2 {
		t.Fatalf("the keys were fetched %d times", n)
	}
}

func TestBigFramesPass(t *testing.T) {
	b := start(t, nil)
	c := b.browser()
	b.enter(c)
	conn := b.socket(c)
	big := strings.Repeat("x", 300_000)
	if err := conn.WriteMessage(websocket.BinaryMessage, []byte(big)); err != nil {
		t.Fatal(err)
	}
	if _, data, err := conn.ReadMessage(); err != nil || string(data) != big {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
}
