package admission

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

// TestPosterior weighs what was measured against what the profile says.
func TestPosterior(t *testing.T) {
	seen := func(mean, spread, sessions float64) costEstimate {
		return costEstimate{mean: mean, between: spread * spread, sessions: sessions}
	}
	for name, tt := range map[string]struct {
		c                       costEstimate
		declared, spread, doubt float64
		mean, unsure            float64
	}{
		"nothing seen":                {seen(0, 0, 0), 2, 0, 0.5, 2, 1},
		"nothing seen, nothing said":  {seen(0, 0, 0), 0, 0, 0.5, 0, 0},
		"as much as was said":         {seen(3, 0.4, 16), 1, 0, 0.1, 2, 0.1 / math.Sqrt2},
		"one session":                 {seen(3, 0.5, 1), 1, 0, 0.5, 2, 0.5 / math.Sqrt2},
		"a quarter of one":            {seen(3, 0.5, 0.25), 1, 0, 0.5, 1.4, 0.5 * math.Sqrt(0.8)},
		"many, and a guess":           {seen(2, 0.2, 50), 1, 0, 0.5, 1 + 0.25/0.2508, math.Sqrt(0.0008 * 0.25 / 0.2508)},
		"many, alike to a hair":       {seen(2, 0, 50), 1, 0, 0.5, 2, 0},
		"few alike, said to differ":   {seen(3, 0, 1), 1, 0.5, 0.5, 2, 0.5 / math.Sqrt2},
		"nothing said, some seen":     {seen(0.5, 0.2, 4), 0, 0, 0.5, 0.5, 0.1},
		"no doubt of what is said":    {seen(3, 0.4, 50), 1, 0, 0, 1, 0},
		"measured to take nothing":    {seen(0, 0, 50), 1, 0, 0.5, 0, 0},
		"nothing at all, as was said": {seen(0, 0, 50), 0, 0, 0.5, 0, 0},
	} {
		mean, unsure := tt.c.posterior(tt.declared, tt.spread, tt.doubt)
		if math.Abs(mean-tt.mean) > 1e-7 || math.Abs(unsure-tt.unsure) > 1e-7 {
			t.Errorf("%s: %v, unsure by %v; want %v and %v", name, mean, unsure, tt.mean, tt.unsure)
		}
	}
}

// TestPosteriorIsBetween: the cost is between what is said and what was seen, and
// known no worse than by either; more sessions pull it nearer to what was seen.
func TestPosteriorIsBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := costEstimate{
			mean: rapid.Float64Range(0, 10).Draw(t, "mean"), between: rapid.Float64Range(0, 4).Draw(t, "between"),
			sessions: rapid.Float64Range(0.1, remembered/2).Draw(t, "sessions"),
		}
		declared, doubt := rapid.Float64Range(0.01, 10).Draw(t, "declared"), rapid.Float64Range(0.01, MostDoubt).Draw(t, "doubt")
		mean, unsure := c.posterior(declared, 0, doubt)
		if low, high := min(c.mean, declared), max(c.mean, declared); mean < low-1e-9 || mean > high+1e-9 {
			t.Fatalf("%v is not between %v and %v", mean, low, high)
		}
		if most := min(doubt*declared, math.Sqrt(math.Max(c.between, 1e-17)/c.sessions)); unsure > most+1e-9 {
			t.Fatalf("unsure by %v, want at most %v", unsure, most)
		}
		c.sessions *= 2
		further, surer := c.posterior(declared, 0, doubt)
		if math.Abs(further-c.mean) > math.Abs(mean-c.mean)+1e-9 || surer > unsure+1e-9 {
			t.Fatalf("of twice as many %v, unsure by %v; before %v and %v", further, surer, mean, unsure)
		}
	})
}

func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		profile Profile
		want    float64
	}{
		{Profile{}, guessDoubt}, {Profile{Seats: 3}, calibratedDoubt},
		{Profile{Doubt: 0.3}, 0.3}, {Profile{Doubt: 0.3, Seats: 3}, 0.3},
	} {
		if got := tt.profile.doubt(); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.profile, got, tt.want)
		}
	}
}

