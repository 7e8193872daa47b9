package admission

import (
	"fmt"
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
				got[j] = f.when(asked{ahead: float64(k - 1), z: deviates[j]})
			}
			if math.Abs(got[0]/want.P50S-1) > 0.03 || math.Abs(got[1]/want.P90S-1) > 0.03 {
				t.Errorf("%v seats, position %d: got %.4f, want %+v", seats, k, got, want)
			}
		}
	}
}

// drawn waits for the k-th seat out of so many, by chance.
func drawnWaits(plan townPlan, ages []float64, k int, leaves float64, r *rand.Rand) []float64 {
	waits := make([]float64, 4000)
	limit := math.Inf(1)
	if plan.limit > 0 {
		limit = plan.limit.Seconds()
	}
	next := make([]float64, len(ages))
	for n := range waits {
		for i, age := range ages {
			l := 0.0
			for l = plan.length(r); l <= age; l = plan.length(r) {
			}
			next[i] = min(l, limit) - age
		}
		ahead := make([]float64, k-1)
		for i := range ahead {
			ahead[i] = math.Inf(1)
			if leaves > 0 {
				ahead[i] = r.ExpFloat64() / leaves
			}
		}
		for served := 0; ; {
			i := 0
			for j := range next {
				if next[j] < next[i] {
					i = j
				}
			}
			t := next[i]
			for served < k-1 && ahead[served] < t {
				served++
			}
			if served == k-1 {
				waits[n] = t
				break
			}
			served++
			next[i] = t + min(plan.length(r), limit)
		}
	}
	slices.Sort(waits)
	return waits
}

// TestFlowAgainstChance compares forecasts, with the truth about lengths known,
// with as many waits drawn by chance.
func TestFlowAgainstChance(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, plan := range []townPlan{
		{name: "exponential", length: exponential(300)}, {name: "heavy", length: heavy(300, 1.2)},
		{name: "capped", length: exponential(600), limit: 600 * time.Second},
		{name: "even", length: func(r *rand.Rand) float64 { return 200 + 200*r.Float64() }},
	} {
		h := holding{limit: math.Inf(1)}
		if plan.limit > 0 {
			h.limit = plan.limit.Seconds()
		}
		spans := make([]span, 20000)
		for i := range spans {
			l := plan.length(r)
			spans[i] = span{to: min(l, h.limit), ended: l < h.limit, weight: 1}
		}
		h.curve = newCurve(spans)
		for _, seats := range []int{1, 4, 40} {
			ages := make([]float64, seats)
			list := make([]seat, seats)
			for i := range ages {
				for j := 0; j < 3; j++ {
					ages[i] = min(plan.length(r), h.limit) * r.Float64()
				}
				list[i] = seat{n: 1, worth: 1, age: ages[i], cap: h.limit - ages[i]}
			}
			for _, leaves := range []float64{0, 1.0 / 1000} {
				f := newFlow(list, h)
				f.discount(leaves)
				for _, k := range []int{1, 2, 5, 20, 100} {
					waits := drawnWaits(plan, ages, k, leaves, r)
					line := fmt.Sprintf("%-12s seats %2d leaves %.3f k %3d:", plan.name, seats, leaves, k)
					for j, share := range shares {
						got := f.when(asked{ahead: float64(k - 1), z: deviates[j]})
						n, _ := slices.BinarySearch(waits, got)
						line += fmt.Sprintf("  told %7.1f true %7.1f holds %.3f", got, waits[int(share*float64(len(waits)))], float64(n)/float64(len(waits)))
					}
					t.Log(line)
				}
			}
		}
	}
}
