package admission

import (
	"math"
	"testing"
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
		grown := f.discount(0)
		for k, want := range map[int]Wait{
			1: {0.6931, 2.3026}, 2: {1.6783, 3.8897}, 5: {4.6709, 7.9936}, 20: {19.6677, 25.9025}, 100: {99.6669, 113.0238},
		} {
			got := [2]float64{}
			for j := range got {
				got[j] = f.when(asked{ahead: float64(k - 1), z: deviates[j], grown: grown})
			}
			if math.Abs(got[0]/want.P50S-1) > 0.03 || math.Abs(got[1]/want.P90S-1) > 0.03 {
				t.Errorf("%v seats, position %d: got %.4f, want %+v", seats, k, got, want)
			}
		}
	}
}
