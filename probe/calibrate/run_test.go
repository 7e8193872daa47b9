package calibrate

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

func TestAnswers(t *testing.T) {
	ramps := func(cores float64) func(float64, int) float64 {
		return func(age float64, _ int) float64 { return cores * math.Min(1, age/20) }
	}
	for name, c := range map[string]struct {
		host    simulated
		options func(*Options)
		fits    int
		binding string
	}{
		"arithmetic":           {host: simulated{cost: constant(0.5)}, fits: 13, binding: "cpu"}, // (0.85*8)/0.5 = 13.6
		"with a base":          {host: simulated{cost: constant(0.5), base: 0.6}, fits: 12, binding: "cpu"},
		"noise":                {host: simulated{cost: constant(0.5), sd: 0.01}, fits: 13, binding: "cpu"},
		"a ramp of 20 s":       {host: simulated{cost: ramps(0.5)}, fits: 13, binding: "cpu"},
		"too large for one":    {host: simulated{cost: constant(7.5)}, fits: 0, binding: "cpu"},
		"memory, past it safe": {host: simulated{cost: constant(0.1), bytes: 6e9}, fits: 8, binding: "memory"},    // 0.1 + 0.09375 n; 9 come to 94 %
		"memory, past it not":  {host: simulated{cost: constant(0.1), bytes: 11.5e9}, fits: 4, binding: "memory"}, // 5 come to 99.8 %
		"a GPU":                {host: simulated{cost: constant(0.1), gpus: 1, gpu: 0.2}, fits: 4, binding: "gpu"},
		"two GPUs":             {host: simulated{cost: constant(0.1), gpus: 2, gpu: 0.2}, fits: 8, binding: "gpu"},
		"VRAM":                 {host: simulated{cost: constant(0.1), gpus: 1, gpu: 0.05, vram: 0.2}, fits: 4, binding: "vram"},
		"an encoder":           {host: simulated{cost: constant(0.1), gpus: 1, gpu: 0.05, enc: 0.3}, fits: 2, binding: "encoder"},
		"no more asked for":    {host: simulated{cost: constant(0.1)}, options: func(o *Options) { o.MaxCopies = 3 }, fits: 3, binding: "max_copies"},
		"a low threshold":      {host: simulated{cost: constant(0.5)}, options: func(o *Options) { o.Thresholds["cpu"] = 0.3 }, fits: 4, binding: "cpu"},
		"contention": {
			host: simulated{cost: func(_ float64, n int) float64 { return 0.2 * (1 + 0.1*float64(n)) }}, // 0.2 n + 0.02 n^2 <= 6.8: 14.1
			fits: 14, binding: "cpu",
		},
		"frames": {
			host:    simulated{cost: constant(8), frames: func(n int) float64 { return 120 / float64(n) }},
			options: func(o *Options) { o.Floor = 28 }, fits: 4, binding: "frames",
		},
		"does not start": {
			host: simulated{cost: constant(0.1), crash: func(n int) int { return max(0, n-5) }},
			fits: 5, binding: "starting",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := simulate(t, &c.host, c.options)
			if err != nil || r.Fits != c.fits || r.Binding != c.binding || r.Partial != "" {
				t.Fatalf("got %d bound by %q (%v), want %d by %q; findings %v", r.Fits, r.Binding, err, c.fits, c.binding, r.Findings)
			}
			if r.Confidence < 0.9 || r.Confidence > 1 {
				t.Errorf("a confidence of %v", r.Confidence)
			}
			if x, ok := r.Resources[c.binding]; ok && r.Fits > 0 && (x.AtFits > x.Threshold || x.AtFitsPlusOne <= x.Threshold) {
				t.Errorf("%s is at %v, with one more at %v, of %v", c.binding, x.AtFits, x.AtFitsPlusOne, x.Threshold)
			}
		})
	}
}

func TestTwoGPUsAreFilledEvenly(t *testing.T) {
	r, err := simulate(t, &simulated{cost: constant(0.1), gpus: 2, gpu: 0.15}, nil)
	if err != nil || r.Fits != 10 || len(r.FitsPerGPU) != 2 || r.FitsPerGPU[0] != 5 || r.FitsPerGPU[1] != 5 {
		t.Fatalf("%d, %v, %v", r.Fits, r.FitsPerGPU, err)
	}
	for _, s := range r.Steps {
		if d := s.PerGPU[0] - s.PerGPU[1]; d < -1 || d > 1 {
			t.Errorf("with %d copies: %v", s.Copies, s.PerGPU)
		}
	}
	if x := r.Resources["gpu"]; len(x.Devices) != 2 || math.Abs(x.PerCopy-0.15) > 0.001 || x.Alone != 10 {
		t.Errorf("%+v", x)
	}
}

