package admission

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// model is what a history must come to, kept from the events and the samples
// alone, naively and apart from the pool. It checks every event against the
// rules before it takes it in.
type model struct {
	policy    Policy
	paused    bool
	recovered time.Time
	hosts     map[string]*modelHost
	clients   map[string]*modelClient
	entries   map[string]*modelEntry
	sessions  map[string]*modelSession
	learned   map[string]Learned
	shown     bool // an event gave a reason for positions that got worse
}

type modelHost struct {
	facts               HostFacts
	connected, draining bool
	sample              *Sample
	departed            []modelDeparted
}

type modelDeparted struct {
	at      time.Time
	session modelSession
}

type modelClient struct {
	identity  string
	class     string
	connected bool
	since     time.Time
	entry     string
	session   string
	watching  string
	bps       float64
}

type modelEntry struct {
	id, client, class, app string
	intent                 Intent
	key                    int64
	offer                  string // the offered session
}

type modelSession struct {
	grant  Grant
	client string
	phase  SessionPhase
	live   time.Time
	until  time.Time
	seen   SessionSample
}

func newModel() *model {
	return &model{
		hosts: map[string]*modelHost{}, clients: map[string]*modelClient{}, entries: map[string]*modelEntry{},
		sessions: map[string]*modelSession{}, learned: map[string]Learned{},
	}
}

// broken is a rule that a history has broken.
type broken string

func (m *model) must(ok bool, format string, args ...any) {
	if !ok {
		panic(broken(fmt.Sprintf(format, args...)))
	}
}

func (m *model) observe(s Sample) {
	h := m.hosts[s.Host]
	h.sample = &s
	h.departed = slices.DeleteFunc(h.departed, func(d modelDeparted) bool { return d.at.Before(s.WindowEnd) })
	for _, x := range m.sessions {
		if x.grant.Host == s.Host {
			x.seen = SessionSample{}
		}
	}
	for _, seen := range s.Sessions {
		if x := m.sessions[seen.Session]; x != nil && x.grant.Host == s.Host {
			x.seen = seen
		}
	}
}

// apply checks the event and takes it in.
func (m *model) apply(e Event) {
	switch b := e.Body.(type) {
	case PoolOpened:
		m.policy = b.Policy
	case PolicySet:
		for name, was := range m.policy.Apps {
			if now := b.Policy.Apps[name]; now.Cost != was.Cost || now.Spread != was.Spread {
				delete(m.learned, name)
			}
		}
		m.policy, m.shown = b.Policy, true
	case Paused:
		m.paused = true
	case Unpaused:
		m.paused = false
	case CostsLearned:
		for name, l := range b.Apps {
			m.learned[name] = l
		}
	case Recovered:
		m.recovered = e.At
		for _, c := range m.clients {
			c.connected, c.since = false, e.At
		}
		for id := range m.hosts {
			m.silence(id)
		}
		for _, s := range m.sessions {
			s.seen = SessionSample{}
		}
	default:
		m.applyHost(e)
		m.applyPlace(e)
		m.applySession(e)
		m.applyView(e)
	}
}

func (m *model) silence(id string) {
	h := m.hosts[id]
	h.connected, h.sample, h.departed = false, nil, nil
	for _, s := range m.sessions {
		if s.grant.Host == id {
			s.seen = SessionSample{}
		}
	}
}

func (m *model) applyHost(e Event) {
	switch b := e.Body.(type) {
	case HostConnected:
		if m.hosts[b.Facts.Host] == nil {
			m.hosts[b.Facts.Host] = &modelHost{}
		}
		m.silence(b.Facts.Host)
		h := m.hosts[b.Facts.Host]
		h.facts, h.connected = b.Facts, true
	case HostDisconnected:
		m.silence(b.Host)
	case HostLost:
		m.must(!m.hosts[b.Host].connected, "host %s is lost and connected", b.Host)
	case HostDrained:
		m.hosts[b.Host].draining = true
	case HostUndrained:
		m.hosts[b.Host].draining = false
	}
}

