package admission

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Policy is the policy in force. The caller may change the copy.
func (p *Pool) Policy() Policy { return p.policy.clone() }

// Configured is the last policy that came from the configuration. An owner that
// starts compares its configuration with it: only a changed configuration
// takes the place of what operators have set live since.
func (p *Pool) Configured() Policy { return p.configured.clone() }

// View is the pool at a glance.
func (p *Pool) View() PoolView {
	v := PoolView{
		ID: p.id, Name: p.name, Paused: p.paused, Offered: p.offers.len(), Spectators: p.views.len(),
		Waiting: p.waiting(Play), WatchQueue: p.waiting(View),
		UplinkUsedBps: float64(p.playBps + p.viewBps), UplinkBudgetBps: p.policy.Uplink.BudgetBps,
		Hosts: len(p.hostOrder),
	}
	for s := range p.bySeq.all() {
		if s.phase != PhaseOffered && s.phase != PhaseStopping {
			v.SeatsUsed++
		}
	}
	known := true
	for _, h := range p.hostOrder {
		if !h.connected {
			continue
		}
		v.HostsConnected++
		seats := h.calibrated()
		v.Calibrated += seats
		known = known && seats > 0
	}
	if !known {
		v.Calibrated = 0
	}
	return v
}

// calibrated is the number of seats of the host, by the app of which it holds
// the most; 0 while a profile does not say.
func (h *host) calibrated() int {
	most := 0
	for _, a := range h.group.apps {
		if h.seats(a) == 0 {
			return 0
		}
		most = max(most, h.seats(a))
	}
	return most
}

// Client returns a person by id.
func (p *Pool) Client(id string) (ClientView, bool) {
	c := p.clients[id]
	if c == nil {
		return ClientView{}, false
	}
	v := ClientView{
		ID: c.id, Secret: c.secret, Identity: c.identity, Class: c.class, App: c.app.name,
		Connected: c.connected, Since: c.since.time(),
	}
	if c.entry != nil {
		v.Entry = c.entry.id
	}
	if c.session != nil {
		v.Session = c.session.id
	}
	if c.view != nil {
		v.Watching, v.ViewBps = c.view.session.id, float64(c.view.bps)
	}
	return v, true
}

// Entry returns a place in a queue by id, with its position and its wait.
func (p *Pool) Entry(id string) (EntryView, bool) {
	e := p.entries[id]
	if e == nil {
		return EntryView{}, false
	}
	return p.entryView(e), true
}

func (p *Pool) entryView(e *entry) EntryView {
	q := e.app.queue(e.intent)
	v := EntryView{
		ID: e.id, Client: e.client.id, Class: e.class, App: e.app.name, Intent: e.intent,
		Since: e.since.time(), Lapses: e.lapses, Connected: e.client.connected,
		Position: q.position(e), Length: q.len(),
	}
	if s := e.offer; s != nil {
		v.Offer, v.Session, v.ExpiresAt = s.offer, s.id, s.until.time()
	} else {
		v.Wait = p.wait(e, v.Position)
	}
	return v
}

// Session returns a session by id, an offered one too.
func (p *Pool) Session(id string) (SessionView, bool) {
	s := p.sessions[id]
	if s == nil {
		return SessionView{}, false
	}
	return s.view(), true
}

func (s *session) view() SessionView {
	v := SessionView{
		Grant: s.grant, ID: s.id, Phase: s.phase, Since: s.since.time(), ReadyAt: s.readyAt.time(),
		Until: s.until.time(), EndsAt: s.endsAt.time(), Attempt: s.attempt, Watchers: s.views.len(),
	}
	if s.client != nil {
		v.Client = s.client.id
	}
	return v
}

// Host returns a host by name. Its SampleAge is counted to now.
func (p *Pool) Host(now time.Time, id string) (HostView, bool) {
	h := p.hosts[id]
	if h == nil {
		return HostView{}, false
	}
	p.settle(p.clamp(now))
	return h.view(p.clamp(now)), true
}

// Hosts lists all hosts by name.
func (p *Pool) Hosts(now time.Time) []HostView {
	t := p.clamp(now)
	p.settle(t)
	list := make([]HostView, 0, len(p.hostOrder))
	for _, h := range p.hostOrder {
		list = append(list, h.view(t))
	}
	slices.SortFunc(list, func(a, b HostView) int { return strings.Compare(a.Host, b.Host) })
	return list
}

func (h *host) view(now instant) HostView {
	v := HostView{
		HostFacts: h.facts.clone(), Connected: h.connected, Since: h.since.time(), Draining: h.draining,
		SampleAge: -1, SpectatorStreams: h.streams, UplinkUsedBps: float64(h.players + h.streamBps()), Last: h.sample,
	}
	if h.sample != nil {
		v.SampleAge = max(0, now.sub(h.received))
	}
	for _, a := range h.group.apps {
		if h.foreign(a) {
			v.Foreign = append(v.Foreign, a.name)
		}
	}
	for _, s := range h.sessions {
		v.Sessions = append(v.Sessions, s.id)
	}
	slices.Sort(v.Sessions)
	return v
}

