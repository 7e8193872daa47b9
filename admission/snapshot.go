package admission

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// The snapshot is the journalled state and nothing else: what samples have told
// is not in it. Times are nanoseconds since 1970, 0 for none. Everything is
// listed by the number it got when it was made, so equal pools give equal bytes.
type (
	snapshot struct {
		V          int           `json:"v"`
		ID         string        `json:"id"`
		Name       string        `json:"name"`
		Policy     Policy        `json:"policy"`
		Configured *Policy       `json:"configured,omitempty"` // nil: as Policy
		Paused     bool          `json:"paused"`
		Last       instant       `json:"last"`
		Recovered  instant       `json:"recovered"`
		LearnedAt  instant       `json:"learned_at"`
		LearnedZ   float64       `json:"learned_margin,omitempty"`
		Counts     counts        `json:"counts"`
		MinKey     int64         `json:"min_key"`
		MaxKey     int64         `json:"max_key"`
		Apps       []snapApp     `json:"apps"`
		Hosts      []snapHost    `json:"hosts"`
		Clients    []snapClient  `json:"clients"`
		Sessions   []snapSession `json:"sessions"`
	}
	snapApp struct {
		Name      string    `json:"name"`
		Learned   *Learned  `json:"learned,omitempty"`
		Lengths   []float64 `json:"lengths,omitempty"` // as older versions wrote them
		Ended     []length  `json:"ended,omitempty"`
		Forgotten instant   `json:"forgotten,omitempty"`
		Course    *course   `json:"course,omitempty"` // nil: nothing is known
	}
	snapHost struct {
		Seq       uint64      `json:"seq"`
		Facts     HostFacts   `json:"facts"`
		Connected bool        `json:"connected"`
		Since     instant     `json:"since"`
		Draining  bool        `json:"draining"`
		Lost      bool        `json:"lost"`
		Faults    []snapFault `json:"faults,omitempty"`
	}
	snapFault struct {
		App string  `json:"app"`
		N   int     `json:"n"`
		At  instant `json:"at"`
	}
	snapClient struct {
		Seq       uint64     `json:"seq"`
		ID        string     `json:"id"`
		Secret    string     `json:"secret,omitempty"`
		Identity  string     `json:"identity,omitempty"`
		Class     string     `json:"class"`
		App       string     `json:"app"`
		Connected bool       `json:"connected"`
		Since     instant    `json:"since"`
		Wants     bool       `json:"wants,omitempty"`
		Entry     *snapEntry `json:"entry,omitempty"`
		View      *snapView  `json:"view,omitempty"`
	}
	snapEntry struct {
		Seq    uint64  `json:"seq"`
		ID     string  `json:"id"`
		Key    int64   `json:"key"`
		Since  instant `json:"since"`
		Lapses int     `json:"lapses,omitempty"`
		App    string  `json:"app"`
		Class  string  `json:"class"`
		Intent Intent  `json:"intent"`
		Wish   string  `json:"wish,omitempty"`
		Back   bool    `json:"back,omitempty"`
		Met    bool    `json:"met,omitempty"`
		Quote  *quote  `json:"quote,omitempty"`
	}
	snapView struct {
		Seq     uint64  `json:"seq"`
		Session string  `json:"session"`
		Bps     int64   `json:"bps"`
		Since   instant `json:"since"`
	}
	snapSession struct {
		Seq          uint64       `json:"seq"`
		Grant        Grant        `json:"grant"`
		Client       string       `json:"client,omitempty"`
		Offer        string       `json:"offer,omitempty"`
		Phase        SessionPhase `json:"phase"`
		Since        instant      `json:"since"`
		Granted      instant      `json:"granted,omitempty"`
		ReadyAt      instant      `json:"ready_at"`
		LiveAt       instant      `json:"live_at"`
		Until        instant      `json:"until"`
		EndsAt       instant      `json:"ends_at"`
		Attempt      int          `json:"attempt"`
		Tries        int          `json:"tries,omitempty"`
		Crashes      []instant    `json:"crashes,omitempty"`
		LengthWarned bool         `json:"length_warned,omitempty"`
		IdleWarned   instant      `json:"idle_warned,omitempty"`
	}
)

