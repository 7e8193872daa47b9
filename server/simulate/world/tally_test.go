package world

import (
	"math"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 1e-9) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestAccounts is worked by hand. Somebody comes at 10, so that their session
// takes 0.3 of its cost from then on while it starts, all of it from 20 to 120,
// and nothing any more while it is stopped. What is fullest is the GPU, and with
// nobody there the CPU, of which the host takes 0.02.
func TestAccounts(t *testing.T) {
	var samples []*Sample
	f := &fake{seat: everybody, sample: func(s *Sample) { samples = append(samples, s) }}
	x := Run(&Population{config: tiny(), People: []*Person{somebody(0, 10, 100)}}, faked(f))
	near(t, "host time", x.HostS, 200)
	near(t, "demand", x.Demand, 10*0.3*0.5+100*0.5+90*0.02)
	near(t, "over the threshold", x.OverS, 100)
	near(t, "depth", x.DepthSum, 100*0.1)
	near(t, "the most", x.DepthMost, 0.1)
	near(t, "over all", x.FullS, 0)
	near(t, "waiting", x.WaitingS, 0)
	if !slices.Equal(x.Overshoots, []float64{100}) || x.Granted != 1 || x.Decisions != 1 || !slices.Equal(x.Waits, []float64{0}) || x.Violations != 0 {
		t.Errorf("%+v", x)
	}
	if len(samples) != 20 {
		t.Fatalf("%d samples of 10 s in 200 s", len(samples))
	}
	var most *Sample
	for _, s := range samples {
		if s.WindowEnd > 50 && s.WindowEnd < 60 {
			most = s
		}
	}
	near(t, "measured CPU", most.CPU, 0.12)
	near(t, "measured GPU", most.GPU[0], 0.5)
	near(t, "measured encoder", most.Encoder[0], 0.1)
	if len(most.Seats) != 1 || most.Seats[0].Person.ID != 0 {
		t.Fatalf("%+v", most)
	}
	near(t, "the session's CPU", most.Seats[0].CPU, 0.1)
	near(t, "the session's GPU", most.Seats[0].GPU, 0.5)
}

// TestContention: a demand of 0.5 shows as 0.5 (1 + 0.5^2), and two of it as 2.
func TestContention(t *testing.T) {
	c := tiny()
	c.Contention = 1
	x := Run(&Population{config: c, People: []*Person{somebody(0, 10, 100)}}, faked(&fake{seat: everybody}))
	near(t, "the most", x.DepthMost, 0.625-0.4)
	near(t, "demand", x.Demand, 10*0.3*0.5+100*0.5+90*0.02)
	x = Run(&Population{config: c, People: []*Person{somebody(0, 10, 100), somebody(1, 10, 100)}}, faked(&fake{seat: everybody}))
	near(t, "the most of two", x.DepthMost, 2-0.4)
	near(t, "over all", x.FullS, 100)
	near(t, "over all, by admission", x.FullByAdmissionS, 100)
}

// TestWarmUp: what is before does not count.
func TestWarmUp(t *testing.T) {
	c := tiny()
	c.WarmUpS = 100
	x := Run(&Population{config: c, People: []*Person{somebody(0, 10, 100), somebody(1, 150, 10)}}, faked(&fake{seat: everybody}))
	near(t, "host time", x.HostS, 100)
	near(t, "over the threshold", x.OverS, 19+10)
	if len(x.Waits) != 1 || x.Decisions != 1 {
		t.Errorf("%d waits, %d decisions", len(x.Waits), x.Decisions)
	}
}

// TestWaiting: whoever waits in vain is refused falsely, and the host is idle
// meanwhile.
func TestWaiting(t *testing.T) {
	c := tiny()
	c.Threshold = 0.6
	p := somebody(0, 10, 100)
	p.Patience = 50
	x := Run(&Population{config: c, People: []*Person{p}}, faked(&fake{seat: func(*Person) (int, int) { return -1, -1 }}))
	near(t, "waiting", x.WaitingS, 50)
	near(t, "idle", x.IdleS, 50*(0.6-0.02))
	if len(x.GaveUp) != 1 || x.GaveUp[0] != 50 || x.FalseRefused == 0 || x.FalseRefused != x.Refused || x.Refused != x.Decisions {
		t.Errorf("%+v", x)
	}
}

// TestBrokenRules: a gate that breaks one is told of it.
func TestBrokenRules(t *testing.T) {
	two := func() []*Person { return []*Person{somebody(0, 10, 100), somebody(1, 20, 100)} }
	for _, c := range []struct {
		name  string
		world func(*Config)
		gate  func(f *fake)
		least int
	}{
		{"none", func(*Config) {}, func(*fake) {}, 0},
		{"the uplink carries one", func(c *Config) { c.UplinkBps = 1.5 * c.BitrateBps }, func(*fake) {}, 90},
		{"the second goes first", func(*Config) {}, func(f *fake) {
			f.seat = func(p *Person) (int, int) { return p.ID - 1, 0 }
		}, 1},
		{"two seats for one", func(*Config) {}, func(f *fake) {
			f.seat = func(p *Person) (int, int) {
				f.w.Offer(p, 0, 0, f.w.now+20)
				f.w.Offer(p, 0, 0, f.w.now+20)
				return 0, 0
			}
		}, 2},
		{"a start without a seat", func(*Config) {}, func(f *fake) {
			f.seat = func(p *Person) (int, int) {
				f.w.Start(p)
				return 0, 0
			}
		}, 2},
	} {
		config, f := tiny(), &fake{seat: everybody}
		c.world(config)
		c.gate(f)
		x := Run(&Population{config: config, People: two()}, faked(f))
		if x.Violations < c.least || c.least == 0 && x.Violations > 0 {
			t.Errorf("%s: %d violations, want %d or more", c.name, x.Violations, c.least)
		}
	}
}

// TestQuotes: what was told first is kept, with what came of it and what there
// was to know.
func TestQuotes(t *testing.T) {
	f := &fake{tells: map[int]Place{1: {Position: 1, Known: true, P50S: 30, P90S: 60}, 2: {Position: 2}}}
	f.seat = func(p *Person) (int, int) {
		if p.ID == 0 {
			return 0, 0
		}
		if p.ID == 1 {
			f.w.Plan(60, func(float64) { f.w.Grant(p, 0, 0) })
		}
		return -1, -1
	}
	two := somebody(2, 35, 10)
	two.Patience = 50
	x := Run(&Population{config: tiny(), People: []*Person{somebody(0, 10, 100), somebody(1, 20, 100), two}}, faked(f))
	want := []Quote{
		{AtS: 20, Position: 1, Known: true, P50S: 30, P90S: 60, WaitedS: 40, Seats: 1, ServedPerS: 1.0 / 300, FreedPerS: 1.0 / 65},
		{AtS: 35, Position: 2, WaitedS: 50, Censored: true, Seats: 1, HeadS: 15, ServedPerS: 1.0 / 300, FreedPerS: 1.0 / 65},
	}
	for i := range want {
		got, want := x.Quotes[i], want[i]
		near(t, "served", got.ServedPerS, want.ServedPerS)
		near(t, "freed", got.FreedPerS, want.FreedPerS)
		got.ServedPerS, got.FreedPerS, want.ServedPerS, want.FreedPerS = 0, 0, 0, 0
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
