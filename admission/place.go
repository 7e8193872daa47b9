package admission

import (
	"slices"
	"strings"
)

// turn is the head of an app's queue.
type turn struct {
	app   *app
	entry *entry
	class int
	held  bool // its turn, but it has just been dropped by us, so everybody waits for it
}

// turns are the heads of all play queues in the order in which they are served:
// by class, then by key.
func (p *Pool) turns(now instant) []turn {
	var list []turn
	for _, a := range p.appOrder {
		e, class := a.play.head()
		if first := a.play.first(); first != nil && p.held(first, now) {
			list = append(list, turn{app: a, entry: first, class: p.classIndex(first.class), held: true})
		} else if e != nil {
			list = append(list, turn{app: a, entry: e, class: class})
		}
	}
	if len(list) > 1 {
		slices.SortFunc(list, func(x, y turn) int {
			if x.class != y.class {
				return x.class - y.class
			}
			return bySlot(slot{x.entry.key, x.entry}, slot{y.entry.key, y.entry})
		})
	}
	return list
}

// held says whether the entry's client has not come back yet after we dropped
// everybody, and may still do so before others pass it.
func (p *Pool) held(e *entry, now instant) bool {
	c := e.client
	return !c.connected && c.since == p.recovered && p.recovered > 0 && now < p.recovered.add(RecoverHold)
}

// claims are the groups of hosts that blocked heads wait for.
type claims []*group

func (c claims) has(g *group) bool { return slices.Contains(c, g) }

// claim adds all groups that serve the app.
func (p *Pool) claim(c claims, a *app) claims {
	for _, g := range p.groups {
		if slices.Contains(g.apps, a) && !c.has(g) {
			c = append(c, g)
		}
	}
	return c
}

// best is the host that the app's next session goes to, or, if none fits, the
// one that is short of least; nil if no host that serves it is connected.
func (p *Pool) best(a *app, claimed claims) (*host, *fit) {
	var top rank
	var found *fit
	for _, g := range p.groups {
		i := slices.Index(g.apps, a)
		if i < 0 || claimed.has(g) {
			continue
		}
		if r, ok := g.ranks[i].first(); ok && (found == nil || byRank(r, top) < 0) {
			top, found = r, &r.h.fits[i]
		}
	}
	return top.h, found
}

// choice is where the next player goes.
type choice struct {
	turn
	host *host
	fit  *fit
}

// choose finds the next player who can be seated, going through the heads of
// all apps. Nobody passes a blocked head on hosts that serve the head's app.
func (p *Pool) choose(now instant) (choice, bool) {
	if p.paused || p.poolBlock() != nil {
		return choice{}, false
	}
	var claimed claims
	for _, t := range p.turns(now) {
		if !t.held {
			if h, f := p.best(t.app, claimed); h != nil && f.ratio <= 1 {
				return choice{t, h, f}, true
			}
		}
		claimed = p.claim(claimed, t.app)
	}
	return choice{}, false
}

// playBlock is what the next player of the app waits for, nil if nothing.
func (p *Pool) playBlock(now instant, a *app) *Block {
	if p.paused {
		return &Block{Resource: PausedResource, Device: NoDevice}
	}
	if b := p.poolBlock(); b != nil {
		return b
	}
	var claimed claims
	var ahead *Block // what the last blocked head before this app's is short of
	for _, t := range p.turns(now) {
		if t.app == a {
			break
		}
		h, f := p.best(t.app, claimed)
		if h == nil || f.ratio > 1 || t.held {
			claimed = p.claim(claimed, t.app)
		}
		if h != nil && f.ratio > 1 {
			ahead = p.blockAt(now, h, f)
		}
	}
	h, f := p.best(a, claimed)
	switch {
	case h != nil && f.ratio <= 1:
		return nil
	case h != nil:
		return p.blockAt(now, h, f)
	case ahead != nil:
		return ahead
	}
	return &Block{Resource: NoHost, Device: NoDevice, Projected: 1}
}

// blockAt is the host's block, with the age of a stale sample as it is now.
func (p *Pool) blockAt(now instant, h *host, f *fit) *Block {
	b := f.block
	if b.Resource == Stale && !h.fresh && h.sample != nil {
		b.Projected = now.sub(h.received).Seconds()
		b.Limit = (stalePeriods * h.sample.Period).Seconds()
	}
	return &b
}

// elsewhere finds a host for a session that cannot stay where it is. It is
// rare, so it looks at every host; those that start their most already will do,
// since the session can wait there for its turn to start.
func (p *Pool) elsewhere(s *session) (*host, *fit) {
	var best *host
	var found *fit
	for _, h := range p.hostOrder {
		i := slices.Index(h.group.apps, s.app)
		if i < 0 || h == s.host || !h.connected || i >= len(h.fits) {
			continue
		}
		f := &h.fits[i]
		if f.move > 1 {
			continue
		}
		if best == nil || p.preferred(f.move, found.move) ||
			(f.move == found.move && strings.Compare(h.id, best.id) < 0) {
			best, found = h, f
		}
	}
	return best, found
}