// Snapshot writes the journalled state in a stable form: equal pools give equal bytes.
func (p *Pool) Snapshot() ([]byte, error) {
	s := snapshot{
		V: formatVersion, ID: p.id, Name: p.name, Policy: p.policy, Configured: &p.configured, Paused: p.paused, Last: p.last,
		Recovered: p.recovered, LearnedAt: p.learnedAt, LearnedZ: p.learnedZ, Counts: p.counts, MinKey: p.minKey, MaxKey: p.maxKey,
	}
	for _, a := range p.appOrder {
		s.Apps = append(s.Apps, a.snap())
	}
	for _, h := range p.hostOrder {
		s.Hosts = append(s.Hosts, h.snap())
	}
	clients := slices.SortedFunc(maps.Values(p.clients), func(a, b *client) int { return cmp.Compare(a.seq, b.seq) })
	s.Clients = make([]snapClient, 0, len(clients))
	for _, c := range clients {
		s.Clients = append(s.Clients, c.snap())
	}
	for x := range p.bySeq.all() {
		s.Sessions = append(s.Sessions, x.snap())
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return data, nil
}

func (a *app) snap() snapApp {
	s := snapApp{Name: a.name, Learned: a.learned, Ended: a.lengths, Forgotten: a.forgotten}
	if a.course != (course{}) {
		s.Course = &a.course
	}
	return s
}

func (h *host) snap() snapHost {
	s := snapHost{Seq: h.seq, Facts: h.facts, Connected: h.connected, Since: h.since, Draining: h.draining, Lost: h.lost}
	for _, f := range h.faults {
		s.Faults = append(s.Faults, snapFault{f.app, f.n, f.at})
	}
	return s
}

func (c *client) snap() snapClient {
	s := snapClient{
		Seq: c.seq, ID: c.id, Secret: c.secret, Identity: c.identity, Class: c.class, App: c.app.name,
		Connected: c.connected, Since: c.since, Wants: c.wants,
	}
	if e := c.entry; e != nil {
		s.Entry = &snapEntry{
			Seq: e.seq, ID: e.id, Key: e.key, Since: e.since, Lapses: e.lapses, App: e.app.name,
			Class: e.class, Intent: e.intent, Wish: e.wish, Back: e.back,
			Met: e.met, Quote: e.quote,
		}
	}
	if v := c.view; v != nil {
		s.View = &snapView{v.seq, v.session.id, v.bps, v.since}
	}
	return s
}

func (s *session) snap() snapSession {
	x := snapSession{
		Seq: s.seq, Grant: s.grant, Offer: s.offer, Phase: s.phase, Since: s.since, Granted: s.granted, ReadyAt: s.readyAt,
		LiveAt: s.liveAt, Until: s.until, EndsAt: s.endsAt, Attempt: s.attempt, Tries: s.tries,
		Crashes: s.crashes, LengthWarned: s.lengthWarned, IdleWarned: s.idleWarned,
	}
	if s.client != nil {
		x.Client = s.client.id
	}
	return x
}

// Restore reads a snapshot. It refuses one of another version or one that does
// not fit together, saying where.
func Restore(data []byte) (*Pool, error) {
	var s snapshot
	if err := strict(data, &s); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	if s.V != formatVersion {
		return nil, fmt.Errorf("snapshot: version %d, and this program reads %d", s.V, formatVersion)
	}
	p := New()
	if s.ID == "" {
		return p, nil // of a pool that was not open yet
	}
	if err := p.restore(&s); err != nil {
		return nil, fmt.Errorf("snapshot of pool %s: %w", s.ID, err)
	}
	return p, nil
}

func (p *Pool) restore(s *snapshot) error {
	if err := errors.Join(s.Policy.Validate(), checkKey(s.MinKey), checkKey(s.MaxKey), checkMargin(s.LearnedZ)); err != nil {
		return err
	}
	p.id, p.name, p.paused, p.last = s.ID, s.Name, s.Paused, max(0, s.Last)
	p.recovered, p.learnedAt = s.Recovered, s.LearnedAt
	p.minKey, p.maxKey = s.MinKey, s.MaxKey
	p.configured = s.Policy
	if s.Configured != nil {
		p.configured = *s.Configured
	}
	p.policy.Threshold.Over, p.learnedZ = s.Policy.Threshold.Over, s.LearnedZ
	p.adopt(s.Policy)
	for _, a := range s.Apps {
		if a.Learned != nil {
			if err := a.Learned.check(); err != nil {
				return fmt.Errorf("app %q: %w", a.Name, err)
			}
		}
		p.app(a.Name).restore(a)
	}
	for _, h := range s.Hosts {
		if err := p.restoreHost(h); err != nil {
			return err
		}
	}
	if err := p.restorePeople(s); err != nil {
		return err
	}
	p.counts = s.Counts
	return nil
}

// restorePeople brings back clients, then sessions, then views, since each
// needs those before.
func (p *Pool) restorePeople(s *snapshot) error {
	for i := range s.Clients {
		if err := p.restoreClient(&s.Clients[i]); err != nil {
			return err
		}
	}
	for i, x := range s.Sessions {
		if i > 0 && x.Seq <= s.Sessions[i-1].Seq {
			return fmt.Errorf("session %q: its number %d is out of order", x.Grant.Session, x.Seq)
		}
		if err := p.restoreSession(x); err != nil {
			return err
		}
	}
	if err := p.restoreViews(s.Clients); err != nil {
		return err
	}
	if n := p.waiting(Play) + p.waiting(View) + p.offers.len(); n != len(p.entries) {
		return fmt.Errorf("two of its %d entries have the same number and key", len(p.entries))
	}
	return nil
}

func (a *app) restore(s snapApp) {
	a.learned, a.forgotten = s.Learned, max(0, s.Forgotten)
	for _, l := range s.Lengths {
		a.ended(length{S: l})
	}
	for _, l := range s.Ended {
		a.ended(l)
	}
	if s.Course != nil {
		a.course = *s.Course
		a.course.sane()
	}
	a.useCosts()
}

func (p *Pool) restoreHost(s snapHost) error {
	if err := s.Facts.Validate(); err != nil {
		return err
	}
	if p.hosts[s.Facts.Host] != nil || (len(p.hostOrder) > 0 && p.hostOrder[len(p.hostOrder)-1].seq >= s.Seq) {
		return fmt.Errorf("host %s: it is there twice, or out of order", s.Facts.Host)
	}
	h := p.addHost(s.Facts.Host, s.Seq)
	h.be(s.Facts)
	h.connected, h.since, h.draining, h.lost = s.Connected, s.Since, s.Draining, s.Lost
	for _, f := range s.Faults {
		if n := len(h.faults); n > 0 && h.faults[n-1].app >= f.App {
			return fmt.Errorf("host %s: its faults are out of order", s.Facts.Host)
		}
		x := fault{app: f.App, n: max(0, f.N), at: max(0, f.At)}
		x.rests = x.rest() > 0 && x.rest() >= p.last
		h.faults = append(h.faults, x)
	}
	p.armRest(h)
	p.regroup(h)
	p.armHost(h)
	return nil
}

func (p *Pool) restoreClient(s *snapClient) error {
	if s.ID == "" || p.clients[s.ID] != nil {
		return fmt.Errorf("client %q: it is there twice, or has no id", s.ID)
	}
	c := &client{
		id: s.ID, secret: s.Secret, identity: s.Identity, class: s.Class, app: p.app(s.App),
		seq: s.Seq, since: s.Since, connected: s.Connected, wants: s.Wants,
	}
	p.know(c)
	if s.Entry == nil {
		return nil
	}
	x := s.Entry
	if p.entries[x.ID] != nil || x.ID == "" {
		return fmt.Errorf("entry %q: it is there twice, or has no id", x.ID)
	}
	if err := checkKey(x.Key); err != nil {
		return fmt.Errorf("entry %q: %w", x.ID, err)
	}
	e := &entry{
		id: x.ID, client: c, key: x.Key, seq: x.Seq, since: x.Since, lapses: x.Lapses,
		app: p.app(x.App), class: x.Class, intent: x.Intent, wish: x.Wish, back: x.Back,
		met: x.Met,
	}
	if x.Quote != nil {
		e.quote = x.Quote
		e.quote.Place = min(max(0, e.quote.Place), places-1)
	}
	c.entry = e
	p.entries[e.id] = e
	p.list(e)
	p.armClient(c)
	return nil
}

func (p *Pool) restoreSession(x snapSession) error {
	g := x.Grant
	h, c := p.hosts[g.Host], p.clients[x.Client]
	stopping, offered := x.Phase == PhaseStopping, x.Phase == PhaseOffered
	switch {
	case g.Session == "" || p.sessions[g.Session] != nil:
		return fmt.Errorf("session %q: it is there twice, or has no id", g.Session)
	case h == nil:
		return fmt.Errorf("session %s: there is no host %q", g.Session, g.Host)
	case !x.Phase.valid():
		return fmt.Errorf("session %s: unknown phase %q", g.Session, x.Phase)
	case stopping != (c == nil) || (c != nil && c.session != nil):
		return fmt.Errorf("session %s: client %q is not there, or has another seat", g.Session, x.Client)
	case offered && (c.entry == nil || c.entry.offer != nil):
		return fmt.Errorf("session %s: it is offered to nobody who waits", g.Session)
	}
	s := &session{id: g.Session, seq: x.Seq, grant: g, app: p.app(g.App), host: h, client: c}
	p.addSession(s)
	s.granted = x.Granted
	s.readyAt, s.liveAt, s.endsAt, s.attempt, s.tries = x.ReadyAt, x.LiveAt, x.EndsAt, x.Attempt, x.Tries
	s.crashes, s.lengthWarned, s.idleWarned = x.Crashes, x.LengthWarned, x.IdleWarned
	switch {
	case offered:
		p.unlist(c.entry)
		s.entry, s.offer = c.entry, x.Offer
		c.entry.offer = s
		p.offers.insert(s)
	case !stopping:
		c.session = s
	}
	p.setPhase(s, x.Phase, x.Since, x.Until)
	return nil
}

func (ph SessionPhase) valid() bool {
	switch ph {
	case PhaseOffered, PhasePending, PhaseStarting, PhaseReady, PhaseConnected, PhaseDropped, PhaseStopping:
		return true
	}
	return false
}

// restoreViews comes last, since a view needs its session. A client that is
// left with nothing is in no snapshot of ours.
func (p *Pool) restoreViews(clients []snapClient) error {
	seen := 0
	for i := range clients {
		c, x := p.clients[clients[i].ID], clients[i].View
		if x != nil {
			seen++
			s := p.sessions[x.Session]
			if s == nil {
				return fmt.Errorf("client %s: it looks on at session %q, which is not there", c.id, x.Session)
			}
			p.linkView(&view{client: c, session: s, seq: x.Seq, bps: max(0, x.Bps), since: x.Since})
		}
		if c.entry == nil && c.session == nil && c.view == nil {
			return fmt.Errorf("client %s: it has neither place nor seat nor view", c.id)
		}
	}
	if seen != p.views.len() {
		return fmt.Errorf("two of its %d views have the same number", seen)
	}
	return nil
}
