package admission

// applyView changes who looks on.
func (p *Pool) applyView(b Body, at instant) {
	switch b := b.(type) {
	case ViewStarted:
		c, s := p.clients[b.Client], p.sessions[b.Session]
		if c != nil && s != nil && s.phase != PhaseStopping {
			p.applyViewStarted(c, s, viewStart{b, at})
		}
	case ViewRated:
		if c := p.clients[b.Client]; c != nil && c.view != nil && c.view.session.id == b.Session {
			p.rateView(c.view, toBps(b.BitrateBps))
		}
	case ViewEnded:
		c := p.clients[b.Client]
		if c == nil || c.view == nil || c.view.session.id != b.Session {
			return
		}
		if b.Reason == WhyLeft && !b.Keep {
			c.wants = false // it was asked to stop: no other view follows by itself
		}
		p.dropView(c.view)
		if !b.Keep {
			p.reap(c)
		}
	}
}

type viewStart struct {
	ViewStarted
	at instant
}

func (p *Pool) applyViewStarted(c *client, s *session, b viewStart) {
	if c.view != nil {
		p.dropView(c.view)
	}
	if e := c.entry; e != nil {
		if e.intent == View && e.id == b.Entry {
			p.dropEntry(e)
		} else if e.intent == Play {
			c.wants = true
		}
	}
	p.addView(&view{client: c, session: s, bps: toBps(b.BitrateBps), since: b.at})
}