// TestCalibratedCostsLast longer than guessed ones, against the same sessions.
func TestCalibratedCostsLast(t *testing.T) {
	learn := func(p Profile) Learned {
		p.Cost.CPUCores = 1
		a := &app{profile: p}
		for range 4 {
			a.estimate.costs[0].tell(2, 1)
			a.estimate.costs[0].tell(3, 1)
		}
		return a.learn()
	}
	guessed, calibrated := learn(Profile{}), learn(Profile{Seats: 3})
	if g, c := guessed.Mean.CPUCores, calibrated.Mean.CPUCores; !(g > 2.2 && c > 1 && c < 1.3) {
		t.Errorf("eight sessions of 2 and 3 make a guess of 1 %v, and a calibrated 1 %v", g, c)
	}
	if guessed.Weight != 8 || guessed.Mean.GPU != 0 || guessed.Unsure.GPU != 0 {
		t.Errorf("%+v", guessed)
	}
}

// TestTell: mean and variance of the sessions that told, the last fifty of them.
func TestTell(t *testing.T) {
	var c costEstimate
	for _, x := range []float64{1, 2, 6} {
		c.tell(x, 1)
	}
	if !near(c.mean, 3) || !near(c.between, 14.0/3) || c.sessions != 3 {
		t.Errorf("of 1, 2 and 6: %+v", c)
	}
	for range 10 * remembered {
		c.tell(8, 1)
	}
	if math.Abs(c.mean-8) > 0.001 || c.between > 0.01 || c.sessions != remembered {
		t.Errorf("of many 8 after them: %+v", c)
	}
	var parts costEstimate
	for _, x := range []float64{0, 0, 4, 4} { // each a quarter of a session's word
		parts.tell(x, 0.25)
	}
	if !near(parts.mean, 2) || parts.sessions != 1 {
		t.Errorf("of four quarters: %+v", parts)
	}
}

// TestLearnedSpread: few sessions say little of how they differ, so the profile's
// spread counts as that of three.
func TestLearnedSpread(t *testing.T) {
	for _, tt := range []struct {
		sessions int
		want     float64
	}{{0, 0.5}, {1, math.Sqrt((0 + 3*0.25) / 4)}, {3, math.Sqrt((3*0.01 + 3*0.25) / 6)}, {48, math.Sqrt((48*0.01 + 3*0.25) / 51)}} {
		a := &app{profile: Profile{Cost: Cost{CPUCores: 1}, Spread: Cost{CPUCores: 0.5}}}
		c := &a.estimate.costs[0]
		c.sessions, c.mean = float64(tt.sessions), 1
		if tt.sessions > 1 {
			c.between = 0.01
		}
		if got := a.learn().Spread.CPUCores; !near(got, tt.want) {
			t.Errorf("%d sessions: a spread of %v, want %v", tt.sessions, got, tt.want)
		}
	}
}

// known is what the scene's app is taken to cost in the tests below, in cores of
// a host that has four.
var known = Learned{ //nolint:gochecknoglobals // a constant that Go cannot write as one
	Mean: Cost{CPUCores: 1}, Spread: Cost{CPUCores: 0.4}, Swing: Cost{CPUCores: 0.2}, Unsure: Cost{CPUCores: 0.3}, Weight: 10,
}

// TestUseOfOneSession: what a session is expected to take is between its own mean
// and its app's, by how long it was seen.
func TestUseOfOneSession(t *testing.T) {
	for name, tt := range map[string]struct {
		learned Learned
		own     trend // of CPU, in cores
		want    float64
	}{
		"not seen yet":               {known, trend{}, 1},
		"just seen":                  {known, trend{mean: 2, seconds: 1}, 1 + 0.25/(0.25+0.04*30)},
		"seen for a minute":          {known, trend{mean: 2, seconds: 60}, 1 + 0.25/(0.25+0.04*0.5)},
		"seen for as long as counts": {known, trend{mean: 2, seconds: sessionMemory}, 1 + 0.25/(0.25+0.04/8)},
		"takes less":                 {known, trend{mean: 0.5, seconds: 60}, 1 - 0.5*0.25/(0.25+0.04*0.5)},
		"sessions do not differ":     {Learned{Mean: known.Mean, Swing: known.Swing}, trend{mean: 2, seconds: 240}, 1},
		"use does not swing":         {Learned{Mean: known.Mean, Spread: known.Spread, Swing: Cost{CPUCores: 1e-9}}, trend{mean: 2, seconds: 240}, 1 + 0.16/(0.16+0.0001/8)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, nil).host("h", 0)
			s.play("ann")
			s.p.Apply(Event{At: s.now, Body: CostsLearned{Apps: map[string]Learned{"app": tt.learned}}})
			x := s.p.sessions[s.session("ann").ID]
			x.own.trends[0] = tt.own
			u := x.use(CPU)
			if !near(u.Usual, tt.want/4) || u.Mean != 0.25 {
				t.Fatalf("%+v, want %v expected", u, tt.want/4)
			}
			newcomer := x.host.newcomer(x.app, CPU)
			rest := 1.0 // of what is not known
			if tt.own.seconds > 0 {
				rest = 1 - (u.Usual-u.Mean)/(tt.own.mean/4-u.Mean)
			}
			if !near(u.Unsure, newcomer.Unsure*rest) || !near(u.Spread, newcomer.Spread*math.Sqrt(rest)) {
				t.Errorf("%+v, and of the unknown %v is left of %+v", u, rest, newcomer)
			}
		})
	}
}

