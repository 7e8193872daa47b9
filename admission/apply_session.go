package admission

// applySession changes seats.
func (p *Pool) applySession(b Body, at instant) {
	switch b := b.(type) {
	case OfferAccepted:
		if s := p.sessions[b.Session]; s != nil && s.entry != nil && s.offer == b.Offer {
			p.take(s, at)
		}
	case Admitted:
		p.applyAdmitted(b, at)
	case SessionMoved:
		if s, h := p.played(b.Session), p.hosts[b.Grant.Host]; s != nil && h != nil {
			p.applyMoved(s, b, at)
		}
	case SessionEnded:
		if s := p.played(b.Session); s != nil {
			p.applyEnded(s, b, at)
		}
	case SessionReleased:
		if s := p.sessions[b.Session]; s != nil && s.phase == PhaseStopping {
			s.app.course.Stopping.add(at.sub(s.since).Seconds())
			p.dropSession(s)
		}
	case SharingSet:
		if s := p.played(b.Session); s != nil {
			s.grant.Sharing = b.Mode
			p.touch(s.host)
		}
	default:
		p.applyProgress(b, at)
	}
}

// applyProgress changes the phase of a seat that has a player.
func (p *Pool) applyProgress(b Body, at instant) {
	switch b := b.(type) {
	case SessionStarting:
		if s := p.played(b.Session); s != nil {
			s.attempt = b.Attempt
			p.setPhase(s, PhaseStarting, at, toInstant(b.Until))
		}
	case SessionPending:
		if s := p.played(b.Session); s != nil {
			p.applyPending(s, at)
		}
	case SessionReady:
		if s := p.played(b.Session); s != nil {
			p.applyReady(s, b, at)
		}
	case SessionConnected:
		if s := p.played(b.Session); s != nil {
			if s.phase == PhaseDropped {
				s.app.course.Dropped.addShare(false)
			}
			p.setPhase(s, PhaseConnected, at, 0)
		}
	case SessionDropped:
		if s := p.played(b.Session); s != nil {
			p.setPhase(s, PhaseDropped, at, toInstant(b.Until))
		}
	case EndingSoon:
		if s := p.played(b.Session); s != nil {
			s.warned(b)
			p.armSession(s)
		}
	}
}

// played is the session if somebody has taken its seat and not given it up.
func (p *Pool) played(id string) *session {
	if s := p.sessions[id]; s != nil && s.client != nil && s.phase != PhaseOffered {
		return s
	}
	return nil
}

func (s *session) warned(b EndingSoon) {
	if b.Reason == WhyIdle {
		if s.idleWarned != 0 {
			s.app.course.Idle.addShare(false)
		}
		s.idleWarned, s.idle = toInstant(b.EndsAt), 0
		return
	}
	s.lengthWarned = true
}

// take turns the offered seat into the client's own; its entry is gone.
func (p *Pool) take(s *session, at instant) {
	e := s.entry
	e.app.course.Ignored.addShare(false)
	e.app.course.Offers.add(float64(e.lapses + 1))
	p.offers.remove(s)
	e.offer, s.entry, s.offer = nil, nil, ""
	p.dropEntry(e)
	s.client.session = s
	p.armClient(s.client)
	p.setPhase(s, PhasePending, at, 0)
}

func (p *Pool) applyAdmitted(b Admitted, at instant) {
	e, h := p.entries[b.Entry], p.hosts[b.Grant.Host]
	if e == nil || e.offer != nil || e.client.session != nil || h == nil || p.sessions[b.Grant.Session] != nil {
		return
	}
	s := p.newSeat(b.Grant, h, e.client)
	e.first(at)
	p.dropEntry(e)
	s.client.session = s
	p.armClient(s.client)
	p.setPhase(s, PhasePending, at, 0)
}

// applyPending: the process is gone. A start that failed is counted apart from
// a process that died later.
func (p *Pool) applyPending(s *session, at instant) {
	switch {
	case s.phase == PhaseStarting:
		s.tries++
		p.failed(s.host, s.app.name, at)
	case s.phase.lit():
		s.crashes = append(s.crashes, at)
		s.crashes = s.crashes[max(0, len(s.crashes)-maxCrashes):]
	}
	s.host.depart(s, at)
	s.liveAt = 0
	s.forget()
	p.setPhase(s, PhasePending, at, 0)
}

func (p *Pool) applyMoved(s *session, b SessionMoved, at instant) {
	if s.phase == PhaseStarting && b.Reason == WhyFailed {
		s.tries++
		p.failed(s.host, s.app.name, at)
	}
	p.playBps -= s.bps()
	p.leaveHost(s)
	b.Grant.Session, b.Grant.App = s.id, s.app.name
	s.grant, s.host, s.liveAt = b.Grant, p.hosts[b.Grant.Host], 0
	s.host.add(s)
	p.playBps += s.bps()
	p.setPhase(s, PhasePending, at, 0)
}

func (p *Pool) applyReady(s *session, b SessionReady, at instant) {
	s.liveAt, s.tries, s.endsAt = at, 0, toInstant(b.EndsAt)
	p.started(s.host, s.app.name)
	if s.readyAt == 0 {
		s.readyAt = at
		if s.granted != 0 {
			s.app.course.Taking.add(at.sub(s.granted).Seconds())
		}
	}
	p.setPhase(s, PhaseReady, at, toInstant(b.Until))
}

func (p *Pool) applyEnded(s *session, b SessionEnded, at instant) {
	c := s.client
	s.client, c.session = nil, nil
	if s.phase == PhaseStarting && b.Reason == WhyFailed {
		p.failed(s.host, s.app.name, at)
	}
	s.over(b.Reason, at)
	s.endsAt = 0
	p.setPhase(s, PhaseStopping, at, 0)
	if b.Requeued != "" && p.entries[b.Requeued] == nil && c.entry == nil {
		p.addEntry(&entry{
			id: b.Requeued, client: c, key: b.Key, since: at,
			app: s.app, class: c.class, intent: Play, back: true,
		})
	}
	p.reap(c)
}

// over notes what the forecast learns of a session's end.
func (s *session) over(why Why, at instant) {
	c := &s.app.course
	if s.phase == PhaseDropped {
		c.Dropped.addShare(true)
	}
	if s.idleWarned != 0 {
		c.Idle.addShare(why == WhyIdle)
	}
	if s.readyAt != 0 {
		s.app.ended(length{S: at.sub(s.readyAt).Seconds(), At: at, Cut: why.cuts()})
	}
}
