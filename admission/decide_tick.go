package admission

// tick finds the next thing that is due. What was promised comes before what is
// new, players before spectators.
func (d *draft) tick() {
	for _, step := range []func(){
		d.due, d.rescue, d.learned, d.start, d.serve, d.thinOut, d.stepUp, d.showWaiting, d.showWanting,
	} {
		if step(); len(d.events) > 0 {
			return
		}
	}
}

// due handles the earliest deadline that has passed.
func (d *draft) due() {
	t := d.p.timers.top()
	if t == nil || t.at > d.now {
		return
	}
	switch o := t.owner.(type) {
	case *host:
		d.add(HostLost{Host: o.id})
	case *entry:
		d.add(EntryLeft{Entry: o.id, Client: o.client.id, Reason: WhyGrace})
	case *client:
		d.endView(o.view, WhyGrace)
	case *session:
		d.sessionDue(o, t.kind)
	}
}

func (d *draft) sessionDue(s *session, kind timerKind) {
	switch kind {
	case timerLength:
		d.lengthDue(s)
	case timerIdle:
		d.idleDue(s)
	default:
		d.phaseDue(s)
	}
}

func (d *draft) phaseDue(s *session) {
	switch s.phase {
	case PhaseOffered:
		d.lapse(s, WhyLapsed)
	case PhaseStarting:
		d.startFailed(s, false)
	case PhaseReady:
		d.end(s, ending{why: WhyNoShow})
	case PhaseDropped:
		d.end(s, ending{why: WhyLeft})
	}
}

func (d *draft) lengthDue(s *session) {
	if s.endsAt <= d.now {
		d.end(s, ending{why: WhyLength})
		return
	}
	d.add(EndingSoon{Session: s.id, Client: s.client.id, Reason: WhyLength, EndsAt: s.endsAt.time()})
}

// idleDue acts on what the newest sample said: first the warning, then the end.
func (d *draft) idleDue(s *session) {
	if s.idleOver {
		d.end(s, ending{why: WhyIdle})
		return
	}
	d.add(EndingSoon{Session: s.id, Client: s.client.id, Reason: WhyIdle, EndsAt: s.idleEnd.time()})
}

// rescue deals with one session on a lost host: another host if one fits, the
// head of the queue otherwise.
func (d *draft) rescue() {
	h, ok := d.p.lost.first()
	if !ok {
		return
	}
	s := h.sessions[0]
	switch s.phase {
	case PhaseOffered:
		d.putBack(s, WhyHostLost)
	case PhaseStopping:
		d.add(SessionReleased{Session: s.id, Host: h.id})
	default:
		if to, f := d.p.elsewhere(s); to != nil {
			d.move(s, WhyHostLost, to, f)
			return
		}
		d.end(s, ending{why: WhyHostLost, requeue: true, gone: true})
	}
}

// start tells a host to start the session that has waited longest for it there.
func (d *draft) start() {
	h, ok := d.p.startable.first()
	if !ok {
		return
	}
	var next *session
	for _, s := range h.sessions {
		if s.phase == PhasePending && (next == nil || s.since < next.since) {
			next = s
		}
	}
	d.add(SessionStarting{
		Session: next.id, Client: next.client.id, Host: h.id, GPU: next.grant.GPU,
		Attempt: next.attempt + 1, Until: d.startUntil(next.app).time(),
	})
}

// thinOut steps down the views on a host in a brownout.
func (d *draft) thinOut() {
	h, ok := d.p.thin.first()
	if !ok {
		return
	}
	for _, s := range h.sessions {
		for v := range s.views.all() {
			if v.saves > 0 && len(d.events) < viewsPerStep {
				d.rateView(v, d.p.lowBps())
			}
		}
	}
}

// stepUp gives views their full bitrate back, oldest first, while one more
// player would still fit after: the margin that keeps views from going up and
// down with every player.
func (d *draft) stepUp() {
	room := d.p.roomBps() - d.p.playerBps()
	for v := range d.p.low.all() {
		room -= d.p.fullBps() - v.bps
		if room < 0 || len(d.events) == viewsPerStep {
			return
		}
		d.rateView(v, d.p.fullBps())
	}
}

// showWaiting starts the view of the next who came to watch. Players come
// first: while one waits for the uplink, nobody new looks on.
func (d *draft) showWaiting() {
	if d.playersShort() {
		return
	}
	for _, a := range d.p.appOrder {
		e, _ := a.watch.head()
		if e == nil || d.p.held(a.watch.first(), d.now) {
			continue
		}
		s := d.p.sessions[e.wish]
		if s == nil || !s.watchable {
			s = a.anyWatchable(e.client)
		}
		if rate, block := d.p.viewRate(); s != nil && block == nil {
			d.startView(e.client, s, rate)
			return
		}
	}
}

// showWanting gives a view to those who wait for a seat and want to watch.
func (d *draft) showWanting() {
	if d.playersShort() {
		return
	}
	for _, a := range d.p.appOrder {
		w, ok := a.play.want.first()
		if !ok {
			continue
		}
		s := a.anyWatchable(w.e.client)
		if rate, block := d.p.viewRate(); s != nil && block == nil {
			d.startView(w.e.client, s, rate)
			return
		}
	}
}

// playersShort says whether a player waits for nothing but the pool's uplink.
func (d *draft) playersShort() bool {
	if d.p.poolBlock() == nil {
		return false
	}
	for _, a := range d.p.appOrder {
		if e, _ := a.play.head(); e != nil {
			return true
		}
	}
	return false
}