// TestCosts: the cost of one copy, what was foretold of one past the answer,
// and the bend.
func TestCosts(t *testing.T) {
	r, err := simulate(t, &simulated{cost: constant(0.5), base: 0.4, sd: 0.004}, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := r.Resources["cpu"]
	if math.Abs(x.PerCopy*8-0.5) > 0.02 || x.PerCopyLow*8 > 0.5 || x.PerCopyHigh*8 < 0.5 || math.Abs(x.Base*8-0.4) > 0.1 || x.Curve.Bend != 0 {
		t.Errorf("%+v", x)
	}
	if r.Check == nil || !x.Seen || r.Check.Seen < r.Check.Low || r.Check.Seen > r.Check.High || r.Check.Copies != r.Fits+1 {
		t.Errorf("%+v", r.Check)
	}
	if x.Spread == nil || *x.Peak < 0.06 {
		t.Errorf("%+v", x)
	}
	r, err = simulate(t, &simulated{cost: func(_ float64, n int) float64 { return 0.2 * (1 + 0.1*float64(n)) }, sd: 0.002}, nil)
	if x := r.Resources["cpu"]; err != nil || math.Abs(x.Curve.Bend*8-0.02) > 0.003 {
		t.Errorf("a bend of %v: %v", x.Curve.Bend*8, err)
	}
}

func TestFindings(t *testing.T) {
	for code, h := range map[string]simulated{
		"uncapped":        {cost: constant(0.5), gpus: 1, gpu: 1},
		"vram_binds":      {cost: constant(0.1), gpus: 1, gpu: 0.05, vram: 0.2},
		"single_instance": {cost: constant(0.1), crash: func(n int) int { return max(0, n-1) }},
		"copy_ended":      {cost: constant(0.1), crash: func(n int) int { return max(0, n-3) }},
		"busy_base":       {cost: constant(1), base: 2},
		"periodic":        {cost: constant(1), change: loops(0.05)},
		"restless":        {cost: constant(1), change: wanders()},
		"idle_copy":       {cost: constant(1), idles: 3},
		"bursts":          {cost: constant(1), sd: 0.003, change: strikes(0.4)},
		"swap":            {cost: constant(1), change: func(n int, r *Reading) { r.SwapBps = float64(n) * 1e6 }},
		"throttled":       {cost: constant(1), change: func(n int, r *Reading) { r.Throttled = map[bool]string{true: "heat"}[n > 3] }},
		"other_load":      {cost: constant(1), change: func(n int, r *Reading) { r.Loads["cpu"] = min(1, r.Loads["cpu"]+0.15*min(1, float64(n))) }},
	} {
		t.Run(code, func(t *testing.T) {
			r, err := simulate(t, &h, nil)
			if err != nil || !finding(r, code) {
				t.Errorf("%v: %+v", err, r.Findings)
			}
		})
	}
	r, err := simulate(t, &simulated{cost: constant(0.5), sd: 0.01}, nil)
	if err != nil || len(r.Findings) > 0 {
		t.Errorf("of a plain one: %v, %+v", err, r.Findings)
	}
}

// loops makes the load go round every 10 s.
func loops(amplitude float64) func(int, *Reading) {
	return func(n int, r *Reading) {
		at := float64(time.Now().UnixNano()) / 1e9
		r.Loads["cpu"] = min(1, max(0, r.Loads["cpu"]+min(1, float64(n))*amplitude*math.Sin(2*math.Pi*at/10)))
	}
}

// strikes has another program run for two seconds of every fifteen.
func strikes(by float64) func(int, *Reading) {
	at := 0
	return func(_ int, r *Reading) {
		if at++; at%15 < 2 {
			r.Loads["cpu"] = min(1, r.Loads["cpu"]+by)
		}
	}
}

// TestBurstsAreLeftOut: what another program takes for moments changes neither
// the answer nor the cost.
func TestBurstsAreLeftOut(t *testing.T) {
	r, err := simulate(t, &simulated{cost: constant(0.5), sd: 0.004, change: strikes(0.3)}, nil)
	if x := r.Resources["cpu"]; err != nil || r.Fits != 13 || math.Abs(x.PerCopy*8-0.5) > 0.02 || x.Base > 0.02 {
		t.Errorf("%d copies of %v cores, base %v: %v", r.Fits, 8*x.PerCopy, x.Base, err)
	}
}

// wanders makes the load go where it likes once copies run.
func wanders() func(int, *Reading) {
	r := rand.New(rand.NewChaCha8([32]byte{3})) //nolint:gosec // repeatable
	at := 0.0
	return func(n int, reading *Reading) {
		at = min(0.3, max(-0.3, at+0.03*r.NormFloat64()))
		reading.Loads["cpu"] = min(1, max(0, reading.Loads["cpu"]+min(1, float64(n))*(0.3+at)))
	}
}

// TestPeriodic: a loop is judged by what it seldom exceeds.
func TestPeriodic(t *testing.T) {
	r, err := simulate(t, &simulated{cost: constant(1), change: loops(0.06), sd: 0.003}, nil)
	if err != nil || r.Fits != 6 { // 0.125 n + 0.06 <= 0.85: 6.3
		t.Fatalf("%d, %v", r.Fits, err)
	}
	if c := r.Check; c == nil || c.Seen < c.Low || c.Seen > c.High || c.High-c.Low > 0.1 {
		t.Errorf("one past it: %+v", c)
	}
	if x := r.Resources["cpu"]; math.Abs(x.PerCopy*8-1) > 0.05 {
		t.Errorf("one copy costs %v cores", 8*x.PerCopy)
	}
}

func TestRepeat(t *testing.T) {
	r, err := simulate(t, &simulated{cost: constant(0.5), sd: 0.01}, func(o *Options) { o.Repeat = 3 })
	if err != nil || len(r.Runs) != 3 || r.Fits != 13 {
		t.Fatalf("%v: %v, %v", r.Fits, r.Runs, err)
	}
}

// TestTheFirstCopyFails: there is nothing to go on from, and it says why.
func TestTheFirstCopyFails(t *testing.T) {
	r, err := simulate(t, &simulated{cost: constant(0.5), crash: func(n int) int { return n }}, nil)
	if err == nil || err.Error() != "exit status 3" || r.Partial == "" || r.Fits != 0 {
		t.Fatalf("%v, %q", err, r.Partial)
	}
}

// TestAResourceGetsLost: what is unknown is not zero.
func TestAResourceGetsLost(t *testing.T) {
	r, err := simulate(t, &simulated{cost: constant(0.1), gpus: 1, gpu: 0.2, change: func(n int, r *Reading) {
		if n > 2 {
			delete(r.Loads, "gpu/0")
		}
	}}, nil)
	if err == nil || !strings.Contains(err.Error(), "gpu/0 can no longer be read") || r.Partial == "" || r.Fits != 2 {
		t.Errorf("%v, %d", err, r.Fits)
	}
}

// TestStopped keeps what was measured.
func TestStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h := &simulated{cost: constant(0.5), cores: 8, memory: 64e9, places: map[int]Place{}, begun: map[int]time.Time{}, noise: func() float64 { return 0 }}
		r, err := Run(ctx, h, Options{
			App: "sim", Rule: DefaultRule(), Soak: time.Minute, Period: time.Second, Thresholds: map[string]float64{"cpu": 0.85},
			Tell: func(p calibration.Progress) {
				if p.Copies == 5 {
					cancel()
				}
			},
		})
		if err == nil || r.Partial != "stopped at 4 copies" || r.Fits != 4 || len(h.places) != 0 {
			t.Fatalf("%v: %q, %d", err, r.Partial, r.Fits)
		}
		if x := r.Resources["cpu"]; math.Abs(x.PerCopy*8-0.5) > 0.01 {
			t.Errorf("%+v", x)
		}
	})
}

