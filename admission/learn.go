package admission

import "math"

// What measurements teach of an app's elastic costs. The estimate is soft
// state; what decisions go by changes only with a CostsLearned event, so that
// they follow from the journal, and so that a pool of ten thousand hosts is
// judged anew once a minute at most and not with every sample.

const (
	// remembered is the most sessions that an estimate remembers: older ones fade.
	remembered = 50
	// sessionMemory is how many seconds a session's own mean remembers, restMemory
	// those of what a host takes beside its sessions.
	sessionMemory = 240.0
	restMemory    = 120.0
	// toldAfter is after how many seconds in full view a session has told its app
	// all that it can: the rest is its own.
	toldAfter = 60.0
	// tellEvery is how many seconds a session gathers before it tells its app.
	tellEvery = 15.0
	// Nobody knows what a program costs that was never measured: half and twice
	// what is declared are both possible, so a cost is uncertain by a half. That
	// of a calibrated one is off by what players do that the calibration did not.
	guessDoubt      = 0.5
	calibratedDoubt = 0.05
	// guessSwing is what a session's use is taken to swing by, of its cost, before
	// swingsNeeded sessions were seen for long enough; leastSwing is the least then.
	guessSwing   = 0.05
	leastSwing   = 0.01
	swingsNeeded = 3
	// guessSpread is by how much sessions are taken to differ where they are not
	// seen by themselves, of the cost.
	guessSpread = 0.2
)

// elastics are the elastic resources, in the order of [estimate].
var elastics = [...]Resource{CPU, GPU, Encoder} //nolint:gochecknoglobals // a constant that Go cannot write as one

const nElastic = len(elastics)

// estimate is an app's costs in the making, by elastic resource, and how its
// sessions come up.
type estimate struct {
	costs [nElastic]costEstimate
	ramp  ramp
	// changed says that news has to be found out anew.
	changed, news bool
}

// costEstimate is what sessions told of one resource. CPU is in cores.
type costEstimate struct {
	mean     float64 // of sessions' own means
	between  float64 // variance of these
	within   float64 // variance of a session's use about its own mean
	sessions float64 // how many have told, at most remembered
	swung    float64 // the same for within
}

// tell takes in that a session in full view has its own mean and variance; share
// is how much of one session's word this is.
func (c *costEstimate) tell(mean, share float64) {
	c.sessions = math.Min(c.sessions+share, remembered)
	alpha := math.Min(1, share/c.sessions)
	d := mean - c.mean
	c.mean += alpha * d
	c.between = (1 - alpha) * (c.between + alpha*d*d)
}

// tellTogether takes in what sessions take on average that are not seen by
// themselves. How they differ is not seen then.
func (c *costEstimate) tellTogether(mean, share float64) {
	c.sessions = math.Min(c.sessions+share, remembered)
	alpha := math.Min(1, share/c.sessions)
	c.mean += alpha * (mean - c.mean)
	c.between += alpha * (square(guessSpread*mean) - c.between)
}

// swing is by how much a session's use is taken to swing.
func (c *costEstimate) swing(mean float64) float64 {
	least := leastSwing
	if c.swung < swingsNeeded {
		least = guessSwing
	}
	return math.Max(math.Sqrt(c.within), least*mean)
}

// swings takes in the variance of a session's use about its own mean.
func (c *costEstimate) swings(variance, share float64) {
	c.swung = math.Min(c.swung+share, remembered)
	c.within += math.Min(1, share/c.swung) * (variance - c.within)
}

// newEstimate starts from what is journalled, or from nothing.
func newEstimate(a *app) estimate {
	var e estimate
	l := a.learned
	if l == nil {
		return e
	}
	for i, r := range elastics {
		e.costs[i] = costEstimate{
			mean: l.Mean.of(r), between: square(l.Spread.of(r)), within: square(l.Swing.of(r)),
			sessions: math.Min(remembered, l.Weight), swung: math.Min(remembered, l.Weight),
		}
	}
	for i := range min(rampSteps, len(l.Ramp)) {
		e.ramp.share[i], e.ramp.weight[i], e.ramp.told = l.Ramp[i]*shownInFull, rampNeeded, rampNeeded
	}
	return e
}

func square(x float64) float64 { return x * x }

