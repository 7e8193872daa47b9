package admission

import (
	"math"
	"slices"
)

// flow is how many seats become free from now on: mean and variance of the
// number until each of some times, in seats of the app.
type flow struct {
	t, mean, variance []float64
	none              []float64 // -log of the chance that none has become free
	even              []int     // the places of the even steps in t, from 0 on
	grown, leavers    []float64 // see discount
}

// The grid: flowCells steps of one length, over which seats are handed on, as
// fine steps again within the first of them, and flowFar steps that grow, over
// which seats become free at a steady pace.
const (
	flowCells = 128
	flowFine  = 32
	flowFar   = 64
	flowSpan  = 4.0 // mean holdings that the even steps cover
	flowSteep = 24  // moments, at most, at which seats become free for certain
)

// newFlow adds up the seats. Each is free once by its own session's end, and
// then again and again: a delayed renewal process (W. Feller, An Introduction to
// Probability Theory and Its Applications II (1971), chapter XI). With m the
// mean number of times and U the renewal function of the holding times, the
// variance of one seat's number is m + 2 m*U - m^2.
func newFlow(seats []seat, h holding) *flow {
	mean, variance := h.moments()
	span := mean
	if math.IsInf(mean, 1) {
		span = secondsMost / flowSpan
	}
	step := max(flowSpan*span/flowCells, 1e-3)
	f := &flow{}
	f.times(step, certainties(seats))
	once := f.once(seats, h)
	r := renew(h, step)
	f.again(once, r)
	f.far(seats, mean, variance)
	return f
}

// times lays the grid out, without its far part. Around what is certain it is as
// fine as can be, so that no forecast is drawn across it.
func (f *flow) times(step float64, steep []float64) {
	f.t = make([]float64, 0, 1+flowFine+flowCells+2*flowSteep+flowFar)
	for i := range flowFine {
		f.t = append(f.t, step*math.Exp2(float64(i-flowFine)/4))
	}
	for i := range flowCells + 1 {
		f.t = append(f.t, step*float64(i))
	}
	for _, t := range steep {
		if t > 0 && t < step*flowCells {
			f.t = append(f.t, t, t*(1-1e-6))
		}
	}
	slices.Sort(f.t)
	for i := range flowCells + 1 {
		j, _ := slices.BinarySearch(f.t, step*float64(i))
		f.even = append(f.even, j)
	}
}

// certainties are the next moments at which seats become free whatever happens,
// or are likely to.
func certainties(seats []seat) []float64 {
	var list []float64
	for _, s := range seats {
		if s.markP > 0 {
			list = append(list, s.markAt)
		}
		if !math.IsInf(s.cap, 1) {
			list = append(list, s.cap)
		}
	}
	slices.Sort(list)
	return list[:min(len(list), flowSteep)]
}

// firsts are, at each time of the grid, sums over seats of the chance that it
// has become free once.
type firsts struct {
	sum     []float64 // in seats of the app
	squares []float64
	weight  []float64 // sum, of worth^2
}

// once adds up when each seat becomes free for the first time.
func (f *flow) once(seats []seat, h holding) firsts {
	n := len(f.t)
	o := firsts{sum: make([]float64, n), squares: make([]float64, n), weight: make([]float64, n)}
	f.none = make([]float64, n)
	for i := range seats {
		s := &seats[i]
		w := s.worth * s.n
		at := h.free(s)
		for j, t := range f.t {
			x, risen := at(t)
			o.sum[j] += w * x
			o.weight[j] += w * s.worth * x
			o.squares[j] += w * s.worth * x * x
			f.none[j] += s.n * risen
		}
	}
	return o
}

// free is the chance that the seat has become free by a time, for times that
// only grow, and the hazard that makes it (minus the logarithm of the chance
// that it has not).
func (h holding) free(s *seat) func(t float64) (x, risen float64) {
	i := h.curve.at(s.age)
	from, i := h.curve.hazard(s.age, i)
	stays := math.Log(1 - min(s.markP, 1-1e-9))
	return func(t float64) (x, risen float64) {
		switch {
		case t >= s.markAt && s.markP >= 1, t >= s.cap && s.markP < 1:
			return 1, certain
		case t > s.delay && s.markP < 1:
			var to float64
			to, i = h.curve.hazard(s.age+t-s.delay, i)
			risen = to - from
		}
		if t >= s.markAt && s.markP > 0 {
			risen -= stays
		}
		return -math.Expm1(-risen), min(risen, certain)
	}
}

// certain is the hazard that stands for certainty.
const certain = 20.0

// moments are mean and variance of a holding.
func (h holding) moments() (mean, variance float64) {
	m, v := h.curve.moments(h.limit)
	m += h.delay
	p, q := h.ignored, 1-h.ignored
	mean = q*m + p*h.lapsing
	return mean, q*v + p*q*(m-h.lapsing)*(m-h.lapsing)
}

// renewal is a seat handed on from a moment on, at even steps: the mean number
// of times in each step, and up to it.
type renewal struct{ per, until []float64 }

