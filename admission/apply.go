package admission

// Apply changes the pool by an event; nothing else does. It reads neither clock
// nor samples. An event about something that the pool does not know is
// ignored, so that a journal can never stop a pool from starting.
func (p *Pool) Apply(e Event) {
	at := toInstant(e.At)
	if opened, ok := e.Body.(PoolOpened); ok {
		p.applyOpened(opened)
	}
	if !p.open() {
		return
	}
	if _, ok := e.Body.(Recovered); !ok {
		p.elapse(at)
	}
	p.last = max(p.last, at)
	p.stir(e.Body)
	switch b := e.Body.(type) {
	case PolicySet:
		if b.Configured {
			p.configured = b.Policy
		}
		p.adopt(b.Policy)
	case Paused:
		p.paused = true
	case Unpaused:
		p.paused = false
	case Recovered:
		p.applyRecovered(at)
	case CostsLearned:
		p.applyLearned(b, at)
	default:
		p.applyHost(b, at)
		p.applyPlace(b, at)
		p.applySession(b, at)
		p.applyView(b, at)
	}
}

func (p *Pool) applyOpened(b PoolOpened) {
	if p.open() || b.ID == "" {
		return
	}
	p.id, p.name, p.configured = b.ID, b.Name, b.Policy
	p.adopt(b.Policy)
}

// applyRecovered: an owner took the pool over. Nobody is connected, and every
// grace starts anew, since nobody could have come back meanwhile.
func (p *Pool) applyRecovered(at instant) {
	p.recovered = at
	for _, c := range p.clients {
		p.connect(c, false, at)
	}
	for _, h := range p.hostOrder {
		h.connected, h.since = false, at
		p.armHost(h)
		p.forget(h)
	}
	for s := range p.bySeq.all() {
		p.restartClock(s, at)
	}
	for _, a := range p.appOrder {
		a.estimate, a.table, a.curve = newEstimate(a), nil, nil
	}
	p.margin.start(p.learnedZ, p.over())
}

// restartClock gives a session's phase its whole time again, where the phase
// waits for something that only a running service hears of. An offer's clock
// goes on.
func (p *Pool) restartClock(s *session, at instant) {
	switch s.phase {
	case PhaseStarting:
		s.until = at.add(max(startLeast, s.until.sub(s.since)))
	case PhaseReady:
		s.until = at.limit(p.policy.Session.FirstConnectTimeout)
	case PhaseDropped:
		s.until = at.limit(p.policy.Session.ReconnectGrace)
	}
	p.armSession(s)
}

func (p *Pool) applyHost(b Body, at instant) {
	switch b := b.(type) {
	case HostConnected:
		p.applyConnected(b, at)
	case HostDisconnected:
		if h := p.hosts[b.Host]; h != nil {
			h.connected, h.since = false, at
			p.armHost(h)
			p.forget(h)
		}
	case HostLost:
		if h := p.hosts[b.Host]; h != nil && !h.connected {
			h.lost = true
			p.armHost(h)
			p.touch(h)
		}
	case HostDrained:
		p.setDraining(b.Host, true)
	case HostUndrained:
		p.setDraining(b.Host, false)
	}
}

func (p *Pool) setDraining(id string, on bool) {
	if h := p.hosts[id]; h != nil {
		h.draining = on
		p.touch(h)
	}
}

func (p *Pool) applyConnected(b HostConnected, at instant) {
	h := p.hosts[b.Facts.Host]
	if h == nil {
		p.counts.Hosts++
		h = p.addHost(b.Facts.Host, p.counts.Hosts)
	}
	h.be(b.Facts.clone())
	h.connected, h.lost, h.since = true, false, at
	p.regroup(h)
	p.armHost(h)
	p.pardon(h)
	p.forget(h) // it must be measured anew before it gets anybody
}

func (p *Pool) addHost(id string, seq uint64) *host {
	h := &host{id: id, seq: seq}
	p.hosts[id] = h
	p.hostOrder = append(p.hostOrder, h)
	return h
}
