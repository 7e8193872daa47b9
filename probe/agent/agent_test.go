//go:build linux

package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/wire"
)

func TestASessionsLife(t *testing.T) {
	s := serve(t)
	p := s.probe(nil)
	h := s.welcome("j1", 1)
	want := wire.Hello{
		Host: "h1", Pool: "p", Version: "test", Cores: 2, Share: "a test", MemoryBytes: 1 << 30, GPUs: []wire.GPU{}, UplinkBps: 1e9,
		GateURL: "http://127.0.0.1:1", Apps: []string{"crash", "good", "never", "tree"}, PeriodS: 0.1, Running: []wire.Session{},
	}
	if !reflect.DeepEqual(h.hello, want) {
		t.Errorf("hello\n got %+v\nwant %+v", h.hello, want)
	}
	h.start(2, "s1")
	conn := s.player(p, "s1")
	h.says("s1", connected, "")
	if err := conn.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	var last uint64
	until(t, "a sample with the player's idleness", func() bool {
		sample := <-h.sample
		if sample.Seq <= last {
			t.Fatalf("sample %d after %d", sample.Seq, last)
		}
		last = sample.Seq
		return len(sample.Sessions) == 1 && sample.Sessions[0].IdleS != nil && *sample.Sessions[0].IdleS < 60
	})
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	h.says("s1", dropped, "")
	until(t, "a sample without it", func() bool { return (<-h.sample).Sessions[0].IdleS == nil })
	h.stop(3, "s1")
	h.says("s1", ended, "left")
	if n := living("s1"); n != 0 {
		t.Errorf("%d processes left", n)
	}
}

func TestStartsThatFail(t *testing.T) {
	s := serve(t)
	s.probe(nil)
	h := s.welcome("j1", 1)
	h.order(2, wire.Start{Session: "a", App: "nonesuch", GPU: -1, Attempt: 1})
	h.says("a", ended, `no app "nonesuch"`)
	h.order(3, wire.Start{Session: "../b", App: "good", GPU: -1, Attempt: 1})
	h.says("../b", ended, "want letters")
	h.order(4, wire.Start{Session: "c", App: "crash", GPU: -1, Attempt: 1})
	h.says("c", ended, "exit status 3")
	h.order(5, wire.Start{Session: "c", App: "crash", GPU: -1, Attempt: 1}) // given again: it has ended
	h.says("c", ended, "ended already")
	h.stop(6, "d")
	h.says("d", ended, "does not run here")
}

func TestOrdersAgain(t *testing.T) {
	s := serve(t)
	s.probe(nil)
	h := s.welcome("j1", 10)
	h.start(11, "s1")
	h.order(12, wire.Start{Session: "s1", App: "good", GPU: -1, Attempt: 1})
	h.quiet(13)
	h.stop(5, "s1") // older than what was obeyed
	h.quiet(14)
	h.send(wire.ToHost{Type: "stop", Journal: "j2", Seq: 99, Stop: &wire.Stop{Session: "s1"}})
	h.quiet(15)
	h.order(16, wire.Start{Session: "s1", App: "good", GPU: -1, Attempt: 2})
	h.says("s1", starting, "")
	h.says("s1", ready, "") // no word of the first attempt's end
	h.quiet(17)
}

