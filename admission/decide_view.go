package admission

import "cmp"

// watch lets a client look on at a session, or at another one than before. It
// keeps its place in the queue.
func (d *draft) watch(w Watch) {
	c := d.client(w.Client)
	if c == nil {
		return
	}
	if c.session != nil && c.session.phase.lit() {
		d.refuse(RefusedInvalid, "a client with a seat does not watch")
		return
	}
	if c.view != nil && (w.Session == "" || c.view.session.id == w.Session) {
		return
	}
	if w.Session != "" && d.unwatchable(w.Session) {
		return
	}
	s, block := d.p.viewFor(c, w.Session)
	if block != nil {
		d.refuseView(block)
		return
	}
	entry := ""
	if c.entry != nil && c.entry.intent == View {
		entry = c.entry.id
	}
	rate, block := d.p.viewRate()
	switch {
	case c.view != nil: // the old view makes room for the new one
		rate = c.view.bps
		d.add(ViewEnded{Client: c.id, Session: c.view.session.id, Reason: WhyLeft, Keep: true})
		d.add(ViewStarted{Client: c.id, Session: s.id, Entry: entry, BitrateBps: float64(rate)})
	case block != nil:
		d.refuseView(block)
	case !d.startView(c, s, rate):
		_, full := d.p.viewRate()
		d.refuseView(cmp.Or(full, d.p.uplinkBlock(d.p.playBps+d.p.viewBps+rate)))
	}
}

// unwatchable refuses a session that is not there or not to be looked on at.
func (d *draft) unwatchable(id string) bool {
	s := d.p.sessions[id]
	switch {
	case s == nil || s.phase == PhaseOffered || s.phase == PhaseStopping:
		d.refuse(RefusedUnknownSession, "there is no session %q", id)
	case s.grant.Sharing != SharingOpen:
		d.refuse(RefusedNotShared, "the player of session %q lets nobody look on", id)
	default:
		return false
	}
	return true
}

func (d *draft) refuseView(b *Block) {
	switch {
	case b.Resource == UplinkPool || b.Resource == UplinkHost:
		d.refuse(RefusedUplink, "the uplink would carry %.1f Mbit/s of %.1f", b.Projected/1e6, b.Limit/1e6)
	case b.Limit > 0:
		d.refuse(RefusedWatchersFull, "%.0f may look on at a session, and as many do", b.Limit)
	default:
		d.refuse(RefusedNothingToWatch, "no session can be watched now")
	}
	d.out.Refused.Blocked = b
	d.out.Refused.RetryAfterS = 10
}

// viewFor is the session that the client may look on at now: the one it wishes,
// or any other of its app.
func (p *Pool) viewFor(c *client, wish string) (*session, *Block) {
	if s := p.sessions[wish]; s != nil && s.client != c {
		if b := p.watchBlock(s); b != nil {
			return nil, b
		}
		return s, nil
	}
	if s := c.app.anyWatchable(c); s != nil {
		return s, nil
	}
	return nil, p.viewBlock(c.app)
}

// viewBlock is why a newcomer cannot look on at any session of the app, nil if
// one can.
func (p *Pool) viewBlock(a *app) *Block {
	if a.watchable.len() > 0 {
		_, b := p.viewRate()
		return b
	}
	looked := 0
	for s := range p.bySeq.all() {
		if looked++; looked > 1000 { // one example is enough
			break
		}
		if b := p.watchBlock(s); s.app == a && b != nil && b.Limit > 0 {
			return b
		}
	}
	return &Block{Resource: Seats, Device: NoDevice, Projected: 1}
}

// startView starts a view at the given bitrate. Where that is the low one,
// others step down first. It says whether the view starts; if not, more of the
// others have to step down than one step may change.
func (d *draft) startView(c *client, s *session, rate int64) bool {
	if over := rate - d.p.roomBps(); d.p.limited() && over > 0 {
		if d.stepDown(over) > 0 {
			return false
		}
	}
	started := ViewStarted{Client: c.id, Session: s.id, BitrateBps: float64(rate)}
	if c.entry != nil && c.entry.intent == View {
		started.Entry = c.entry.id
	}
	d.add(started)
	return true
}

// unwatch stops looking on. Whoever waits is not shown another session after.
func (d *draft) unwatch(u Unwatch) {
	c := d.client(u.Client)
	switch {
	case c == nil:
	case c.view != nil:
		d.endView(c.view, WhyLeft)
	case c.entry != nil && c.entry.intent == View:
		d.add(EntryLeft{Entry: c.entry.id, Client: c.id, Reason: WhyLeft})
	case c.wants:
		d.add(WishSet{Client: c.id})
	}
}

// endView ends a view, once: a decision about several sessions may come upon it
// twice.
func (d *draft) endView(v *view, why Why) {
	if d.over[v] {
		return
	}
	if d.over == nil {
		d.over = map[*view]bool{}
	}
	d.over[v] = true
	d.add(ViewEnded{Client: v.client.id, Session: v.session.id, Reason: why})
}

func (d *draft) endViews(s *session, why Why) {
	for v := range s.views.all() {
		d.endView(v, why)
	}
}
