package trace

import (
	"fmt"
	"math"
	"time"

	"github.com/rendergate/rendergate/admission"
)

// life is a person as far as the trace has told.
type life struct {
	Person
	entry    string    // while they wait
	enqueued time.Time // for the first time
	offered  time.Time // while an offer stands
	session  string    // while they have one
	granted  time.Time // of it, and so on
	ordered  time.Time
	ready    time.Time
	there    bool      // the player has connected to it
	begun    time.Time // of what LengthS does not hold yet
	since    time.Time // the first connection, or ready: the origin of Load
	ended    time.Time // for good
}

// story follows people and hosts through what happened.
type story struct {
	t        *Trace
	all      []*life
	known    map[string]bool            // ids that are taken
	clients  map[string]*life           // the newest life of a client
	sessions map[string]*life           // of all times
	grants   map[string]admission.Grant // by offer that stands
	gpus     map[string]int             // by session
	hosts    map[string]*Host
	up       map[string]time.Time // of hosts that are there: since when
	opened   bool                 // the policy is known
	journal  string               // that is read now
	seq      uint64               // the newest record that was taken
}

func newStory(t *Trace) *story {
	return &story{
		t: t, known: map[string]bool{}, clients: map[string]*life{}, sessions: map[string]*life{},
		grants: map[string]admission.Grant{}, gpus: map[string]int{}, hosts: map[string]*Host{}, up: map[string]time.Time{},
	}
}

// arrive begins a life. A client may come twice.
func (s *story) arrive(id, entry, app, class string, at time.Time) *life {
	l := &life{entry: entry, enqueued: at, Person: Person{
		App: app, Class: class, ArrivesS: s.t.since(at), PatienceS: math.Inf(1),
		StartS: -1, BootS: -1, ConnectS: -1, GPU: admission.NoDevice,
	}}
	l.ID = id
	for n := 2; s.known[l.ID]; n++ {
		l.ID = fmt.Sprintf("%s#%d", id, n)
	}
	s.known[l.ID], s.clients[id] = true, l
	s.all = append(s.all, l)
	return l
}

// waits is the life of the client, if it waits with that entry.
func (s *story) waits(client, entry string) *life {
	if l := s.clients[client]; l != nil && entry != "" && l.entry == entry {
		return l
	}
	return nil
}

// playing is the life that has the session now.
func (s *story) playing(session string) *life {
	if l := s.sessions[session]; l != nil && l.session == session {
		return l
	}
	return nil
}

func (l *life) leave(at time.Time, why admission.Why) {
	l.answer(at, false)
	l.entry, l.Left = "", why
	if l.Seated() { // put back after a session that was lost: they would have played on
		l.Censored = true
		return
	}
	l.WaitedS = at.Sub(l.enqueued).Seconds()
	l.PatienceS = l.WaitedS
}

// leastAnswer keeps an offer that lapsed at once below zero.
const leastAnswer = 0.001

// answer ends the offer that stands, if one does.
func (l *life) answer(at time.Time, accepted bool) {
	if l.offered.IsZero() {
		return
	}
	l.AnswerS = max(leastAnswer, at.Sub(l.offered).Seconds())
	if !accepted {
		l.AnswerS = -l.AnswerS
	}
	l.Answers, l.offered = append(l.Answers, l.AnswerS), time.Time{}
}

// seat gives the life a session.
func (s *story) seat(l *life, g admission.Grant, at time.Time) {
	l.answer(at, true)
	if !l.Seated() {
		l.WaitedS = at.Sub(l.enqueued).Seconds()
	}
	l.entry, l.session, l.granted = "", g.Session, at
	l.ready, l.ordered, l.ended, l.there, l.Ended = time.Time{}, time.Time{}, time.Time{}, false, ""
	s.sessions[g.Session] = l
	s.place(l, g)
}

func (s *story) place(l *life, g admission.Grant) {
	l.Host, l.GPU = g.Host, g.GPU
	s.gpus[g.Session] = g.GPU
}

// isReady: the first time counts.
func (l *life) isReady(at time.Time) {
	if !l.ready.IsZero() {
		return
	}
	if l.StartS < 0 && !l.granted.IsZero() {
		l.StartS = at.Sub(l.granted).Seconds()
		if !l.ordered.IsZero() {
			l.BootS = at.Sub(l.ordered).Seconds()
		}
	}
	l.ready, l.begun = at, at
	if l.ConnectS < 0 {
		l.since = at
	}
}

func (l *life) connect(at time.Time) {
	if l.ready.IsZero() { // its line is not in the trace
		l.isReady(at)
	}
	if l.ConnectS < 0 {
		l.ConnectS = at.Sub(l.ready).Seconds()
		l.since = at
	}
	if !l.there {
		l.there, l.begun = true, at
	}
}

// end ends the session.
func (l *life) end(at time.Time, why admission.Why) {
	if !l.begun.IsZero() {
		l.LengthS += at.Sub(l.begun).Seconds()
	}
	l.session, l.Ended, l.ended, l.begun = "", why, at, time.Time{}
}

// cut ends the life at the trace's end.
func (l *life) cut(at time.Time) {
	switch {
	case l.session != "":
		l.end(at, "")
		l.Censored = true
	case l.entry != "" && !l.Seated():
		l.WaitedS = at.Sub(l.enqueued).Seconds()
	case l.entry != "":
		l.Censored = true
	}
}

// cut ends all that goes on at the trace's end.
func (s *story) cut(end time.Time) {
	s.t.LengthS = s.t.since(end)
	for host := range s.up {
		s.down(host, end)
	}
	for _, l := range s.all {
		l.cut(end)
	}
}

// give puts what the story has come to into the trace.
func (s *story) give() {
	for _, l := range s.all {
		s.t.People = append(s.t.People, l.Person)
	}
	for _, h := range s.hosts {
		s.t.Hosts = append(s.t.Hosts, *h)
	}
}

// there: the host's probe is connected.
func (s *story) there(f admission.HostFacts, at time.Time) {
	h := s.host(f.Host)
	h.HostFacts = f
	if _, up := s.up[f.Host]; !up {
		s.up[f.Host] = at
	}
}

func (s *story) host(name string) *Host {
	h := s.hosts[name]
	if h == nil {
		h = &Host{}
		s.hosts[name] = h
	}
	return h
}

func (s *story) down(host string, at time.Time) {
	since, up := s.up[host]
	if !up {
		return
	}
	delete(s.up, host)
	h := s.hosts[host]
	h.Up = append(h.Up, Interval{max(0, s.t.since(since)), s.t.since(at)})
}
