package admission

// resetViews builds the lists of views anew, for another policy.
func (p *Pool) resetViews() {
	old := p.views
	p.views, p.high, p.low = newOrdered(byView), newOrdered(byView), newOrdered(byView)
	p.lowSaves = 0
	if old == nil {
		return
	}
	for v := range old.all() {
		v.saves, v.inLow = 0, false
		p.views.insert(v)
		p.grade(v)
	}
}

// addView lets the client look on.
func (p *Pool) addView(v *view) {
	p.counts.Views++
	v.seq = p.counts.Views
	p.linkView(v)
}

func (p *Pool) linkView(v *view) {
	v.client.view = v
	v.session.views.insert(v)
	p.views.insert(v)
	p.viewBps += v.bps
	p.grade(v)
	p.touch(v.session.host)
	p.relist(v.client)
	p.armClient(v.client)
}

// dropView ends a view.
func (p *Pool) dropView(v *view) {
	p.ungrade(v)
	p.viewBps -= v.bps
	p.views.remove(v)
	v.session.views.remove(v)
	v.client.view = nil
	p.touch(v.session.host)
	p.relist(v.client)
	p.armClient(v.client)
}

func (p *Pool) rateView(v *view, bps int64) {
	p.ungrade(v)
	p.viewBps += bps - v.bps
	v.bps = bps
	p.grade(v)
	p.touch(v.session.host)
}

// grade lists the view among those that can step down, or up.
func (p *Pool) grade(v *view) {
	if v.saves = max(0, v.bps-p.lowBps()); v.saves > 0 {
		p.lowSaves += v.saves
		p.high.insert(v)
	}
	if v.inLow = v.bps < p.fullBps() && v.session.host.brown == nil; v.inLow {
		p.low.insert(v)
	}
}

func (p *Pool) ungrade(v *view) {
	if v.saves > 0 {
		p.lowSaves -= v.saves
		p.high.remove(v)
	}
	if v.inLow {
		p.low.remove(v)
	}
	v.saves, v.inLow = 0, false
}

// regrade is for a host whose brownout has begun or ended.
func (p *Pool) regrade(h *host) {
	for _, s := range h.sessions {
		for v := range s.views.all() {
			p.ungrade(v)
			p.grade(v)
		}
	}
}

// rewatch lists the session among those that a newcomer may look on at, or
// takes it out.
func (p *Pool) rewatch(s *session) {
	open := p.watchBlock(s) == nil
	if open == s.watchable && (!open || s.watchKey == s.views.len()) {
		return
	}
	p.unwatchable(s)
	if open {
		s.watchable, s.watchKey = true, s.views.len()
		s.app.watchable.insert(s)
	}
}

func (p *Pool) unwatchable(s *session) {
	if s.watchable {
		s.app.watchable.remove(s)
		s.watchable = false
	}
}

// watchBlock is why nobody more may look on at the session, nil if one may. The
// pool's uplink is another matter.
func (p *Pool) watchBlock(s *session) *Block {
	if !s.phase.lit() || s.grant.Sharing != SharingOpen {
		return &Block{Resource: Seats, Host: s.host.id, Device: NoDevice, Projected: 1}
	}
	if limit := p.policy.Spectators.MaxPerSession; s.views.len() >= limit {
		return &Block{
			Resource: Seats, Host: s.host.id, Device: NoDevice,
			Projected: float64(s.views.len() + 1), Limit: float64(limit),
		}
	}
	h := s.host
	limit := toBps(h.facts.UplinkBps)
	if limit == 0 || s.views.len() > 0 || p.policy.Uplink.WhenFull == FullAllow {
		return nil // published already, so the host sends nothing more
	}
	if need := h.players + h.streamBps() + s.bps(); need > limit {
		return &Block{
			Resource: UplinkHost, Host: h.id, Device: NoDevice,
			Projected: float64(need), Limit: float64(limit),
		}
	}
	return nil
}

// anyWatchable is the session with the fewest watchers that the client may look
// on at; not its own.
func (a *app) anyWatchable(c *client) *session {
	for s := range a.watchable.all() {
		if s.client != c {
			return s
		}
	}
	return nil
}
