//go:build linux

package agent

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
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
	want := []wire.Session{{Session: "s1", State: connected}, {Session: "s2", State: ready}, {Session: "s3", State: ready}}
	if h.hello.Journal != "j1" || h.hello.Seq != 4 || !reflect.DeepEqual(h.hello.Running, want) {
		t.Fatalf("hello %+v", h.hello)
	}
	// News while nobody listens: one player comes, one goes, a session dies.
	_ = conn.Close()
	s.player(p, "s2")
	killSession(t, "s3")
	until(t, "s3 gone", func() bool { return living("s3") == 0 })
	_ = h.ws.Close()
	want = []wire.Session{{Session: "s1", State: dropped}, {Session: "s2", State: connected}}
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

func TestTokens(t *testing.T) {
	s := serve(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("wildcard\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var taken atomic.Pointer[string]
	wildcard, own := "wildcard", "own"
	taken.Store(&wildcard)
	s.tokens = func(token string) bool { return token == *taken.Load() }
	p := s.probe(func(o *Options) { o.Config.TokenFile = file })
	h := s.next()
	h.send(wire.ToHost{Type: "welcome", Journal: "j1", Seq: 1, Welcome: &wire.Welcome{Token: "own", JWKSURL: "/k"}})
	h.quiet(2)
	info, err := os.Stat(file + ".host")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	taken.Store(&own)
	_ = h.ws.Close()
	h = s.welcome("j1", 3)
	if h.token != "own" {
		t.Fatalf("token %q", h.token)
	}
	h.quiet(4)
	p.stop()
	p = s.probe(func(o *Options) { o.Config.TokenFile = file }) // a new process has it still
	h = s.welcome("j1", 5)
	taken.Store(&wildcard) // its own was revoked: it enrols anew
	_ = h.ws.Close()
	if h = s.welcome("j1", 6); h.token != "wildcard" {
		t.Fatalf("token %q", h.token)
	}
	h.quiet(7)
	for _, secret := range []string{"wildcard", "own\n"} {
		if strings.Contains(p.log.String(), "="+secret) {
			t.Errorf("the log holds the token %q", secret)
		}
	}
}

func TestPublishing(t *testing.T) {
	s := serve(t)
	p := s.probe(nil)
	h := s.welcome("j1", 1)
	h.start(2, "s1")
	on := func(seq uint64, on bool) {
		h.send(wire.ToHost{Type: "publish", Journal: "j1", Seq: seq, Publish: &wire.Publish{Session: "s1", On: on}})
	}
	on(3, true)
	on(4, true) // again: changes nothing
	relay := <-s.relays
	checkStream(t, relay)
	_ = relay.Close() // the relay goes: the stream is brought anew, from its beginning
	relay = <-s.relays
	checkStream(t, relay)
	on(5, false)
	for {
		if _, _, err := relay.ReadMessage(); err != nil {
			break
		}
	}
	on(6, true)
	checkStream(t, <-s.relays)
	h.stop(7, "s1")
	h.says("s1", ended, "")
	until(t, "the end of publishing", func() bool { return strings.Count(p.log.String(), "publishing ended") == 2 })
	if len(s.relays) != 0 {
		t.Error("published twice")
	}
}

// checkStream checks that a relay gets a description, initialization data, and
// whole groups that begin with a key chunk.
func checkStream(t *testing.T, relay *websocket.Conn) {
	t.Helper()
	var info wire.StreamInfo
	if err := relay.ReadJSON(&info); err != nil || info.Mime != "video/test" {
		t.Fatalf("%+v, %v", info, err)
	}
	last := -1
	for i := range 30 {
		_, data, err := relay.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if data[0] != wire.ChunkInit {
				t.Fatalf("first chunk %q", data)
			}
			continue
		}
		var n int
		if _, err := fmt.Sscan(string(data[1:]), &n); err != nil {
			t.Fatal(err)
		}
		if key := data[0] == wire.ChunkKey; n <= last || key != (n%10 == 0) || !key && n != last+1 {
			t.Fatalf("chunk %d of kind %d after %d", n, data[0], last)
		}
		last = n
	}
}

func TestStoppingTellsTheServer(t *testing.T) {
	s := serve(t)
	p := s.probe(nil)
	h := s.welcome("j1", 1)
	h.start(2, "s1")
	conn := s.player(p, "s1")
	h.says("s1", connected, "")
	p.stop()
	h.says("s1", ended, "the probe is stopping")
	if _, ok := <-h.frames; ok || !websocket.IsCloseError(h.err, websocket.CloseGoingAway) {
		t.Fatalf("the end: %v", h.err)
	}
	if _, _, err := conn.ReadMessage(); err == nil {
		t.Fatal("the player is still connected")
	}
}

func TestGPUsThatComeLateAreSaid(t *testing.T) {
	s := serve(t)
	var there atomic.Bool
	gpus := func() []wire.GPU {
		if there.Load() {
			return []wire.GPU{{UUID: "GPU-1", Name: "a GPU", VRAMBytes: 8e9}}
		}
		return nil
	}
	s.probe(func(o *Options) { o.Sampling = sampling(gpus); o.Config.GPUs.EncoderSessions = 5 })
	h := s.welcome("j1", 1)
	h.quiet(2)
	there.Store(true)
	h = s.welcome("j1", 3)
	if len(h.hello.GPUs) != 1 || h.hello.GPUs[0].EncoderSessions != 5 {
		t.Fatalf("hello %+v", h.hello)
	}
	h.quiet(4)
}

func TestAClockThatIsOff(t *testing.T) {
	s := serve(t)
	p := s.probe(nil)
	h := s.welcome("j1", 1)
	h.start(2, "s1")
	h.send(wire.ToHost{Type: "ack", Ack: &wire.Ack{Sample: 1, ClockSkewS: 3600}})
	until(t, "a word about it", func() bool { return strings.Contains(p.log.String(), "clock differs") })
	// By the service's clock it is an hour earlier: a ticket of now is not valid yet.
	if got := s.try(p, "s1"); got != "401 Unauthorized" {
		t.Fatalf("a ticket from an hour ahead: %s", got)
	}
	h.send(wire.ToHost{Type: "ack", Ack: &wire.Ack{Sample: 2}})
	until(t, "the clocks agree again", func() bool { return strings.Count(p.log.String(), "clock differs") == 2 })
	if got := s.try(p, "s1"); got != "303 See Other" {
		t.Fatalf("a ticket: %s", got)
	}
}

// kill -9 of a probe ends its sessions with all they have started.
func TestAKilledProbe(t *testing.T) {
	s := serve(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "probe.yaml")
	if err := os.WriteFile(file, []byte(text(s.url)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "probe", file)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	h := s.welcome("j1", 1)
	session := fmt.Sprintf("killed%d", os.Getpid())
	h.order(2, wire.Start{Session: session, App: "tree", GPU: -1, Attempt: 1})
	h.says(session, starting, "")
	h.says(session, ready, "")
	until(t, "two processes", func() bool { return living(session) == 2 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	until(t, "no process", func() bool { return living(session) == 0 })
}

func TestSecretsHaveNoPlaceInErrors(t *testing.T) {
	for _, bad := range []string{"", "two words", strings.Repeat("x", 5000), "nul\x00", "ümlaut"} {
		if _, err := loadTokens("", bad, nil); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	if _, err := loadTokens("/no/such/file", "", nil); err == nil {
		t.Error("a missing file was taken")
	}
}

func TestBadFramesDoNotEndTheConnection(t *testing.T) {
	s := serve(t)
	p := s.probe(nil)
	h := s.welcome("j1", 1)
	for _, bad := range []string{"", "{", "[]", `{"type":"dance"}`, `{"type":"start"}`, `{"type":"stop","stop":7}`, `{"type":"welcome","welcome":{}}`} {
		if err := h.ws.WriteMessage(websocket.TextMessage, []byte(bad)); err != nil {
			t.Fatal(err)
		}
	}
	h.quiet(2)
	if n := strings.Count(p.log.String(), "not understood"); n != 6 {
		t.Errorf("%d of 6 bad frames logged", n)
	}
	_ = h.ws.WriteMessage(websocket.TextMessage, make([]byte, wire.MaxFrameBytes+1)) // it may be cut off in the middle
	s.welcome("j1", 3).quiet(4)                                                      // one that is too large does
}

// TestGoldenFrames reads the frames that the server's end writes.
func TestGoldenFrames(t *testing.T) {
	for _, name := range []string{"welcome", "start", "stop", "drain", "publish", "ack", "error"} {
		raw, err := os.ReadFile(filepath.Join("..", "wire", "testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		f, err := decode(raw)
		if err != nil || f.Type != name {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

func FuzzToHost(f *testing.F) {
	files, err := filepath.Glob("../wire/testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no golden frames")
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"type":"start","start":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := decode(data)
		if (frame == nil) == (err == nil) {
			t.Fatalf("%+v, %v", frame, err)
		}
		if err != nil {
			return
		}
		// What was understood can be acted upon: its field is there, and it
		// says the same when it is written down and read again.
		again, err := json.Marshal(frame)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decode(again)
		if err != nil || !reflect.DeepEqual(back, frame) {
			t.Fatalf("%s: %+v, %v", again, back, err)
		}
		b := newBook()
		if frame.Welcome != nil {
			b.set("x", ready, "")
			r, err := b.welcome(frame.Journal, frame.Seq, frame.Welcome.Sessions)
			if err != nil || len(r.orphans) != 0 || len(r.stop) > 1 {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		if s := frame.Start; s != nil && bits(s.BitrateBps) < 0 {
			t.Fatalf("bitrate %d", bits(s.BitrateBps))
		}
	})
}
