package hosts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/server/journal"
	"github.com/rendergate/rendergate/server/owner"
)

// bench is a hub behind real sockets, with a real owner on a real journal.
type bench struct {
	*testing.T
	hub   *Hub
	owner *owner.Owner
	url   string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	policy := admission.DefaultPolicy()
	policy.Apps["app"] = admission.Profile{App: "app", Cost: admission.Cost{CPUCores: 1}}
	b, stop := openBench(t, benchOptions{dir: t.TempDir(), policy: policy, log: slog.New(slog.DiscardHandler)})
	t.Cleanup(stop)
	return b
}

type benchOptions struct {
	dir    string // of the journal
	policy admission.Policy
	log    *slog.Logger
}

// openBench makes a bench; stop ends it and leaves its journal.
func openBench(t *testing.T, o benchOptions) (b *bench, stop func()) {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Dir: o.dir, Log: o.log})
	if err != nil {
		t.Fatal(err)
	}
	store, err := j.Pool(t.Context(), "pool")
	if err != nil {
		t.Fatal(err)
	}
	b = &bench{T: t, hub: New(Options{
		Issuer: "http://service", JWKSURL: "/keys", Log: o.log,
		Enrol: func(host string) (string, error) { return "token-of-" + host, nil },
	})}
	b.owner = owner.New(owner.Options{Name: "pool", Policy: o.policy, Journal: store, Log: o.log})
	b.owner.Listen(b.hub)
	b.hub.Add("pool", b.owner)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.owner.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	// The path is the host that the token is for; a token that only enrols says so.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, enrol := strings.CutPrefix(strings.Trim(r.URL.Path, "/"), "enrol-")
		if err := b.hub.Connect(w, r, Caller{Host: host, Enrol: enrol}); err != nil {
			t.Error(err)
		}
	}))
	b.url = "ws" + strings.TrimPrefix(server.URL, "http") + "/"
	return b, func() { b.hub.Close(); server.Close(); cancel(); running.Wait(); j.Close() }
}

// probe is a host's end.
type probe struct {
	*bench
	ws  *websocket.Conn
	seq uint64
}

func (b *bench) dial(path string) *probe {
	b.Helper()
	d := websocket.Dialer{Subprotocols: []string{wire.HostProtocol}, HandshakeTimeout: 5 * time.Second}
	ws, answer, err := d.DialContext(b.Context(), b.url+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	_ = answer.Body.Close()
	b.Cleanup(func() { _ = ws.Close() })
	return &probe{bench: b, ws: ws}
}

func hello(host string) wire.FromHost {
	return wire.FromHost{Type: "hello", Hello: &wire.Hello{
		Host: host, Pool: "pool", Version: "test", Cores: 4, Apps: []string{"app"}, GateURL: "http://gate", PeriodS: 1,
	}}
}

// up connects a host that is welcome.
func (b *bench) up(host string) *probe {
	b.Helper()
	p := b.dial(host)
	p.send(hello(host))
	p.until("welcome")
	return p
}

func (p *probe) send(frame any) {
	p.Helper()
	if err := p.ws.WriteJSON(frame); err != nil {
		p.Fatal(err)
	}
}

func (p *probe) text(s string) {
	p.Helper()
	if err := p.ws.WriteMessage(websocket.TextMessage, []byte(s)); err != nil {
		p.Fatal(err)
	}
}

func (p *probe) until(kind string) wire.ToHost {
	p.Helper()
	for {
		var frame wire.ToHost
		_ = p.ws.SetReadDeadline(time.Now().Add(10 * time.Second))
		if err := p.ws.ReadJSON(&frame); err != nil {
			p.Fatalf("waiting for %s: %v", kind, err)
		}
		if frame.Type == kind {
			return frame
		}
	}
}

// closed reads until the connection is closed, and says how.
func (p *probe) closed() (code int, text string) {
	p.Helper()
	_ = p.ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, _, err := p.ws.ReadMessage()
		var end *websocket.CloseError
		if errors.As(err, &end) {
			return end.Code, end.Text
		}
		if err != nil {
			p.Fatalf("it ended with %v", err)
		}
	}
}

