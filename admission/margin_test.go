package admission

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// accepting opens a scene in which that share of time over the threshold is
// accepted, with a host at a load.
func accepting(t *testing.T, over, cpu float64) *scene {
	t.Helper()
	return newScene(t, func(p *Policy) { p.Threshold.Over = over }).host("h", cpu)
}

// TestMarginStarts at what a normal distribution needs.
func TestMarginStarts(t *testing.T) {
	for over, want := range map[float64]float64{0: 2.326348, 0.01: 2.326348, 0.05: 1.644854, 0.5: 0, 1e-12: marginMost} {
		if got := accepting(t, over, 0).p.margin.z; math.Abs(got-want) > 1e-6 {
			t.Errorf("for %v of the time over the threshold: %v, want %v", over, got, want)
		}
	}
}

// TestMarginTunes: it grows while a host is over its threshold, and falls while
// one is closed and somebody waits. Nothing else says that it is wrong.
func TestMarginTunes(t *testing.T) {
	const over = 0.1
	join := func(s *scene) { s.join("ann") }
	for name, tt := range map[string]struct {
		before func(*scene)
		cpu    float64
		want   float64 // growth a second
	}{
		"over, and nobody waits":   {func(*scene) {}, 0.86, marginStep * (1 - over)},
		"over, and somebody waits": {join, 0.86, marginStep * (1 - over)},
		"at the threshold":         {func(*scene) {}, 0.85, 0},
		"closed, somebody waits":   {join, 0.84, -marginStep * over},
		"closed, nobody waits":     {func(*scene) {}, 0.84, 0},
		"closed, nobody is there":  {func(s *scene) { s.join("ann"); s.do(Disconnect{Client: "ann"}) }, 0.84, 0},
		"closed, they only watch":  {func(s *scene) { s.do(Join{Client: "eye", Secret: "k", Intent: View}) }, 0.84, 0},
		"open, somebody waits":     {func(s *scene) { s.do(Pause{}); s.join("ann") }, 0.1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := accepting(t, over, tt.cpu)
			tt.before(s)
			was := s.p.margin.z
			s.seconds(20, "h", tt.cpu)
			if got := (s.p.margin.z - was) / 20; !near(got, tt.want) {
				t.Errorf("it changes by %v a second, want %v", got, tt.want)
			}
		})
	}
}

// TestMarginGoesByTime: a long window counts for as long as it is, within reason,
// and any device that is over counts, once.
func TestMarginGoesByTime(t *testing.T) {
	over := func(window time.Duration, x Sample) float64 {
		s := accepting(t, 0.1, 0)
		f := hostFacts("h")
		f.GPUs = make([]GPUFacts, 2)
		s.do(HostUp{Facts: f})
		was := s.p.margin.z
		x.Host, x.Seq, x.Received, x.WindowEnd, x.Window, x.Period = "h", 9, s.now, s.now, window, time.Minute
		if err := s.p.Observe(s.now, x); err != nil {
			t.Fatal(err)
		}
		return (s.p.margin.z - was) / marginStep / 0.9
	}
	full := Sample{CPU: Known(0.9)}
	for window, want := range map[time.Duration]float64{time.Second: 1, 500 * time.Millisecond: 0.5, 5 * time.Second: 5, time.Minute: 10, 0: 10} {
		if got := over(window, full); !near(got, want) {
			t.Errorf("a window of %s counts as %v s, want %v", window, got, want)
		}
	}
	hot := GPUSample{Util: Known(0.9), Encoder: Known(0.9)}
	for name, x := range map[string]Sample{
		"one GPU":    {CPU: Known(0), GPUs: []GPUSample{{}, {Util: Known(0.9)}}},
		"an encoder": {CPU: Known(0), GPUs: []GPUSample{{Encoder: Known(0.9)}}},
		"everything": {CPU: Known(0.9), GPUs: []GPUSample{hot, hot}},
	} {
		if got := over(time.Second, x); !near(got, 1) {
			t.Errorf("%s over its threshold for a second counts as %v", name, got)
		}
	}
	if got := over(time.Second, Sample{}); got != 0 {
		t.Errorf("nothing is known, and it counts as %v s", got)
	}
}

func TestMarginIsBounded(t *testing.T) {
	s := accepting(t, 0.5, 0.9)
	s.seconds(2000, "h", 0.9)
	if got := s.p.margin.z; got != marginMost {
		t.Errorf("after half an hour over the threshold: %v", got)
	}
	s.join("ann")
	s.seconds(2000, "h", 0.84)
	if got := s.p.margin.z; got != 0 {
		t.Errorf("after half an hour in which somebody waits in vain: %v", got)
	}
}

