package admission

import (
	"cmp"
	"slices"
	"strings"
)

// app is one application of the pool: its queues, its costs, its sessions. An
// app that the policy no longer names stays while somebody waits for it or
// plays it; nobody new is seated.
type app struct {
	name      string
	known     bool // in the policy
	profile   Profile
	mean      Cost              // in force: the profile's, as corrected by what was learned
	costs     [nElastic]appCost // the same of the elastic resources, with what they may be off
	learned   *Learned          // as journalled; nil before
	estimate  estimate          // soft
	play      *queue
	watch     *queue
	watchable *ordered[*session]
	running   int      // sessions with somebody in them, or about to be
	lengths   []length // of the last sessions, oldest first
	forgotten instant  // when the newest of those that are no longer remembered ended; 0: none
	course    course
	table     *table // soft, and so are the curve and the counts
	curve     *curve
	overs     uint64 // sessions that ended, since the pool is in memory
	served    uint64 // seats granted, since the pool is in memory
}

func (a *app) settleS() float64 {
	if a.profile.SettleS > 0 {
		return a.profile.SettleS
	}
	return defaultSettleS
}

// ceiling is what is reserved for a session: of elastic resources the expected
// cost, of hard ones the most that it is expected to take.
func (a *app) ceiling() Cost {
	c, s := a.profile.Cost, a.profile.Spread
	return Cost{
		CPUCores: a.mean.CPUCores, GPU: a.mean.GPU, Encoder: a.mean.Encoder,
		MemoryBytes:     c.MemoryBytes + ceilingSpreads*s.MemoryBytes,
		VRAMBytes:       c.VRAMBytes + ceilingSpreads*s.VRAMBytes,
		EncoderSessions: c.EncoderSessions,
	}
}

// useCosts sets the costs in force and starts the estimate from there.
func (a *app) useCosts() {
	a.force()
	a.estimate = newEstimate(a)
}

// force sets the costs in force: the profile's, as corrected by what was learned.
func (a *app) force() {
	p := &a.profile
	a.mean = p.Cost
	for i, r := range elastics {
		a.costs[i] = appCost{mean: p.Cost.of(r), spread: p.Spread.of(r), unsure: p.doubt() * p.Cost.of(r), swing: guessSwing * p.Cost.of(r)}
		if l := a.learned; l != nil {
			swing := max(l.Swing.of(r), leastSwing*l.Mean.of(r)) // journals of before have none
			a.costs[i] = appCost{l.Mean.of(r), l.Spread.of(r), swing, l.Unsure.of(r)}
			a.mean.set(r, l.Mean.of(r))
		}
	}
	a.estimate.changed = true
}

// byWatchers orders sessions that can be watched: the fewest watchers first.
func byWatchers(a, b *session) int {
	if c := cmp.Compare(a.watchKey, b.watchKey); c != 0 {
		return c
	}
	return bySession(a, b)
}

// app returns the app of that name, known to the policy or not.
func (p *Pool) app(name string) *app {
	if a := p.apps[name]; a != nil {
		return a
	}
	n := max(1, len(p.policy.Queue.Classes))
	a := &app{name: name, play: newQueue(n), watch: newQueue(n), watchable: newOrdered(byWatchers)}
	a.useCosts()
	p.apps[name] = a
	i, _ := slices.BinarySearchFunc(p.appOrder, name, func(a *app, n string) int { return strings.Compare(a.name, n) })
	p.appOrder = slices.Insert(p.appOrder, i, a)
	return a
}

// adopt takes a new policy. What was learned of an app stays unless its
// profile changed: then the profile is news.
func (p *Pool) adopt(policy Policy) {
	if p.policy.Threshold.Over != policy.Threshold.Over {
		p.learnedZ = 0 // another margin is asked for
	}
	p.policy = policy.clone()
	p.margin.start(p.learnedZ, p.over())
	for _, a := range p.appOrder {
		a.known = false
	}
	for name, profile := range policy.Apps {
		a := p.app(name)
		if a.profile.Cost != profile.Cost || a.profile.Spread != profile.Spread || a.profile.Doubt != profile.Doubt {
			a.learned = nil
		}
		a.known, a.profile = true, profile
		a.useCosts()
	}
	p.requeue()
	p.regroupAll()
	p.resetViews()
	for _, c := range p.clients {
		p.armClient(c)
	}
	for _, h := range p.hostOrder {
		p.armHost(h)
	}
}

// requeue builds all queues anew for other classes.
func (p *Pool) requeue() {
	n := max(1, len(p.policy.Queue.Classes))
	for _, a := range p.appOrder {
		a.play, a.watch = newQueue(n), newQueue(n)
	}
	for _, e := range p.entries {
		e.listed = listing{}
		p.list(e)
	}
}

// armHost sets when a silent host is lost.
func (p *Pool) armHost(h *host) {
	var at instant
	if !h.connected && !h.lost {
		at = h.since.limit(p.policy.Placement.HostLost)
	}
	p.timers.set(&h.timer, timer{at: at, seq: h.seq, kind: timerHost, owner: h})
}
