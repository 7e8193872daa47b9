package simulate_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/simulate"
	"github.com/rendergate/rendergate/server/simulate/replay"
	"github.com/rendergate/rendergate/server/simulate/trace"
)

// twoAtOnce is a trace in which two people come 10 s apart, and play a minute each
// at half of the host: one after the other they keep to a threshold of 95 %.
func twoAtOnce() *trace.Trace {
	p := admission.DefaultPolicy()
	p.Apps["app"] = admission.Profile{App: "app", Cost: admission.Cost{CPUCores: 5}, Doubt: 0.01, StartS: 2, SettleS: 2}
	p.Threshold.CPU, p.Queue.OfferTimeout = 0.95, 10*time.Second
	tr := &trace.Trace{LengthS: 200, Period: time.Second, Pool: "two", Policy: p}
	tr.Hosts = []trace.Host{{
		HostFacts: admission.HostFacts{Host: "h", Cores: 10, Apps: []string{"app"}}, Up: []trace.Interval{{ToS: 200}},
		Overhead: trace.Overhead{CPU: trace.Stat{N: 200}},
	}}
	for _, at := range []float64{10, 20} {
		x := trace.Person{ID: "p", App: "app", ArrivesS: at, PatienceS: math.Inf(1), StartS: 2, BootS: 2, LengthS: 60, Ended: admission.WhyLeft, Host: "h", GPU: admission.NoDevice}
		for i := range 60 {
			x.Load = append(x.Load, trace.Point{AtS: float64(i + 1), ForS: 1, CPU: admission.Known(5)})
		}
		tr.People = append(tr.People, x)
	}
	return tr
}

func replays(t *testing.T, tr *trace.Trace, o simulate.Options) simulate.Scenario {
	t.Helper()
	r, err := replay.New(tr, replay.Options{Times: 1})
	if err != nil {
		t.Fatal(err)
	}
	o.Traces, o.Seeds = []*replay.Replay{r}, max(1, o.Seeds)
	result, err := simulate.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return result.Scenarios[0]
}

// TestATraceOfTwo is worked by hand. Each asks for 0.15 of the host for the 2 s
// that they start, and for half of it in the 60 s after. Seated at once both play
// from 22 to 72; else the second comes after the first, whose session has ended
// at 73.
func TestATraceOfTwo(t *testing.T) {
	s := replays(t, twoAtOnce(), simulate.Options{Seeds: 2})
	if s.Name != "two" || s.Threshold != 0.95 || s.SamplePeriodS != 1 || len(s.Policies) != len(simulate.Policies()) {
		t.Errorf("%+v", s)
	}
	load := (2*2*0.15 + 2*60*0.5) / 200
	for _, p := range s.Policies {
		if p.Name == "trimaran" {
			continue // a session is more than it ever fills
		}
		if math.Abs(p.Load-load) > 0.006 || p.Seated != 2*2 || p.GaveUp != 0 {
			t.Errorf("%s: a load of %.4f, want %.4f; %d seated", p.Name, p.Load, load, p.Seated)
		}
		waited := p.WaitP99S
		switch p.Name {
		case "accept_all", "last_sample", "smoothed":
			if waited != 0 || math.Abs(p.OverThreshold-50.0/200) > 0.01 || math.Abs(p.DepthMost-0.05) > 1e-6 {
				t.Errorf("%s: waited %.1f s, over for %.3f by %.3f", p.Name, waited, p.OverThreshold, p.DepthMost)
			}
		case "rendergate", "o1", "o2", "fixed_count":
			if waited < 51 || waited > 56 || p.OverThreshold != 0 || p.Violations != 0 {
				t.Errorf("%s: waited %.1f s, over for %.3f, %d violations", p.Name, waited, p.OverThreshold, p.Violations)
			}
		}
	}
}

// TestATracesPolicyIsTheProducts: its queue's rules too, and not the default's.
func TestATracesPolicyIsTheProducts(t *testing.T) {
	lapses := func(most int) simulate.Policy {
		tr := twoAtOnce()
		tr.People[1].Answers = []float64{-10} // never answers
		tr.Policy.Queue.MaxLapses = most
		return replays(t, tr, simulate.Options{Policies: []string{"rendergate"}}).Policies[0]
	}
	once, often := lapses(1), lapses(100) // the last one stands when the trace ends
	if once.OffersWasted != 1 || !(often.OffersWasted > 0.8 && often.OffersWasted < 1) || once.Seated != 1 {
		t.Errorf("leaves at one lapse:\n%+v\nand at a hundred\n%+v", once, often)
	}
}

// demo is what the demo recorded.
func demo(t *testing.T) *trace.Trace {
	t.Helper()
	tr, err := trace.Read([]string{"trace/testdata/demo/server.jsonl.gz", "trace/testdata/demo/probe.jsonl.gz"}, trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// taken is what all sessions of a trace took, in core seconds, and the most of one.
func taken(tr *trace.Trace) (sum, most float64) {
	for _, p := range tr.People {
		one := 0.0
		for _, x := range p.Load {
			if x.CPU.Known && x.AtS > 0 {
				one += x.CPU.Value * x.ForS
			}
		}
		sum, most = sum+one, max(most, one)
	}
	return sum, most
}

// TestTheDemosTrace with everybody. Who lets all in at once has the load of the
// sessions that were recorded, and of those whom the evening's queue sent away.
func TestTheDemosTrace(t *testing.T) {
	tr := demo(t)
	s := replays(t, tr, simulate.Options{Seeds: 3})
	sum, most := taken(tr)
	left := 0.0
	for i := range tr.People {
		if !tr.People[i].Seated() {
			left++
		}
	}
	all := tr.Hosts[0].Cores * tr.LengthS
	for _, p := range s.Policies {
		if p.Seated+int(math.Round(p.GaveUp*3*float64(len(tr.People)))) > 3*len(tr.People) || !(p.Load > 0) || p.OverThreshold > 1 {
			t.Errorf("%+v", p)
		}
		// Starting sessions and sessions without a player take something too.
		if most := (sum + left*most) / all * 1.05; p.Load > most {
			t.Errorf("%s: a load of %.3f, and all sessions together take at most %.3f", p.Name, p.Load, most)
		}
		if p.Name == "accept_all" && (p.Load < 0.97*sum/all || p.GaveUp != 0 || p.WaitP99S != 0 || p.Seated != 3*len(tr.People)) {
			t.Errorf("%+v; want a load of %.3f or more", p, sum/all)
		}
		if p.Name == "rendergate" && p.Violations != 0 {
			t.Errorf("%d violations", p.Violations)
		}
	}
}

// TestATraceSaysAll: whoever does the work, however often, it comes to the same.
func TestATraceSaysAll(t *testing.T) {
	tr := demo(t)
	var texts []string
	for _, workers := range []int{1, 4} {
		s := replays(t, tr, simulate.Options{Seeds: 3, FirstSeed: 5, Workers: workers, Sweep: true, Policies: []string{"rendergate", "o1", "smoothed"}})
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Errorf("with one worker\n%.2000s\nwith four\n%.2000s", texts[0], texts[1])
	}
}
