package auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/server/auth"
)

func TestOrigins(t *testing.T) {
	public := auth.NewOrigins("https://gate.example.com", []string{"https://www.example.com", "http://localhost:3000"})
	unset := auth.NewOrigins("", nil)
	for _, c := range []struct {
		origins      auth.Origins
		host, origin string
		want         bool
	}{
		{public, "gate.example.com", "https://gate.example.com", true},
		{public, "gate.example.com", "https://gate.example.com:443", true},
		{public, "gate.example.com", "HTTPS://Gate.Example.com", true},
		{public, "internal:8080", "https://gate.example.com", true},
		{public, "gate.example.com", "https://www.example.com", true},
		{public, "gate.example.com", "http://localhost:3000", true},
		{public, "gate.example.com", "http://gate.example.com", false},
		{public, "gate.example.com", "https://gate.example.com:8443", false},
		{public, "gate.example.com", "https://gate.example.com.evil.com", false},
		{public, "gate.example.com", "https://evil.com", false},
		{public, "evil.com", "https://evil.com", false},
		{public, "gate.example.com", "null", false},
		{public, "gate.example.com", "https://gate.example.com/x", false},
		{public, "gate.example.com", "https://u@gate.example.com", false},
		{public, "gate.example.com", "", true},
		{unset, "localhost:8080", "http://localhost:8080", true},
		{unset, "192.168.1.5:8080", "http://192.168.1.5:8080", true},
		{unset, "[::1]:8080", "http://[::1]:8080", true},
		{unset, "gate.local", "http://gate.local", true},
		{unset, "gate.local:80", "http://gate.local", true},
		{unset, "gate.local:443", "https://gate.local", true},
		{unset, "gate.local", "http://gate.local:8080", false},
		{unset, "localhost:8080", "http://127.0.0.1:8080", false},
		{unset, "localhost:8080", "http://evil.com", false},
		{unset, "localhost:8080", "null", false},
		{unset, "", "http://evil.com", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if got := c.origins.Allowed(r); got != c.want {
			t.Errorf("%q asked by %q: got %v, want %v", c.host, c.origin, got, c.want)
		}
	}
	twice := httptest.NewRequest(http.MethodGet, "/", nil)
	twice.Header["Origin"] = []string{"https://gate.example.com", "https://evil.com"}
	if public.Allowed(twice) {
		t.Error("two origins pass")
	}
	if got := strings.Join(public.List(), " "); got != "http://localhost:3000 https://gate.example.com https://www.example.com" {
		t.Errorf("list: %s", got)
	}
}

func TestClient(t *testing.T) {
	proxies := auth.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		peer, header, want string
	}{
		{"192.0.2.1:5000", "", "192.0.2.1"}, {"192.0.2.1:5000", "198.51.100.7", "192.0.2.1"},
		{"10.0.0.1:5000", "198.51.100.7", "198.51.100.7"}, {"10.0.0.1:5000", "", "10.0.0.1"},
		{"10.0.0.1:5000", "1.1.1.1, 198.51.100.7", "198.51.100.7"},
		{"10.0.0.1:5000", "1.1.1.1, 198.51.100.7, 10.2.3.4", "198.51.100.7"},
		{"10.0.0.1:5000", "198.51.100.7:4711", "198.51.100.7"}, {"10.0.0.1:5000", "[2001:db8::1]:4711", "2001:db8::1"},
		{"10.0.0.1:5000", "2001:db8::1", "2001:db8::1"}, {"10.0.0.1:5000", "[2001:db8::1]", "2001:db8::1"},
		{"[fd00::1]:5000", "198.51.100.7", "198.51.100.7"}, {"[::ffff:10.0.0.1]:5000", "198.51.100.7", "198.51.100.7"},
		{"10.0.0.1:5000", "::ffff:198.51.100.7", "198.51.100.7"},
		{"10.0.0.1:5000", "198.51.100.7, nonsense", "10.0.0.1"}, {"10.0.0.1:5000", "nonsense, 198.51.100.7", "198.51.100.7"},
		{"10.0.0.1:5000", "10.1.1.1, 10.2.2.2", "10.1.1.1"}, {"[fe80::1%eth0]:5000", "", "fe80::1"},
		{"@", "198.51.100.7", ""}, {"", "", ""},
		{"10.0.0.1:5000", strings.Repeat("10.0.0.2,", 100000) + "10.0.0.3", "10.0.0.2"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		if c.header != "" {
			r.Header.Set("X-Forwarded-For", c.header)
		}
		if got := proxies.Client(r); got != c.want {
			t.Errorf("%s with %.60q: got %q, want %q", c.peer, c.header, got, c.want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header["X-Forwarded-For"] = []string{"1.1.1.1", "198.51.100.7"}
	if got := proxies.Client(r); got != "198.51.100.7" {
		t.Errorf("two headers: got %s", got)
	}
}

// FuzzClient checks that a header is never believed from anybody but a trusted
// proxy, and that what a proxy says ends in an address.
func FuzzClient(f *testing.F) {
	f.Add("192.0.2.1:80", "1.1.1.1")
	f.Add("10.0.0.1:80", "1.1.1.1, 10.0.0.2, [::1]:4")
	f.Add("10.0.0.1:80", ",,,:::,[")
	proxies := auth.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, peer, header string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {header}}}
		got := proxies.Client(r)
		r.Header = nil
		alone := proxies.Client(r)
		if (got == "") != (alone == "") {
			t.Fatalf("%q with %q: %q, alone %q", peer, header, got, alone)
		}
		if a, err := netip.ParseAddr(alone); err == nil && !proxies[0].Contains(a) && got != alone {
			t.Fatalf("%q is no proxy, but %q made it %q", peer, header, got)
		}
		if a, err := netip.ParseAddr(got); got != "" && (err != nil || a.Zone() != "" || a.Is4In6()) {
			t.Fatalf("%q with %q: %q, %v", peer, header, got, err)
		}
	})
}