// renew solves the renewal equation on even steps.
func renew(h holding, step float64) renewal {
	s := seat{delay: h.delay, cap: h.delay + h.limit}
	free := h.free(&s)
	held := make([]float64, flowCells+2)
	for j := range held {
		x, _ := free(float64(j) * step)
		held[j] = (1 - h.ignored) * x
	}
	per := split(held)
	lapse := h.lapsing / step
	if i := int(lapse); i+1 < len(per) {
		per[i] += h.ignored * (1 - (lapse - float64(i)))
		per[i+1] += h.ignored * (lapse - float64(i))
	}
	r := renewal{per: make([]float64, flowCells+1), until: make([]float64, flowCells+1)}
	sum := 0.0
	for j := range r.per {
		x := per[j]
		for i := 1; i <= j; i++ {
			x += per[i] * r.per[j-i]
		}
		r.per[j] = x / (1 - min(per[0], 0.95))
		sum += r.per[j]
		r.until[j] = sum
	}
	return r
}

// split makes a distribution at even steps out of its values there: what lies
// within a step goes to its two ends by halves.
func split(cum []float64) []float64 {
	n := len(cum) - 1
	per := make([]float64, n)
	per[0] = (cum[0] + cum[1]) / 2
	for j := 1; j < n; j++ {
		per[j] = (cum[j+1] - cum[j-1]) / 2
	}
	return per
}

// convolve is the sum of a[i] b[j-i], for every j.
func convolve(a, b []float64) []float64 {
	out := make([]float64, len(b))
	for j := range out {
		x := 0.0
		for i := 0; i <= j; i++ {
			x += a[i] * b[j-i]
		}
		out[j] = x
	}
	return out
}

// again adds the times that seats are handed on.
func (f *flow) again(o firsts, r renewal) {
	per := split(f.at(o.sum))
	next := convolve(per, r.per)
	follow := middle(convolve(per, r.until))
	all := make([]float64, len(per))
	for i := range all {
		all[i] = per[i] + next[i]
	}
	pairs := middle(convolve(all, r.until))
	f.mean, f.variance = make([]float64, len(f.t)), make([]float64, len(f.t))
	i := 0
	for j := range f.t {
		m, p := o.sum[j], 0.0
		for i+1 < flowCells && f.even[i+1] <= j {
			i++
		}
		part := (f.t[j] - f.t[f.even[i]]) / (f.t[f.even[i+1]] - f.t[f.even[i]])
		m += follow[i] + part*(follow[i+1]-follow[i])
		p += pairs[i] + part*(pairs[i+1]-pairs[i])
		f.mean[j] = m
		if o.sum[j] <= 0 {
			continue
		}
		worth, grown := o.weight[j]/o.sum[j], m/o.sum[j]
		f.variance[j] = max(worth*(m+2*p)-grown*grown*o.squares[j], leastSpread*m)
	}
}

// at picks the even steps, from 0 on, and one more.
func (f *flow) at(x []float64) []float64 {
	list := make([]float64, 0, len(f.even)+1)
	for _, i := range f.even {
		list = append(list, x[i])
	}
	return append(list, x[len(x)-1])
}

// middle moves sums over steps, which reach half a step further than their time,
// back to it.
func middle(x []float64) []float64 {
	out := make([]float64, len(x))
	for i := 1; i < len(x); i++ {
		out[i] = (x[i] + x[i-1]) / 2
	}
	return out
}

// far goes on with the pace at which seats become free in the long run.
func (f *flow) far(seats []seat, mean, variance float64) {
	if math.IsInf(mean, 1) || mean <= 0 {
		return
	}
	pace, noise := 0.0, 0.0
	for _, s := range seats {
		pace += s.n * s.worth / mean
		noise += s.n * s.worth * s.worth * variance / (mean * mean * mean)
	}
	last := len(f.t) - 1
	t, m, v := f.t[last], f.mean[last], f.variance[last]
	for i := range flowFar {
		x := t*math.Exp2(float64(i+1)/4) - t
		f.t = append(f.t, t+x)
		f.mean = append(f.mean, m+x*pace)
		f.variance = append(f.variance, v+x*max(noise, leastSpread*pace))
		f.none = append(f.none, f.none[last]+x*pace)
	}
}

// leastSpread is the least variance, of the mean number: nothing is that certain.
const leastSpread = 0.02

// discount puts the flow into places of the queue: while people ahead give up at
// the rate, each seat that becomes free at t counts exp(rate t) places as they
// stand now. The people who give up add a variance of their own, told for as many
// as are ahead of the mean.
func (f *flow) discount(rate float64) {
	f.grown, f.leavers = make([]float64, len(f.t)), make([]float64, len(f.t))
	mean, variance, area, weight := 0.0, 0.0, 0.0, 0.0
	m0, v0, before := 0.0, 0.0, 1.0
	for j, t := range f.t {
		g := math.Exp(min(rate*t, 60))
		w, dt := g, 0.0
		if j > 0 {
			w, dt = (g+before)/2, t-f.t[j-1]
		}
		was, gap := mean, 0.0 // rate times the time from one seat to the next
		mean += w * (f.mean[j] - m0)
		if f.mean[j] > m0 {
			gap = rate * dt / (f.mean[j] - m0)
		}
		variance = max(variance+w*w*(f.variance[j]-v0), 0)
		weight += rate * dt * w
		area += rate * dt * w * (mean + was) / 2
		m0, v0, before = f.mean[j], f.variance[j], g
		f.mean[j], f.variance[j], f.leavers[j] = mean, variance, max(0, mean*weight-area)
		f.grown[j] = g
		if gap > 1e-9 {
			f.grown[j] *= -math.Expm1(-gap) / gap // nobody is left to give up before the last seat
		}
	}
}
