package world_test

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/simulate/rival"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// steady is a world of a quarter of an hour, on average somewhat too full.
func steady() *world.Config {
	return &world.Config{
		Name: "steady", LengthS: 900, WarmUpS: 60, Hosts: 2, GPUs: 1, Cores: 16, Threshold: 0.85,
		Apps: []world.App{{
			Name: "app", Share: 1, CPUCores: 0.8, GPU: 0.15, Encoder: 0.04, Declared: 1, Sigma: 0.2, Noise: 0.08, NoiseS: 5,
			Stages: world.Stages{MenuS: 15, MenuLevel: 0.4, LoadingS: 5, LoadingLevel: 1.1, HeavyEveryS: 120, HeavyS: 20, HeavyLevel: 1.4},
			RampS:  6, StartS: 6, Length: world.Length{Kind: world.Exponential, MeanS: 200},
		}},
		Arrivals:   world.Arrivals{PerHour: 250},
		People:     world.People{PatienceS: 300, AnswerS: 3, Ignores: 0.05, ConnectS: 2, Drops: 5, DropS: 8},
		Probe:      world.Probe{PeriodS: 1, DelayS: 0.1, Sessions: true, Noise: 0.005},
		BitrateBps: 8e6, MaxLengthS: 600, OfferS: 20, GraceS: 30, MaxStarting: 1, HostLostS: 60,
	}
}

func gates() map[string]func(*world.World) world.Gate {
	all := map[string]func(*world.World) world.Gate{"rendergate": world.NewCore(admission.DefaultPolicy())}
	for _, e := range rival.All() {
		all[e.Name] = rival.New(e.New(e.Default))
	}
	return all
}