// Sessions lists sessions in the order in which their seats were reserved, from
// after the given id, at most limit.
func (p *Pool) Sessions(after string, limit int) []SessionView {
	list := []SessionView{}
	for s := range p.bySeq.after(&session{seq: number(after)}) {
		if len(list) >= limit {
			break
		}
		list = append(list, s.view())
	}
	return list
}

// number is the count in an id such as s12-abc; 0 if there is none.
func number(id string) uint64 {
	head, _, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(strings.TrimLeft(head, "eso"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Queue lists entries in the order in which people are served, from after the
// given one, at most limit: offers first, then each app's queue to play, then
// those to watch. It is empty if the given entry has gone meanwhile.
func (p *Pool) Queue(after string, limit int) []EntryView {
	list := []EntryView{}
	skip := after != ""
	take := func(e *entry) bool {
		if !skip {
			list = append(list, p.entryView(e))
		}
		skip = skip && e.id != after
		return len(list) < limit
	}
	if limit <= 0 || (skip && p.entries[after] == nil) {
		return list
	}
	for s := range p.offers.all() {
		if !take(s.entry) {
			return list
		}
	}
	p.eachQueue(func(_ *app, q *queue) bool {
		for _, l := range q.lines {
			for s := range l.all.all() {
				if !take(s.e) {
					return false
				}
			}
		}
		return true
	})
	return list
}

// eachQueue walks all queues: those to play by app, then those to watch.
func (p *Pool) eachQueue(f func(*app, *queue) bool) {
	for _, i := range []Intent{Play, View} {
		for _, a := range p.appOrder {
			if !f(a, a.queue(i)) {
				return
			}
		}
	}
}

// Place is where an entry stands.
type Place struct {
	Entry, Client, Class, App string
	Intent                    Intent
	Position, Length          int   // see [EntryView]
	Wait                      *Wait // nil while unknown
}

// EachPlace calls f for every waiting entry in order, cheaply: a million take
// less than 100 ms. The place holds for the call; the next one overwrites it.
func (p *Pool) EachPlace(f func(*Place)) {
	p.eachQueue(func(a *app, q *queue) bool {
		at := Place{App: a.name, Length: q.len()}
		var waits *waits
		if q == a.play && at.Length > 0 {
			waits = p.waits(a)
		}
		for class, l := range q.lines {
			for _, chunk := range l.all.chunks {
				told := waits.of(class, at.Position, chunk)
				for i, s := range chunk {
					at.Position++
					at.Entry, at.Client, at.Class, at.Intent = s.e.id, s.e.client.id, s.e.class, s.e.intent
					at.Wait = nil
					if i < len(told) {
						at.Wait = &told[i]
					}
					f(&at)
				}
			}
		}
		return true
	})
}

// EachWaiting is [Pool.EachPlace] for those who need less of a place.
func (p *Pool) EachWaiting(f func(entry, client string, position, length int, wait *Wait)) {
	p.EachPlace(func(at *Place) { f(at.Entry, at.Client, at.Position, at.Length, at.Wait) })
}

// Watchable lists sessions of the app that a newcomer may look on at now,
// fewest watchers first; empty while the pool's uplink carries no more. An
// empty app means all apps.
func (p *Pool) Watchable(appName string, limit int) []SessionView {
	p.settle(p.last)
	list := []SessionView{}
	if _, block := p.viewRate(); block != nil {
		return list
	}
	for _, a := range p.appOrder {
		if appName != "" && a.name != appName {
			continue
		}
		n := 0
		for s := range a.watchable.all() {
			if n++; n > limit {
				break
			}
			list = append(list, s.view())
		}
	}
	slices.SortStableFunc(list, func(a, b SessionView) int { return cmp.Compare(a.Watchers, b.Watchers) })
	return list[:min(max(0, limit), len(list))]
}

// BlockedBy is what the next of an app and intent waits for, nil if nothing
// does. An empty app means the only, or the first by name.
func (p *Pool) BlockedBy(now time.Time, appName string, intent Intent) *Block {
	t := p.clamp(now)
	p.settle(t)
	a := p.named(appName)
	switch {
	case a == nil:
		return &Block{Resource: NoHost, Device: NoDevice, Projected: 1}
	case intent == View:
		return p.viewBlock(a)
	default:
		return p.playBlock(t, a)
	}
}

// named is the app of that name; for none, the first that the policy names.
func (p *Pool) named(name string) *app {
	if name != "" {
		return p.apps[name]
	}
	for _, a := range p.appOrder {
		if a.known {
			return a
		}
	}
	return nil
}
