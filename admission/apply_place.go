package admission

// applyPlace changes who is there and who waits.
func (p *Pool) applyPlace(b Body, at instant) {
	switch b := b.(type) {
	case Enqueued:
		p.applyEnqueued(b, at)
	case Resumed:
		if c := p.clients[b.Client]; c != nil {
			if b.Secret != "" {
				p.setSecret(c, b.Secret)
			}
			p.connect(c, true, at)
		}
	case Disconnected:
		if c := p.clients[b.Client]; c != nil && c.connected {
			p.connect(c, false, at)
		}
	case EntryLeft:
		if e := p.entries[b.Entry]; e != nil {
			e.left(b.Reason, at)
			p.dropEntry(e)
			p.reap(e.client)
		}
	case EntryMoved:
		if e := p.entries[b.Entry]; e != nil {
			p.moveEntry(e, b.Key)
		}
	case WishSet:
		if c := p.clients[b.Client]; c != nil {
			c.wants = b.Watch
			p.relist(c)
		}
	case Offered:
		p.applyOffered(b, at)
	case OfferLapsed:
		p.applyLapsed(b, at)
	}
}

func (p *Pool) moveEntry(e *entry, key int64) {
	p.unlist(e)
	e.key = key
	p.noteKey(key)
	p.list(e)
}

func (p *Pool) applyEnqueued(b Enqueued, at instant) {
	c := p.clients[b.Client]
	if b.Client == "" || b.Entry == "" || p.entries[b.Entry] != nil || (c != nil) != b.Known {
		return
	}
	if c == nil {
		p.counts.Clients++
		c = &client{id: b.Client, secret: b.Secret, identity: b.Identity, seq: p.counts.Clients, since: at, connected: true}
		p.know(c)
	}
	c.class, c.app, c.wants = b.Class, p.app(b.App), b.WatchWhileWaiting
	e := &entry{
		id: b.Entry, client: c, key: b.Key, since: at,
		app: c.app, class: b.Class, intent: b.Intent, wish: b.Session,
	}
	p.addEntry(e)
	if b.Wait != nil && b.Intent == Play {
		e.quote = &quote{*b.Wait, placeOf(e.app.play.position(e))}
	}
}

func (p *Pool) applyOffered(b Offered, at instant) {
	e, h := p.entries[b.Entry], p.hosts[b.Grant.Host]
	if e == nil || e.offer != nil || h == nil || p.sessions[b.Grant.Session] != nil {
		return
	}
	p.counts.Offers++
	p.unlist(e)
	s := p.newSeat(b.Grant, h, e.client)
	s.entry, s.offer = e, b.Offer
	e.offer = s
	e.first(at)
	p.offers.insert(s)
	p.setPhase(s, PhaseOffered, at, toInstant(b.ExpiresAt))
}

// newSeat reserves what the grant says.
func (p *Pool) newSeat(g Grant, h *host, c *client) *session {
	p.counts.Sessions++
	s := &session{id: g.Session, seq: p.counts.Sessions, grant: g, app: p.app(g.App), host: h, client: c, granted: p.last}
	s.app.served++
	p.addSession(s)
	return s
}

func (p *Pool) applyLapsed(b OfferLapsed, at instant) {
	e := p.entries[b.Entry]
	if e == nil || e.offer == nil || e.offer.offer != b.Offer {
		return
	}
	s := e.offer
	e.offer = nil
	if b.Counted {
		e.lapses++
		e.app.course.Lapsing.add(at.sub(s.since).Seconds())
		e.app.course.Ignored.addShare(true)
	}
	p.dropSession(s)
	p.moveEntry(e, b.Key)
	p.armClient(e.client)
}