// TestUseSwingsByItsSize: who takes twice as much swings by twice as much, though
// one that hardly takes anything is not taken to be quiet for good.
func TestUseSwingsByItsSize(t *testing.T) {
	s := newScene(t, nil).host("h", 0)
	s.play("ann")
	s.p.Apply(Event{At: s.now, Body: CostsLearned{Apps: map[string]Learned{"app": known}}})
	x := s.p.sessions[s.session("ann").ID]
	for own, most := range map[float64]float64{0: 0.5, 1: 1, 5: 2} {
		x.own.trends[0] = trend{mean: own, seconds: sessionMemory}
		if got := x.use(CPU).Swing / 0.05; math.Abs(got-most) > 0.02 {
			t.Errorf("with a mean of %v cores it swings %v times as much, want %v", own, got, most)
		}
	}
}

// TestUseWithoutAnApp: of an app that the policy no longer names, what was granted
// counts.
func TestUseWithoutAnApp(t *testing.T) {
	s := newScene(t, nil).host("h", 0)
	s.play("ann")
	p := s.p.Policy()
	p.Apps = map[string]Profile{"other": {}}
	s.do(SetPolicy{Policy: p})
	if u := s.p.sessions["s1-x"].use(CPU); u.Mean != 0.25 || u.Usual != 0.25 || u.Unsure != 0 {
		t.Errorf("%+v", u)
	}
}

// TestUseOfOneThatStops: it may do anything, so it counts as any of its app, or as
// what it was just seen to take.
func TestUseOfOneThatStops(t *testing.T) {
	s := newScene(t, nil).host("h", 0)
	s.play("ann")
	s.seconds(60, "h", 0.1, uses(0.1, "s1-x")...)
	s.do(Leave{Client: "ann"})
	s.second("h", 0.1, uses(0.1, "s1-x")...)
	mean := s.p.apps["app"].mean.CPUCores / 4
	x := s.p.sessions["s1-x"]
	if u := x.use(CPU); u.Usual != mean {
		t.Errorf("expected %v, want %v as of any", u.Usual, mean)
	}
	s.second("h", 0.6, uses(0.6, "s1-x")...)
	if u := x.use(CPU); u.Usual != 0.6 {
		t.Errorf("expected %v, and it was seen to take 0.6", u.Usual)
	}
}

// TestSessionsTeach: each tells its own mean, in shares over its first minute in
// full view, and then no more; how much it swings it goes on to tell.
func TestSessionsTeach(t *testing.T) {
	s := newScene(t, func(p *Policy) { p.Session.MaxLength = 0 }).host("h", 0)
	s.play("ann", "bob")
	c := &s.p.apps["app"].estimate.costs[0]
	both := func(n int, ann, bob float64) {
		for range n {
			s.second("h", ann+bob, append(uses(ann, "s1-x"), uses(bob, "s2-x")...)...)
		}
	}
	both(10, 0.05, 0.05) // not in full view yet
	if c.sessions != 0 {
		t.Fatalf("%+v after ten seconds", c)
	}
	both(30, 0.1, 0.3)
	if !near(c.sessions, 1) || !near(c.mean, 0.8) { // two halves of one session's word
		t.Fatalf("%+v after half a minute in full view", c)
	}
	both(30, 0.1, 0.3)
	if !near(c.sessions, 2) || !near(c.mean, 0.8) || !near(c.between, 0.16) {
		t.Fatalf("%+v after a minute of 0.4 and 1.2 cores", c)
	}
	if c.swung == 0 || c.within > 1e-9 {
		t.Fatalf("%+v, and nobody swings", c)
	}
	before := *c
	both(60, 0.2, 0.4)
	if c.sessions != before.sessions || c.mean != before.mean {
		t.Fatalf("%+v, and they had told all: %+v", c, before)
	}
	if c.within <= 0 {
		t.Fatalf("%+v, and both swing", c)
	}
}