// text is all that a run came to.
func text(t *testing.T, x *world.Tally) string {
	t.Helper()
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestASeedSaysAll: the same seed gives the same, whoever has met its people
// before, and another seed gives something else.
func TestASeedSaysAll(t *testing.T) {
	c := steady()
	c.Failures = world.Failures{PerHour: 4, LastsS: 30}
	c.Probe.Loss, c.Probe.BlackoutN, c.Probe.BlackoutS = 0.1, 10, 10
	used := world.NewPopulation(c, 1)
	for name, gate := range gates() {
		first := text(t, world.Run(world.NewPopulation(c, 1), gate))
		if again := text(t, world.Run(used, gate)); again != first {
			t.Errorf("%s: with people who have met others:\n%.500s\nand before\n%.500s", name, again, first)
		}
		if other := text(t, world.Run(world.NewPopulation(c, 2), gate)); other == first {
			t.Errorf("%s: another seed gives the same", name)
		}
	}
}

// TestTheJudgeOnlyLooks: without him all else is the same.
func TestTheJudgeOnlyLooks(t *testing.T) {
	pop := world.NewPopulation(steady(), 1)
	for name, gate := range gates() {
		judged, x := world.Run(pop, gate), world.RunUnjudged(pop, gate)
		if x.FalseRefused != 0 || x.ForeseenRefused != 0 || x.FullByAdmissionS != 0 || x.Rooms != 0 {
			t.Errorf("%s: somebody has judged: %+v", name, x)
		}
		judged.FalseRefused, judged.ForeseenRefused, judged.FullByAdmissionS, judged.Looks, judged.Rooms = 0, 0, 0, 0, 0
		if text(t, judged) != text(t, x) {
			t.Errorf("%s: judged\n%.500s\nand not\n%.500s", name, text(t, judged), text(t, x))
		}
	}
}

// TestPeopleAreTheSame whatever gate they meet, and however the hosts and their
// probes are: these have chances of their own.
func TestPeopleAreTheSame(t *testing.T) {
	plain := world.NewPopulation(steady(), 5)
	c := steady()
	c.Hosts, c.Probe.PeriodS, c.Probe.Loss, c.Failures.PerHour, c.Failures.LastsS = 5, 2, 0.5, 6, 30
	other := world.NewPopulation(c, 5)
	world.Run(other, rival.New(rival.Everybody{}))
	if len(plain.People) < 40 || len(plain.People) != len(other.People) {
		t.Fatalf("%d people and %d", len(plain.People), len(other.People))
	}
	for i, p := range plain.People {
		q := other.People[i]
		if p.ArrivesS != q.ArrivesS || p.LengthS != q.LengthS || p.Patience != q.Patience || p.StartS != q.StartS || !slices.Equal(p.Answers, q.Answers) || !reflect.DeepEqual(p.Drops, q.Drops) {
			t.Fatalf("%+v\nand\n%+v", p, q)
		}
	}
}

// TestTheCrowdIsAsConfigured compares means of many people with what was asked for.
func TestTheCrowdIsAsConfigured(t *testing.T) {
	for _, l := range []world.Length{
		{Kind: world.Exponential, MeanS: 600}, {Kind: world.Lognormal, MeanS: 600, Shape: 1}, {Kind: world.Pareto, MeanS: 600, Shape: 3},
	} {
		c := steady()
		c.LengthS, c.Arrivals.PerHour, c.Apps[0].Length = 100*3600, 300, l
		within(t, l.Kind, c, 0.03, 600, func(p *world.Person) float64 { return p.LengthS })
		if l.Kind != world.Exponential {
			continue
		}
		within(t, "patience", c, 0.03, 300, func(p *world.Person) float64 { return p.Patience })
		within(t, "start", c, 0.02, 6, func(p *world.Person) float64 { return p.StartS })
		within(t, "connect", c, 0.03, 2, func(p *world.Person) float64 { return p.ConnectS })
		within(t, "ignored", c, 0.15, 0.05, func(p *world.Person) float64 {
			if p.Answers[0] == world.Never {
				return 1
			}
			return 0
		})
	}
}

func within(t *testing.T, what string, c *world.Config, share, want float64, of func(*world.Person) float64) {
	t.Helper()
	pop, sum := world.NewPopulation(c, 1), 0.0
	for _, p := range pop.People {
		sum += of(p)
	}
	if got := sum / float64(len(pop.People)); math.Abs(got/want-1) > share {
		t.Errorf("%s: a mean of %.3f over %d people, want %v", what, got, len(pop.People), want)
	}
}

// TestArrivals counts who comes in each way of coming.
func TestArrivals(t *testing.T) {
	const hours = 200.0
	for name, x := range map[string]struct {
		a    world.Arrivals
		want float64
	}{
		"at random": {world.Arrivals{PerHour: 100}, 100 * hours},
		"in bursts": {world.Arrivals{PerHour: 100, BurstFactor: 5, BurstS: 60, CalmS: 180}, 200 * hours},
		"by day":    {world.Arrivals{PerHour: 100, Daily: 0.5, DayS: 3600}, 100 * hours},
		"a crowd":   {world.Arrivals{FlashPeople: 1000, FlashAtS: 60, FlashS: 10}, 1000},
	} {
		c := steady()
		c.LengthS, c.Arrivals = hours*3600, x.a
		people := world.NewPopulation(c, 3).People
		if n := float64(len(people)); math.Abs(n/x.want-1) > 0.05 {
			t.Errorf("%s: %.0f people, want about %.0f", name, n, x.want)
		}
		if !slices.IsSortedFunc(people, func(a, b *world.Person) int {
			if a.ArrivesS < b.ArrivesS {
				return -1
			}
			return 1
		}) || people[0].ArrivesS < 0 || people[len(people)-1].ArrivesS >= c.LengthS {
			t.Errorf("%s: not in the order of their coming", name)
		}
		if last := people[len(people)-1].ArrivesS; x.a.FlashPeople > 0 && (people[0].ArrivesS < 60 || last > 70) {
			t.Errorf("the crowd comes from %.1f to %.1f s", people[0].ArrivesS, last)
		}
	}
}

// configs are worlds of all kinds, some minutes long.
func configs() *rapid.Generator[*world.Config] {
	return rapid.Custom(func(t *rapid.T) *world.Config {
		c := steady()
		number := func(name string, low, high float64) float64 { return rapid.Float64Range(low, high).Draw(t, name) }
		c.LengthS, c.Hosts = 400, rapid.IntRange(1, 3).Draw(t, "hosts")
		c.Threshold, c.Contention = number("threshold", 0.3, 1), number("contention", 0, 1)
		c.Arrivals.PerHour = number("arrivals", 10, 1500)
		c.Arrivals.FlashPeople, c.Arrivals.FlashAtS, c.Arrivals.FlashS = rapid.IntRange(0, 50).Draw(t, "crowd"), number("at", 0, 300), 5
		c.People.PatienceS, c.People.Drops, c.People.Ignores = number("patience", 5, 500), number("drops", 0, 100), number("ignores", 0, 0.5)
		c.Probe.PeriodS = rapid.SampledFrom([]float64{0.5, 1, 2, 10, 30}).Draw(t, "period")
		c.Probe.DelayS, c.Probe.Loss, c.Probe.Sessions = number("delay", 0, 3), number("loss", 0, 0.6), rapid.Bool().Draw(t, "sessions")
		c.Failures = world.Failures{PerHour: number("failures", 0, 20), LastsS: number("last", 1, 120)}
		c.Apps[0].Declared, c.Apps[0].RampS = number("declared", 0.2, 3), number("ramp", 0, 40)
		c.Apps[0].Length.MeanS, c.MaxLengthS = number("length", 10, 300), number("limit", 20, 300)
		c.MaxStarting = rapid.IntRange(1, 3).Draw(t, "starting")
		if rapid.Bool().Draw(t, "a second app") {
			c.Apps = append(c.Apps, c.Apps[0])
			c.Apps[1].Name, c.Apps[1].GPU, c.Apps[1].Encoder = "other", 0, 0
		}
		return c
	})
}

// TestInAnyWorld nothing is more than there is, and the product breaks no rule.
func TestInAnyWorld(t *testing.T) {
	all := gates()
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range all {
			if !yield(name) {
				return
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		c := configs().Draw(t, "world")
		name := rapid.SampledFrom(append(names, "rendergate", "rendergate")).Draw(t, "gate")
		pop := world.NewPopulation(c, rapid.Uint64().Draw(t, "seed"))
		x := world.Run(pop, all[name])
		if !(x.FullByAdmissionS <= x.FullS && x.FullS <= x.OverS && x.OverS <= x.HostS && x.WaitingS <= x.HostS && x.HostS <= float64(c.Hosts)*c.LengthS) {
			t.Fatalf("times do not add up: %+v", x)
		}
		if !(x.Demand >= 0 && x.IdleS >= 0 && x.DepthMost >= 0 && x.DepthSum <= x.DepthMost*x.OverS+1e-6) {
			t.Fatalf("loads do not add up: %+v", x)
		}
		if x.FalseRefused > x.Refused || x.ForeseenRefused > x.Refused || x.Refused > x.Decisions || x.Wasted > x.Offers || len(x.Waits)+len(x.GaveUp) > len(pop.People) {
			t.Fatalf("counts do not add up: %+v", x)
		}
		if name == "rendergate" && x.Violations > 0 {
			t.Fatalf("the product has broken rules: %+v", x)
		}
	})
}