func (p *probe) sample(change func(*wire.Sample)) {
	p.Helper()
	p.seq++
	s := &wire.Sample{Seq: p.seq, At: time.Now().UTC(), WindowMS: 1000, CPU: known(0.1)}
	if change != nil {
		change(s)
	}
	p.send(wire.FromHost{Type: "sample", Sample: s})
}

// host is what the pool knows of it.
func (b *bench) host(name string) admission.HostView {
	b.Helper()
	var v admission.HostView
	err := b.owner.Read(b.Context(), func(now time.Time, p *admission.Pool) { v, _ = p.Host(now, name) })
	if err != nil {
		b.Fatal(err)
	}
	return v
}

func (b *bench) until(what string, holds func() bool) {
	b.Helper()
	deadline, tick := time.After(10*time.Second), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			b.Fatalf("waited in vain: %s", what)
		}
	}
}

// TestFirstWords: who does not begin as a host does is told why. Another host
// notices nothing.
func TestFirstWords(t *testing.T) {
	b := newBench(t)
	bystander := b.up("bystander")
	big := hello("h")
	big.Hello.Version = strings.Repeat("x", wire.MaxFrameBytes)
	for name, tt := range map[string]struct {
		first any // a string is sent as it is
		code  int
		says  string
	}{
		"a token of another host": {hello("other"), closeAuth, `host "other"`},
		"another pool":            {with(func(h *wire.Hello) { h.Pool = "nowhere" }), closeProtocol, "nowhere"},
		"no cores":                {with(func(h *wire.Hello) { h.Cores = 0 }), closeProtocol, "cores"},
		"negative memory":         {with(func(h *wire.Hello) { h.MemoryBytes = -1 }), closeProtocol, "memory_bytes"},
		"65 GPUs":                 {with(func(h *wire.Hello) { h.GPUs = make([]wire.GPU, 65) }), closeProtocol, "65 GPUs"},
		"a gate by ftp":           {with(func(h *wire.Hello) { h.GateURL = "ftp://x" }), closeProtocol, "gate_url"},
		"a sample":                {wire.FromHost{Type: "sample", Sample: &wire.Sample{}}, closeProtocol, "hello"},
		"no JSON":                 {"hello", closeProtocol, "hello"},
		"a wrong type":            {`{"type":"hello","hello":{"host":7}}`, closeProtocol, "hello"},
		"an unknown type":         {`{"type":"shout"}`, closeProtocol, "shout"},
		"too large":               {big, closeTooLarge, "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.dial("h")
			if text, ok := tt.first.(string); ok {
				p.text(text)
			} else {
				p.send(tt.first)
			}
			if code, text := p.closed(); code != tt.code || !strings.Contains(text, tt.says) {
				t.Errorf("closed with %d %q, want %d and %q", code, text, tt.code, tt.says)
			}
		})
	}
	bystander.sample(nil)
	bystander.until("ack")
	if b.host("h").Connected {
		t.Error("a host is connected that was refused")
	}
}

func with(change func(*wire.Hello)) wire.FromHost {
	f := hello("h")
	change(f.Hello)
	return f
}

