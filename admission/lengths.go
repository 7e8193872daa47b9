package admission

import (
	"math"
	"slices"
	"time"
)

// length is a session that has ended.
type length struct {
	S   float64 `json:"s"`             // that it lasted, from ready to its end
	At  instant `json:"at,omitempty"`  // its end; 0: not known
	Cut bool    `json:"cut,omitempty"` // not of itself: at the length limit, by an operator, or with its host
}

// ended remembers a session that is over, the newest lengthsKept.
func (a *app) ended(l length) {
	l.S = min(max(0, l.S), secondsMost)
	a.overs++
	a.lengths = append(a.lengths, l)
	if over := len(a.lengths) - lengthsKept; over > 0 {
		a.forgotten = max(a.forgotten, a.lengths[over-1].At)
		a.lengths = append(a.lengths[:0], a.lengths[over:]...)
	}
}

// cuts says whether a session that ended so might have lasted longer.
func (w Why) cuts() bool {
	return w == WhyLength || w == WhyRemoved || w == WhyHostLost || w == WhyFailed
}

// span is a session as it was observed: at risk of ending from one age to
// another, both in seconds, and whether it ended there.
type span struct {
	from, to float64
	ended    bool
	weight   float64
}

// spans are the sessions of the app, those that have ended and those that run.
func (p *Pool) spans(a *app, now instant) []span {
	list := make([]span, 0, len(a.lengths)+spansRunning)
	for _, l := range a.lengths {
		list = append(list, span{from: a.before(l.At, l.S), to: l.S, ended: !l.Cut, weight: 1})
	}
	each := 1 + a.running/spansRunning // of those that run, some stand for all
	n := 0
	for s := range p.bySeq.all() {
		if s.app != a || s.readyAt == 0 || s.client == nil {
			continue
		}
		if n++; n%each == 0 {
			age := max(0, now.sub(s.readyAt).Seconds())
			list = append(list, span{from: a.before(now, age), to: age, weight: float64(each)})
		}
	}
	return list
}

// before is the age at which a session, so old at that moment, was first
// watched: when the memory of lengths begins, it may have been under way.
func (a *app) before(at instant, age float64) float64 {
	if a.forgotten == 0 || at == 0 {
		return 0
	}
	return min(age, max(0, age-at.sub(a.forgotten).Seconds()))
}

// curve is how long the app's sessions last, as far as is known. It is made anew
// some seconds after an end, with each end while ends are few, and now and then
// for what goes on running.
func (p *Pool) curve(a *app, now instant) *curve {
	if c := a.curve; c != nil && c.holds(a, now.sub(c.made)) {
		return c
	}
	a.curve = newCurve(p.spans(a, now))
	a.curve.made, a.curve.of = now, a.overs
	return a.curve
}

// curve is how long sessions last, as a hazard that is constant between knots.
// It is the estimate of Nelson and Aalen (O. Aalen, "Nonparametric inference for
// a family of counting processes", Annals of Statistics 6 (1978) 701-726) for
// spans that are cut at both ends, taken over some ends at once: what still
// runs, and what was running when the memory begins, counts for as long as it
// was watched and no longer. Past the last knot the last hazard goes on.
type curve struct {
	knots []float64 // ages in seconds, rising, the first is 0
	rates []float64 // hazard from each knot on, per second
	risen []float64 // the hazard added up, at each knot
	ends  int       // that it rests on
	made  instant
	of    uint64 // the app's count of ends then
}

// knotWidth is the largest share of an age over which ends are spread: sessions
// that all last 600 s must not seem to end evenly from 0 on.
const knotWidth = 0.1

func newCurve(spans []span) *curve {
	var ends []float64
	for _, s := range spans {
		if s.ended {
			ends = append(ends, s.to)
		}
	}
	slices.Sort(ends)
	c := &curve{knots: []float64{0}, rates: []float64{0}, ends: len(ends)}
	c.placeKnots(ends)
	c.rate(spans, ends)
	return c
}

// placeKnots puts about twenty intervals with as many ends each.
func (c *curve) placeKnots(ends []float64) {
	each := max(endsPerKnot, len(ends)/knotsMost)
	last := 0.0
	for i := 0; i < len(ends); {
		j := min(i+each, len(ends))
		if len(ends)-j < each {
			j = len(ends)
		}
		for j < len(ends) && ends[j] == ends[j-1] {
			j++ // what ended at the same age is in one interval
		}
		if from := ends[i] * (1 - knotWidth); from > last && from > c.knots[len(c.knots)-1] {
			c.add(from)
		}
		last = max(ends[j-1], last+1e-3)
		c.add(last)
		i = j
	}
}

func (c *curve) add(knot float64) {
	c.knots, c.rates = append(c.knots, knot), append(c.rates, 0)
}

// rate fills in the hazards: in each interval, ends over time at risk.
func (c *curve) rate(spans []span, ends []float64) {
	risk := make([]float64, len(c.knots))
	for _, s := range spans {
		for i := c.at(s.from); i < len(c.knots) && c.knots[i] < s.to; i++ {
			risk[i] += s.weight * (min(s.to, c.end(i)) - max(s.from, c.knots[i]))
		}
	}
	n, e := len(c.knots), 0
	c.risen = make([]float64, n)
	for i := range n - 1 {
		found := 0.0
		for ; e < len(ends) && ends[e] <= c.knots[i+1]; e++ {
			found++
		}
		if risk[i] > 0 {
			c.rates[i] = found / risk[i]
		}
		c.risen[i+1] = c.risen[i] + c.rates[i]*(c.knots[i+1]-c.knots[i])
	}
	if n > 1 {
		c.rates[n-1] = c.rates[n-2]
	}
}

func (c *curve) end(i int) float64 {
	if i+1 < len(c.knots) {
		return c.knots[i+1]
	}
	return math.Inf(1)
}

// at is the interval that holds the age.
func (c *curve) at(age float64) int {
	i, found := slices.BinarySearch(c.knots, age)
	if !found {
		i--
	}
	return max(0, i)
}

// hazard is what has added up at the age, from the interval i on; it returns
// the age's interval, for a caller who goes on from there.
func (c *curve) hazard(age float64, i int) (float64, int) {
	for i+1 < len(c.knots) && c.knots[i+1] <= age {
		i++
	}
	return c.risen[i] + c.rates[i]*(age-c.knots[i]), i
}

// moments are mean and variance, in s and s^2, of a session that is cut at the
// limit (infinite for none).
func (c *curve) moments(limit float64) (mean, variance float64) {
	second := 0.0
	for i, a := range c.knots {
		b := min(c.end(i), limit)
		if a >= b {
			break
		}
		s, r := math.Exp(-c.risen[i]), c.rates[i]
		switch {
		case r > 0 && math.IsInf(b, 1):
			mean += s / r
			second += 2 * s * (a/r + 1/(r*r))
		case math.IsInf(b, 1):
			return math.Inf(1), math.Inf(1)
		case r*(b-a) > 1e-6:
			left := math.Exp(-r * (b - a))
			mean += s * (1 - left) / r
			second += 2 * s * (a/r + 1/(r*r) - (b/r+1/(r*r))*left)
		default:
			mean += s * (b - a)
			second += s * (b*b - a*a)
		}
	}
	return mean, max(0, second-mean*mean)
}

// holds says whether a curve of that age still holds.
func (c *curve) holds(a *app, age time.Duration) bool {
	switch {
	case c.of == a.overs:
		return age < curveRests
	case len(a.lengths) < endsFew:
		return false
	}
	return age < curveLasts
}
