package calibrate

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// levels are those of a curve, measured with 0, 1, 2, … copies.
func levels(half float64, y ...float64) []point {
	list := make([]point, len(y))
	for i, v := range y {
		list[i] = point{float64(i), v, half}
	}
	return list
}

func TestGrowth(t *testing.T) {
	for name, c := range map[string]struct {
		points []point
		next   float64 // of one copy more
		within float64 // half its interval, at most
		bend   bool
		fits   int // within 0.85
	}{
		"two levels":                {levels(0.004, 0.02, 0.22), 0.42, 0.03, false, 4},
		"a line":                    {levels(0.004, 0.02, 0.221, 0.419, 0.62), 0.82, 0.02, false, 4},
		"copies that disturb":       {levels(0.002, 0, 0.2, 0.44, 0.72), 1.04, 0.03, true, 3},
		"a bend that does not show": {levels(0.02, 0, 0.2, 0.405, 0.605), 0.807, 0.07, false, 4},
		"nothing grows":             {levels(0.001, 0.1, 0.1, 0.1), 0.1, 0.01, false, -1},
	} {
		g, ok := grow(c.points)
		mean, half := g.predict(float64(len(c.points)))
		if !ok || math.Abs(mean-c.next) > 0.005 || half > c.within || (g.Bend != 0) != c.bend || g.carries(0.85) != c.fits {
			t.Errorf("%s: %v within %v, bend %v, %d fit", name, mean, half, g.Bend, g.carries(0.85))
		}
	}
	if _, ok := grow(levels(0, 0.1)); ok {
		t.Error("one level makes no curve")
	}
}

// TestIntervalsKeepTheirWord: of noisy lines the interval of one copy more holds
// nearly always what it comes to.
func TestIntervalsKeepTheirWord(t *testing.T) {
	missed, all := 0, 0
	rapid.Check(t, func(g *rapid.T) {
		slope, n := rapid.Float64Range(0.02, 0.2).Draw(g, "slope"), rapid.IntRange(3, 10).Draw(g, "levels")
		noise := func() float64 { return 0.003 * rapid.Float64Range(-1.7, 1.7).Draw(g, "noise") }
		var y []float64
		for i := range n {
			y = append(y, slope*float64(i)+noise())
		}
		c, ok := grow(levels(0.006, y...))
		mean, half := c.predict(float64(n))
		if all++; !ok || math.Abs(mean-slope*float64(n)-noise()) > half {
			missed++
		}
	})
	if missed*10 > all {
		t.Errorf("%d of %d lie outside their 95 %% interval", missed, all)
	}
}

func TestQuantiles(t *testing.T) {
	for freedom, want := range map[int]float64{-1: 12.71, 1: 12.71, 4: 2.78, 10: 2.23, 30: 2.04, 1000: 1.96} {
		if got := student(freedom); math.Abs(got-want) > 0.01 {
			t.Errorf("Student's t of %d: %v, want %v", freedom, got, want)
		}
	}
	for z, want := range map[float64]float64{0: 0.5, 1.96: 0.975, -1.645: 0.05} {
		if got := normal(z); math.Abs(got-want) > 0.001 {
			t.Errorf("normal(%v) = %v, want %v", z, got, want)
		}
	}
}
