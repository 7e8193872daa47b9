package admission

import "cmp"

// client is a person: somebody with an entry, a seat or a view. It is gone with
// the last of them.
type client struct {
	id, secret, identity, class string

	app       *app
	seq       uint64
	since     instant // of connected
	connected bool
	wants     bool // to watch while waiting
	entry     *entry
	session   *session
	view      *view
	timer     *timer // of a view whose client is gone
}

// entry is a place in a queue. While its offer is out, it is in no list.
type entry struct {
	id     string
	client *client
	key    int64
	seq    uint64
	since  instant
	lapses int
	app    *app
	class  string
	intent Intent
	wish   string   // the session to watch, if one is wished
	offer  *session // while an offer is out
	back   bool     // put back at the head after a session failed: is offered, never seated at once
	timer  *timer   // of the grace
	met    bool     // it has had an offer
	quote  *quote   // the wait that it was told first, until it is known how long it was

	listed listing
}

// listing remembers where an entry stands, so that it is found again after its
// key or its client have changed.
type listing struct {
	line *line
	key  int64
	live bool
	want bool
}

// view is a client who looks on at a session.
type view struct {
	client  *client
	session *session
	seq     uint64
	bps     int64
	since   instant

	saves int64 // what stepping down would save; 0: it is down already
	inLow bool
}

func byView(a, b *view) int { return cmp.Compare(a.seq, b.seq) }

// reap forgets a client with nothing left.
func (p *Pool) reap(c *client) {
	if c.entry != nil || c.session != nil || c.view != nil {
		return
	}
	p.timers.set(&c.timer, timer{})
	delete(p.clients, c.id)
	if p.secrets[c.secret] == c {
		delete(p.secrets, c.secret)
	}
	if p.identities[c.identity] == c {
		delete(p.identities, c.identity)
	}
}

// know makes the client findable.
func (p *Pool) know(c *client) {
	p.clients[c.id] = c
	if c.secret != "" {
		p.secrets[c.secret] = c
	}
	if c.identity != "" {
		p.identities[c.identity] = c
	}
}

// setSecret replaces the resume secret.
func (p *Pool) setSecret(c *client, secret string) {
	if p.secrets[c.secret] == c {
		delete(p.secrets, c.secret)
	}
	c.secret = secret
	p.secrets[secret] = c
}

// connect sets whether the client is there, and what follows for its place and
// its view.
func (p *Pool) connect(c *client, on bool, at instant) {
	if c.entry != nil {
		p.unlist(c.entry)
	}
	c.connected, c.since = on, at
	if c.entry != nil {
		p.list(c.entry)
	}
	p.armClient(c)
}

// armClient sets the graces of a client that is gone: that of its place and
// that of its view. A seat has none; the host's gate tells of its player.
func (p *Pool) armClient(c *client) {
	var view, place instant
	if !c.connected && c.view != nil {
		view = max(c.since, c.view.since).add(p.policy.Spectators.ReconnectGrace)
	}
	p.timers.set(&c.timer, timer{at: view, seq: c.seq, kind: timerView, owner: c})
	e := c.entry
	if e == nil {
		return
	}
	if !c.connected {
		place = max(c.since, e.since).add(p.policy.Queue.ReconnectGrace)
	}
	p.timers.set(&e.timer, timer{at: place, seq: e.seq, kind: timerEntry, owner: e})
}
