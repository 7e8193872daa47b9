package admission

import (
	"cmp"
	"slices"
	"strings"
)

// host is one machine that renders.
type host struct {
	id        string
	seq       uint64
	facts     HostFacts
	kind      Machine // of facts
	connected bool
	since     instant // of connected
	draining  bool
	lost      bool // silent for too long; nothing on it counts as running
	sessions  []*session
	timer     *timer
	faults    []fault // by app
	restTimer *timer

	telemetry

	// Derived at each refresh.
	dirty    bool
	group    *group
	fits     []fit // by the group's apps
	starting int
	pending  int
	streams  int   // sessions published to the relay
	players  int64 // bits per second of its players
	highView int   // views on it above the low bitrate
}

// telemetry is what samples have told of a host: soft state, gone with a
// restart and with each new connection of the probe.
type telemetry struct {
	sample     *Sample
	windowEnd  instant
	received   instant
	fresh      bool
	freshTimer *timer
	departed   []departed
	closed     map[device]*closure
	hot        map[device]instant // since when a resource is past the brownout mark
	rest       map[reach]*trend   // what is taken beside the sessions, or beyond their costs
	left       instant            // when a session last left
	brown      *Block             // why the host is in a brownout
}

// device is one elastic resource of one host.
type device struct {
	resource Resource
	index    int
}

// reach is a device, and whether sessions are seen there by themselves: what is
// beside them means something else then.
type reach struct {
	device
	each bool
}

// departed is a session that the newest measurement still holds.
type departed struct {
	at      instant
	gpu     int
	visible float64
	app     *app
	seen    use
}

func byHost(a, b *host) int { return cmp.Compare(a.seq, b.seq) }

func (h *host) add(s *session) {
	i, _ := slices.BinarySearchFunc(h.sessions, s, bySession)
	h.sessions = slices.Insert(h.sessions, i, s)
}

func (h *host) remove(s *session) {
	if i, ok := slices.BinarySearchFunc(h.sessions, s, bySession); ok {
		h.sessions = slices.Delete(h.sessions, i, i+1)
	}
}

// depart notes that a session has gone which the newest measurement may hold.
func (h *host) depart(s *session, at instant) {
	if h.sample == nil {
		return
	}
	h.left = at
	if v := s.visible(h.windowEnd); v > 0 {
		h.departed = append(h.departed, departed{at: at, gpu: s.grant.GPU, visible: v, app: s.app, seen: s.seen})
	}
}

// forget drops all that samples have told of the host.
func (p *Pool) forget(h *host) {
	p.fresh.set(&h.freshTimer, timer{})
	brown := h.brown != nil
	h.telemetry = telemetry{}
	if brown {
		p.regrade(h)
	}
	for _, s := range h.sessions {
		s.forget()
		p.armSession(s)
	}
	p.touch(h)
}

// touch says that something on the host has changed. It is judged anew before
// the next decision, once, however much has changed by then.
func (p *Pool) touch(h *host) {
	if !h.dirty {
		h.dirty = true
		p.dirty = append(p.dirty, h)
	}
}

// settle brings caches up to date: samples that have gone stale, rests that are
// over, and hosts on which something changed.
func (p *Pool) settle(now instant) {
	p.seen = max(p.seen, now)
	for t := p.fresh.top(); t != nil && t.at < now; t = p.fresh.top() {
		h := t.owner.(*host)
		if t.kind == timerRest {
			p.rested(h, now)
		} else {
			h.fresh = false
			p.fresh.set(&h.freshTimer, timer{})
		}
		p.touch(h)
	}
	for _, h := range p.dirty {
		h.dirty = false
		p.refresh(h)
	}
	p.dirty = p.dirty[:0]
}

// refresh judges one host anew. Its cost depends on the sessions of the host
// alone.
func (p *Pool) refresh(h *host) {
	h.count()
	fits := make([]fit, 0, len(h.group.apps))
	for _, a := range h.group.apps {
		fits = append(fits, p.judge(h, a))
	}
	h.group.place(h, fits)
	for _, s := range h.sessions {
		p.rewatch(s)
	}
	room := h.connected && h.pending > 0 && h.starting < p.maxStarting()
	member(p.startable, h, room)
	member(p.lost, h, h.lost && len(h.sessions) > 0)
	member(p.thin, h, h.brown != nil && h.highView > 0)
}

func member[T any](o *ordered[T], x T, in bool) {
	if in {
		o.insert(x)
	} else {
		o.remove(x)
	}
}

// count adds up what the host's sessions take of its hard budgets.
func (h *host) count() {
	h.starting, h.pending, h.streams, h.players, h.highView = 0, 0, 0, 0, 0
	for _, s := range h.sessions {
		switch s.phase {
		case PhaseStarting:
			h.starting++
		case PhasePending:
			h.pending++
		}
		if s.views.len() > 0 {
			h.streams++
		}
		h.players += s.bps()
		for v := range s.views.all() {
			if v.saves > 0 {
				h.highView++
			}
		}
	}
}

// streamBps is what the host sends to the relay.
func (h *host) streamBps() int64 {
	sum := int64(0)
	for _, s := range h.sessions {
		if s.views.len() > 0 {
			sum += s.bps()
		}
	}
	return sum
}

func (p *Pool) maxStarting() int { return max(1, p.policy.Placement.MaxStarting) }

// group is all hosts that serve the same apps. A blocked head of one app claims
// whole groups, so that no later head of another app takes its hosts.
type group struct {
	name  string
	apps  []*app // by name
	ranks []*ordered[rank]
}

// rank is a host's place among those of its group for one app: first the one
// that is taken next, or, if none fits, the one that is short of least.
type rank struct {
	value float64
	n     int // sessions: the tie breaker while nothing is measured
	h     *host
}

func byRank(a, b rank) int {
	if c := cmp.Compare(a.value, b.value); c != 0 {
		return c
	}
	if c := cmp.Compare(a.n, b.n); c != 0 {
		return c
	}
	return strings.Compare(a.h.id, b.h.id)
}

// place lists the host by its new fits. A host whose probe is not connected is
// in no list.
func (g *group) place(h *host, fits []fit) {
	for i, f := range h.fits {
		if f.listed {
			g.ranks[i].remove(f.rank)
		}
	}
	for i := range fits {
		if h.connected {
			fits[i].listed = true
			fits[i].rank = rank{fits[i].value, len(h.sessions), h}
			g.ranks[i].insert(fits[i].rank)
		}
	}
	h.fits = fits
}

// regroup moves the host to the group of the apps that it serves now.
func (p *Pool) regroup(h *host) {
	if h.group != nil {
		h.group.place(h, nil)
	}
	var apps []*app
	var name strings.Builder
	for _, a := range p.appOrder {
		if a.known && slices.Contains(h.facts.Apps, a.name) {
			apps = append(apps, a)
			name.WriteString(a.name + "\x00")
		}
	}
	h.group = p.groupOf(name.String(), apps)
	p.touch(h)
}

func (p *Pool) groupOf(name string, apps []*app) *group {
	for _, g := range p.groups {
		if g.name == name {
			return g
		}
	}
	g := &group{name: name, apps: apps}
	for range apps {
		g.ranks = append(g.ranks, newOrdered(byRank))
	}
	p.groups = append(p.groups, g)
	slices.SortFunc(p.groups, func(a, b *group) int { return strings.Compare(a.name, b.name) })
	return g
}

// regroupAll is for a new policy: other apps, other groups.
func (p *Pool) regroupAll() {
	p.groups = nil
	for _, h := range p.hostOrder {
		h.group, h.fits = nil, nil
		p.regroup(h)
	}
}
