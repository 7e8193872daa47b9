package replay

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/simulate/trace"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// steady is a load of so many cores for so many seconds.
func steady(cores float64, seconds int) []trace.Point {
	var load []trace.Point
	for i := range seconds {
		load = append(load, trace.Point{AtS: float64(i + 1), ForS: 1, CPU: admission.Known(cores)})
	}
	return load
}

// player is somebody who was seated at once and played for so long.
func player(id string, arrives, length, cores float64) trace.Person {
	return trace.Person{
		ID: id, App: "app", ArrivesS: arrives, PatienceS: math.Inf(1), StartS: 3, BootS: 2, ConnectS: 1,
		LengthS: length, Ended: admission.WhyLeft, Host: "h", GPU: admission.NoDevice, Load: steady(cores, int(length)),
	}
}

// left is somebody who gave up after so many seconds.
func left(id string, arrives, patience float64) trace.Person {
	return trace.Person{
		ID: id, App: "app", ArrivesS: arrives, PatienceS: patience, WaitedS: patience, Left: admission.WhyLeft, StartS: -1, BootS: -1, ConnectS: -1,
	}
}

// evening is a trace of two minutes of one host.
func evening(people ...trace.Person) *trace.Trace {
	p := admission.DefaultPolicy()
	p.Apps["app"] = admission.Profile{App: "app", Cost: admission.Cost{CPUCores: 4}, StartS: 2, SettleS: 5}
	p.Session.MaxLength = time.Minute
	return &trace.Trace{
		Start: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), LengthS: 120, Period: time.Second, Pool: "evening", Policy: p,
		Hosts: []trace.Host{{
			HostFacts: admission.HostFacts{Host: "h", Cores: 10, Apps: []string{"app"}}, Up: []trace.Interval{{ToS: 120}},
			Overhead: trace.Overhead{CPU: trace.Stat{Mean: 0.5, N: 100}},
		}},
		People: people,
	}
}

