package simulate

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// curveOf makes one of pairs of share and load.
func curveOf(pairs ...float64) Curve {
	var c Curve
	for i := 0; i < len(pairs); i += 2 {
		c = append(c, Point{OverThreshold: pairs[i], Load: pairs[i+1]})
	}
	return c
}

func TestDominates(t *testing.T) {
	for _, c := range []struct {
		name        string
		ours, rival Curve
		compared    bool
		from, to    float64
		behind      []float64 // shares
	}{
		{"above", curveOf(0, 0.7, 0.02, 0.9), curveOf(0, 0.6, 0.02, 0.8), true, 0, 0.02, nil},
		{"the same", curveOf(0, 0.7, 0.02, 0.9), curveOf(0, 0.7, 0.02, 0.9), true, 0, 0.02, nil},
		{"below", curveOf(0, 0.6, 0.02, 0.8), curveOf(0, 0.7, 0.02, 0.9), true, 0, 0.02, []float64{0, 0.02}},
		{"crossing", curveOf(0, 0.7, 0.02, 0.8), curveOf(0, 0.6, 0.02, 0.9), true, 0, 0.02, []float64{0.02}},
		{"a bump between", curveOf(0, 0.7, 0.02, 0.9), curveOf(0, 0.6, 0.01, 0.85, 0.02, 0.9), true, 0, 0.02, []float64{0.01}},
		{"part of it", curveOf(0.01, 0.7, 0.03, 0.9), curveOf(0, 0.6, 0.02, 0.79), true, 0.01, 0.02, nil},
		{"within the tolerance", curveOf(0, 0.7, 0.02, 0.8), curveOf(0, 0.7, 0.02, 0.8039), true, 0, 0.02, nil},
		{"just outside it", curveOf(0, 0.7, 0.02, 0.8), curveOf(0, 0.7, 0.02, 0.8041), true, 0, 0.02, []float64{0.02}},
		{"one level", curveOf(0.01, 0.7), curveOf(0, 0.6, 0.02, 0.7), true, 0.01, 0.01, nil},
		{"unsorted, twice the same share", curveOf(0.02, 0.9, 0, 0.5, 0, 0.7), curveOf(0, 0.7, 0.02, 0.9), true, 0, 0.02, nil},
		{"a setting nobody would choose", curveOf(0, 0.7, 0.01, 0.6, 0.02, 0.9), curveOf(0, 0.7, 0.01, 0.7, 0.02, 0.9), true, 0, 0.02, nil},
		{"more of it is no more", curveOf(0, 0.7, 0.01, 0.8, 0.02, 0.8), curveOf(0, 0.6, 0.02, 0.9), true, 0, 0.02, []float64{0.02}},
		{"less and less often", curveOf(0, 0.8, 0.001, 0.9), curveOf(0.01, 0.6, 0.02, 0.9), true, 0.01, 0.01, nil},
		{"less often, and less", curveOf(0, 0.8, 0.001, 0.85), curveOf(0.01, 0.6, 0.02, 0.9), false, 0, 0, nil},
		{"never so seldom", curveOf(0.01, 0.8, 0.02, 0.9), curveOf(0, 0.6, 0.001, 0.7), false, 0, 0, nil},
		{"nothing", nil, curveOf(0, 0.6), false, 0, 0, nil},
		{"no numbers", curveOf(math.NaN(), 0.5, 0.1, math.Inf(1), -1, 0.5), curveOf(0, 0.6), false, 0, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Dominates(c.ours, c.rival)
			if got.Compared != c.compared || got.From != c.from || got.To != c.to {
				t.Errorf("compared %t from %v to %v", got.Compared, got.From, got.To)
			}
			if got.Holds() != (c.compared && len(c.behind) == 0) {
				t.Errorf("holds: %t", got.Holds())
			}
			if len(got.Behind) != len(c.behind) {
				t.Fatalf("behind at %v, not %v", got.Behind, c.behind)
			}
			for i, l := range got.Behind {
				if l.OverThreshold != c.behind[i] {
					t.Errorf("behind at %v, not %v", l.OverThreshold, c.behind[i])
				}
			}
		})
	}
}

func TestTheWorstLevelIsNamed(t *testing.T) {
	got := Dominates(curveOf(0, 0.7, 0.04, 0.9), curveOf(0, 0.7, 0.02, 0.88, 0.04, 0.95)).Worst
	if got.OverThreshold != 0.02 || got.Ours != 0.8 || got.Rival != 0.88 || math.Abs(got.Shortfall()-1.0/11) > 1e-9 {
		t.Errorf("%+v", got)
	}
}

func curves() *rapid.Generator[Curve] {
	share := rapid.OneOf(rapid.SampledFrom([]float64{0, 0.01, 1, math.NaN(), math.Inf(1), -1, 5e-324, 1e300}), rapid.Float64Range(0, 1))
	return rapid.Custom(func(t *rapid.T) Curve {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Point {
			return Point{OverThreshold: share.Draw(t, "share"), Load: share.Draw(t, "load")}
		}), 0, 8).Draw(t, "points")
	})
}

func TestAnyCurvesCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := curves().Draw(t, "ours"), curves().Draw(t, "rival")
		c := Dominates(a, b)
		if !(c.From <= c.To) || !c.Compared && len(c.Behind) > 0 {
			t.Fatalf("%+v", c)
		}
		for _, l := range append(c.Behind, c.Worst) {
			if math.IsNaN(l.Shortfall()) || l.OverThreshold < c.From || l.OverThreshold > c.To {
				t.Fatalf("%+v", c)
			}
			if l.Shortfall() > c.Worst.Shortfall() {
				t.Fatalf("%+v is worse than %+v", l, c.Worst)
			}
		}
		if self := Dominates(a, a); self.Compared && !self.Holds() {
			t.Fatalf("a curve is behind itself: %+v", self)
		}
	})
}

// TestSeldomerIsNeverBehind holds the comparison to what it means.
func TestSeldomerIsNeverBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rival := curves().Draw(t, "rival")
		factor := rapid.Float64Range(0.5, 1).Draw(t, "factor")
		var ours Curve
		for _, p := range rival {
			ours = append(ours, Point{OverThreshold: p.OverThreshold * factor, Load: p.Load})
		}
		for _, l := range Dominates(ours, rival).Behind {
			t.Fatalf("behind: %+v", l)
		}
	})
}