// doubt is the standard deviation of the profile's cost, of the cost.
func (p Profile) doubt() float64 {
	switch {
	case p.Doubt > 0:
		return p.Doubt
	case p.Seats > 0:
		return calibratedDoubt
	default:
		return guessDoubt
	}
}

// posterior weighs what was measured against what the profile says, each by its
// precision: that of a mean of n sessions is n / between.
func (c costEstimate) posterior(declared, spread, doubt float64) (mean, unsure float64) {
	prior := square(doubt * declared)
	between := math.Max(c.between, square(spread))
	if c.sessions <= 0 {
		return declared, math.Sqrt(prior)
	}
	of := math.Max(between/c.sessions, 1e-18)
	if prior <= 0 && declared > 0 {
		return declared, 0
	}
	if declared <= 0 {
		return c.mean, math.Sqrt(of)
	}
	w := prior / (prior + of)
	return declared + w*(c.mean-declared), math.Sqrt(of * w)
}

// learned is what the estimate comes to, for a profile.
func (a *app) learn() Learned {
	e, p := &a.estimate, &a.profile
	l := Learned{Ramp: e.ramp.curve()}
	for i, r := range elastics {
		c := e.costs[i]
		mean, unsure := c.posterior(p.Cost.of(r), p.Spread.of(r), p.doubt())
		spread := p.Spread.of(r)
		if c.sessions > 0 {
			// Few sessions say little of how they differ.
			n := c.sessions
			spread = math.Sqrt((n*c.between + spreadWeight*square(spread)) / (n + spreadWeight))
		}
		l.Mean.set(r, mean)
		l.Unsure.set(r, unsure)
		l.Spread.set(r, spread)
		l.Swing.set(r, c.swing(mean))
		l.Weight = math.Max(l.Weight, c.sessions)
	}
	return l
}

// spreadWeight is how many sessions the profile's spread counts for.
const spreadWeight = 3.0

// own is what one session was seen to take of the elastic resources while it
// was in full view, and how it came up. Soft state.
type own struct {
	trends [nElastic]trend
	told   float64 // seconds of which its app was told
	untold float64
	// together is the same as told, by resource, where it is not seen by itself.
	together [nElastic]float64
	rise     rise
}

// watch takes in what the newest sample says of one session. Only sessions teach
// whose player is there and whose load shows in full; a saturated device says
// only what it could give, not what was wanted, so it is left out.
func (p *Pool) watch(s *session) {
	h := s.host
	if s.phase != PhaseConnected || !s.app.known {
		return
	}
	age, window := h.windowEnd.sub(s.since).Seconds(), h.window()
	if age <= window/2 {
		return
	}
	full := s.playing(h.windowEnd) >= 1
	for i, r := range elastics {
		x, ok := h.wanted(s, r)
		if !ok {
			continue
		}
		if full {
			s.own.trends[i].take(x, window, sessionMemory)
		}
		if r == h.dominant(s) {
			s.own.rise.note(age, window, x)
		}
	}
	if full {
		p.teach(s, age, window)
	}
}

// wanted is what the session was seen to take, unless the device could give no
// more. CPU is in cores.
func (h *host) wanted(s *session, r Resource) (float64, bool) {
	dev := device{r, s.grant.GPU}
	if r == CPU {
		dev.index = NoDevice
	} else if s.grant.GPU == NoDevice {
		return 0, false
	}
	seen, all := s.seen.of(r), h.measured(dev)
	if !seen.Known || !all.Known || all.Value >= brownoutAt {
		return 0, false
	}
	if r == CPU {
		return seen.Value * h.facts.Cores, true
	}
	return seen.Value, true
}

// dominant is the resource of which the session's app takes most.
func (h *host) dominant(s *session) Resource {
	best, most := CPU, 0.0
	for i, r := range elastics {
		x := s.app.costs[i].mean
		if r == CPU {
			x /= h.facts.Cores
		}
		if x > most && (r == CPU || s.grant.GPU != NoDevice) {
			best, most = r, x
		}
	}
	return best
}