func (m *model) applyPlace(e Event) {
	switch b := e.Body.(type) {
	case Enqueued:
		c := m.clients[b.Client]
		m.must((c != nil) == b.Known, "client %s: known is %v", b.Client, b.Known)
		if c == nil {
			c = &modelClient{identity: b.Identity, connected: true, since: e.At}
			m.clients[b.Client] = c
		}
		if old := m.entries[c.entry]; old != nil {
			m.must(old.intent == View && b.Intent == Play, "client %s has two places", b.Client)
			delete(m.entries, c.entry)
		}
		c.class = b.Class
		m.enter(b.Client, &modelEntry{id: b.Entry, class: b.Class, app: b.App, intent: b.Intent, key: b.Key})
	case Resumed:
		c := m.clients[b.Client]
		c.connected, c.since = true, e.At
	case Disconnected:
		c := m.clients[b.Client]
		c.connected, c.since = false, e.At
	case EntryLeft:
		x := m.entries[b.Entry]
		m.must(x != nil && x.client == b.Client, "entry %s left and was not there", b.Entry)
		delete(m.sessions, x.offer)
		m.leave(x)
	case EntryMoved:
		x := m.entries[b.Entry]
		m.must(x != nil && x.offer == "", "entry %s moved and does not wait", b.Entry)
		m.shown = m.shown || b.Reason == WhyPromoted
		x.key = b.Key
	}
}

func (m *model) enter(client string, x *modelEntry) {
	m.must(m.entries[x.id] == nil, "entry %s is there twice", x.id)
	x.client = client
	m.entries[x.id] = x
	m.clients[client].entry = x.id
}

func (m *model) leave(x *modelEntry) {
	delete(m.entries, x.id)
	m.clients[x.client].entry = ""
	m.reap(x.client)
}

func (m *model) reap(id string) {
	if c := m.clients[id]; c.entry == "" && c.session == "" && c.watching == "" {
		delete(m.clients, id)
	}
}

func (m *model) applySession(e Event) {
	switch b := e.Body.(type) {
	case Offered:
		x := m.entries[b.Entry]
		m.mayServe(e.At, x)
		m.must(x.offer == "" && b.ExpiresAt.Equal(e.At.Add(m.policy.Queue.OfferTimeout)), "offer %s: wrong clock", b.Offer)
		m.reserve(e.At, b.Grant, b.Client)
		x.offer = b.Grant.Session
		m.sessions[x.offer].until = b.ExpiresAt
	case OfferLapsed:
		x := m.entries[b.Entry]
		s := m.sessions[b.Session]
		m.must(x != nil && s != nil && x.offer == b.Session, "offer %s lapsed and was not out", b.Offer)
		if b.Reason == WhyLapsed || b.Reason == WhyRecovered {
			m.must(!e.At.Before(s.until), "offer %s lapsed at %s, and its clock ran until %s", b.Offer, e.At, s.until)
		}
		m.must(b.Counted == (b.Reason == WhyLapsed || b.Reason == WhyDeclined), "offer %s: counted %v for %s", b.Offer, b.Counted, b.Reason)
		m.shown = true
		x.key, x.offer = b.Key, ""
		delete(m.sessions, b.Session)
	case OfferAccepted:
		x := m.entries[b.Entry]
		m.must(x != nil && x.offer == b.Session && e.At.Before(m.sessions[b.Session].until), "offer %s accepted and not out", b.Offer)
		m.sessions[b.Session].phase = PhasePending
		m.hold(b.Session, b.Client)
		m.leave(x)
	case Admitted:
		x := m.entries[b.Entry]
		m.mayServe(e.At, x)
		m.reserve(e.At, b.Grant, b.Client)
		m.sessions[b.Grant.Session].phase = PhasePending
		m.hold(b.Grant.Session, b.Client)
		m.leave(x)
	case SessionMoved:
		s := m.sessions[b.Session]
		m.must(s.client == b.Client && s.phase != PhaseOffered, "session %s moved and has no player", b.Session)
		m.depart(e.At, s)
		client := s.client
		delete(m.sessions, b.Session)
		m.checkRoom(e.At, b.Grant, true)
		m.sessions[b.Session] = &modelSession{grant: b.Grant, client: client, phase: PhasePending}
	case SessionEnded:
		s := m.sessions[b.Session]
		m.must(s != nil && s.client == b.Client && s.phase != PhaseStopping && s.phase != PhaseOffered, "session %s ended and had no player", b.Session)
		s.phase, s.client = PhaseStopping, ""
		c := m.clients[b.Client]
		c.session = ""
		if b.Requeued != "" {
			m.shown = true
			m.enter(b.Client, &modelEntry{id: b.Requeued, class: c.class, app: s.grant.App, intent: Play, key: b.Key})
		}
		m.reap(b.Client)
	case SessionReleased:
		s := m.sessions[b.Session]
		m.must(s != nil && s.phase == PhaseStopping, "session %s released and not over", b.Session)
		m.depart(e.At, s)
		delete(m.sessions, b.Session)
	case SharingSet:
		m.sessions[b.Session].grant.Sharing = b.Mode
	default:
		m.applyProgress(e)
	}
}

