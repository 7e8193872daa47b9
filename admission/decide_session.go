package admission

import "time"

// ending is how a session ends for its player.
type ending struct {
	why     Why
	by      string
	requeue bool // no fault of the player's: back to the head of the queue
	gone    bool // nothing is left of it on the host
}

// end ends a session that has a player. What its host still holds stays
// reserved until the host says that it is gone.
func (d *draft) end(s *session, e ending) {
	d.endViews(s, WhySession)
	ended := SessionEnded{Session: s.id, Client: s.client.id, Reason: e.why, By: e.by}
	if e.requeue {
		ended.Requeued, ended.Key = d.entryID(), d.headKey()
	}
	d.add(ended)
	if e.gone || s.phase == PhasePending {
		d.add(SessionReleased{Session: s.id, Host: s.host.id})
	}
}

// startUntil is when a start that begins now is given up.
func (d *draft) startUntil(a *app) instant {
	usual := time.Duration(min(a.profile.StartS, 3600) * startFactor * float64(time.Second))
	return d.now.add(max(startLeast, usual))
}

// startFailed tries the session once elsewhere, or again where it is if no
// other host fits; the second time its player goes back to the head.
func (d *draft) startFailed(s *session, gone bool) {
	if s.tries > 0 {
		d.end(s, ending{why: WhyFailed, requeue: true, gone: gone})
		return
	}
	if h, f := d.p.elsewhere(s); h != nil {
		d.move(s, WhyFailed, h, f)
		return
	}
	d.add(SessionPending{Session: s.id, Client: s.client.id, Host: s.host.id, Reason: WhyFailed})
}

// move takes the session to another host. Its bitrate does not rise by that:
// nobody has asked whether the pool's uplink carries more.
func (d *draft) move(s *session, why Why, h *host, f *fit) {
	d.endViews(s, WhySession)
	if d.p.policy.Spectators.YieldToPlayers && d.p.policy.Uplink.WhenFull != FullAllow {
		d.unpublish(h)
	}
	g := s.grant
	g.Host, g.GPU, g.Cost = h.id, f.gpu, s.app.ceiling()
	g.BitrateBps = min(g.BitrateBps, d.p.policy.Session.BitrateBps)
	d.add(SessionMoved{Session: s.id, Client: s.client.id, Reason: why, Grant: g})
}

// crashed starts a session again whose process has died: a seat outlives its
// process, but not one that dies again and again.
func (d *draft) crashed(s *session) {
	recent := 0
	for _, at := range s.crashes {
		if d.now.sub(at) < crashWindow {
			recent++
		}
	}
	if recent >= maxCrashes {
		d.end(s, ending{why: WhyFailed, requeue: true, gone: true})
		return
	}
	d.endViews(s, WhySession)
	d.add(SessionPending{Session: s.id, Client: s.client.id, Host: s.host.id, Reason: WhyFailed})
}

// report takes a host's word on one of its sessions.
func (d *draft) report(r Report) {
	s := d.p.sessions[r.Session]
	switch {
	case s == nil || s.host.id != r.Host || s.phase == PhaseOffered:
		d.refuse(RefusedUnknownSession, "host %q has no session %q here", r.Host, r.Session)
	case !r.State.valid():
		d.refuse(RefusedInvalid, "a session's state is %q; it can be %q, %q, %q, %q or %q", r.State,
			StateStarting, StateReady, StateConnected, StateDropped, StateEnded)
	case s.outlived(r.Attempt):
		// It is about a process that has another in its place by now.
	default:
		d.state(s, r.State)
	}
}

// outlived says whether a host speaks of an earlier start than the newest it was
// told.
func (s *session) outlived(attempt int) bool { return attempt > 0 && attempt < s.attempt }

func (s SessionState) valid() bool {
	switch s {
	case StateStarting, StateReady, StateConnected, StateDropped, StateEnded:
		return true
	}
	return false
}

// state reconciles the pool with what the host says of a session.
func (d *draft) state(s *session, st SessionState) {
	switch {
	case st == StateEnded:
		d.ended(s)
	case s.phase == PhaseStopping || (s.phase == PhasePending && s.attempt == 0):
		// It is being stopped, or it was never told to start.
	case st == StateReady:
		d.ready(s)
	case st == StateConnected:
		d.ready(s)
		if s.phase != PhaseConnected {
			d.add(SessionConnected{Session: s.id, Client: s.client.id})
		}
	case st == StateDropped:
		d.ready(s)
		if s.phase != PhaseDropped {
			d.dropped(s)
		}
	}
}

// ready makes a starting session ready, from when its player has the seat and
// no longer the view it had while waiting.
func (d *draft) ready(s *session) {
	if s.phase != PhasePending && s.phase != PhaseStarting {
		return
	}
	until := d.now.limit(d.p.policy.Session.FirstConnectTimeout)
	ends := s.endsAt
	if ends == 0 {
		ends = d.now.limit(d.p.policy.Session.MaxLength)
	}
	d.add(SessionReady{Session: s.id, Client: s.client.id, Until: until.time(), EndsAt: ends.time()})
	if v := s.client.view; v != nil {
		d.endView(v, WhySeated)
	}
}

func (d *draft) dropped(s *session) {
	until := d.now.limit(d.p.policy.Session.ReconnectGrace)
	d.add(SessionDropped{Session: s.id, Client: s.client.id, Until: until.time()})
}

// ended: no process of the session is left on its host.
func (d *draft) ended(s *session) {
	switch s.phase {
	case PhaseStopping:
		d.add(SessionReleased{Session: s.id, Host: s.host.id})
	case PhaseStarting:
		d.startFailed(s, true)
	case PhaseReady, PhaseConnected, PhaseDropped:
		d.crashed(s)
	}
}
