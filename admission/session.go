package admission

import "cmp"

// session is a seat and the running copy of the app in it, from the offer to
// the release.
type session struct {
	id      string
	seq     uint64
	grant   Grant // Sharing is the present one
	app     *app
	host    *host
	client  *client // nil while stopping
	entry   *entry  // while offered
	offer   string
	phase   SessionPhase
	since   instant // of the phase
	granted instant // when its seat was reserved; 0: not known
	readyAt instant // first
	liveAt  instant // when this process was ready; 0 before
	until   instant
	endsAt  instant
	attempt int       // as the host was told
	tries   int       // starts that failed since it was last ready
	crashes []instant // newest last, at most maxCrashes

	lengthWarned bool
	idleWarned   instant // the end that the last warning told

	views *ordered[*view]

	untilTimer, lengthTimer, idleTimer *timer

	// Derived at the host's refresh.
	watchable bool
	watchKey  int // watchers, as listed

	// Soft.
	seen     use
	idle     instant // when the newest sample called for a word on idleness; 0: it did not
	idleEnd  instant // when the idle time-out is reached, by that sample
	idleOver bool    // it has been reached
	own      own     // what it was seen to take since it is in full view
}

// use is what a session was seen to use of the elastic resources.
type use struct{ cpu, gpu, encoder Reading }

func (u use) of(r Resource) Reading {
	switch r {
	case CPU:
		return u.cpu
	case GPU:
		return u.gpu
	default:
		return u.encoder
	}
}

func bySession(a, b *session) int { return cmp.Compare(a.seq, b.seq) }

// lit says whether there is something to look at.
func (ph SessionPhase) lit() bool {
	return ph == PhaseReady || ph == PhaseConnected || ph == PhaseDropped
}

// visible is how far what the session's process holds (memory, VRAM) shows in
// a window that ended then: 0 until it is ready, then rising evenly over the
// profile's settling time.
func (s *session) visible(windowEnd instant) float64 { return s.risen(s.liveAt, windowEnd) }

// playing is how far the load of the session shows there (CPU, GPU, encoder).
// Many apps draw or encode little while nobody is connected, so it rises from
// when the player connects, and is 0 again while the player is dropped: the
// load comes back with the player. A session that is being stopped gets no
// more of it.
func (s *session) playing(windowEnd instant) float64 {
	switch s.phase {
	case PhaseConnected:
		if s.since == 0 || windowEnd <= s.since {
			return 0
		}
		return s.app.showsIn(windowEnd.sub(s.since).Seconds(), s.host.window())
	case PhaseStopping:
		return s.visible(windowEnd)
	default:
		return 0
	}
}

func (s *session) risen(from, windowEnd instant) float64 {
	if from == 0 || windowEnd <= from {
		return 0
	}
	return min(1, windowEnd.sub(from).Seconds()/s.app.settleS())
}

// setPhase moves the session on and arms what ends the phase.
func (p *Pool) setPhase(s *session, ph SessionPhase, at, until instant) {
	s.app.countRunning(s.phase, -1)
	s.app.countRunning(ph, 1)
	if ph != s.phase {
		s.since = at
	}
	s.phase, s.until = ph, until
	p.armSession(s)
	p.touch(s.host)
}

func (a *app) countRunning(ph SessionPhase, n int) {
	if ph.lit() {
		a.running += n
	}
}

// armSession sets the deadlines of the session's phase, length and idleness.
func (p *Pool) armSession(s *session) {
	var length, idle instant
	if s.endsAt != 0 && s.client != nil {
		length = s.endsAt
		if !s.lengthWarned {
			length = s.warnAt()
		}
	}
	if s.phase == PhaseConnected {
		idle = s.idle
	}
	p.timers.set(&s.untilTimer, timer{at: s.until, seq: s.seq, kind: timerSession, owner: s})
	p.timers.set(&s.lengthTimer, timer{at: length, seq: s.seq, kind: timerLength, owner: s})
	p.timers.set(&s.idleTimer, timer{at: idle, seq: s.seq, kind: timerIdle, owner: s})
}

// warnAt is when the coming end is told: a minute before, or a tenth of the
// length where that is shorter.
func (s *session) warnAt() instant {
	lead := min(endWarning, s.endsAt.sub(s.readyAt)/10)
	return s.endsAt.add(-lead)
}

// addSession reserves a seat.
func (p *Pool) addSession(s *session) {
	s.views = newOrdered(byView)
	p.sessions[s.id] = s
	p.bySeq.insert(s)
	p.playBps += s.bps()
	s.host.add(s)
}

func (s *session) bps() int64 { return toBps(s.grant.BitrateBps) }

// dropSession frees the seat.
func (p *Pool) dropSession(s *session) {
	for _, v := range s.viewList() {
		p.dropView(v)
		p.reap(v.client)
	}
	p.setPhase(s, PhaseStopping, p.last, 0)
	s.endsAt = 0
	p.armSession(s)
	p.offers.remove(s)
	p.bySeq.remove(s)
	delete(p.sessions, s.id)
	p.playBps -= s.bps()
	p.leaveHost(s)
}

func (s *session) viewList() []*view {
	list := make([]*view, 0, s.views.len())
	for v := range s.views.all() {
		list = append(list, v)
	}
	return list
}

// leaveHost takes the session off its host. What it used is still in the
// newest measurement, and is credited with care.
func (p *Pool) leaveHost(s *session) {
	h := s.host
	p.unwatchable(s)
	h.remove(s)
	h.depart(s, p.last)
	h.closed = nil // a departure is a real change, not noise
	s.forget()
	p.touch(h)
}

// forget drops what samples have told of the session.
func (s *session) forget() {
	s.seen, s.own = use{}, own{}
	s.idle, s.idleEnd, s.idleOver = 0, 0, false
}
