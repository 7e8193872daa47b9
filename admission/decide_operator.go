package admission

func (d *draft) pause(c Pause) {
	if !d.p.paused {
		d.add(Paused(c))
	}
}

func (d *draft) unpause(c Unpause) {
	if d.p.paused {
		d.add(Unpaused(c))
	}
}

// drain keeps new sessions off a host; those that run there go on.
func (d *draft) drain(id string, on bool, b Body) {
	switch h := d.p.hosts[id]; {
	case h == nil:
		d.refuse(RefusedUnknownHost, "there is no host %q", id)
	case h.draining != on:
		d.add(b)
	}
}

func (d *draft) endSession(c EndSession) {
	s := d.p.sessions[c.Session]
	switch {
	case s == nil || s.phase == PhaseOffered:
		d.refuse(RefusedUnknownSession, "there is no session %q", c.Session)
	case s.phase != PhaseStopping:
		d.end(s, ending{why: WhyRemoved, by: c.By})
	}
}

func (d *draft) removeEntry(c RemoveEntry) {
	if e := d.entry(c.Entry); e != nil {
		d.add(EntryLeft{Entry: e.id, Client: e.client.id, Reason: WhyRemoved, By: c.By})
	}
}

// promote moves an entry to the front of its class. One with an offer is ahead
// of everybody already.
func (d *draft) promote(c Promote) {
	if e := d.entry(c.Entry); e != nil && e.offer == nil {
		d.add(EntryMoved{Entry: e.id, Client: e.client.id, Key: d.headKey(), Reason: WhyPromoted, By: c.By})
	}
}

func (d *draft) entry(id string) *entry {
	e := d.p.entries[id]
	if e == nil {
		d.refuse(RefusedUnknownEntry, "there is no entry %q in the queue", id)
	}
	return e
}

func (d *draft) setPolicy(c SetPolicy) {
	if err := c.Policy.Validate(); err != nil {
		d.refuse(RefusedInvalid, "%v", err)
		return
	}
	d.add(PolicySet{Policy: c.Policy.clone(), By: c.By, Configured: c.Configured})
}

// recover takes the pool over after a restart. Offers whose clock ran out while
// nobody could answer go back to the head, uncounted, in their old order.
func (d *draft) recover() {
	d.add(Recovered{})
	var lapsed []*session
	for s := range d.p.offers.backward() {
		if s.until <= d.now {
			lapsed = append(lapsed, s)
		}
	}
	for _, s := range lapsed { // the newest first, so that the oldest is at the head in the end
		d.putBack(s, WhyRecovered)
	}
}
