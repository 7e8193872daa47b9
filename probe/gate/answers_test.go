package gate_test

import (
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
	"github.com/rendergate/rendergate/probe/wire/ticket"
)

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
