package trace

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
)

// ofServers makes people of what the pool's journal held, and their load of the
// servers' samples and of those that only the probes have.
func (t *Trace) ofServers(servers, probes []*recording) {
	s, samples := newStory(t), newReadings(t)
	end := t.Start
	for _, r := range servers {
		if r.end.After(end) {
			end = r.end
		}
	}
	for _, x := range inOrder(servers, t.Pool) {
		if x.Sample != nil {
			samples.ofServer(&x.Line)
		} else {
			s.step(x)
		}
	}
	s.cut(end)
	for _, r := range probes {
		samples.besides(r)
	}
	samples.share(s)
	s.give()
	if !s.opened {
		t.Policy = admission.DefaultPolicy()
		t.Notes = append(t.Notes, "no snapshot of the pool and no first event: the policy is the default")
	}
}

// inOrder are all steps of the pool as they stand in its journal, whichever
// server recorded them: they may have taken turns. Journals, as of other data
// folders, come one after the other.
func inOrder(servers []*recording, pool string) []*step {
	var all []*step
	began := map[string]time.Time{} // journals, by the id of the pool in them
	for _, r := range servers {
		journal := ""
		for i := range r.server {
			x := &r.server[i]
			if x.Pool != pool {
				continue
			}
			journal = cmp.Or(x.opens(), journal)
			x.journal = journal
			if at, known := began[journal]; !known || x.At.Before(at) {
				began[journal] = x.At
			}
			all = append(all, x)
		}
	}
	slices.SortStableFunc(all, func(a, b *step) int {
		return cmp.Or(began[a.journal].Compare(began[b.journal]), strings.Compare(a.journal, b.journal), cmp.Compare(a.Seq, b.Seq))
	})
	return all
}

// opens is the id of the pool, where the step tells it.
func (s *step) opens() string {
	if s.pool != nil {
		return s.pool.View().ID
	}
	if len(s.events) > 0 {
		if b, ok := s.events[0].Body.(admission.PoolOpened); ok {
			return b.ID
		}
	}
	return ""
}

// step takes a snapshot or a record, unless all that it has is known already:
// from another server, or from the snapshot before.
func (s *story) step(x *step) {
	if x.journal != s.journal {
		s.gone(nil, x.At)
		s.journal, s.seq = x.journal, 0
	}
	if x.Seq <= s.seq {
		return
	}
	s.seq = x.Seq
	if x.pool != nil {
		s.stands(x.pool, x.At)
	} else {
		s.happened(x.events)
	}
}

// stands takes a snapshot: what is there, however it came to be. What it does
// not have any more ended unseen.
func (s *story) stands(p *admission.Pool, at time.Time) {
	if !s.opened {
		s.t.Policy, s.opened = p.Policy(), true
	}
	there := map[*life]bool{}
	for _, e := range p.Queue("", math.MaxInt) {
		if e.Intent == admission.Play {
			there[s.stillWaits(p, e)] = true
		}
	}
	for _, x := range p.Sessions("", math.MaxInt) {
		if x.Client != "" && x.Phase != admission.PhaseOffered {
			there[s.stillPlays(p, x)] = true
		}
	}
	s.gone(there, at)
	for _, h := range p.Hosts(at) {
		if h.Connected {
			s.there(h.HostFacts, at)
		} else {
			s.host(h.Host).HostFacts = h.HostFacts
			s.down(h.Host, at)
		}
	}
}

// gone ends, unseen, all who are not there any more.
func (s *story) gone(there map[*life]bool, at time.Time) {
	for _, l := range s.all {
		if there[l] {
			continue
		}
		if l.session != "" {
			l.Censored = true
			l.end(at, "")
		}
		if l.entry != "" {
			l.leave(at, "")
		}
	}
}

func (s *story) stillWaits(p *admission.Pool, e admission.EntryView) *life {
	l := s.clients[e.Client]
	if l == nil || l.over() {
		l = s.arrive(e.Client, e.ID, e.App, e.Class, e.Since)
	}
	if l.session != "" { // it was lost, and they wait again
		l.end(e.Since, "")
	}
	l.entry = e.ID
	if x, ok := p.Session(e.Session); ok && e.Offer != "" {
		l.offered, s.grants[e.Offer] = x.Since, x.Grant
	}
	return l
}