func replayed(t *testing.T, tr *trace.Trace, times int) *Replay {
	t.Helper()
	r, err := New(tr, Options{Times: times})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestWorld: what holds for all is the trace's.
func TestWorld(t *testing.T) {
	tr := evening(player("a", 10, 20, 5), player("b", 15, 40, 2))
	tr.Policy.Uplink.BudgetBps, tr.Policy.Threshold.CPU = 1e9, 0.7
	r := replayed(t, tr, 1)
	c := r.World()
	if r.Name != "evening" || c.Name != "evening" || r.About != "As recorded from 2026-11-27 12:00 UTC on, for 2m. People: 2; hosts: 1." || len(r.Notes) != 0 {
		t.Errorf("%s: %s %q", r.Name, r.About, r.Notes)
	}
	want := []float64{120, 0, 0.7, 1e9, 8e6, 60, 20, 60, 60, 1}
	if got := []float64{c.LengthS, c.WarmUpS, c.Threshold, c.UplinkBps, c.BitrateBps, c.MaxLengthS, c.OfferS, c.GraceS, c.HostLostS, c.Probe.PeriodS}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if m := c.Machine(0); c.Hosts != 1 || m.Cores != 10 || len(m.GPUs) != 0 || m.Idle.CPU != 0.05 || !slices.Equal(m.Up, []world.Interval{{FromS: 0, ToS: world.Never}}) {
		t.Errorf("%+v", m)
	}
	// The mean is over time: 20 seconds of 5 cores and 40 of 2.
	a := c.Apps[0]
	if cpu, _, _ := a.DeclaredCost(); len(c.Apps) != 1 || a.Name != "app" || a.CPUCores != 3 || cpu != 4 || a.GPU != 0 || !c.Probe.Sessions {
		t.Errorf("%+v", a)
	}
}

// TestPeople: what is known of somebody is theirs with every seed.
func TestPeople(t *testing.T) {
	waited := player("b", 15, 40, 2)
	waited.WaitedS, waited.Answers, waited.BootS = 33, []float64{-20, 3}, -1
	people := replayed(t, evening(player("a", 10, 20, 5), waited, left("c", 30, 12)), 1).People(9).People
	a, b, c := people[0], people[1], people[2]
	if a.ArrivesS != 10 || a.StartS != 2 || a.ConnectS != 1 || a.LengthS != 20 || a.Patience != world.Never || !slices.Equal(a.Answers, []float64{3}) {
		t.Errorf("%+v", a)
	}
	if b.StartS != 3 || b.LengthS != 40 || !slices.Equal(b.Answers, []float64{world.Never, 3}) {
		t.Errorf("%+v", b)
	}
	if c.Patience != 12 || c.LengthS != 20 && c.LengthS != 40 || c.StartS != 2 && c.StartS != 3 {
		t.Errorf("%+v", c)
	}
}

// TestWhatIsDrawn: whoever had no session gets one of the recorded, another one
// with another seed; the same seed says the same.
func TestWhatIsDrawn(t *testing.T) {
	r := replayed(t, evening(player("a", 10, 20, 5), player("b", 15, 40, 2), left("c", 30, 12)), 1)
	lengths := map[float64]int{}
	for seed := range uint64(40) {
		pop := r.People(seed).People
		lengths[pop[2].LengthS]++
		if again := r.People(seed).People; !reflect.DeepEqual(pop, again) {
			t.Fatalf("seed %d: not the same again", seed)
		}
	}
	if lengths[20] < 10 || lengths[40] < 10 || lengths[20]+lengths[40] != 40 {
		t.Errorf("%v", lengths)
	}
	if p := r.config.People.PatienceS; p != 12 {
		t.Errorf("patience of %v: one left after 12 s", p)
	}
}

// TestTimes: each comes so often, again within a minute, and nobody after the end.
func TestTimes(t *testing.T) {
	r := replayed(t, evening(player("a", 10, 20, 5), player("b", 100, 40, 2)), 3)
	people := r.People(1).People
	first := people[0]
	if n := len(people); first.ArrivesS != 10 || n < 4 || n > 6 || !strings.HasSuffix(r.About, "Each person comes 3 times.") {
		t.Errorf("%d people, the first at %v; %s", n, first.ArrivesS, r.About)
	}
	for i, p := range people {
		at := 10.0
		if p.LengthS == 40 {
			at = 100
		}
		if p.ID != i || p.ArrivesS < at || p.ArrivesS > at+60 || p.ArrivesS >= 120 {
			t.Errorf("%+v", p)
		}
	}
	if other := r.People(2).People; other[1].ArrivesS == people[1].ArrivesS {
		t.Error("another seed, the same jitter")
	}
}

// TestWhoWasThereBefore comes first, with what was left of it.
func TestWhoWasThereBefore(t *testing.T) {
	waits, plays := left("w", -20, 30), player("p", -10, 30, 5)
	plays.StartS, plays.BootS, plays.ConnectS = -1, -1, 0
	plays.Load = nil
	for i := range 20 { // in the seconds 10 to 29 of their session
		plays.Load = append(plays.Load, trace.Point{AtS: float64(11 + i), ForS: 1, CPU: admission.Known(float64(i))})
	}
	tr := evening(waits, plays)
	r := replayed(t, tr, 1)
	people := r.People(1).People
	if p := people[0]; p.ArrivesS != 0 || p.StartS != 0 || p.ConnectS != 0 || p.LengthS != 20 {
		t.Errorf("who played: %+v", p)
	}
	if p := people[1]; p.ArrivesS != 0 || p.Patience != 10 || p.LengthS != 20 || p.StartS != 0 {
		t.Errorf("who waited: %+v", p)
	}
	if cpu := series(plays.Load, ofCPU, 1, 10, 30); len(cpu) != 21 || cpu[0] != 0 || cpu[19] != 19 || cpu[20] != 9.5 {
		t.Errorf("%v", cpu)
	}
}

// TestLengths: who was stopped by the limit or the trace's end would play on.
func TestLengths(t *testing.T) {
	limited, cut, put, short := player("a", 1, 59, 1), player("b", 2, 50, 1), player("c", 3, 7, 1), player("d", 4, 0.2, 1)
	limited.Ended = admission.WhyLength
	cut.Ended, cut.Censored = "", true
	put.Ended = "idle"
	for i, want := range []float64{60, 170, 7, 1} {
		if p := replayed(t, evening(limited, cut, put, short), 1).People(1).People[i]; p.LengthS != want {
			t.Errorf("%d: %v s, want %v", i, p.LengthS, want)
		}
	}
	never := player("n", 10, 20, 5) // connected, as long as the seat was held
	never.ConnectS, never.Ended = -1, admission.WhyNoShow
	if p := replayed(t, evening(never), 1).People(1).People[0]; p.ConnectS != 0 || p.LengthS != 20 {
		t.Errorf("%+v", p)
	}
}

func TestSeries(t *testing.T) {
	point := func(at, for_, cores float64) trace.Point {
		return trace.Point{AtS: at, ForS: for_, CPU: admission.Known(cores)}
	}
	unknown := trace.Point{AtS: 2, ForS: 1}
	for _, c := range []struct {
		name string
		load []trace.Point
		want []float32
	}{
		{"each second its window", []trace.Point{point(1, 1, 2), point(2, 1, 4), point(3, 1, 6)}, []float32{1, 2, 3, 2}},
		{"windows that end a little later", []trace.Point{point(0.3, 1, 2), point(1.3, 1, 4), point(2.3, 1, 6), point(3.3, 1, 8)}, []float32{2, 3, 4, 2.5}},
		{"long windows", []trace.Point{point(10, 10, 4)}, []float32{2, 2, 2, 2}},
		{"a lost sample", []trace.Point{point(1, 1, 2), unknown, point(3, 1, 6)}, []float32{1, 2, 3, 2}},
		{"what is before and after", []trace.Point{unknown}, []float32{1}},
		{"unknown at first", []trace.Point{{AtS: 1, ForS: 1}, point(2, 1, 4), point(3, 1, 6)}, []float32{2.5, 2, 3, 2.5}},
		{"unknown at last", []trace.Point{point(1, 1, 4)}, []float32{2, 2, 2, 2}},
		{"below zero", []trace.Point{point(3, 3, -1)}, []float32{0, 0, 0, 0}},
		{"nothing", nil, []float32{1}},
	} {
		if got := series(c.load, ofCPU, 2, 0, 3); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	gap := []trace.Point{point(1, 1, 2), point(5, 1, 6)}
	if got := series(gap, ofCPU, 2, 0, 5); !slices.Equal(got, []float32{1, 2, 2, 2, 3, 2}) {
		t.Errorf("a long gap: %v", got)
	}
	if got := series(gap, ofCPU, 0, 0, 5); !slices.Equal(got, []float32{0}) {
		t.Errorf("an app that takes nothing of it: %v", got)
	}
}

// TestAlive: a service that starts anew kills nobody; a host that stays away has died.
func TestAlive(t *testing.T) {
	for _, c := range []struct {
		up   []trace.Interval
		want []world.Interval
	}{
		{[]trace.Interval{{FromS: 1, ToS: 990}}, []world.Interval{{FromS: 1, ToS: world.Never}}},
		{[]trace.Interval{{ToS: 100}, {FromS: 130, ToS: 200}}, []world.Interval{{ToS: 200}}},
		{[]trace.Interval{{ToS: 100}, {FromS: 160, ToS: 1000}}, []world.Interval{{ToS: 100}, {FromS: 160, ToS: world.Never}}},
	} {
		if got := alive(c.up, 60, 1000); !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.up, got, c.want)
		}
	}
}

