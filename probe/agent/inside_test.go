//go:build linux

package agent

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/rendergate/rendergate/probe/wire"
)

// try opens a session with a fresh ticket and tells the answer's status.
func (s *service) try(p *probe, session string) string {
	s.t.Helper()
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, _ := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+p.gate+"/s/"+session+"/?ticket="+s.ticket(session), nil)
	res, err := c.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.Status
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b backoff
		most := firstWait
		for range 20 {
			began := time.Now()
			d := b.next()
			if !pause(t.Context(), d) || time.Since(began) != d {
				t.Fatal("it did not wait")
			}
			if d < most/2 || d > most {
				t.Fatalf("waited %v, want %v to %v", d, most/2, most)
			}
			most = min(2*most, mostWait)
		}
		b.reset()
		if d := b.next(); d > firstWait {
			t.Fatalf("after a reset %v", d)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if pause(ctx, time.Hour) {
			t.Fatal("it waited for nothing")
		}
	})
}

// Whatever happens in whatever order, the server ends up with the newest state
// of each session, and a hello leaves nothing to say.
func TestTheBookTellsTheNewest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBook(func(wire.Session) {})
		truth, server := map[string]string{}, map[string]string{}
		told := func() {
			for s, ok := b.next(); ok; s, ok = b.next() {
				if server[s.Session] = s.State; s.State == ended {
					delete(server, s.Session)
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			session := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "session")
			switch rapid.SampledFrom([]string{starting, ready, ended, "come", "go", "tell", "one", "hello"}).Draw(rt, "what") {
			case starting:
				b.set(wire.Session{Session: session, State: starting})
				truth[session] = starting
			case ready:
				b.set(wire.Session{Session: session, State: ready})
				truth[session] = ready
			case ended:
				b.set(wire.Session{Session: session, State: ended, Reason: "why"})
				delete(truth, session)
			case "come":
				b.presence(session, true)
				if s := truth[session]; s != "" && s != starting {
					truth[session] = connected
				}
			case "go":
				b.presence(session, false)
				if s := truth[session]; s != "" && s != starting {
					truth[session] = dropped
				}
			case "tell":
				told()
			case "one":
				if s, ok := b.next(); ok {
					if server[s.Session] = s.State; s.State == ended {
						delete(server, s.Session)
					}
				}
			case "hello":
				var h wire.Hello
				b.snapshot(&h)
				server = map[string]string{}
				for _, s := range h.Running {
					server[s.Session] = s.State
				}
				if _, more := b.next(); more {
					rt.Fatal("a hello leaves something to say")
				}
			}
		}
		told()
		if len(server) != len(truth) {
			rt.Fatalf("the server believes %v, true is %v", server, truth)
		}
		for session, state := range truth {
			if server[session] != state {
				rt.Fatalf("the server believes %v, true is %v", server, truth)
			}
		}
	})
}

// Whatever is dropped for a slow uplink, what is left can be decoded: every
// delta follows its predecessor, every break is mended by a key chunk.
func TestChunksStayDecodable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newChunks()
		n, last := byte(0), -1
		for range rapid.IntRange(1, 400).Draw(rt, "steps") {
			if rapid.IntRange(0, 20).Draw(rt, "take") == 0 {
				for _, chunk := range c.take() {
					switch at := int(chunk[1]); chunk[0] {
					case wire.ChunkKey:
						last = at
					case wire.ChunkDelta:
						if last < 0 || byte(last+1) != byte(at) {
							rt.Fatalf("delta %d after %d", at, last)
						}
						last = at
					}
				}
				continue
			}
			kind := rapid.SampledFrom([]byte{wire.ChunkDelta, wire.ChunkDelta, wire.ChunkDelta, wire.ChunkKey}).Draw(rt, "kind")
			c.put([]byte{kind, n})
			n++
			if len(c.waiting) > maxQueued {
				rt.Fatalf("%d wait", len(c.waiting))
			}
		}
	})
}

func TestInitializationIsNeverDropped(t *testing.T) {
	c := newChunks()
	c.put([]byte{wire.ChunkInit, 1})
	for range 50 {
		c.put(append([]byte{wire.ChunkKey}, make([]byte, 1<<20)...))
		c.put(append([]byte{wire.ChunkDelta}, make([]byte, 1<<20)...))
	}
	all := c.take()
	if len(all) == 0 || !bytes.Equal(all[0], []byte{wire.ChunkInit, 1}) || len(all) > 1+maxQueuedSize>>20 || c.dropped == 0 {
		t.Fatalf("%d wait, %d dropped", len(all), c.dropped)
	}
}