// TestProgress: it says what it does, how far the loads are, and for how long.
func TestProgress(t *testing.T) {
	phases := map[calibration.Phase]bool{}
	expected := false
	_, err := simulate(t, &simulated{cost: constant(1)}, func(o *Options) {
		o.Tell = func(p calibration.Progress) {
			phases[p.Phase] = true
			expected = expected || p.ExpectedS != nil && *p.ExpectedS > 0
			if p.Text == "" || p.Phase == calibration.Settling && (len(p.Bars) == 0 || p.Bars[0].Key == "cpu" && p.Bars[0].Threshold != 0.85) {
				t.Errorf("%+v", p)
			}
		}
	})
	if err != nil || len(phases) != 5 || !expected {
		t.Errorf("%v, %v, %v", err, phases, expected)
	}
}

// TestAnyHost: whatever a copy costs, the answer is what arithmetic gives, or a
// neighbour where the edge lies within the noise.
func TestAnyHost(t *testing.T) {
	rapid.Check(t, func(g *rapid.T) {
		cost := rapid.Float64Range(0.3, 4).Draw(g, "cost")
		base := rapid.Float64Range(0, 2).Draw(g, "base")
		sd := rapid.Float64Range(0, 0.01).Draw(g, "noise")
		h := &simulated{cost: constant(cost), base: base, sd: sd, rand: rand.New(rand.NewChaCha8([32]byte{byte(rapid.IntRange(0, 255).Draw(g, "seed"))}))} //nolint:gosec // repeatable
		r, err := simulate(t, h, func(o *Options) { o.Soak = time.Minute })
		exact := (0.85*8 - base) / cost
		if err != nil || math.Abs(float64(r.Fits)+0.5-exact) > 0.5+0.02*8/cost {
			g.Fatalf("%d, %v; arithmetic says %v", r.Fits, err, exact)
		}
	})
}