type clock struct{ now time.Time }

func (c *clock) limiter(connections, joins int) *auth.Limiter {
	c.now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	return auth.NewLimiter(auth.LimiterOptions{ConnectionsPerAddress: connections, JoinsPerMinute: joins, Now: func() time.Time { return c.now }})
}

func TestConnections(t *testing.T) {
	l := new(clock).limiter(2, 60)
	one, ok1 := l.Connect("192.0.2.1")
	_, ok2 := l.Connect("192.0.2.1")
	_, ok3 := l.Connect("::ffff:192.0.2.1")
	if !ok1 || !ok2 || ok3 {
		t.Fatalf("got %v, %v, %v; want two of three", ok1, ok2, ok3)
	}
	if _, ok := l.Connect("192.0.2.2"); !ok {
		t.Fatal("another address is refused")
	}
	one()
	one() // a second time is nothing
	two, ok := l.Connect("192.0.2.1")
	if !ok {
		t.Fatal("refused after one was closed")
	}
	if _, ok := l.Connect("192.0.2.1"); ok {
		t.Fatal("releasing twice counted twice")
	}
	two()

	for i, want := range []bool{true, true, false} {
		if _, ok := l.Connect(fmt.Sprintf("2001:db8::%d", i)); ok != want {
			t.Fatalf("address %d of one /64: got %v", i, ok)
		}
	}
	if _, ok := l.Connect("2001:db8:0:1::1"); !ok {
		t.Fatal("another /64 is refused")
	}
}

func TestConnectionsLeaveNothing(t *testing.T) {
	l := new(clock).limiter(5, 60)
	for i := range 1000 {
		release, _ := l.Connect(fmt.Sprintf("10.0.%d.%d", i/250, i%250))
		release()
	}
	if conns, _ := l.Keys(); conns != 0 {
		t.Fatalf("%d addresses are remembered with no connection open", conns)
	}
}

func TestJoins(t *testing.T) {
	var c clock
	l := c.limiter(5, 60)
	for i := range 60 {
		if wait := l.Join("192.0.2.1"); wait != 0 {
			t.Fatalf("join %d: wait %s", i, wait)
		}
	}
	if wait := l.Join("192.0.2.1"); wait <= 0 || wait > time.Second {
		t.Fatalf("the 61st: wait %s, want up to a second", wait)
	}
	if wait := l.Join("192.0.2.2"); wait != 0 {
		t.Fatal("another address must wait too")
	}
	c.now = c.now.Add(time.Second)
	if wait := l.Join("192.0.2.1"); wait != 0 {
		t.Fatalf("a second later: wait %s", wait)
	}
	if wait := l.Join("192.0.2.1"); wait <= 0 {
		t.Fatal("one second gave two joins")
	}
}

func TestJoinsAreBounded(t *testing.T) {
	var c clock
	l := c.limiter(5, 2)
	for i := range auth.LimitedAddresses + 500 {
		l.Join(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	if _, joins := l.Keys(); joins > auth.LimitedAddresses+1 {
		t.Fatalf("%d addresses are remembered", joins)
	}
	if wait := l.Join("192.0.2.1"); wait <= 0 {
		t.Fatal("those who found no room are not limited")
	}
	c.now = c.now.Add(2 * time.Minute)
	if wait := l.Join("192.0.2.1"); wait != 0 {
		t.Fatalf("after the flood: wait %s", wait)
	}
	if _, joins := l.Keys(); joins != 1 {
		t.Fatalf("%d addresses are remembered after the flood", joins)
	}
}
