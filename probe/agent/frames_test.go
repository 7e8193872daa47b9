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
		b := newBook(func(wire.Session) {})
		if frame.Welcome != nil {
			b.set(wire.Session{Session: "x", State: ready})
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
