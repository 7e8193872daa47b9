package simulate

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/rendergate/rendergate/server/simulate/world"
)

// TestStudent95 compares with the table in every textbook.
func TestStudent95(t *testing.T) {
	for freedom, want := range map[int]float64{1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 10: 2.228, 29: 2.045, 30: 2.042, 1000: 1.962} {
		if got := student95(freedom); math.Abs(got-want) > 6e-4 {
			t.Errorf("%d: %.4f, want %.3f", freedom, got, want)
		}
	}
}

func TestIntervals(t *testing.T) {
	// 1, 2, 3: the mean's deviation is 1/sqrt(3), t is 4.303.
	if r := interval([]float64{1, 2, 3}); r.Mean != 2 || math.Abs(r.High-2-4.303/math.Sqrt(3)) > 1e-3 || math.Abs(r.Low+r.High-4) > 1e-12 {
		t.Errorf("%+v", r)
	}
	if r := interval([]float64{5}); r != (Range{5, 5, 5}) {
		t.Errorf("one seed: %+v", r)
	}
	if r := interval(nil); r != (Range{}) {
		t.Errorf("none: %+v", r)
	}
}

func TestQuantile(t *testing.T) {
	for q, want := range map[float64]float64{0: 1, 0.25: 1.5, 0.5: 2, 0.9: 2.8, 1: 3} {
		if got := quantile([]float64{1, 2, 3}, q); math.Abs(got-want) > 1e-12 {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 || quantile([]float64{7}, 0.99) != 7 {
		t.Error("of none or one")
	}
}

// run is an outcome with that load and time over the threshold.
func run(load, over float64) *outcome {
	return &outcome{tally: &world.Tally{HostS: 1, Demand: load, OverS: over}}
}

// TestLossLoad: with a = 0.6 load at 0.01 over, and 0.8 at 0.03, half way is 0.7.
func TestLossLoad(t *testing.T) {
	c := newLossLoad([][]*outcome{
		{run(0.8, 0.02), run(0.8, 0.04)},
		{run(0.5, 0.01), run(0.7, 0.01)},
		{run(0.5, 0.02), run(0.5, 0.02)}, // worse than the one before on both sides
	})
	for share, want := range map[float64][]float64{
		0: {0.5, 0.7}, 0.01: {0.5, 0.7}, 0.02: {0.65, 0.75}, 0.03: {0.8, 0.8}, 0.5: {0.8, 0.8},
	} {
		for seed, got := range c.at(share) {
			if math.Abs(got-want[seed]) > 1e-12 {
				t.Errorf("at %v seed %d: %v, want %v", share, seed, got, want[seed])
			}
		}
	}
	if newLossLoad(nil).at(0.1) != nil {
		t.Error("a curve of nothing")
	}
}

// TestRatioToO2 is worked by hand: the policy is over for 0.02 on average, where
// the oracle has 0.65 and 0.75.
func TestRatioToO2(t *testing.T) {
	y := yardstick{o1: []float64{0.5, 0.8}, o2: [][]*outcome{
		{run(0.8, 0.02), run(0.8, 0.04)}, {run(0.5, 0.01), run(0.7, 0.01)},
	}}
	ours := []*outcome{run(0.65, 0.01), run(0.6, 0.03)}
	if got := y.byO2(ours); math.Abs(got.Mean-(1+0.8)/2) > 1e-12 || !(got.Low < got.Mean && got.High > got.Mean) {
		t.Errorf("of O2: %+v", got)
	}
	if got := y.byO1(ours); math.Abs(got.Mean-(1.3+0.75)/2) > 1e-12 {
		t.Errorf("of O1: %+v", got)
	}
	if got := y.byO2(ours[:1]); got.Mean == 0 || got.Low != got.Mean {
		t.Errorf("one seed: %+v", got)
	}
}

// TestAPolicyIsItself: whoever does what the second oracle does at some setting
// has all of its load, whatever the curve.
func TestAPolicyIsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seeds := rapid.IntRange(1, 5).Draw(t, "seeds")
		var settings [][]*outcome
		load, share := 0.5, 0.0
		for range rapid.IntRange(1, 6).Draw(t, "settings") {
			load += rapid.Float64Range(0.01, 0.1).Draw(t, "more load")
			share += rapid.Float64Range(0.001, 0.1).Draw(t, "more time over")
			var runs []*outcome
			for range seeds {
				runs = append(runs, run(load, share))
			}
			settings = append(settings, runs)
		}
		at := rapid.IntRange(0, len(settings)-1).Draw(t, "at")
		if r := (yardstick{o2: settings}).byO2(settings[at]); math.Abs(r.Mean-1) > 1e-9 || math.Abs(r.High-1) > 1e-6 {
			t.Fatalf("%+v", r)
		}
	})
}