// TestSamplesThatCannotBe: each is answered with what is wrong; the connection
// and the good samples go on.
func TestSamplesThatCannotBe(t *testing.T) {
	b := newBench(t)
	p := b.up("h")
	for says, change := range map[string]func(*wire.Sample){
		"cpu is -0.1":        func(s *wire.Sample) { s.CPU = known(-0.1) },
		"cpu is 1000":        func(s *wire.Sample) { s.CPU = known(1000) },
		"window_ms":          func(s *wire.Sample) { s.WindowMS = 0 },
		"age_ms is 3.6e+06":  func(s *wire.Sample) { s.AgeMS = 3.6e6 },
		"1 GPUs":             func(s *wire.Sample) { s.GPUs = make([]wire.GPUSample, 1) },
		"sessions[0].memory": func(s *wire.Sample) { s.Sessions = []wire.SessionSample{{Session: "s", Memory: known(-1)}} },
		"seq must rise":      func(s *wire.Sample) { s.Seq = 0 },
	} {
		p.sample(change)
		if e := p.until("error").Error; e.Code != "bad_sample" || !strings.Contains(e.Message, says) {
			t.Errorf("%s: answered with %+v", says, e)
		}
	}
	p.text(`{"type":"sample","sample":{"seq":99,"window_ms":1000,"cpu":NaN}}`)
	if e := p.until("error").Error; e.Code != "not_understood" {
		t.Errorf("NaN: answered with %+v", e)
	}
	p.sample(nil)
	if a := p.until("ack").Ack; a.Sample != p.seq {
		t.Errorf("acknowledged %+v, want sample %d", a, p.seq)
	}
}

// TestAClockThatIsOff is said, and does no harm: samples are placed by the
// server's clock.
func TestAClockThatIsOff(t *testing.T) {
	b := newBench(t)
	p := b.up("h")
	p.sample(func(s *wire.Sample) { s.At = time.Now().Add(-time.Hour) })
	if skew := p.until("ack").Ack.ClockSkewS; skew > -3590 || skew < -3610 {
		t.Errorf("a skew of %v s, want an hour behind", skew)
	}
	if skew := b.hub.Skew("h"); skew > -3590 {
		t.Errorf("the operator sees a skew of %v s", skew)
	}
	if v := b.host("h"); v.SampleAge < 0 || v.SampleAge > time.Minute {
		t.Errorf("the host's sample is %s old", v.SampleAge)
	}
}

func TestFramesThatCannotBe(t *testing.T) {
	b := newBench(t)
	for name, tt := range map[string]struct {
		do   func(p *probe)
		code int
	}{
		"binary": {func(p *probe) { _ = p.ws.WriteMessage(websocket.BinaryMessage, []byte("{}")) }, closeProtocol},
		"too large": {func(p *probe) {
			_ = p.ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"`+strings.Repeat("x", wire.MaxFrameBytes)+`"}`))
		}, closeTooLarge},
		"a flood": {func(p *probe) {
			for range frameBurst + 500 {
				_ = p.ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"session","session":{"session":"s","state":"odd"}}`))
			}
		}, closeTooMany},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.up("h")
			go tt.do(p)
			if code, _ := p.closed(); code != tt.code {
				t.Errorf("closed with %d, want %d", code, tt.code)
			}
		})
	}
}

// TestABadFrameEndsNothing: three kinds of nonsense, and a host that goes on.
func TestABadFrameEndsNothing(t *testing.T) {
	b := newBench(t)
	p := b.up("h")
	for _, text := range []string{`not json`, `{"type":7}`, `{"type":"dance"}`, `{"type":"session"}`, `{}`} {
		p.text(text)
		if e := p.until("error").Error; e.Code != "not_understood" || e.Message == "" {
			t.Errorf("%s: answered with %+v", text, e)
		}
	}
	p.send(wire.FromHost{Type: "session", Session: &wire.Session{Session: "s", State: "asleep"}})
	if e := p.until("error").Error; e.Code != "bad_session" || !strings.Contains(e.Message, "asleep") {
		t.Errorf("answered with %+v", e)
	}
	p.send(hello("h"))
	if e := p.until("error").Error; e.Code != "unexpected" {
		t.Errorf("a second hello: answered with %+v", e)
	}
	p.sample(nil)
	p.until("ack")
}

