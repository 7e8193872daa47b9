// Package forecast scores forecasts of waiting times: how often they held, how
// far off they were, and how far off simpler ones would have been on the same
// history. It knows nothing of who made them.
package forecast

import (
	"cmp"
	"math"
	"slices"
)

// Quote is the first wait that somebody was told, what was known then, and what
// came of it. Times are in seconds, At from any moment on.
type Quote struct {
	At         float64
	Position   int     // 1 is next
	P50S, P90S float64 // as told

	WaitedS float64 // until a seat was offered, or until it left
	Left    bool    // it left before: it would have waited for longer than WaitedS

	Rate   Rate    // the truth, for the floor
	Seats  int     // that were held when it was told
	MeanS  float64 // mean length of the sessions that had ended lately
	HeadS  float64 // for how long the first in line had waited
	Served float64 // seats offered per second lately
}

// Rate is the truth about a queue, which a simulator knows and a forecast does
// not.
type Rate struct {
	Freed    float64 // sessions that end while all seats are played, per second
	Leaves   float64 // chance that one who waits gives up, per second
	Ignored  float64 // share of people who take none of their offers
	IgnoredS float64 // by how many seconds one of them holds the queue up
}

// Levels are the quantiles that are told.
func Levels() [2]float64 { return [2]float64{0.5, 0.9} }

func (q Quote) told(level int) float64 {
	if level == 0 {
		return q.P50S
	}
	return q.P90S
}

// Coverage is the share of waits, of 0 to 1, that were at most as long as told.
// Those who left count as cut off: the estimate is that of E. L. Kaplan and P.
// Meier ("Nonparametric estimation from incomplete observations", JASA 53 (1958)
// 457-481) for the ratio of wait and quote, at 1.
func Coverage(quotes []Quote, level int) float64 {
	type ratio struct {
		x    float64
		left bool
	}
	list := make([]ratio, len(quotes))
	for i, q := range quotes {
		list[i] = ratio{q.WaitedS / max(q.told(level), 1e-6), q.Left}
	}
	slices.SortFunc(list, func(a, b ratio) int { return cmp.Compare(a.x, b.x) })
	survived := 1.0
	for i, r := range list {
		if r.x > 1 {
			break
		}
		if !r.left {
			survived *= 1 - 1/float64(len(list)-i)
		}
	}
	return 1 - survived
}

// Group is a range of positions that is looked at by itself.
type Group struct{ From, To int }

// Groups are the ranges of positions: the first, those with a few ahead, and so on.
func Groups() []Group {
	return []Group{{1, 1}, {2, 5}, {6, 10}, {11, 20}, {21, 50}, {51, math.MaxInt}}
}

// Of are the quotes of the group.
func (g Group) Of(quotes []Quote) []Quote {
	var list []Quote
	for _, q := range quotes {
		if g.From <= q.Position && q.Position <= g.To {
			list = append(list, q)
		}
	}
	return list
}

// weights makes those whose wait is known stand for those who left as well: each
// counts for one over the chance that somebody has not left by then (inverse
// probability of censoring; J. M. Robins and A. Rotnitzky, in: AIDS Epidemiology
// (1992) 297-331). They are 0 for those who left.
func weights(quotes []Quote) []float64 {
	order := make([]int, len(quotes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(quotes[a].WaitedS, quotes[b].WaitedS) })
	w, stays := make([]float64, len(quotes)), 1.0
	for n, i := range order {
		if quotes[i].Left {
			stays *= 1 - 1/float64(len(order)-n)
			stays = max(stays, leastStays) // the last few who stay would count for too many
			continue
		}
		w[i] = 1 / stays
	}
	return w
}

// leastStays bounds the weights.
const leastStays = 0.05

// Errors are those of point forecasts of the waits, over all quotes.
type Errors struct {
	WAPE    float64 // weighted absolute percentage error: sum of |wait - told| over sum of waits
	Pinball [2]float64
	MSE     float64 // s^2
}

// ErrorsOf scores other points than those told: at returns those of the i-th
// quote for both levels, not numbers where it has none; such quotes are left out.
func ErrorsOf(quotes []Quote, at func(i int) [2]float64) Errors {
	w := weights(quotes)
	var e Errors
	n, waited := 0.0, 0.0
	for i, q := range quotes {
		p := at(i)
		if w[i] == 0 || math.IsNaN(p[0]+p[1]) {
			continue
		}
		d := q.WaitedS - p[0]
		n += w[i]
		waited += w[i] * q.WaitedS
		e.WAPE += w[i] * math.Abs(d)
		e.MSE += w[i] * d * d
		for j, level := range Levels() {
			e.Pinball[j] += w[i] * pinball(q.WaitedS-p[j], level)
		}
	}
	e.WAPE /= waited
	e.MSE /= n
	e.Pinball[0] /= n
	e.Pinball[1] /= n
	return e
}

// pinball is the loss of a quantile (R. Koenker and G. Bassett, "Regression
// quantiles", Econometrica 46 (1978) 33-50), for wait minus quantile.
func pinball(d, level float64) float64 { return max(level*d, (level-1)*d) }

// Told are the quotes' own points, for [ErrorsOf].
func Told(quotes []Quote) func(int) [2]float64 {
	return func(i int) [2]float64 { return [2]float64{quotes[i].P50S, quotes[i].P90S} }
}