// TestAbsentPlayersTeachNothing: what a program does alone is no cost of playing.
func TestAbsentPlayersTeachNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		state SessionState
		seen  []SessionSample
	}{
		"dropped":      {StateDropped, uses(0.01, "s1-x")},
		"by a stopped": {StateEnded, uses(0.01, "s1-x")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, func(p *Policy) { p.Session.ReconnectGrace = time.Hour }).host("h", 0)
			s.play("ann")
			s.state("s1-x", tt.state)
			s.seconds(100, "h", 0.3, tt.seen...)
			if e := s.p.apps["app"].estimate; e.costs[0].sessions != 0 {
				t.Errorf("%+v", e.costs[0])
			}
		})
	}
}

// TestSessionsTeachTogether where they are not seen by themselves: all of one app,
// all in full view, on a device that is not full.
func TestSessionsTeachTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		cpu    float64
		change func(s *scene)
		want   float64 // cores; 0: nothing is learned
	}{
		"three of one app":      {0.3, func(*scene) {}, 0.4},
		"the device is full":    {0.96, func(*scene) {}, 0},
		"one is not there":      {0.3, func(s *scene) { s.state("s1-x", StateDropped) }, 0},
		"one is of another app": {0.3, func(s *scene) { s.do(Join{Client: "o", Secret: "o", App: "other", Intent: Play}) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, func(p *Policy) {
				p.Apps["app"] = Profile{Cost: Cost{CPUCores: 0.5}, SettleS: 1}
				p.Apps["other"] = Profile{Cost: Cost{CPUCores: 0.5}, SettleS: 1}
				p.Session.ReconnectGrace = time.Hour
			})
			f := hostFacts("h")
			f.Apps = []string{"app", "other"}
			s.do(HostUp{Facts: f})
			s.sample("h", 0)
			for i := range 3 {
				id := fmt.Sprint("p", i)
				s.do(Join{Client: id, Secret: id, App: "app", Intent: Play})
				s.state(s.session(id).ID, StateReady)
				s.state(s.session(id).ID, StateConnected)
			}
			tt.change(s)
			s.seconds(2, "h", tt.cpu)
			before := s.p.apps["app"].estimate.costs[0]
			s.seconds(100, "h", tt.cpu)
			c := s.p.apps["app"].estimate.costs[0]
			if tt.want == 0 {
				if c != before || c.sessions != 0 {
					t.Fatalf("%+v", c)
				}
				return
			}
			if !near(c.mean, tt.want) || !near(c.sessions, 3) {
				t.Fatalf("%+v, want a mean of %v of three sessions", c, tt.want)
			}
			if x := s.p.apps["app"].costs[0]; math.Abs(x.mean-tt.want) > 0.01 || x.spread <= 0 {
				t.Fatalf("in force: %+v", x)
			}
		})
	}
}

// TestTheTwoViewsAreKeptApart: while one session is not seen, or is being stopped,
// the host is looked at as a whole. What that tells of the rest is something else,
// and must not stay behind.
func TestTheTwoViewsAreKeptApart(t *testing.T) {
	for name, disturb := range map[string]func(s *scene){
		"one is unseen for a while": func(s *scene) { s.seconds(20, "h", 0.6, uses(0.2, "s1-x")...) },
		"none is seen for a while":  func(s *scene) { s.seconds(20, "h", 0.6) },
		"one stops slowly": func(s *scene) {
			s.do(Leave{Client: "cy"})
			s.seconds(20, "h", 0.7, uses(0.2, "s1-x", "s2-x")...)
			s.state("s3-x", StateEnded)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, func(p *Policy) {
				p.Apps["app"] = Profile{Cost: Cost{CPUCores: 0.8}, SettleS: 1}
				p.Session.MaxLength = 0
			}).host("h", 0.1)
			s.play("ann", "bob")
			if name == "one stops slowly" {
				s.play("cy")
				s.seconds(60, "h", 0.7, uses(0.2, "s1-x", "s2-x", "s3-x")...)
			}
			both := func(n int) Verdict {
				s.seconds(n, "h", 0.5, uses(0.2, "s1-x", "s2-x")...)
				for _, v := range s.p.Explain(s.now, "").Items[0].Resources {
					if v.Resource == CPU {
						return v
					}
				}
				return Verdict{}
			}
			before := both(60)
			disturb(s)
			after := both(2)
			if math.Abs(before.Usual-0.5) > 1e-6 || math.Abs(after.Usual-0.5) > 0.005 { // the app's cost may have moved
				t.Errorf("usual is %v, and was %v", after.Usual, before.Usual)
			}
			h := s.p.hosts["h"]
			if r := h.rest[reach{device{CPU, NoDevice}, true}]; r == nil || !near(r.mean, 0.1) || r.variance > 1e-9 {
				t.Errorf("beside its sessions the host takes %+v", r)
			}
		})
	}
}