func (m *model) applyProgress(e Event) {
	switch b := e.Body.(type) {
	case SessionStarting:
		s := m.sessions[b.Session]
		again := s.phase == PhaseStarting
		m.must(again || s.phase == PhasePending, "session %s starts in phase %s", b.Session, s.phase)
		m.must(m.hosts[b.Host].connected && b.Host == s.grant.Host, "session %s starts on a host that is not there", b.Session)
		s.phase, s.until = PhaseStarting, b.Until
		if !again {
			n := m.count(b.Host, PhaseStarting)
			m.must(n <= max(1, m.policy.Placement.MaxStarting), "%d sessions start on %s", n, b.Host)
		}
	case SessionPending:
		s := m.sessions[b.Session]
		m.depart(e.At, s)
		s.phase, s.live, s.seen = PhasePending, time.Time{}, SessionSample{}
	case SessionReady:
		s := m.sessions[b.Session]
		m.must(s.phase == PhasePending || s.phase == PhaseStarting, "session %s ready in phase %s", b.Session, s.phase)
		s.phase, s.live, s.until = PhaseReady, e.At, b.Until
	case SessionConnected:
		m.sessions[b.Session].phase = PhaseConnected
	case SessionDropped:
		s := m.sessions[b.Session]
		s.phase, s.until = PhaseDropped, b.Until
	}
}

func (m *model) applyView(e Event) {
	switch b := e.Body.(type) {
	case ViewStarted:
		c, s := m.clients[b.Client], m.sessions[b.Session]
		m.must(c != nil && s != nil && c.watching == "", "view of %s by %s: not there, or a second one", b.Session, b.Client)
		m.must(s.phase.lit() && s.grant.Sharing == SharingOpen && s.client != b.Client, "view of %s in phase %s, sharing %s", b.Session, s.phase, s.grant.Sharing)
		if x := m.entries[c.entry]; x != nil && x.intent == View {
			m.must(b.Entry == x.id, "view of %s does not name its entry", b.Client)
			delete(m.entries, c.entry)
			c.entry = ""
		}
		c.watching, c.bps = b.Session, b.BitrateBps
		m.must(m.watchers(b.Session) <= m.policy.Spectators.MaxPerSession, "session %s has %d watchers", b.Session, m.watchers(b.Session))
		m.withinBudget("view of " + b.Session)
		if m.watchers(b.Session) == 1 {
			h := m.hosts[s.grant.Host]
			m.must(m.free(h.facts.UplinkBps) || m.hostBps(s.grant.Host) <= h.facts.UplinkBps, "host %s sends %v", s.grant.Host, m.hostBps(s.grant.Host))
		}
	case ViewRated:
		c := m.clients[b.Client]
		m.must(c.watching == b.Session && c.bps != b.BitrateBps, "view of %s by %s rated for nothing", b.Session, b.Client)
		up := b.BitrateBps > c.bps
		c.bps = b.BitrateBps
		if up {
			m.withinBudget("step up")
		}
	case ViewEnded:
		c := m.clients[b.Client]
		m.must(c != nil && c.watching == b.Session, "view of %s by %s ended and was not there", b.Session, b.Client)
		c.watching, c.bps = "", 0
		if !b.Keep {
			m.reap(b.Client)
		}
	}
}

