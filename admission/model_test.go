package admission

import (
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
	faults              map[string]int       // starts that failed in a row, by app
	rest                map[string]time.Time // until when it gets nobody for the app
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
	grant     Grant
	client    string
	phase     SessionPhase
	live      time.Time
	connected time.Time
	until     time.Time
	seen      SessionSample
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
			if now := b.Policy.Apps[name]; now.Cost != was.Cost || now.Spread != was.Spread || now.Doubt != was.Doubt {
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
		h.faults, h.rest = map[string]int{}, map[string]time.Time{}
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
		m.failed(e.At, s, b.Reason)
		client := s.client
		delete(m.sessions, b.Session)
		m.checkRoom(e.At, b.Grant, true)
		m.sessions[b.Session] = &modelSession{grant: b.Grant, client: client, phase: PhasePending}
	case SessionEnded:
		s := m.sessions[b.Session]
		m.must(s != nil && s.client == b.Client && s.phase != PhaseStopping && s.phase != PhaseOffered, "session %s ended and had no player", b.Session)
		m.failed(e.At, s, b.Reason)
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
		m.failed(e.At, s, b.Reason)
		s.phase, s.live, s.seen = PhasePending, time.Time{}, SessionSample{}
	case SessionReady:
		s := m.sessions[b.Session]
		m.must(s.phase == PhasePending || s.phase == PhaseStarting, "session %s ready in phase %s", b.Session, s.phase)
		s.phase, s.live, s.until = PhaseReady, e.At, b.Until
		h := m.hosts[s.grant.Host]
		h.faults[s.grant.App], h.rest[s.grant.App] = 0, time.Time{}
	case SessionConnected:
		s := m.sessions[b.Session]
		s.phase, s.connected = PhaseConnected, e.At
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

// failed: three starts of an app that fail in a row make its host rest, for 10 s
// and then for twice as long each time, five minutes at most.
func (m *model) failed(at time.Time, s *modelSession, why Why) {
	if s.phase != PhaseStarting || why != WhyFailed {
		return
	}
	h := m.hosts[s.grant.Host]
	h.faults[s.grant.App]++
	if n := h.faults[s.grant.App]; n >= 3 {
		seconds := math.Min(300, 10*math.Pow(2, float64(n-3)))
		h.rest[s.grant.App] = at.Add(time.Duration(seconds * float64(time.Second)))
	}
}