// TestRestNeedsACleanSample: one that still holds somebody who has gone would tell
// too much of the rest.
func TestRestNeedsACleanSample(t *testing.T) {
	s := newScene(t, func(p *Policy) { p.Apps["app"] = Profile{Cost: Cost{CPUCores: 0.8}, SettleS: 1} }).host("h", 0.1)
	s.play("ann", "bob")
	s.seconds(60, "h", 0.5, uses(0.2, "s1-x", "s2-x")...)
	s.free("ann")
	s.now = s.now.Add(500 * time.Millisecond)
	s.sample("h", 0.4, uses(0.2, "s2-x")...) // she was there for half of its window
	s.seconds(9, "h", 0.3, uses(0.2, "s2-x")...)
	if r := s.p.hosts["h"].rest[reach{device{CPU, NoDevice}, true}]; !near(r.mean, 0.1) || r.variance > 1e-9 {
		t.Errorf("beside its sessions the host takes %+v", r)
	}
}

// drawLearned is anything that a record may say of an app's costs.
func drawLearned(t *rapid.T) Learned {
	cost := func(name string) Cost {
		x := func(r string) float64 { return rapid.Float64Range(0, 100).Draw(t, name+" "+r) }
		return Cost{CPUCores: x("cpu"), GPU: x("gpu"), Encoder: x("encoder")}
	}
	l := Learned{
		Mean: cost("mean"), Spread: cost("spread"), Swing: cost("swing"), Unsure: cost("unsure"),
		Weight: rapid.Float64Range(0, remembered).Draw(t, "weight"),
	}
	for range rapid.IntRange(0, rampSteps).Draw(t, "ramp") {
		l.Ramp = append(l.Ramp, rapid.Float64Range(0, 1).Draw(t, "share"))
	}
	return l
}

// TestLearnedRoundTrips through a record, a pool and its snapshot.
func TestLearnedRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := DefaultPolicy()
		policy.Apps["app"] = Profile{App: "app", Doubt: rapid.Float64Range(0, MostDoubt).Draw(t, "doubt")}
		policy.Threshold.Over = rapid.Float64Range(0, MostOver).Draw(t, "over")
		want := CostsLearned{
			Apps: map[string]Learned{"app": drawLearned(t)}, Margin: rapid.Float64Range(0, marginMost).Draw(t, "margin"),
		}
		events := []Event{{historyStart, PoolOpened{ID: "x", Policy: policy}}, {historyStart, want}}
		record, err := EncodeEvents(events)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeEvents(record)
		if err != nil || !reflect.DeepEqual(got, events) {
			t.Fatalf("%v: %+v, want %+v", err, got, events)
		}
		p := New()
		for _, e := range got {
			p.Apply(e)
		}
		data, err := p.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		q, err := Restore(data)
		if err != nil {
			t.Fatal(err)
		}
		if a := q.apps["app"]; !reflect.DeepEqual(*a.learned, want.Apps["app"]) || a.costs != p.apps["app"].costs {
			t.Fatalf("%+v, want %+v", a.learned, want.Apps["app"])
		}
		again, err := q.Snapshot()
		if err != nil || !bytes.Equal(again, data) || q.learnedZ != want.Margin {
			t.Fatalf("restored as another pool (%v), with a margin of %v", err, q.learnedZ)
		}
		if q.policy.Threshold.Over != policy.Threshold.Over || q.policy.Apps["app"].Doubt != policy.Apps["app"].Doubt {
			t.Fatalf("restored with another policy: %+v", q.policy)
		}
	})
}

