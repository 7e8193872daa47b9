package trace

import (
	"bytes"
	"math"
	"os"
	"testing"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/trace"
	"github.com/rendergate/rendergate/server/record"
)

// What the demo left; `make trace` records it anew.
const (
	demoServer = "testdata/demo/server.jsonl.gz"
	demoProbe  = "testdata/demo/probe.jsonl.gz"
)

// TestTheDemosTrace has everybody who came, with what they did and took.
func TestTheDemosTrace(t *testing.T) {
	tr, err := Read([]string{demoServer, demoProbe}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.People) != 12 || len(tr.Hosts) != 1 || len(tr.Notes) != 0 || tr.Period.Seconds() != 1 || math.Abs(tr.LengthS-240) > 20 {
		t.Fatalf("%d people, hosts %+v, every %v for %v s; %q", len(tr.People), tr.Hosts, tr.Period, tr.LengthS, tr.Notes)
	}
	h := tr.Hosts[0]
	if math.Abs(float64(h.Samples)-tr.LengthS) > 10 || h.Overhead.CPU.N < 100 || math.Abs(h.Overhead.CPU.Mean) > 0.05*h.Cores {
		t.Errorf("%d samples, overhead %+v", h.Samples, h.Overhead)
	}
	seated, waited, left, lapsed := 0, 0, 0, 0
	for i := range tr.People {
		p := &tr.People[i]
		checkPerson(t, tr, *p)
		switch {
		case p.Seated():
			seated++
			checkSeated(t, p)
		case p.Left != "":
			left++
		}
		if p.WaitedS > 1 {
			waited++
		}
		if len(p.Answers) > 0 && p.Answers[0] < 0 {
			lapsed++
		}
	}
	t.Logf("%d seated, %d waited, %d left the queue, %d let an offer lapse", seated, waited, left, lapsed)
	if seated < 6 || waited < 2 || lapsed > 1 { // who waits is for the machine to say
		t.Error("not what the evening's script has")
	}
}

// checkSeated holds one of the demo's players to what the demo is.
func checkSeated(t *testing.T, p *Person) {
	t.Helper()
	if p.App != "showroom" || p.StartS <= 0 || p.StartS > 20 || p.BootS > p.StartS || p.LengthS <= 0 {
		t.Errorf("%+v", p)
	}
	known, sum := 0, 0.0
	for _, x := range p.Load {
		if x.CPU.Known {
			known, sum = known+1, sum+x.CPU.Value
		}
	}
	if p.LengthS > 10 && (float64(known) < p.LengthS-5 || p.ConnectS >= 0 && sum/float64(known) < 0.02) {
		t.Errorf("%s played %v s, of which %d seconds are known, of %v cores", p.ID, p.LengthS, known, sum/float64(known))
	}
}

// TestTheDemosProbeAlone knows the same sessions.
func TestTheDemosProbeAlone(t *testing.T) {
	whole, err := Read([]string{demoServer}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := Read([]string{demoProbe}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var played []Person
	for _, p := range whole.People {
		if p.LengthS > 0 {
			played = append(played, p)
		}
	}
	sessions := 0
	for _, p := range alone.People {
		if p.LengthS > 0 {
			sessions++
		}
		if p.App != "showroom" {
			t.Errorf("%+v", p)
		}
	}
	if sessions != len(played) || !alone.Assumed || whole.Assumed {
		t.Errorf("the probe tells of %d sessions, the service of %d", sessions, len(played))
	}
}

// TestTheDemosTraceReplays: its records make a pool again, and have no secret in
// clear: what stands in their place has the stand-ins' form.
func TestTheDemosTraceReplays(t *testing.T) {
	f, err := os.Open(demoServer)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, joined := admission.New(), 0
	_, err = trace.Read(f, func(trace.Header) error { return nil }, func(data []byte) error {
		if bytes.Contains(data, []byte("127.0.0.1")) {
			t.Errorf("an address: %s", data)
		}
		l, err := record.DecodeLine(data)
		if err != nil || l.Events == nil {
			return err
		}
		events, err := admission.DecodeEvents(l.Events)
		for _, e := range events {
			if b, ok := e.Body.(admission.Enqueued); ok {
				joined++
				if len(b.Secret) != 16 {
					t.Errorf("secret %q", b.Secret)
				}
			}
			p.Apply(e)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if joined != 12 || p.View().Name != "demo" {
		t.Errorf("%d joined; %+v", joined, p.View())
	}
}

// BenchmarkRead is how fast a trace is read.
func BenchmarkRead(b *testing.B) {
	hours := 0.0
	for b.Loop() {
		tr, err := Read([]string{demoServer, demoProbe}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		hours += tr.LengthS / 3600
	}
	b.ReportMetric(hours/b.Elapsed().Seconds(), "hours/s")
}