func TestTheNewerConnectionOfAHost(t *testing.T) {
	b := newBench(t)
	first := b.up("h")
	second := b.up("h")
	if code, _ := first.closed(); code != closeTakenOver {
		t.Errorf("the older was closed with %d", code)
	}
	second.sample(nil)
	second.until("ack")
	if !b.host("h").Connected {
		t.Error("the end of the older connection disconnected the host")
	}
	_ = second.ws.Close()
	b.until("the host is gone", func() bool { return !b.host("h").Connected })
}

func TestEnrolling(t *testing.T) {
	b := newBench(t)
	p := b.dial("enrol-h")
	p.send(hello("h"))
	if w := p.until("welcome").Welcome; w.Token != "token-of-h" {
		t.Errorf("the welcome has token %q", w.Token)
	}
	if w := b.dial("h"); w != nil {
		w.send(hello("h"))
		if again := w.until("welcome").Welcome; again.Token != "" {
			t.Error("a host with a token of its own got another")
		}
	}
}

// TestASessionsLife follows the orders that a host is given, and what it says.
func TestASessionsLife(t *testing.T) {
	b := newBench(t)
	p := b.up("h")
	p.sample(nil)
	p.until("ack")
	b.do(admission.Join{Client: "ann", Secret: "k", Intent: admission.Play})
	start := p.until("start")
	if start.Start.App != "app" || start.Start.Attempt != 1 || start.Seq == 0 || start.Journal == "" {
		t.Fatalf("start %+v of record %d", start.Start, start.Seq)
	}
	id := start.Start.Session
	for _, state := range []string{"starting", "ready", "connected"} {
		p.send(wire.FromHost{Type: "session", Session: &wire.Session{Session: id, State: state}})
	}
	b.until("the player is connected", func() bool { return b.phase(id) == admission.PhaseConnected })

	// Its probe connects anew and tells what runs, one of it unknown to anybody.
	again := b.dial("h")
	f := hello("h")
	f.Hello.Running = []wire.Session{{Session: id, State: "connected"}, {Session: "s9-unknown", State: "ready"}}
	again.send(f)
	if w := again.until("welcome").Welcome; fmt.Sprint(w.Sessions) != fmt.Sprint([]string{id}) {
		t.Errorf("the welcome knows of %v, want %s alone", w.Sessions, id)
	}
	if got := b.phase(id); got != admission.PhaseConnected {
		t.Errorf("the session is %s", got)
	}
	b.do(admission.Leave{Client: "ann"})
	if s := again.until("stop").Stop; s.Session != id {
		t.Errorf("stop %+v", s)
	}
	again.send(wire.FromHost{Type: "session", Session: &wire.Session{Session: id, State: "ended", Reason: "stopped"}})
	b.until("the seat is free", func() bool { return b.phase(id) == "" })
}

func (b *bench) do(c admission.Command) {
	b.Helper()
	out, err := b.owner.Do(b.Context(), c)
	if err != nil || out.Refused != nil {
		b.Fatalf("%T: %v, %+v", c, err, out.Refused)
	}
}

func (b *bench) phase(session string) admission.SessionPhase {
	b.Helper()
	var phase admission.SessionPhase
	err := b.owner.Read(b.Context(), func(_ time.Time, p *admission.Pool) {
		if s, ok := p.Session(session); ok {
			phase = s.Phase
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return phase
}

func TestARevokedHost(t *testing.T) {
	b := newBench(t)
	p := b.up("h")
	b.hub.Disconnect("h", "its token was revoked")
	if code, text := p.closed(); code != closeAuth || text != "its token was revoked" {
		t.Errorf("closed with %d %q", code, text)
	}
	b.until("the host is gone", func() bool { return !b.host("h").Connected })
}

func TestGoingAway(t *testing.T) {
	b := newBench(t)
	p := b.up("h")
	go b.hub.Close()
	if code, _ := p.closed(); code != closeGoingAway {
		t.Errorf("closed with %d", code)
	}
}