// TestMarginFindsItsPlace: a load that is steered to z standard deviations below
// the threshold is over it, in the end, for the share of time that is accepted,
// whatever its distribution.
func TestMarginFindsItsPlace(t *testing.T) {
	const sd = 0.04
	for name, noise := range map[string]func(*rand.Rand) float64{
		"normal": (*rand.Rand).NormFloat64,
		"skewed": func(r *rand.Rand) float64 { return r.ExpFloat64() - 1 },
		"even":   func(r *rand.Rand) float64 { return math.Sqrt(12) * (r.Float64() - 0.5) },
	} {
		for _, accepted := range []float64{0.05, 0.2} {
			s := accepting(t, accepted, 0.8)
			s.join("ann")
			r := rand.New(rand.NewPCG(1, 2))
			const seconds, first = 30_000, 10_000
			over := 0
			for i := range seconds {
				y := math.Max(0, math.Min(0.94, 0.85-s.p.margin.z*sd+sd*noise(r))) // below a brownout
				if i >= first && y > 0.85 {
					over++
				}
				s.want(s.second("h", y), "")
			}
			if got := float64(over) / (seconds - first); math.Abs(got-accepted) > accepted/10 {
				t.Errorf("%s: over for %v of the time, and %v is accepted; z is %v", name, got, accepted, s.p.margin.z)
			}
		}
	}
}

// TestMarginOutlivesARestart, as it was journalled with the costs, in a journal
// and in a snapshot.
func TestMarginOutlivesARestart(t *testing.T) {
	learned := func(z float64) Event {
		return Event{At: historyStart, Body: CostsLearned{Margin: z}}
	}
	s := accepting(t, 0.05, 0)
	start := s.p.margin.z
	restart := func(p *Pool) float64 {
		p.Apply(Event{At: historyStart, Body: Recovered{}})
		return p.margin.z
	}
	s.p.margin.z = 4 // found out, and not journalled yet
	if got := restart(s.p); got != start {
		t.Errorf("it goes on from %v, and nothing was journalled", got)
	}
	s.p.Apply(learned(3))
	s.p.margin.z = 4
	data, err := s.p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Restore(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := again.margin.z; got != 3 {
		t.Errorf("restored with %v", got)
	}
	if got := restart(s.p); got != 3 {
		t.Errorf("it goes on from %v, and 3 was journalled", got)
	}
	s.p.Apply(learned(0))
	if got := restart(s.p); got != 3 {
		t.Errorf("it goes on from %v, and none was journalled since 3", got)
	}
}

// TestMarginIsJournalledWithCosts.
func TestMarginIsJournalledWithCosts(t *testing.T) {
	s := accepting(t, 0.05, 0)
	s.play("ann")
	for range 100 {
		s.now = s.now.Add(time.Second)
		s.sample("h", 0.5, uses(0.5, "s1-x")...)
		z := s.p.margin.z
		events, _ := s.p.Run(s.now, Tick{})
		for _, e := range events {
			if b, ok := e.Body.(CostsLearned); ok {
				if b.Margin != z || s.p.learnedZ != z {
					t.Fatalf("journalled %v, and it is %v", b.Margin, z)
				}
				return
			}
		}
	}
	t.Fatal("nothing was journalled")
}

// TestAnotherAcceptedShareStartsAnew: what was learned for one says little of
// another. Any other change of policy leaves it.
func TestAnotherAcceptedShareStartsAnew(t *testing.T) {
	s := accepting(t, 0.05, 0)
	s.p.Apply(Event{At: s.now, Body: CostsLearned{Margin: 4}})
	set := func(change func(*Policy)) {
		p := s.p.Policy()
		change(&p)
		s.do(SetPolicy{Policy: p})
	}
	set(func(p *Policy) { p.Threshold.CPU = 0.7 })
	if got := s.p.margin.z; got != 4 {
		t.Errorf("%v after another threshold, want what was learned", got)
	}
	set(func(p *Policy) { p.Threshold.Over = 0.02 })
	if got := normalCDF(s.p.margin.z); !near(got, 0.98) || s.p.learnedZ != 0 {
		t.Errorf("%v for another share of time", s.p.margin.z)
	}
	set(func(p *Policy) { p.Threshold.Over = 0.05 })
	if got := normalCDF(s.p.margin.z); !near(got, 0.95) {
		t.Errorf("%v for the share of before, which is learned anew", s.p.margin.z)
	}
}
