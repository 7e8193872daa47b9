package simulate_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/server/simulate"
	"github.com/rendergate/rendergate/server/simulate/scenario"
)

// short are scenarios of some minutes.
func short(t *testing.T, texts ...string) []*scenario.Scenario {
	t.Helper()
	var list []*scenario.Scenario
	for i, text := range texts {
		s, err := scenario.Parse(string(rune('a'+i))+".yaml", []byte("length: 10m\nwarm_up: 2m\nhosts: {count: 2}\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

const busy = "arrivals: {rate: 400/h}\n"

// TestTheWorkersDoNotMatter: the same seeds give the same bytes, whoever does the
// work in whatever order.
func TestTheWorkersDoNotMatter(t *testing.T) {
	var texts []string
	for _, workers := range []int{1, 4} {
		r, err := simulate.Run(t.Context(), simulate.Options{
			Scenarios: short(t, busy+"probe: {period: 10s, loss: 30%}\n", busy+"placement: {max_starting: 2}\npeople: {patience: 1m}"),
			Policies:  []string{"rendergate", "o1", "fixed_count", "measured_sum"},
			Seeds:     2, FirstSeed: 7, Sweep: true, Workers: workers,
		})
		if err != nil {
			t.Fatal(err)
		}
		r.TookS, r.Speed = 0, 0
		text, err := json.Marshal(r) // which fails where a number is none
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Errorf("with one worker\n%.2000s\nwith four\n%.2000s", texts[0], texts[1])
	}
}

func TestWhatAResultHas(t *testing.T) {
	var told []int
	r, err := simulate.Run(t.Context(), simulate.Options{
		Version: "1", Set: "files", Scenarios: short(t, busy), Seeds: 2, FirstSeed: 3, Workers: 2,
		Progress: func(done, total int) { told = append(told, done, total) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Version != "1" || r.Set != "files" || r.Seeds != 2 || r.FirstSeed != 3 || !(r.TookS > 0) || !(r.Speed > 1) || len(r.Scenarios) != 1 {
		t.Errorf("%+v", r)
	}
	total := told[len(told)-1]
	if told[len(told)-2] != total || len(told) != 2*total || told[0] != 1 {
		t.Errorf("told %v", told)
	}
	s := r.Scenarios[0]
	if s.Name != "a" || s.SamplePeriodS != 1 || s.Threshold != 0.85 || len(s.Policies) != len(simulate.Policies()) {
		t.Errorf("%+v", s)
	}
	for i, p := range s.Policies {
		role := simulate.RoleRival
		switch p.Name {
		case "rendergate":
			role = simulate.RoleOurs
		case "o1", "o2":
			role = simulate.RoleOracle
		}
		if p.Name != simulate.Policies()[i] || p.Role != role || p.Title == "" || p.Seated == 0 || !(p.Load > 0 && p.Load < 2) {
			t.Errorf("%+v", p)
		}
		if (p.Curve != nil) != (p.Name == "o2") {
			t.Errorf("%s has a curve of %d points, without a sweep", p.Name, len(p.Curve))
		}
		for _, name := range []string{"load", "load_of_o1", "load_of_o2", "over_threshold", "false_refusals"} {
			if x, ok := p.Intervals[name]; !ok || !(x.Low <= x.Mean && x.Mean <= x.High) {
				t.Errorf("%s: %s: %+v", p.Name, name, x)
			}
		}
		if p.Name == "o1" && p.LoadOfO1 != 1 || p.Name == "o2" && math.Abs(p.LoadOfO2-1) > 1e-9 {
			t.Errorf("an oracle is not itself: %+v", p)
		}
	}
}

// TestOraclesRunUnseen: others are compared to them, whether they are asked for or
// not, and with one policy less the figures of the others are the same.
func TestOraclesRunUnseen(t *testing.T) {
	run := func(policies ...string) []simulate.Policy {
		r, err := simulate.Run(t.Context(), simulate.Options{Scenarios: short(t, busy), Policies: policies, Seeds: 2, FirstSeed: 1})
		if err != nil {
			t.Fatal(err)
		}
		return r.Scenarios[0].Policies
	}
	all, alone := run(), run("rendergate")
	if len(alone) != 1 || alone[0].LoadOfO1 == 0 || alone[0].LoadOfO1 != all[0].LoadOfO1 || alone[0].LoadOfO2 != all[0].LoadOfO2 {
		t.Errorf("%+v\n%+v", alone, all[0])
	}
}

func TestWhatCannotBeRun(t *testing.T) {
	set := short(t, busy)
	for want, o := range map[string]simulate.Options{
		"0 seeds; want 1 or more":                             {Scenarios: set},
		`no policy "o3"; the policies are rendergate, o1, o2`: {Scenarios: set, Seeds: 1, Policies: []string{"rendergate", "o3"}},
	} {
		if _, err := simulate.Run(t.Context(), o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestLittleIsKept: a run's world is let go of once it is over.
func TestLittleIsKept(t *testing.T) {
	var before, after runtime.MemStats
	held := func(m *runtime.MemStats) {
		runtime.GC()
		runtime.ReadMemStats(m)
	}
	held(&before)
	_, err := simulate.Run(t.Context(), simulate.Options{
		Scenarios: short(t, busy), Seeds: 4, FirstSeed: 1, Sweep: true, Policies: []string{"fixed_count"}, Workers: 1,
		Progress: func(done, total int) {
			if done == total {
				held(&after)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 4<<20 {
		t.Errorf("%d KiB are held after the last run", kept>>10)
	}
}

func TestItStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	last := 0
	_, err := simulate.Run(ctx, simulate.Options{
		Scenarios: short(t, busy, busy), Seeds: 20, Workers: 2,
		Progress: func(done, _ int) { last = done; cancel() },
	})
	if !errors.Is(err, context.Canceled) || last > 4 {
		t.Errorf("%d runs, and %v", last, err)
	}
}

func TestPoliciesHaveNamesOfTheirOwn(t *testing.T) {
	names := simulate.Policies()
	if names[0] != "rendergate" || len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("%v", names)
	}
}
