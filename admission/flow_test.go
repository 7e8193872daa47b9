package admission

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// steady is a flow of so many seats whose sessions end at a constant rate, one a
// second in all.
func steady(seats float64) *flow {
	c := &curve{knots: []float64{0}, rates: []float64{1 / seats}, risen: []float64{0}, ends: 100}
	return newFlow([]seat{{n: seats, worth: 1, cap: math.Inf(1)}}, holding{curve: c, limit: math.Inf(1)})
}

// TestFlowIsErlang compares the forecast with exact quantiles of the Erlang
// distribution at rate 1 (R: qgamma(c(.5, .9), k)): so seats become free whose
// sessions end at a constant rate.
func TestFlowIsErlang(t *testing.T) {
	for _, seats := range []float64{1, 3, 40, 5000} {
		f := steady(seats)
		f.discount(0)
		for k, want := range map[int]Wait{
			1: {0.6931, 2.3026}, 2: {1.6783, 3.8897}, 5: {4.6709, 7.9936}, 20: {19.6677, 25.9025}, 100: {99.6669, 113.0238},
		} {
			got := [2]float64{}
			for j := range got {
				got[j] = f.when(asked{ahead: float64(k - 1), z: quantiles()[j].deviate})
			}
			if math.Abs(got[0]/want.P50S-1) > 0.03 || math.Abs(got[1]/want.P90S-1) > 0.03 {
				t.Errorf("%v seats, position %d: got %.4f, want %+v", seats, k, got, want)
			}
		}
	}
}

// draw is a queue whose waits are drawn by chance: of sessions so long, so old,
// and for a place so far back.
type draw struct {
	townPlan
	ages   []float64
	place  int
	leaves float64 // chance that one ahead gives up, per second
}

const draws = 2000

// waits are so many of them, the shortest first.
func (d draw) waits(r *rand.Rand) []float64 {
	list := make([]float64, draws)
	for i := range list {
		list[i] = d.wait(r)
	}
	slices.Sort(list)
	return list
}

func (d draw) cut(l float64) float64 {
	if d.limit > 0 {
		return min(l, d.limit.Seconds())
	}
	return l
}

func (d draw) wait(r *rand.Rand) float64 {
	next := make([]float64, len(d.ages)) // when each seat is free
	for i, age := range d.ages {
		l := d.length(r)
		for l <= age {
			l = d.length(r)
		}
		next[i] = d.cut(l) - age
	}
	for ahead := d.place - 1; ; ahead-- {
		i := slices.Index(next, slices.Min(next))
		for ahead > 0 && d.leaves > 0 && r.ExpFloat64()/d.leaves < next[i] {
			ahead-- // gave up before
		}
		if ahead <= 0 {
			return next[i]
		}
		next[i] += d.cut(d.length(r))
	}
}

// known is the law of lengths, out of many.
func (d draw) known(r *rand.Rand) holding {
	h := holding{limit: math.Inf(1)}
	if d.limit > 0 {
		h.limit = d.limit.Seconds()
	}
	spans := make([]span, 20_000)
	for i := range spans {
		l := d.length(r)
		spans[i] = span{to: min(l, h.limit), ended: l < h.limit, weight: 1}
	}
	h.curve = newCurve(spans)
	return h
}

// TestFlowAgainstChance compares forecasts that know the lengths with waits draws
// by chance: a quantile is off by an eighth of all waits, or by 5 %, at most.
func TestFlowAgainstChance(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, plan := range []townPlan{
		{name: "exponential", length: exponential(300)}, {name: "heavy", length: heavy(300, 1.2)},
		{name: "capped", length: exponential(600), limit: 600 * time.Second},
		{name: "even", length: func(r *rand.Rand) float64 { return 200 + 200*r.Float64() }},
	} {
		for _, seats := range []int{4, 40} {
			d := draw{townPlan: plan}
			for range seats {
				d.ages = append(d.ages, d.cut(plan.length(r))*r.Float64())
			}
			h := d.known(r)
			for _, d.leaves = range []float64{0, 0.001} {
				for _, d.place = range []int{1, 2, 5, 20, 100} {
					d.compare(t, h, r)
				}
			}
		}
	}
}

func (d draw) compare(t *testing.T, h holding, r *rand.Rand) {
	t.Helper()
	seats := make([]seat, len(d.ages))
	for i, age := range d.ages {
		seats[i] = seat{n: 1, worth: 1, age: age, cap: h.limit - age}
	}
	f := newFlow(seats, h)
	f.discount(d.leaves)
	waits := d.waits(r)
	for _, q := range quantiles() {
		told, is := f.when(asked{ahead: float64(d.place - 1), z: q.deviate}), waits[int(q.share*draws)]
		n, _ := slices.BinarySearch(waits, told)
		holds := float64(n) / draws
		if math.Abs(holds-q.share) > 0.125 && math.Abs(told/is-1) > 0.05 {
			t.Errorf("%s, %d seats, leaving at %v, place %d: told %.1f s for %v, and it is %.1f s; it holds for %.3f",
				d.name, len(d.ages), d.leaves, d.place, told, q.share, is, holds)
		}
	}
}