// teach tells the app what the session takes, and once how it came up.
func (p *Pool) teach(s *session, age, window float64) {
	o, e := &s.own, &s.app.estimate
	if o.untold += window; o.untold >= tellEvery {
		share := math.Min(1, o.untold/toldAfter)
		first := math.Min(o.untold, toldAfter-o.told) / toldAfter
		o.told, o.untold = math.Min(toldAfter, o.told+o.untold), 0
		e.changed = true
		for i := range o.trends {
			t := o.trends[i]
			if t.seconds > 0 && first > 0 {
				e.costs[i].tell(t.mean, first)
			}
			if t.seconds >= toldAfter {
				e.costs[i].swings(t.variance/averaged(window), share)
			}
		}
	}
	if age >= rampAfter && !o.rise.told {
		for i, r := range elastics {
			if r == s.host.dominant(s) {
				e.ramp.tell(&o.rise, o.trends[i].mean)
				e.changed = true
			}
		}
	}
}

// teachTogether tells the app of what a device's sessions take where they are not
// seen by themselves. It needs all of them to be of one app and in full view.
func (h *host) teachTogether(dev device) {
	y, n, share := h.measured(dev), 0, 0.0
	var a *app
	for _, s := range h.sessions {
		if dev.index != NoDevice && s.grant.GPU != dev.index {
			continue
		}
		if s.seen.of(dev.resource).Known || s.playing(h.windowEnd) < 1 || a != nil && s.app != a || !s.app.known {
			return
		}
		a = s.app
		n++
		left := toldAfter - s.own.together[elastic(dev.resource)]
		if step := math.Min(left, h.window()); step > 0 {
			s.own.together[elastic(dev.resource)] += step
			share += step / toldAfter
		}
	}
	if n == 0 || share <= 0 || y.Value >= brownoutAt {
		return
	}
	mean := y.Value / float64(n)
	if dev.resource == CPU {
		mean *= h.facts.Cores
	}
	a.estimate.costs[elastic(dev.resource)].tellTogether(mean, share)
	a.estimate.changed = true
}

// elastic is the resource's place in [elastics].
func elastic(r Resource) int {
	switch r {
	case GPU:
		return 1
	case Encoder:
		return 2
	default:
		return 0
	}
}

// learnedMuch says whether some app's costs differ enough from those in force.
func (p *Pool) learnedMuch() bool {
	for _, a := range p.appOrder {
		if a.known && a.news() {
			return true
		}
	}
	return false
}

// news says whether what is learned differs from what is in force.
func (a *app) news() bool {
	if e := &a.estimate; e.changed {
		e.changed, e.news = false, a.differs()
	}
	return a.estimate.news
}

// differs compares means, and deviations on the scale of the mean.
func (a *app) differs() bool {
	if a.estimate.idle() {
		return false
	}
	l := a.learn()
	for i, r := range elastics {
		c := a.costs[i]
		scale := math.Max(c.mean, 1e-3) * learnChange
		if math.Abs(l.Mean.of(r)-c.mean) > scale || math.Abs(l.Spread.of(r)-c.spread) > scale ||
			math.Abs(l.Swing.of(r)-c.swing) > scale || math.Abs(l.Unsure.of(r)-c.unsure) > scale {
			return true
		}
	}
	var ramp []float64
	if a.learned != nil {
		ramp = a.learned.Ramp
	}
	return !sameRamp(ramp, l.Ramp)
}

// idle says whether nobody has told anything yet.
func (e *estimate) idle() bool {
	for i := range e.costs {
		if e.costs[i].sessions > 0 {
			return false
		}
	}
	return true
}

// learned journals the costs, once a minute at most.
func (d *draft) learned() {
	if (d.p.learnedAt > 0 && d.now < d.p.learnedAt.add(learnEvery)) || !d.p.learnedMuch() {
		return
	}
	apps := map[string]Learned{}
	for _, a := range d.p.appOrder {
		if a.known && a.news() {
			apps[a.name] = a.learn()
		}
	}
	d.add(CostsLearned{Apps: apps, Margin: d.p.margin.z})
}

func (p *Pool) applyLearned(b CostsLearned, at instant) {
	p.learnedAt = at
	if b.Margin > 0 {
		p.learnedZ = b.Margin
	}
	for name, l := range b.Apps {
		a := p.apps[name]
		if a == nil {
			continue
		}
		a.learned = &l
		a.force()
	}
	for _, h := range p.hostOrder {
		p.touch(h)
	}
}
