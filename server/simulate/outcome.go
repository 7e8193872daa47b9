package simulate

import (
	"slices"
	"time"

	"github.com/rendergate/rendergate/server/simulate/world"
)

// outcome is what is kept of one run.
type outcome struct {
	tally *world.Tally
	came  int // people after the warm-up
	tookS float64
}

func newOutcome(pop *world.Population, t *world.Tally, took time.Duration) *outcome {
	o := &outcome{tally: t, tookS: took.Seconds()}
	for _, p := range pop.People {
		if p.ArrivesS > pop.Config().WarmUpS {
			o.came++
		}
	}
	return o
}

// trim lets go of what nobody will ask for: there are tens of thousands of runs.
// Points of a curve have two figures; waits are foretold by the product alone.
func (o *outcome) trim(own, ours bool) {
	t := o.tally
	if !own {
		t.Waits, t.GaveUp, t.Overshoots = nil, nil, nil
	}
	if !own || !ours {
		t.Quotes, t.Served = nil, nil
	}
}

// Figures of one run; shares are of 1.
func (o *outcome) load() float64     { return over(o.tally.Demand, o.tally.HostS) }
func (o *outcome) over() float64     { return over(o.tally.OverS, o.tally.HostS) }
func (o *outcome) full() float64     { return over(o.tally.FullS, o.tally.HostS) }
func (o *outcome) ourFault() float64 { return over(o.tally.FullByAdmissionS, o.tally.HostS) }
func (o *outcome) depth() float64    { return over(o.tally.DepthSum, o.tally.OverS) }
func (o *outcome) idle() float64     { return over(o.tally.IdleS, o.tally.WaitingS) }
func (o *outcome) gaveUp() float64   { return over(float64(len(o.tally.GaveUp)), float64(o.came)) }
func (o *outcome) wasted() float64   { return over(float64(o.tally.Wasted), float64(o.tally.Offers)) }
func (o *outcome) flips() float64    { return over(float64(o.tally.Flips), o.tally.HostS/3600) }
func (o *outcome) refusals() float64 {
	return over(float64(o.tally.FalseRefused), float64(o.tally.Decisions))
}
func (o *outcome) foreseen() float64 {
	return over(float64(o.tally.ForeseenRefused), float64(o.tally.Decisions))
}

// over divides; what is over nothing is 0, since JSON has no word for it.
func over(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// quantile is of a sorted list, interpolated between the two nearest; 0 of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// pooled are the values of all runs, sorted.
func pooled(runs []*outcome, of func(*world.Tally) []float64) []float64 {
	var all []float64
	for _, o := range runs {
		all = append(all, of(o.tally)...)
	}
	slices.Sort(all)
	return all
}

func each(runs []*outcome, of func(*outcome) float64) []float64 {
	list := make([]float64, len(runs))
	for i, o := range runs {
		list[i] = of(o)
	}
	return list
}
