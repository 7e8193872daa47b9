package admission

// lapse ends an offer that was not taken: the seat goes on at once, and the
// entry keeps its place behind the next, or leaves.
func (d *draft) lapse(s *session, why Why) {
	e, q := s.entry, d.p.policy.Queue
	leaves := q.OnLapse == LapseLeave || (q.MaxLapses > 0 && e.lapses+1 >= q.MaxLapses)
	key, moves := e.key, []Body(nil)
	if !leaves {
		key, moves = d.behindNext(e, why)
	}
	d.add(OfferLapsed{
		Offer: s.offer, Entry: e.id, Client: e.client.id, Session: s.id,
		Key: key, Counted: true, Reason: why,
	})
	for _, m := range moves {
		d.add(m)
	}
	if leaves {
		d.add(EntryLeft{Entry: e.id, Client: e.client.id, Reason: WhyLapsed})
	}
}

// behindNext gives the entry the place behind the next one who is there. Those
// between move up by one each, so that nobody else loses a place to them.
func (d *draft) behindNext(e *entry, why Why) (int64, []Body) {
	l := e.app.queue(e.intent).lines[d.p.classIndex(e.class)]
	next, ok := l.live.first()
	if !ok || next.key < e.key {
		return e.key, nil // nobody to let pass, or somebody is ahead anyway
	}
	key, moves := e.key, []Body(nil)
	for x := range l.all.after(slot{e.key, e}) {
		moves = append(moves, EntryMoved{Entry: x.e.id, Client: x.e.client.id, Key: key, Reason: why})
		key = x.key
		if x.e.client.connected || len(moves) == rotateMost {
			break
		}
	}
	return key, moves
}

// putBack ends an offer through no fault of its entry, which goes to the head.
func (d *draft) putBack(s *session, why Why) {
	d.add(OfferLapsed{
		Offer: s.offer, Entry: s.entry.id, Client: s.client.id, Session: s.id,
		Key: d.headKey(), Reason: why,
	})
}

// serve gives the next player a seat. Somebody who has just come and whose turn
// it is gets it at once; whoever has waited gets an offer, since nobody knows
// whether they still look at the page.
func (d *draft) serve() {
	c, ok := d.p.choose(d.now)
	if !ok {
		return
	}
	e := c.entry
	if !d.makeRoom(c.host, e.client) {
		return
	}
	g := Grant{
		Session: d.sessionID(), App: c.app.name, Host: c.host.id, GPU: c.fit.gpu, Cost: c.app.ceiling(),
		BitrateBps: d.p.policy.Session.BitrateBps, Sharing: d.p.sharing(),
	}
	if e.since == d.now && !e.back && e.lapses == 0 {
		d.add(Admitted{Entry: e.id, Client: e.client.id, Grant: g})
		return
	}
	until := d.now.add(d.p.policy.Queue.OfferTimeout)
	d.add(Offered{Offer: d.offerID(), Entry: e.id, Client: e.client.id, ExpiresAt: until.time(), Grant: g})
}

func (p *Pool) sharing() Sharing {
	if p.policy.Session.Sharing == "" {
		return SharingOpen
	}
	return p.policy.Session.Sharing
}
