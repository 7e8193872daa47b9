package scenario_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/server/simulate/scenario"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// TestStandard: every file of the set is in it, says what it is for in a line, and
// is not another one under another name.
func TestStandard(t *testing.T) {
	set, err := scenario.Standard()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("standard/*.yaml")
	if err != nil || len(files) != len(set) {
		t.Fatalf("%d files, %d scenarios: %v", len(files), len(set), err)
	}
	seen := map[string]bool{}
	for _, s := range set {
		if s.About == "" || len(s.About) > 100 || !strings.HasSuffix(s.About, ".") {
			t.Errorf("%s is about %q; want a sentence of at most 100 characters", s.Name, s.About)
		}
		if seen[s.Name] || seen[s.About] {
			t.Errorf("%s is there twice", s.Name)
		}
		seen[s.Name], seen[s.About] = true, true
	}
}

func TestUnitsAndDefaults(t *testing.T) {
	s, err := scenario.Parse("dir/mine.yaml", []byte(`
length: 1h
threshold: 80%
hosts: {fail_every: 2h, fail_for: 3m}
apps:
  b: {cost: {gpu: 10%}, declared: 0.5, length: {mean: 20m}}
  a: {weight: 3}
arrivals: {rate: 2/min, flash: {people: 10, at: 30m}}
people: {drops_every: 30m}
probe: {period: 500ms, blackouts_every: 6m}
session: {bitrate: 4 Mbit/s}
uplink: {budget: 1 Gbit/s}
`))
	if err != nil {
		t.Fatal(err)
	}
	c := s.World()
	if c.Name != "mine" || c.LengthS != 3600 || c.WarmUpS != 720 || c.Threshold != 0.8 || c.Failures.PerHour != 0.5 || c.Failures.LastsS != 180 {
		t.Errorf("%+v", c)
	}
	if len(c.Apps) != 2 || c.Apps[0].Name != "a" || c.Apps[0].Share != 3 || c.Apps[0].GPU != 0.075 || c.Apps[1].GPU != 0.1 || c.Apps[1].CPUCores != 0.8 || c.Apps[1].Declared != 0.5 || c.Apps[1].Length.MeanS != 1200 {
		t.Errorf("%+v", c.Apps)
	}
	if c.Arrivals.PerHour != 120 || c.Arrivals.FlashPeople != 10 || c.Arrivals.FlashAtS != 1800 || c.People.Drops != 2 || c.Probe.PeriodS != 0.5 || c.Probe.BlackoutN != 10 {
		t.Errorf("%+v", c)
	}
	if c.BitrateBps != 4e6 || c.UplinkBps != 1e9 || c.MaxLengthS != 1800 || c.GraceS != 30 || c.OfferS != 20 || c.HostLostS != 60 || c.MaxStarting != 1 {
		t.Errorf("%+v", c)
	}
	if s, err := scenario.Parse("f.yaml", []byte("name: other\n")); err != nil || s.Name != "other" {
		t.Errorf("%+v %v", s, err)
	}
}