// TestRestoreSaysWhatIsWrongWithLearned costs.
func TestRestoreSaysWhatIsWrongWithLearned(t *testing.T) {
	s := newScene(t, nil)
	s.p.Apply(Event{At: s.now, Body: CostsLearned{Apps: map[string]Learned{"app": known}, Margin: 3}})
	data, err := s.p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ old, now, want string }{
		{`"learned_margin":3`, `"learned_margin":7`, "a margin of 7: 0 to 6 is expected"},
		{`"learned_margin":3`, `"learned_margin":-1`, "a margin of -1"},
		{`"weight":10`, `"weight":10,"ramp":[0.5,1.5]`, `app "app": a ramp with 1.5 in it: 0 to 1 is expected`},
		{`"weight":10`, `"weight":-1`, `app "app": -1 is no weight`},
		{`"swing":{"cpu_cores":0.2`, `"swing":{"cpu_cores":-0.2`, `app "app": -0.2 is no cost`},
	} {
		if !bytes.Contains(data, []byte(tt.old)) {
			t.Fatalf("there is no %s in %s", tt.old, data)
		}
		_, err := Restore(bytes.Replace(data, []byte(tt.old), []byte(tt.now), 1))
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(tt.want)) {
			t.Errorf("%s: got %v, want something with %q", tt.now, err, tt.want)
		}
	}
}

// journalOfBefore was written by a program that knew neither swings, ramps and
// margins, nor what share of time over the threshold is accepted.
const journalOfBefore = `{"v":1,"events":[{"at":"2026-11-20T10:00:00Z","type":"pool_opened","data":{"id":"x","name":"pool","policy":{"apps":{"app":{` +
	`"app":"app","cost":{"cpu_cores":1,"memory_bytes":0,"gpu":0,"vram_bytes":0,"encoder":0,"encoder_sessions":0},` +
	`"spread":{"cpu_cores":0.2,"memory_bytes":0,"gpu":0,"vram_bytes":0,"encoder":0,"encoder_sessions":0},"seats":2,"start_s":0,"settle_s":0}},` +
	`"threshold":{"cpu":0.85,"gpu":0.85,"vram":0.9,"encoder":0.85,"memory":0.9},"uplink":{"budget_bps":0,"when_full":"wait"},` +
	`"session":{"bitrate_bps":8000000,"max_length":0,"idle_timeout":0,"first_connect_timeout":0,"reconnect_grace":0,"sharing":"open"},` +
	`"spectators":{"max_per_session":1,"bitrate_bps":0,"low_bitrate_bps":0,"yield_to_players":true,"reconnect_grace":0},` +
	`"queue":{"max_length":1,"offer_timeout":20000000000,"on_lapse":"next","max_lapses":2,"reconnect_grace":0,"classes":["normal"]},` +
	`"placement":{"order":"spread","max_starting":1,"host_lost":0}}}},` +
	`{"at":"2026-11-20T10:05:00Z","type":"costs_learned","data":{"apps":{"app":{` +
	`"mean":{"cpu_cores":1.5,"memory_bytes":0,"gpu":0,"vram_bytes":0,"encoder":0,"encoder_sessions":0},` +
	`"spread":{"cpu_cores":0.3,"memory_bytes":0,"gpu":0,"vram_bytes":0,"encoder":0,"encoder_sessions":0},"weight":12}}}}]}`

// TestJournalsFromBeforeMargins are read and replayed: what they do not say is as
// if nothing had been learned of it. What they did not say is not written either.
func TestJournalsFromBeforeMargins(t *testing.T) {
	events, err := DecodeEvents([]byte(journalOfBefore))
	if err != nil {
		t.Fatal(err)
	}
	p := New()
	for _, e := range events {
		p.Apply(e)
	}
	a := p.apps["app"]
	if want := (appCost{mean: 1.5, spread: 0.3, swing: leastSwing * 1.5}); a.costs[0] != want {
		t.Errorf("in force: %+v, want %+v", a.costs[0], want)
	}
	if got := a.shows(30); got != 0.5 {
		t.Errorf("half a minute shows as %v, want half", got)
	}
	if got := normalCDF(p.margin.z); math.Abs(got-(1-DefaultOver)) > 1e-9 {
		t.Errorf("a margin of %v keeps the load below the threshold for %v of the time", p.margin.z, got)
	}
	record, err := EncodeEvents(events)
	if err != nil || string(record) != journalOfBefore {
		t.Errorf("%v: written as\n%s\nand read as\n%s", err, record, journalOfBefore)
	}
	restored(t, p)
}

func normalCDF(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