// TestUnmeasured: what no sample tells is the profile's, and it is said.
func TestUnmeasured(t *testing.T) {
	p := player("a", 10, 20, 5)
	p.Load = nil
	tr := evening(p)
	tr.Hosts[0].Overhead.CPU.N = 0
	r := replayed(t, tr, 1)
	if c := r.World(); c.Apps[0].CPUCores != 4 || c.Probe.Sessions || c.Machine(0).Idle.CPU != unknownIdle || len(r.Notes) != 1 {
		t.Errorf("%+v %q", c.Apps[0], r.Notes)
	}
	tr = evening(player("a", 10, 20, 5))
	tr.Assumed = true
	tr.Policy.Apps["app"] = admission.Profile{App: "app"}
	r = replayed(t, tr, 1)
	if cpu, _, _ := r.World().Apps[0].DeclaredCost(); cpu != 5 || len(r.Notes) != 1 {
		t.Errorf("%v %q", cpu, r.Notes)
	}
}

// TestGPUs: courses, costs and what hosts take of themselves are by GPU too.
func TestGPUs(t *testing.T) {
	p := player("a", 10, 2, 1)
	for i := range p.Load {
		p.Load[i].GPU, p.Load[i].Encoder = admission.Known(0.2*float64(i+1)), admission.Known(0.1)
	}
	tr := evening(p)
	h := &tr.Hosts[0]
	h.GPUs = []admission.GPUFacts{{Name: "L4"}, {Name: "L4"}}
	h.Overhead.GPUs = []trace.Load{{Util: trace.Stat{Mean: 0.05}}, {Util: trace.Stat{Mean: -0.01}, Encoder: trace.Stat{Mean: 0.02}}}
	c := replayed(t, tr, 1).World()
	if a := c.Apps[0]; math.Abs(a.GPU-0.3) > 1e-12 || math.Abs(a.Encoder-0.1) > 1e-12 {
		t.Errorf("%+v", a)
	}
	if m := c.Machine(0); !slices.Equal(m.GPUs, []string{"L4", "L4"}) || !slices.Equal(m.Idle.GPU, []float64{0.05, 0}) || !slices.Equal(m.Idle.Encoder, []float64{0, 0.02}) {
		t.Errorf("%+v", m)
	}
	tr.Policy.Threshold.GPU = 0.9
	if _, err := New(tr, Options{Times: 1}); err == nil || !strings.Contains(err.Error(), "want one for all") {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeReplayed(t *testing.T) {
	for want, spoil := range map[string]func(*trace.Trace, *Options){
		"nobody came":                      func(tr *trace.Trace, _ *Options) { tr.People = nil },
		"want 1 to 100":                    func(_ *trace.Trace, o *Options) { o.Times = 0 },
		"want at most 200000":              func(tr *trace.Trace, o *Options) { tr.People, o.Times = make([]trace.Person, 100_000), 3 },
		"want 1 s to 31 days":              func(tr *trace.Trace, _ *Options) { tr.LengthS = 0 },
		"no sample was recorded":           func(tr *trace.Trace, _ *Options) { tr.Period = 0 },
		`a came for app "other", of which`: func(tr *trace.Trace, _ *Options) { tr.People[0].App = "other" },
		"which app a played is not":        func(tr *trace.Trace, _ *Options) { tr.People[0].App = "" },
		"no session was recorded":          func(tr *trace.Trace, _ *Options) { tr.People[0] = left("a", 1, 5) },
		"no host was there":                func(tr *trace.Trace, _ *Options) { tr.Hosts[0].Up = nil },
		"host h has 0 cores":               func(tr *trace.Trace, _ *Options) { tr.Hosts[0].Cores = 0 },
		"host h does not serve app app":    func(tr *trace.Trace, _ *Options) { tr.Hosts[0].Apps = []string{"other"} },
		"nothing is known of what a session of": func(tr *trace.Trace, _ *Options) {
			tr.People[0].Load, tr.Policy.Apps["app"] = nil, admission.Profile{App: "app"}
		},
	} {
		tr, o := evening(player("a", 10, 20, 5)), Options{Times: 1}
		spoil(tr, &o)
		if _, err := New(tr, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestAnAppWithoutSessions: who came for it is left out, and it is said.
func TestAnAppWithoutSessions(t *testing.T) {
	other := left("b", 5, 5)
	other.App = "other"
	tr := evening(player("a", 10, 20, 5), other)
	tr.Policy.Apps["other"] = admission.Profile{App: "other"}
	r := replayed(t, tr, 1)
	if n := len(r.People(1).People); n != 1 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "app other and are left out, since none of its sessions was recorded: 1") {
		t.Errorf("%d people, %q", n, r.Notes)
	}
}