func TestReconnectTellsWhatRuns(t *testing.T) {
	s := serve(t)
	p := s.probe(nil)
	h := s.welcome("j1", 1)
	h.start(2, "s1")
	h.start(3, "s2")
	h.start(4, "s3")
	conn := s.player(p, "s1")
	h.says("s1", connected, "")
	_ = h.ws.Close()
	h = s.next() // connected, not welcomed: as if the server had to start first
	want := []wire.Session{
		{Session: "s1", State: connected, Attempt: 1}, {Session: "s2", State: ready, Attempt: 1}, {Session: "s3", State: ready, Attempt: 1},
	}
	if h.hello.Journal != "j1" || h.hello.Seq != 4 || !reflect.DeepEqual(h.hello.Running, want) {
		t.Fatalf("hello %+v", h.hello)
	}
	// News while nobody listens: one player comes, one goes, a session dies.
	_ = conn.Close()
	s.player(p, "s2")
	killSession(t, "s3")
	until(t, "s3 gone", func() bool { return living("s3") == 0 })
	_ = h.ws.Close()
	want = []wire.Session{{Session: "s1", State: dropped, Attempt: 1}, {Session: "s2", State: connected, Attempt: 1}}
	for h = s.next(); !reflect.DeepEqual(h.hello.Running, want); h = s.next() {
		if len(h.hello.Running) < 2 {
			t.Fatalf("hello %+v", h.hello)
		}
		_ = h.ws.Close()
	}
	h.send(wire.ToHost{Type: "welcome", Journal: "j1", Seq: 5, Welcome: &wire.Welcome{JWKSURL: "/k", Sessions: []string{"s1", "s2"}}})
	h.quiet(6)
	// The pool believed s3 to run and starts its attempt anew: it has ended.
	h.order(7, wire.Start{Session: "s3", App: "good", GPU: -1, Attempt: 1})
	h.says("s3", ended, "ended already")
}

// killSession kills a session's processes, as a fault would.
func killSession(t *testing.T, session string) {
	t.Helper()
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range files {
		env, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(env), "RENDERGATE_SESSION="+session+"\x00") {
			var pid int
			if _, err := fmt.Sscanf(f, "/proc/%d/environ", &pid); err != nil {
				t.Fatal(err)
			}
			process, err := os.FindProcess(pid)
			if err != nil {
				t.Fatal(err)
			}
			_ = process.Kill()
		}
	}
}

func TestWhatThePoolDoesNotKnowEnds(t *testing.T) {
	s := serve(t)
	s.probe(nil)
	h := s.welcome("j1", 1)
	h.start(2, "s1")
	h.start(3, "s2")
	_ = h.ws.Close()
	h = s.welcome("j1", 4, "s2")
	h.says("s1", ended, "unknown")
	h.quiet(5)
}

func TestAServerThatIsBehindIsNotObeyed(t *testing.T) {
	s := serve(t)
	s.probe(nil)
	h := s.welcome("j1", 100)
	h.start(101, "s1")
	_ = h.ws.Close()
	h = s.welcome("j1", 50) // as a deposed leader would: it knows nothing of s1
	if _, ok := <-h.frames; ok {
		t.Fatal("it was answered")
	}
	h = s.welcome("j1", 101, "s1")
	h.quiet(102)
	if living("s1") == 0 {
		t.Fatal("the session was ended")
	}
}

func TestAnotherJournalStopsNothing(t *testing.T) {
	s := serve(t)
	p := s.probe(nil)
	h := s.welcome("j1", 100)
	h.start(101, "s1")
	_ = h.ws.Close()
	h = s.welcome("j2", 1) // restored or emptied: lower numbers, no sessions
	h.send(wire.ToHost{Type: "stop", Journal: "j2", Seq: 2, Stop: &wire.Stop{Session: "other"}})
	h.says("other", ended, "does not run here")
	if living("s1") == 0 {
		t.Fatal("the session was ended")
	}
	until(t, "a loud word", func() bool { return strings.Contains(p.log.String(), "follows another journal than before") })
	_ = h.ws.Close()
	h = s.welcome("j2", 3) // the same journal again: still the operator's to decide
	if !reflect.DeepEqual(h.hello.Orphans, []string{"s1"}) || h.hello.Journal != "j2" {
		t.Fatalf("hello %+v", h.hello)
	}
	h.send(wire.ToHost{Type: "stop", Journal: "j2", Seq: 4, Stop: &wire.Stop{Session: "s1", Reason: "removed"}})
	h.says("s1", ended, "removed")
}
