package gate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// record is what a presence told.
type record struct {
	now  func() time.Duration
	said []string
}

func watchPresence() (*presence, *record) {
	began := time.Now()
	r := &record{now: func() time.Duration { return time.Since(began) }}
	return newPresence(func(here bool) {
		word := "gone"
		if here {
			word = "here"
		}
		r.said = append(r.said, word+" "+r.now().String())
	}), r
}

func (r *record) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if !slices.Equal(r.said, want) {
		t.Fatalf("told %q, want %q", r.said, want)
	}
}

func TestPresence(t *testing.T) {
	t.Run("a tab that closes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, r := watchPresence()
			p.request()()
			time.Sleep(2 * time.Second)
			gone := p.socket()
			time.Sleep(time.Minute)
			p.request()() // says nothing: a socket is open
			gone()
			gone() // counts once
			time.Sleep(time.Minute)
			r.want(t, "here 0s", "gone 1m3s")
		})
	})
	t.Run("a reload", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, r := watchPresence()
			gone := p.socket()
			time.Sleep(time.Second)
			gone()
			time.Sleep(500 * time.Millisecond)
			done := p.request() // the page, half a second later
			time.Sleep(3 * time.Second)
			done()
			time.Sleep(5 * time.Second)
			gone = p.socket()
			time.Sleep(time.Second)
			r.want(t, "here 0s")
			gone()
			time.Sleep(time.Minute)
			r.want(t, "here 0s", "gone 11.5s")
		})
	})
	t.Run("an application without sockets", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, r := watchPresence()
			for range 4 {
				p.request()()
				time.Sleep(10 * time.Second)
			}
			time.Sleep(10 * time.Second)
			done := p.request()
			time.Sleep(time.Hour) // one long answer
			done()
			time.Sleep(time.Minute)
			r.want(t, "here 0s", "gone 45s", "here 50s", "gone 1h1m5s")
		})
	})
	t.Run("the session ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, r := watchPresence()
			gone := p.socket()
			p.close()
			gone()
			time.Sleep(time.Minute)
			r.want(t, "here 0s")
		})
	})
	t.Run("idle", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, _ := watchPresence()
			if _, ok := p.idle(); ok {
				t.Error("idle before anybody came")
			}
			defer p.close()
			defer p.socket()()
			time.Sleep(time.Minute)
			p.sent()
			time.Sleep(7 * time.Second)
			if d, ok := p.idle(); !ok || d != 7*time.Second {
				t.Errorf("idle for %v, %v", d, ok)
			}
		})
	})
}

// clientFrame is a frame as a browser sends it.
func clientFrame(opcode byte, size int) []byte {
	b := []byte{0x80 | opcode}
	switch {
	case size < 126:
		b = append(b, 0x80|byte(size))
	case size < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(size))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(size))
	}
	return append(append(b, 1, 2, 3, 4), bytes.Repeat([]byte{0x81}, size)...) // the payload looks like frames
}

// However the bytes are cut, each data frame is found once and no other thing is.
func TestFramesAreFoundHoweverTheyAreCut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var stream []byte
		var starts []bool // for each byte that ends a header of a data frame
		for range rapid.IntRange(1, 8).Draw(rt, "frames") {
			opcode := rapid.SampledFrom([]byte{0, 1, 2, 8, 9, 10}).Draw(rt, "opcode")
			f := clientFrame(opcode, rapid.SampledFrom([]int{0, 1, 125, 126, 300, 70_000}).Draw(rt, "size"))
			var header frames
			n := 0
			for n < 2 || n < header.length() {
				header.header[n] = f[n]
				n++
			}
			marks := make([]bool, len(f))
			marks[n-1] = opcode < 8
			stream, starts = append(stream, f...), append(starts, marks...)
		}
		var f frames
		for at := 0; at < len(stream); {
			n := min(rapid.SampledFrom([]int{1, 2, 3, 7, 1000, 100_000}).Draw(rt, "cut"), len(stream)-at)
			if got, want := f.data(stream[at:at+n]), slices.Contains(starts[at:at+n], true); got != want {
				rt.Fatalf("bytes %d to %d: data %v, want %v", at, at+n, got, want)
			}
			at += n
		}
	})
}