func (m *model) watchers(session string) int {
	n := 0
	for _, c := range m.clients {
		if c.watching == session {
			n++
		}
	}
	return n
}

func (m *model) count(host string, ph SessionPhase) int {
	n := 0
	for _, s := range m.sessions {
		if s.grant.Host == host && s.phase == ph {
			n++
		}
	}
	return n
}

func (m *model) hold(session, client string) {
	c := m.clients[client]
	m.must(c.session == "", "client %s has two seats, %s and %s", client, c.session, session)
	c.session = session
}

func (m *model) depart(at time.Time, s *modelSession) {
	if h := m.hosts[s.grant.Host]; h.sample != nil {
		h.departed = append(h.departed, modelDeparted{at, *s})
	}
}

func (m *model) class(name string) int {
	if i := slices.Index(m.policy.Queue.Classes, name); i >= 0 {
		return i
	}
	return max(0, len(m.policy.Queue.Classes)-1)
}

// mayServe checks that it is the entry's turn among those who wait for its app.
func (m *model) mayServe(at time.Time, x *modelEntry) {
	m.must(x != nil && x.intent == Play, "somebody is seated who does not wait to play")
	m.must(m.clients[x.client].connected, "%s is offered a seat and is not there", x.id)
	m.must(!m.paused, "%s is seated while the pool is paused", x.id)
	for _, y := range m.entries {
		if y.app != x.app || y.intent != Play || y.offer != "" || y == x {
			continue
		}
		c := m.clients[y.client]
		held := c.since.Equal(m.recovered) && at.Before(m.recovered.Add(RecoverHold))
		if !c.connected && !held {
			continue
		}
		ahead := m.class(y.class) < m.class(x.class) || (m.class(y.class) == m.class(x.class) && y.key < x.key)
		if !c.connected && ahead && m.anyoneBefore(y) {
			continue // the hold is for the first of all
		}
		m.must(!ahead, "%s is seated past %s", x.id, y.id)
	}
}

// anyoneBefore says whether somebody waits before y for the same app.
func (m *model) anyoneBefore(y *modelEntry) bool {
	for _, z := range m.entries {
		if z.app == y.app && z.intent == Play && z.offer == "" && z != y &&
			(m.class(z.class) < m.class(y.class) || (m.class(z.class) == m.class(y.class) && z.key < y.key)) {
			return true
		}
	}
	return false
}

func (m *model) reserve(at time.Time, g Grant, client string) {
	m.must(m.sessions[g.Session] == nil, "session %s is there twice", g.Session)
	m.checkRoom(at, g, false)
	m.sessions[g.Session] = &modelSession{grant: g, client: client, phase: PhaseOffered}
	m.withinBudget("seat " + g.Session)
}

// free says whether a limit of bits per second binds nobody.
func (m *model) free(limit float64) bool { return limit == 0 || m.policy.Uplink.WhenFull == FullAllow }

func (m *model) withinBudget(what string) {
	sum := 0.0
	for _, s := range m.sessions {
		sum += s.grant.BitrateBps
	}
	for _, c := range m.clients {
		sum += c.bps
	}
	m.must(m.free(m.policy.Uplink.BudgetBps) || sum <= m.policy.Uplink.BudgetBps, "%s: the pool sends %v of %v", what, sum, m.policy.Uplink.BudgetBps)
}

func (m *model) hostBps(host string) float64 {
	sum := 0.0
	for id, s := range m.sessions {
		if s.grant.Host == host {
			sum += s.grant.BitrateBps
			if m.watchers(id) > 0 {
				sum += s.grant.BitrateBps
			}
		}
	}
	return sum
}

