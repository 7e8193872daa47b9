package admission

import "math"

// quantile is one of the two that are told: the share of waits that are to be
// within it, and the same as a standard normal deviate.
type quantile struct{ share, deviate float64 }

func quantiles() [2]quantile { return [2]quantile{{0.5, 0}, {0.9, deviate90}} }

const deviate90 = 1.2815515655446004

// places is the number of groups of positions that are calibrated apart: the
// first, 2 to 5, 6 to 10, 11 to 20, 21 to 50, and all behind.
const places = 6

func placeOf(position int) int {
	for i, last := range [places - 1]int{1, 5, 10, 20, 50} {
		if position <= last {
			return i
		}
	}
	return places - 1
}

// quote is the wait that was first told to an entry, and where it stood then.
type quote struct {
	Wait
	Place int `json:"place"`
}

// outcome is how an entry's wait ended: with an offer, or because it left.
type outcome struct {
	waited float64 // s
	left   bool
}

// score compares an entry's first quote with what came of it, and moves the
// quantiles of its group of positions towards what they ought to be: after each
// quote that held by what it may fail, after each that failed by what it may
// hold. Whatever the model gets wrong, the share of quotes that hold so goes to
// what it should be (I. Gibbs and E. Candes, "Adaptive conformal inference under
// distribution shift", NeurIPS 2021). An entry that left before its quote was
// over counts by the chance that the quote would have held.
func (a *app) score(e *entry, o outcome) {
	q := e.quote
	e.quote = nil
	if q == nil {
		return
	}
	c, i := &a.course, q.Place
	c.Scored[i] = min(c.Scored[i]+1, scoresCounted)
	step := max(shiftStep, shiftFirst/c.Scored[i])
	for j, told := range quantiles() {
		held, s := 0.0, [2]float64{q.P50S, q.P90S}[j]
		switch {
		case o.waited <= s && !o.left:
			held = 1
		case o.waited <= s:
			past := q.chance(o.waited)
			held = max(0, (told.share-past)/(1-past))
		}
		c.Shifts[i][j] = within(c.Shifts[i][j]+step*(told.share-held), -shiftMost, shiftMost)
	}
}

// chance is that of a wait of at most so long, by the quote: a gamma
// distribution through its two quantiles, as Wilson and Hilferty approximate it,
// is a normal one of the cube root.
func (q quote) chance(s float64) float64 {
	a, b := math.Cbrt(q.P50S), math.Cbrt(q.P90S)
	if b <= a {
		return 0
	}
	z := (math.Cbrt(s) - a) / (b - a) * deviate90
	return min(math.Erfc(-z/math.Sqrt2)/2, 0.99)
}