func FuzzFrames(f *testing.F) {
	f.Add(clientFrame(1, 5), uint64(1))
	f.Add([]byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, uint64(2))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		var whole, cut frames
		want := whole.data(stream)
		got := false
		r := rand.New(rand.NewPCG(seed, 1))
		for rest := stream; len(rest) > 0; {
			n := 1 + r.IntN(len(rest))
			got = cut.data(rest[:n]) || got
			rest = rest[n:]
		}
		if got != want || whole != cut {
			t.Fatalf("whole %v %+v, cut %v %+v", want, whole, got, cut)
		}
	})
}

// FuzzPath checks that a path that is taken has a valid session and holds
// nothing by which it could leave it.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/s/s1/", "/s/s1", "/s/s1/a/../b", "/s/../s1/", "/s/s1/%2e%2e/", "/s/s1/a%2fb", "/s//", "/s/s1//x", "/S/s1/"} {
		f.Add(seed, "a=1&ticket=x&b")
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		token, rest, given := cutTicket(query)
		if again, _, more := cutTicket(rest); more {
			t.Fatalf("the rest %q of %q still has ticket %q", rest, query, again)
		}
		if values, err := url.ParseQuery(rest); err == nil && values.Has("ticket") {
			t.Fatalf("the rest %q of %q still has a ticket", rest, query)
		}
		if !given && token != "" || !given && rest != query {
			t.Fatalf("%q: %q, %q, %v", query, token, rest, given)
		}
		at, ok := splitPath(path)
		if !ok {
			return
		}
		if !strings.HasPrefix(path, at.prefix()) || at.prefix()+at.rest != path {
			t.Fatalf("%q became %+v", path, at)
		}
		plain, err := url.PathUnescape(at.rest)
		if err != nil || slices.Contains(strings.Split(plain, "/"), "..") && !strings.Contains(at.rest, "%2") {
			t.Fatalf("%q leaves its session: %q, %v", path, plain, err)
		}
		u, err := url.Parse(at.clean(""))
		if err != nil || u.Host != "" || u.Scheme != "" {
			t.Fatalf("%q leads to %q, %v", path, at.clean(""), err)
		}
	})
}

// FuzzCookies checks that no cookie of ours gets through in either direction,
// and that an application's stay in its path.
func FuzzCookies(f *testing.F) {
	for _, seed := range []string{
		"a=1", "rendergate-seat=x; b=2", " Rendergate-Admin =x;c=3", "__Host-rendergate=x; d", "a=1; Path=/x; Domain=y", "=;=;", "a=1; path =/x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		h := http.Header{"Cookie": {line}, "Set-Cookie": {line}}
		stripCookies(h)
		r := http.Request{Header: h}
		for _, c := range r.Cookies() {
			if isOurs(c.Name) {
				t.Fatalf("%q passed as %q", c.Name, h.Get("Cookie"))
			}
		}
		scopeCookies(h, "/s/s1")
		res := http.Response{Header: h}
		for _, c := range res.Cookies() {
			if isOurs(c.Name) || c.Domain != "" || !strings.HasPrefix(c.Path, "/s/s1/") {
				t.Fatalf("%q became %q", line, h.Get("Set-Cookie"))
			}
		}
	})
}

func FuzzLocation(f *testing.F) {
	b := back{upstream: &url.URL{Scheme: "http", Host: "127.0.0.1:20000"}, prefix: "/s/s1"}
	for _, seed := range []string{"/x", "//h/x", "http://127.0.0.1:20000/x", "x", "", "?q", "/\\h", "http://[", "/s/s1x", "1; url=/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, v string) {
		got := b.address("Location", v, "gate.example.com")
		u, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q became %q: %v", v, got, err)
		}
		if u.Host == "" && u.Scheme == "" && strings.HasPrefix(u.Path, "/") && !strings.HasPrefix(u.Path, "/s/s1/") && u.Path != "/s/s1" {
			t.Fatalf("%q became %q, outside the session", v, got)
		}
	})
}

// TestCutOffWhileUpgrading: a session can end between the check and the upgrade.
func TestCutOffWhileUpgrading(t *testing.T) {
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	closed := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := (&socketWriter{ResponseWriter: w, presence: newPresence(func(bool) {}), cut: cut}).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, err = conn.Read(make([]byte, 1))
		closed <- err
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String()) //nolint:noctx // a test's
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := <-closed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading on a connection that was cut off: %v", err)
	}
}