// TestMistakes: each is told with its line and column, and what would be right.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"langth: 1h", `f.yaml:1:1: langth: unknown key; did you mean "length"?`},
		{"length: 1h\nlength: 2h", "f.yaml:2:1: length: set already in line 1"},
		{"length: 90", "f.yaml:1:9: length: want a duration with its unit"},
		{"length: 30s", "f.yaml:1:9: length: want 1m to 7d, got 30s"},
		{"length: 20m\nwarm_up: 20m", "f.yaml:2:10: warm_up: want less than the length of 20m, got 20m"},
		{"name: a b", "f.yaml:1:7: name: want 1 to 64 letters"},
		{"about: |\n  a\n  b\n", "about: want one line"},
		{"warm_up: 3h", "f.yaml:1:10: warm_up: want less than the length of 2h30m, got 3h"},
		{"threshold: 85", `f.yaml:1:12: threshold: want a share such as "85%" or 0.85, got "85": write "85%"`},
		{"threshold: 0", `threshold: want above 0 and at most 100%`},
		{"threshold: 101%", `threshold: want above 0 and at most 100%`},
		{"hosts: {count: 0}", "f.yaml:1:16: hosts.count: want 1 to 1000, got 0"},
		{"hosts: {gpus: 17}", "hosts.gpus: want 0 to 16, got 17"},
		{"hosts: {cores: 0}", "hosts.cores: want 0.1 to 1024, got 0"},
		{"hosts: {contention: -1}", "hosts.contention: want 0 to 10, got -1"},
		{"hosts: {fail_every: 5s}", "hosts.fail_every: want 0, or 1m to 365d, got 5s"},
		{"hosts: {fail_every: 1h, fail_for: 0}", "hosts.fail_for: want 1s to 7d, got 0"},
		{"hosts: {gpus: 0}", "apps.app.cost: takes a GPU, and hosts.gpus is 0"},
		{"apps: {}", "f.yaml:1:1: apps: want one app or more"},
		{"apps: {a/b: {}}", "f.yaml:1:8: apps.a/b: want 1 to 64 letters"},
		{"apps: {a: {weight: 0}}", "apps.a.weight: want 1e-06 to 1e+06, got 0"},
		{"apps: {a: {cost: {cpu_cores: 0, gpu: 0, encoder: 0}}}", "apps.a.cost: a session that takes nothing always fits"},
		{"apps: {a: {cost: {cpu_cores: 17}}}", "apps.a.cost.cpu_cores: a session takes 17 cores, a host has 16"},
		{"apps: {a: {cost: {gpu: 101%}}}", "apps.a.cost.gpu: want at most 100%, got 101%"},
		{"apps: {a: {cost: {cpu: 1}}}", `apps.a.cost.cpu: unknown key; did you mean "gpu"?`},
		{"apps: {a: {declared: 50%}}", `apps.a.declared: want a number such as 1.5, got "50%"`},
		{"apps: {a: {spread: 300%}}", "apps.a.spread: want at most 200%, got 300%"},
		{"apps: {a: {noise: 300%}}", "apps.a.noise: want at most 200%, got 300%"},
		{"apps: {a: {noise_time: 2h}}", "apps.a.noise_time: want 0 to 1h, got 2h"},
		{"apps: {a: {ramp: 2h}}", "apps.a.ramp: want 0 to 1h, got 2h"},
		{"apps: {a: {start: 2h}}", "apps.a.start: want 0 to 1h, got 2h"},
		{"apps: {a: {stages: {menu_level: 2000%}}}", "apps.a.stages.menu_level: want at most 1000%"},
		{"apps: {a: {stages: {heavy_every: 10ms}}}", "apps.a.stages.heavy_every: want 0, or 1s to 365d, got 10ms"},
		{"apps: {a: {stages: {heavy: 0}}}", "apps.a.stages.heavy: want 1s to 1d, got 0"},
		{"apps: {a: {length: {kind: parteo}}}", `apps.a.length.kind: want exponential or lognormal or pareto, got "parteo": did you mean "pareto"?`},
		{"apps: {a: {length: {mean: 0}}}", "apps.a.length.mean: want 1s to 1d, got 0"},
		{"apps: {a: {length: {kind: pareto, shape: 1}}}", "apps.a.length.shape: want 1.05 to 100, got 1"},
		{"apps: {a: {length: {kind: lognormal, shape: 4}}}", "apps.a.length.shape: want 0.01 to 3, got 4"},
		{"session: {max_length: 0}\napps: {a: {length: {kind: pareto}}}", "apps.a.length.kind: pareto lengths have no end"},
		{"arrivals: {rate: 200}", `f.yaml:1:18: arrivals.rate: want how many come in what time, such as 120/h`},
		{"arrivals: {rate: 0}", "arrivals.rate: nobody comes"},
		{"arrivals: {rate: 200000/h}", "arrivals.rate: about 500000 people could come in 2h30m; want at most 200000"},
		{"arrivals: {bursts: {factor: 0.5}}", "arrivals.bursts.factor: want 1 to 1000, got 0.5"},
		{"arrivals: {bursts: {last: 1ms}}", "arrivals.bursts.last: want 0, or 1s to 365d, got 1ms"},
		{"arrivals: {bursts: {calm: 0}}", "arrivals.bursts.calm: want 1s to 7d, got 0"},
		{"arrivals: {daily: {swing: 120%}}", "arrivals.daily.swing: want at most 100%, got 120%"},
		{"arrivals: {daily: {day: 1s}}", "arrivals.daily.day: want 1m to 365d, got 1s"},
		{"arrivals: {flash: {people: -1}}", "arrivals.flash.people: want 0 to 200000, got -1"},
		{"arrivals: {flash: {people: 5, at: 3h}}", "arrivals.flash.at: want less than the length of 2h30m, got 3h"},
		{"people: {patience: 1ms}", "people.patience: want 0, or 1s to 365d, got 1ms"},
		{"people: {ignore: 150%}", "people.ignore: want at most 100%, got 150%"},
		{"people: {answer: -3s}", "people.answer: want a duration such as"},
		{"people: {connect: 2h}", "people.connect: want 0 to 1h, got 2h"},
		{"people: {drops_every: 1s}", "people.drops_every: want 0, or 1m to 365d, got 1s"},
		{"probe: {period: 10ms}", "probe.period: want 100ms to 10m, got 10ms"},
		{"probe: {delay: 1h}", "probe.delay: want 0 to 10m, got 1h"},
		{"probe: {loss: 101%}", "probe.loss: want at most 100%, got 101%"},
		{"probe: {sees_sessions: yes}", `probe.sees_sessions: want true or false, got "yes"`},
		{"probe: {blackouts_every: 1ms}", "probe.blackouts_every: want 0, or 1s to 365d"},
		{"session: {bitrate: 8 Mb}", `session.bitrate: want a rate such as "8 Mbit/s", got "8 Mb"`},
		{"session: {bitrate: 0}", "session.bitrate: want a rate above 0"},
		{"session: {max_length: 1ms}", "session.max_length: want 0, or 1s"},
		{"session: {reconnect_grace: 2h}", "session.reconnect_grace: want 0 to 1h, got 2h"},
		{"uplink: {budget: 1 Mbit/s}", "f.yaml:1:18: uplink.budget: 1 Mbit/s carries not even one session of 8 Mbit/s"},
		{"queue: {offer_timeout: 0}", "queue.offer_timeout: want 1s to 1h, got 0"},
		{"placement: {max_starting: 0}", "placement.max_starting: want 1 to 1000, got 0"},
		{"placement: {host_lost: 1s}", "placement.host_lost: want 5s to 1d, got 1s"},
		{"- a", "f.yaml:1:1: want keys with values, got a list"},
		{"name: [", "not YAML"},
	} {
		s, err := scenario.Parse("f.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
		if err != nil && (s != nil || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q: want one line and no scenario, got %v", c.text, err)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if _, err := scenario.Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
	if err := os.WriteFile(path, []byte("length: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	var problems document.Problems
	if _, err := scenario.Load(path); !errors.As(err, &problems) || problems[0].File != path {
		t.Errorf("a mistake: %v", err)
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]string{"120/h": "120/h", "2/min": "120/h", "0.5/s": "1800/h", "0": "0"} {
		var r scenario.Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r.String() != want {
			t.Errorf("%s: %s, %v", text, r, err)
		}
	}
}

// FuzzParse: no file ends the process, every mistake has its place, and what is
// taken can be simulated.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("standard/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("apps: {a: {cost: {gpu: 0, encoder: 0, cpu_cores: 1e-9}, stages: {heavy: 0, heavy_every: 0}}}\nhosts: {gpus: 0}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := scenario.Parse("f.yaml", data)
		if err != nil {
			var problems document.Problems
			if !errors.As(err, &problems) || slices.ContainsFunc(problems, func(p document.Problem) bool { return p.Line < 1 || p.Text == "" }) {
				t.Fatalf("%v", err)
			}
			return
		}
		c := s.World()
		sane(t, c)
		if c.LengthS = min(c.LengthS, 120); c.WarmUpS < c.LengthS && c.Hosts < 5 && c.Arrivals.PerHour < 1000 && c.Arrivals.FlashPeople < 50 && c.Probe.PeriodS > 0.4 {
			world.NewPopulation(c, 1)
		}
	})
}

func sane(t *testing.T, c *world.Config) {
	for name, x := range map[string]float64{
		"length": c.LengthS, "threshold": c.Threshold, "cores": c.Cores, "period": c.Probe.PeriodS, "offer": c.OfferS, "bitrate": c.BitrateBps,
	} {
		if !(x > 0) || math.IsInf(x, 0) {
			t.Fatalf("%s is %v", name, x)
		}
	}
	if c.WarmUpS >= c.LengthS || c.Hosts < 1 || len(c.Apps) < 1 {
		t.Fatalf("%+v", c)
	}
}