// checkRoom recomputes the rule for the grant before it counts.
func (m *model) checkRoom(at time.Time, g Grant, moved bool) {
	h := m.hosts[g.Host]
	_, known := m.policy.Apps[g.App]
	m.must(h != nil && h.connected && !h.draining && known && slices.Contains(h.facts.Apps, g.App), "seat %s on a host that takes nobody", g.Session)
	m.must(h.sample != nil && at.Sub(h.sample.Received) <= 5*h.sample.Period, "seat %s on stale host %s", g.Session, g.Host)
	profile := m.policy.Apps[g.App]
	m.must((g.GPU == NoDevice) == !profile.Cost.NeedsGPU(), "seat %s has GPU %d", g.Session, g.GPU)
	m.elastic(h, g, CPU)
	memory := m.policy.Threshold.Memory * h.facts.MemoryBytes
	m.hard(h, g, Memory, h.sample.Memory, memory)
	if g.GPU != NoDevice {
		m.elastic(h, g, GPU)
		m.elastic(h, g, Encoder)
		facts, gpu := h.facts.GPUs[g.GPU], GPUSample{}
		if g.GPU < len(h.sample.GPUs) {
			gpu = h.sample.GPUs[g.GPU]
		}
		m.hard(h, g, VRAM, gpu.VRAM, m.policy.Threshold.VRAM*facts.VRAMBytes)
		m.hard(h, g, EncoderSessions, gpu.EncoderSessions, float64(facts.EncoderSessions))
	}
	m.seats(g, profile)
	if !moved {
		n := m.count(g.Host, PhaseStarting) + m.count(g.Host, PhasePending)
		m.must(n < max(1, m.policy.Placement.MaxStarting), "seat %s while %d start", g.Session, n)
	}
	if !m.free(h.facts.UplinkBps) {
		now := m.hostBps(g.Host) + g.BitrateBps
		m.must(now <= h.facts.UplinkBps, "seat %s: host %s sends %v of %v", g.Session, g.Host, now, h.facts.UplinkBps)
	}
}

func (m *model) seats(g Grant, profile Profile) {
	if profile.Seats == 0 {
		return
	}
	share := 1 / float64(profile.Seats)
	for _, s := range m.sessions {
		if n := m.policy.Apps[s.grant.App].Seats; s.grant.Host == g.Host && n > 0 {
			share += 1 / float64(n)
		}
	}
	m.must(share <= 1+1e-6, "seat %s: %v of the calibrated seats of %s", g.Session, share, g.Host)
}

func (m *model) costs(g Grant) (mean, spread Cost) {
	profile, known := m.policy.Apps[g.App]
	if !known {
		return g.Cost, Cost{}
	}
	mean, spread = profile.Cost, profile.Spread
	if l, ok := m.learned[g.App]; ok {
		mean.CPUCores, mean.GPU, mean.Encoder = l.Mean.CPUCores, l.Mean.GPU, l.Mean.Encoder
		spread.CPUCores, spread.GPU, spread.Encoder = l.Spread.CPUCores, l.Spread.GPU, l.Spread.Encoder
	}
	return mean, spread
}

func (m *model) fraction(h *modelHost, c Cost, r Resource) float64 {
	switch r {
	case CPU:
		return c.CPUCores / h.facts.Cores
	case GPU:
		return c.GPU
	default:
		return c.Encoder
	}
}

func (m *model) reading(h *modelHost, gpu int, r Resource) Reading {
	if r == CPU {
		return h.sample.CPU
	}
	if gpu >= len(h.sample.GPUs) {
		return Reading{}
	}
	if r == GPU {
		return h.sample.GPUs[gpu].Util
	}
	return h.sample.GPUs[gpu].Encoder
}

func (s *modelSession) seenOf(r Resource) Reading {
	switch r {
	case CPU:
		return s.seen.CPU
	case GPU:
		return s.seen.GPU
	default:
		return s.seen.Encoder
	}
}

func (m *model) visible(h *modelHost, s *modelSession) float64 {
	age := h.sample.WindowEnd.Sub(s.live).Seconds()
	if s.live.IsZero() || age <= 0 {
		return 0
	}
	settle := m.policy.Apps[s.grant.App].SettleS
	if settle == 0 {
		settle = 10
	}
	return math.Min(1, age/settle)
}