func (s *story) stillPlays(p *admission.Pool, x admission.SessionView) *life {
	if l := s.playing(x.ID); l != nil {
		l.caughtUp(x)
		return l
	}
	c, _ := p.Client(x.Client)
	since := x.Since
	if !x.ReadyAt.IsZero() {
		since = x.ReadyAt
	}
	l := s.clients[x.Client]
	switch {
	case l == nil || l.over():
		l = s.arrive(x.Client, "", x.App, c.Class, since)
	case l.session != "":
		l.end(since, "")
	}
	s.seat(l, x.Grant, since)
	l.granted = time.Time{} // nobody has seen when
	l.caughtUp(x)
	return l
}

// over says whether the person neither waits nor plays any more.
func (l *life) over() bool { return l.entry == "" && l.session == "" }

// caughtUp takes over how far the session has come.
func (l *life) caughtUp(x admission.SessionView) {
	if !x.ReadyAt.IsZero() {
		l.isReady(x.ReadyAt)
	}
	if x.Phase == admission.PhaseConnected || x.Phase == admission.PhaseDropped {
		l.connect(l.ready) // when exactly, nobody has seen
	}
}

// happened takes events in order.
func (s *story) happened(events []admission.Event) {
	for _, e := range events {
		switch b := e.Body.(type) {
		case admission.PoolOpened:
			if !s.opened {
				s.t.Policy, s.opened = b.Policy, true
			}
		case admission.HostConnected:
			s.there(b.Facts, e.At)
		case admission.HostDisconnected:
			s.down(b.Host, e.At)
		case admission.Recovered:
			for host := range s.up {
				s.down(host, e.At)
			}
		default:
			s.inQueue(e)
			s.inSession(e)
		}
	}
}

// inQueue takes what happens to those who wait.
func (s *story) inQueue(e admission.Event) {
	switch b := e.Body.(type) {
	case admission.Enqueued:
		if b.Intent == admission.Play {
			s.arrive(b.Client, b.Entry, b.App, b.Class, e.At)
		}
	case admission.EntryLeft:
		if l := s.waits(b.Client, b.Entry); l != nil {
			l.leave(e.At, b.Reason)
		}
	case admission.Offered:
		if l := s.waits(b.Client, b.Entry); l != nil {
			l.offered, s.grants[b.Offer] = e.At, b.Grant
		}
	case admission.OfferLapsed:
		if l := s.waits(b.Client, b.Entry); l != nil && theirs(b.Reason) {
			l.answer(e.At, false)
		} else if l != nil {
			l.offered = time.Time{}
		}
		delete(s.grants, b.Offer)
	case admission.OfferAccepted:
		if l := s.waits(b.Client, b.Entry); l != nil {
			g := s.grants[b.Offer]
			g.Session = b.Session
			s.seat(l, g, e.At)
		}
		delete(s.grants, b.Offer)
	case admission.Admitted:
		if l := s.waits(b.Client, b.Entry); l != nil {
			s.seat(l, b.Grant, e.At)
		}
	}
}

// theirs says whether it was the person's doing that an offer was not accepted.
func theirs(why admission.Why) bool {
	return why == admission.WhyLapsed || why == admission.WhyDeclined
}

// inSession takes what happens to those who have a seat.
func (s *story) inSession(e admission.Event) {
	switch b := e.Body.(type) {
	case admission.SessionStarting:
		if l := s.playing(b.Session); l != nil {
			l.ordered, l.Host, l.GPU = e.At, b.Host, b.GPU
		}
	case admission.SessionReady:
		if l := s.playing(b.Session); l != nil {
			l.isReady(e.At)
		}
	case admission.SessionConnected:
		if l := s.playing(b.Session); l != nil {
			l.connect(e.At)
		}
	case admission.SessionMoved:
		if l := s.playing(b.Session); l != nil {
			b.Grant.Session = b.Session
			s.place(l, b.Grant)
		}
	case admission.SessionEnded:
		if l := s.playing(b.Session); l != nil {
			l.end(e.At, b.Reason)
			l.entry = b.Requeued
		}
	}
}
