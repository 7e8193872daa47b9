package admission

import "math"

// course is what the past says of how an app's queue moves, beside the lengths
// of its sessions. It comes from events alone and is in the snapshot.
type course struct {
	Taking   mean `json:"taking"`   // s from an offer to its session being ready
	Stopping mean `json:"stopping"` // s from a session's end to its release
	Lapsing  mean `json:"lapsing"`  // s that an offer which nobody took held its seat
	Ignored  mean `json:"ignored"`  // share of offers that nobody took
	Offers   mean `json:"offers"`   // offers until an entry took one or had enough
	Dropped  mean `json:"dropped"`  // share of dropped players who did not come back
	Idle     mean `json:"idle"`     // share of idle players who did not come back

	Left   float64 `json:"left"`   // entries that gave up before an offer; old ones fade
	Waited float64 `json:"waited"` // s that entries waited, in all, likewise

	Shifts [places][2]float64 `json:"shifts"` // see [app.score]
	Scored [places]float64    `json:"scored"` // quotes with an outcome, at most scoresCounted
}

// mean is a mean that forgets: after n values, each new one weighs 1/n, and
// never less than 1/meanMemory.
type mean struct {
	N     float64 `json:"n"`
	Value float64 `json:"value"`
}

func (m *mean) add(x float64) {
	x = min(max(0, x), secondsMost)
	m.N = min(m.N+1, meanMemory)
	m.Value += (x - m.Value) / m.N
}

func (m *mean) addShare(yes bool) {
	if yes {
		m.add(1)
	} else {
		m.add(0)
	}
}

// share is the mean of a share, which starts as if the prior had been seen twice.
func (m mean) share(prior float64) float64 { return (m.N*m.Value + 2*prior) / (m.N + 2) }

// exit counts an entry that was offered a seat for the first time, or left before.
func (c *course) exit(left bool) {
	c.Left *= 1 - 1/exitMemory
	c.Waited *= 1 - 1/exitMemory
	if left {
		c.Left++
	}
}

// leaving is how often somebody who waits gives up, per second: with a constant
// hazard, leavings over time at risk. Those who still wait count too.
func (c *course) leaving() float64 {
	if c.Waited <= 0 {
		return 0
	}
	return c.Left / (c.Waited + waitedLeast)
}

// elapse lets those who wait be at risk of giving up until then.
func (p *Pool) elapse(at instant) {
	if p.last == 0 || at <= p.last {
		return
	}
	s := min(at.sub(p.last).Seconds(), elapseMost)
	for _, a := range p.appOrder {
		a.course.Waited = min(a.course.Waited+s*float64(a.play.len()), secondsMost)
	}
}

// first notes an entry's first offer, or its seat.
func (e *entry) first(at instant) {
	if e.intent != Play || e.met {
		return
	}
	e.met = true
	e.app.course.exit(false)
	e.app.score(e, outcome{waited: at.sub(e.since).Seconds()})
}

// left notes an entry that is given up.
func (e *entry) left(why Why, at instant) {
	c := &e.app.course
	switch {
	case e.intent != Play:
	case e.offer != nil:
		c.Lapsing.add(at.sub(e.offer.since).Seconds())
		c.Ignored.addShare(true)
		c.Offers.add(float64(e.lapses + 1))
	case why == WhyLapsed:
		c.Offers.add(float64(e.lapses))
	case !e.met:
		c.exit(true)
		e.app.score(e, outcome{waited: at.sub(e.since).Seconds(), left: true})
	}
}

// sane bounds what a snapshot says, so that no arithmetic on it overflows.
func (c *course) sane() {
	for _, m := range []*mean{&c.Taking, &c.Stopping, &c.Lapsing, &c.Ignored, &c.Offers, &c.Dropped, &c.Idle} {
		m.N, m.Value = within(m.N, 0, meanMemory), within(m.Value, 0, secondsMost)
	}
	c.Left, c.Waited = within(c.Left, 0, exitMemory), within(c.Waited, 0, secondsMost)
	for i := range c.Shifts {
		c.Scored[i] = within(c.Scored[i], 0, scoresCounted)
		for j := range c.Shifts[i] {
			c.Shifts[i][j] = within(c.Shifts[i][j], -shiftMost, shiftMost)
		}
	}
}

func within(x, low, high float64) float64 {
	if math.IsNaN(x) {
		return low
	}
	return min(max(x, low), high)
}