// elastic recomputes the projection from DESIGN.md, in two passes.
func (m *model) elastic(h *modelHost, g Grant, r Resource) {
	mean, spread := m.costs(g)
	y, cost := m.reading(h, g.GPU, r), m.fraction(h, mean, r)
	if !y.Known {
		m.must(cost == 0, "seat %s: %s of %s is unknown", g.Session, r, g.Host)
		return
	}
	perSession, sumSeen, hidden, highest := true, 0.0, 0.0, 0.0
	variance := math.Pow(m.fraction(h, spread, r), 2)
	for _, s := range m.sessions {
		if s.grant.Host != g.Host || (r != CPU && s.grant.GPU != g.GPU) {
			continue
		}
		v, seen := m.visible(h, s), s.seenOf(r)
		sMean, sSpread := m.costs(s.grant)
		rest := (1 - v) * m.fraction(h, sMean, r)
		variance += math.Pow((1-v)*m.fraction(h, sSpread, r), 2)
		hidden += rest
		switch {
		case seen.Known:
			sumSeen += seen.Value
			highest += math.Max(seen.Value, rest)
		case v > 0:
			perSession = false
		default:
			highest += rest
		}
	}
	left := y.Value
	for _, d := range h.departed {
		if r != CPU && d.session.grant.GPU != g.GPU {
			continue
		}
		dMean, dSpread := m.costs(d.session.grant)
		least := m.visible(h, &d.session) * math.Max(0, m.fraction(h, dMean, r)-2*m.fraction(h, dSpread, r))
		if seen := d.session.seenOf(r); seen.Known {
			least = math.Min(least, seen.Value)
		}
		left -= least
	}
	load := math.Max(0, left) + hidden
	if perSession {
		load = math.Max(0, left-sumSeen) + highest
	}
	limit := map[Resource]float64{CPU: m.policy.Threshold.CPU, GPU: m.policy.Threshold.GPU, Encoder: m.policy.Threshold.Encoder}[r]
	with := load + cost + math.Sqrt(variance)
	m.must(with <= limit+1e-6, "seat %s: %s of %s would be %v of %v", g.Session, r, g.Host, with, limit)
}

func (m *model) hard(h *modelHost, g Grant, r Resource, y Reading, limit float64) {
	if limit == 0 {
		return
	}
	of := func(c Cost) float64 {
		return map[Resource]float64{Memory: c.MemoryBytes, VRAM: c.VRAMBytes, EncoderSessions: c.EncoderSessions}[r]
	}
	all, used := of(g.Cost), of(g.Cost)
	for _, s := range m.sessions {
		if s.grant.Host == g.Host && (r == Memory || s.grant.GPU == g.GPU) {
			all += of(s.grant.Cost)
			used += (1 - m.visible(h, s)) * of(s.grant.Cost)
		}
	}
	m.must(all <= limit*(1+1e-6), "seat %s: %v of %v %s reserved", g.Session, all, limit, r)
	m.must(!y.Known || y.Value+used <= limit*(1+1e-6), "seat %s: %v of %v %s used", g.Session, y.Value+used, limit, r)
}

// ranks are the places of all who wait, by entry, within their class.
func (m *model) ranks() map[string]int {
	ranks := map[string]int{}
	for _, list := range m.lines() {
		for i, x := range list {
			ranks[x.id] = i
		}
	}
	return ranks
}

type modelLine struct {
	intent Intent
	app    string
	class  int
}

func (m *model) lines() map[modelLine][]*modelEntry {
	lines := map[modelLine][]*modelEntry{}
	for _, x := range m.entries {
		if x.offer == "" {
			k := modelLine{x.intent, x.app, m.class(x.class)}
			lines[k] = append(lines[k], x)
		}
	}
	for _, list := range lines {
		slices.SortFunc(list, func(a, b *modelEntry) int { return cmp.Compare(a.key, b.key) })
	}
	return lines
}
