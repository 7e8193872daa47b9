package record_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/trace"
	"github.com/rendergate/rendergate/server/journal"
	"github.com/rendergate/rendergate/server/owner"
	"github.com/rendergate/rendergate/server/record"
)

// recorded is a pool's owner that is recorded, and what it stood at in the end.
type recorded struct {
	*owner.Owner
	samples record.Samples
	file    string
	stop    func() []byte
}

func run(t *testing.T, dir string) recorded {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	j, err := journal.Open(t.Context(), journal.Options{Dir: dir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	store, err := j.Pool(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	policy := admission.DefaultPolicy()
	policy.Apps["app"] = admission.Profile{App: "app", Cost: admission.Cost{CPUCores: 1}}
	r, err := record.Open(t.TempDir(), trace.Header{Started: time.Now()}, log)
	if err != nil {
		t.Fatal(err)
	}
	o := owner.New(owner.Options{Name: "p", Policy: policy, Journal: store, Log: log})
	o.Listen(r.Listener("p"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	return recorded{Owner: o, samples: r.Samples("p", o), file: r.Path(), stop: func() []byte {
		var stood []byte
		err := o.Read(t.Context(), func(_ time.Time, p *admission.Pool) { stood, _ = p.Snapshot() })
		cancel()
		if ended := <-done; err != nil || ended != nil {
			t.Fatal(err, ended)
		}
		r.Close()
		j.Close()
		return stood
	}}
}

func (r recorded) do(t *testing.T, commands ...admission.Command) {
	t.Helper()
	for _, c := range commands {
		if out, err := r.samples.Do(t.Context(), c); err != nil || out.Refused != nil {
			t.Fatalf("%+v: %v, %+v", c, err, out.Refused)
		}
	}
}

func (r recorded) sample(t *testing.T, seq uint64, cpu admission.Reading) {
	t.Helper()
	now := time.Now()
	err := r.samples.Observe(admission.Sample{
		Host: "h", Seq: seq, Received: now, WindowEnd: now.Add(-time.Millisecond), Window: time.Second, Period: time.Second, CPU: cpu,
		GPUs: []admission.GPUSample{{Util: admission.Known(0)}}, Sessions: []admission.SessionSample{{Session: "s", CPU: cpu}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// replay is a trace, replayed: the pool as it then stands.
func replay(t *testing.T, file string) (*admission.Pool, []record.Line) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, seq := admission.New(), uint64(0)
	var lines []record.Line
	damage, err := trace.Read(f, func(trace.Header) error { return nil }, func(data []byte) error {
		l, err := record.DecodeLine(data)
		if err != nil {
			return err
		}
		lines = append(lines, l)
		if l.Snapshot != nil {
			seq = l.Seq
			p, err = admission.Restore(l.Snapshot)
		}
		if l.Events == nil || l.Seq <= seq {
			return err
		}
		events, err := admission.DecodeEvents(l.Events)
		for _, e := range events {
			p.Apply(e)
		}
		return err
	})
	if err != nil || damage != "" {
		t.Fatal(err, damage)
	}
	return p, lines
}

var masked = regexp.MustCompile(`"(secret|identity|by|uuid|gate_url)":"[^"]*"`) //nolint:gochecknoglobals // a constant

// TestATraceReplays to what the pool stood at, secrets aside, on a new folder
// and on a used one; and it has no secret.
func TestATraceReplays(t *testing.T) {
	dir := t.TempDir()
	facts := admission.HostFacts{
		Host: "h", Cores: 8, Apps: []string{"app"}, GateURL: "https://private.example.com",
		GPUs: []admission.GPUFacts{{UUID: "GPU-private", Name: "a GPU"}},
	}
	join := func(id, identity string) admission.Join {
		return admission.Join{Client: id, Secret: "private-secret-" + id, Identity: identity, Intent: admission.Play}
	}
	for i, first := range []bool{true, false} {
		r := run(t, dir)
		if first {
			r.do(t, join("a", "private-ann"), join("b", "private-bob"), join("c", ""))
		} else {
			r.do(t, admission.Join{Client: "z", Secret: "private-new", Identity: "private-ann", Intent: admission.Play})
		}
		r.do(t, admission.HostUp{Facts: facts})
		r.sample(t, 1, admission.Known(0.25))
		r.sample(t, 2, admission.Reading{})
		r.do(t, admission.Drain{Host: "h", By: "private-operator"}, admission.Leave{Client: string("bc"[i])})
		stood := r.stop()
		raw, err := os.ReadFile(r.file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("private")) {
			t.Errorf("something private stands in the trace:\n%s", raw)
		}
		p, lines := replay(t, r.file)
		got, err := p.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		blank := []byte(`"$1":""`)
		if got, want := masked.ReplaceAll(got, blank), masked.ReplaceAll(stood, blank); !bytes.Equal(got, want) {
			t.Errorf("it replays to\n%s\nand stood at\n%s", got, want)
		}
		if (lines[0].Snapshot != nil) == first {
			t.Errorf("a snapshot stands first: %v; the folder was new: %v", lines[0].Snapshot != nil, first)
		}
		if last := lines[len(lines)-1]; !last.End {
			t.Errorf("the last line is %+v, want the end", last)
		}
		checkSamples(t, lines)
	}
}

func checkSamples(t *testing.T, lines []record.Line) {
	t.Helper()
	var samples []*record.Sample
	for _, l := range lines {
		if l.Sample != nil {
			samples = append(samples, l.Sample)
		}
	}
	if len(samples) != 2 {
		t.Fatalf("%d samples, want 2", len(samples))
	}
	a, b := samples[0], samples[1]
	if a.Host != "h" || a.Seq != 1 || a.WindowMS != 1000 || *a.CPU != 0.25 || *a.GPUs[0].Util != 0 || *a.Sessions[0].CPU != 0.25 {
		t.Errorf("the first is %+v", a)
	}
	if b.CPU != nil || b.Memory != nil || b.GPUs[0].Encoder != nil || b.Sessions[0].CPU != nil {
		t.Errorf("what was unknown is not in %+v", b)
	}
}

// TestLines: a line that is wrong is refused, with what would be right.
func TestLines(t *testing.T) {
	for line, wrong := range map[string]string{
		`{"at":"2026-11-27T12:00:00Z","pool":"p","seq":7,"events":{"v":1,"events":[]}}`:      "",
		`{"at":"2026-11-27T12:00:00Z","pool":"p","seq":7,"snapshot":{"v":1}}`:                "",
		`{"at":"2026-11-27T12:00:00Z","end":true}`:                                           "",
		`{"at":"2026-11-27T12:00:00Z","dropped":12}`:                                         "",
		`{"at":"2026-11-27T12:00:00Z","pool":"p","events":{"v":1,"events":[]}}`:              `no "seq"`,
		`{"at":"2026-11-27T12:00:00Z","pool":"p"}`:                                           "want one of snapshot, events",
		`{"at":"2026-11-27T12:00:00Z","seq":7,"events":{}}`:                                  `no "pool"`,
		`{"pool":"p","seq":7,"events":{}}`:                                                   `no "at"`,
		`{"at":"2026-11-27T12:00:00Z","pool":"p","event":{}}`:                                `unknown field "event"`,
		`{"at":"2026-11-27T12:00:00Z","pool":"p","events":{},"snapshot":{}}`:                 "2 things",
		`{"at":"2026-11-27T12:00:00Z","pool":"p","sample":{"host":"h","cpu":"much"}}`:        "cannot unmarshal",
		`{"at":"2026-11-27T12:00:00Z","pool":"p","seq":7,"events":{"v":1,"events":[]}} more`: "more after it",
	} {
		_, err := record.DecodeLine([]byte(line))
		if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v, want %q", line, err, wrong)
		}
	}
}

// TestGoldenLines holds a server's lines to the file that the reader is tested with.
func TestGoldenLines(t *testing.T) {
	raw, err := os.ReadFile("testdata/server.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n"))[1:] {
		l, err := record.DecodeLine(line)
		if err != nil {
			t.Fatalf("line %d: %v", i+2, err)
		}
		if got, err := json.Marshal(l); err != nil || !bytes.Equal(got, line) {
			t.Errorf("line %d (%v)\n got %s\nwant %s", i+2, err, got, line)
		}
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.jsonl")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := record.Open(file, trace.Header{Started: time.Now()}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "is not overwritten") {
		t.Errorf("got %v", err)
	}
}

// BenchmarkTrace is what an hour of a server's trace takes on disk for one host,
// sampled each second, by the sessions that it runs, and what one sample costs
// whoever gives it. The events of people who come and go are a few hundred bytes
// each, a dozen a person.
func BenchmarkTrace(b *testing.B) {
	for name, sessions := range map[string]int{"idle": 0, "10 sessions": 10} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			r, err := record.Open(dir, trace.Header{Started: time.Now()}, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			to, n := r.Samples("showroom", taker{}), 0
			for b.Loop() {
				n++
				if err := to.Observe(like(n, sessions)); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			r.Close()
			b.ReportMetric(lineBytes(b, r.Path())*3600/1e6, "MB/h")
		})
	}
}

// lineBytes is how long a sample's line is.
func lineBytes(b *testing.B, file string) float64 {
	b.Helper()
	f, err := os.Open(file) //nolint:gosec // of this benchmark
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	sum, n := 0.0, 0.0
	_, err = trace.Read(f, func(trace.Header) error { return nil }, func(line []byte) error {
		if bytes.Contains(line, []byte(`"sample"`)) {
			sum, n = sum+float64(len(line)+1), n+1
		}
		return nil
	})
	if err != nil || n == 0 {
		b.Fatal(n, err)
	}
	return sum / n
}

// taker takes samples and does nothing.
type taker struct{ *owner.Owner }

func (taker) Observe(admission.Sample) error { return nil }

// like is a sample with values as long as real ones are.
func like(n, sessions int) admission.Sample {
	now := time.Now()
	value := func() admission.Reading { n++; return admission.Known(float64(n%997) / 991) }
	bytes := func() admission.Reading { n++; return admission.Known(float64(1<<32 + n*4096)) }
	s := admission.Sample{
		Host: "render-12", Seq: uint64(n), Received: now, WindowEnd: now.Add(-3 * time.Millisecond), Window: 1000123 * time.Microsecond,
		Period: time.Second, CPU: value(), Memory: bytes(), EgressBps: bytes(),
		GPUs: []admission.GPUSample{{Util: value(), Encoder: value(), EncoderSessions: admission.Known(2), VRAM: bytes()}},
	}
	for range sessions {
		s.Sessions = append(s.Sessions, admission.SessionSample{
			Session: "s1234-ABCDEFGH", CPU: value(), Memory: bytes(), GPU: value(), Encoder: value(), VRAM: bytes(), IdleForS: value(),
		})
	}
	return s
}
