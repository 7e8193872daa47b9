package play

import (
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/owner"
)

// Committed tells those it concerns what the journal holds now.
func (h *Hub) Committed(c owner.Commit) {
	h.dirty.Store(true)
	if c.Rebuilt {
		for _, conn := range h.all() {
			if conn.id() != "" {
				h.state(conn, c.Now, c.Pool)
				h.check(conn, c.Pool)
			}
		}
		return
	}
	for _, e := range c.Events {
		h.places.note(e.Body)
		h.event(c, e.Body)
	}
}

// check connects a client again that the pool takes for gone.
func (h *Hub) check(c *conn, p *admission.Pool) {
	if v, ok := p.Client(c.id()); ok && !v.Connected {
		h.mu.Lock()
		defer h.mu.Unlock()
		if !h.closing {
			h.active.Go(func() { h.back(v.Secret) })
		}
	}
}

func (h *Hub) event(c owner.Commit, body admission.Body) {
	switch b := body.(type) {
	case admission.Disconnected:
		if conn := h.of(b.Client); conn != nil {
			h.check(conn, c.Pool)
		}
	case admission.Paused:
		h.toWaiting(c.Pool, Notice{Type: "notice", Code: "paused", Message: "Nobody is admitted for now."})
	case admission.Unpaused:
		h.toWaiting(c.Pool, Notice{Type: "notice", Code: "resumed", Message: "People are admitted again."})
	case admission.HostDrained:
		h.drained(c.Pool, b.Host)
	case admission.SessionEnded:
		h.mu.Lock()
		delete(h.reports, b.Session)
		h.mu.Unlock()
		h.tell(b.Client, Ended{"ended", b.Session, "player", b.Reason})
		h.place(c, b.Client, "")
	case admission.EndingSoon:
		h.tell(b.Client, Notice{
			Type: "notice", Code: "ending_soon", EndsAt: &b.EndsAt, Message: "Your session ends soon.",
		})
	default:
		h.entryEvent(c, body)
		h.sessionEvent(c, body)
		h.viewEvent(c, body)
	}
}

func (h *Hub) entryEvent(c owner.Commit, body admission.Body) {
	switch b := body.(type) {
	case admission.Offered:
		h.tell(b.Client, Offered{"offered", b.Offer, b.Grant.Session, b.ExpiresAt})
	case admission.OfferLapsed:
		h.place(c, b.Client, b.Reason)
	case admission.EntryMoved:
		h.place(c, b.Client, "") // a worse position says why by itself
	case admission.EntryLeft:
		switch b.Reason {
		case admission.WhyLeft:
			h.left(b.Client)
		case admission.WhyRemoved, admission.WhyGrace, admission.WhyLapsed, admission.WhyDeclined:
			h.tell(b.Client, Refused{Type: "refused", Code: string(b.Reason), Message: "Your place is given up: " + string(b.Reason) + "."})
		}
	}
}

// left confirms that a place was given up, as one asked.
func (h *Hub) left(client string) {
	c := h.of(client)
	if c == nil {
		return
	}
	role := "player"
	if c.wants() == admission.View {
		role = "spectator"
	}
	c.send(Ended{"ended", "", role, admission.WhyLeft})
}

// note remembers why some who wait may find others ahead of them.
func (l *places) note(body admission.Body) {
	switch b := body.(type) {
	case admission.EntryMoved:
		if b.Reason == admission.WhyPromoted {
			l.worse = b.Reason
		}
	case admission.OfferLapsed:
		if !b.Counted {
			l.worse = b.Reason
		}
	case admission.SessionEnded:
		if b.Requeued != "" {
			l.worse = b.Reason
		}
	case admission.Enqueued:
		if l.worse == "" {
			l.worse = "class"
		}
	}
}

func (h *Hub) sessionEvent(c owner.Commit, body admission.Body) {
	switch b := body.(type) {
	case admission.Admitted:
		h.starting(c.Pool, b.Client, b.Grant.Session)
	case admission.OfferAccepted:
		h.starting(c.Pool, b.Client, b.Session)
	case admission.SessionStarting:
		h.starting(c.Pool, b.Client, b.Session)
	case admission.SessionMoved:
		h.starting(c.Pool, b.Client, b.Grant.Session)
	case admission.SessionPending:
		if conn := h.of(b.Client); conn != nil {
			conn.tellStarting("")
		}
		h.starting(c.Pool, b.Client, b.Session)
	case admission.SessionReady:
		if conn := h.of(b.Client); conn != nil {
			h.seated(conn, c.Now, c.Pool, b.Session)
		}
	}
}

func (h *Hub) viewEvent(c owner.Commit, body admission.Body) {
	switch b := body.(type) {
	case admission.ViewStarted:
		if conn := h.of(b.Client); conn != nil {
			h.watching(conn, b.Session, b.BitrateBps)
		}
		h.watched(c.Pool, b.Session)
	case admission.ViewEnded:
		reason := b.Reason
		if reason == admission.WhySeated {
			reason = admission.WhyPromoted
		}
		h.tell(b.Client, Ended{"ended", b.Session, "spectator", reason})
		h.watched(c.Pool, b.Session)
	}
}

func (h *Hub) tell(client string, m any) {
	if c := h.of(client); c != nil {
		c.send(m)
	}
}

// place sends a client's place, if it still waits; within a second after the
// last one it is left to the next round.
func (h *Hub) place(c owner.Commit, client string, moved admission.Why) {
	conn := h.of(client)
	if conn == nil {
		return
	}
	v, _ := c.Pool.Client(client)
	if e, ok := c.Pool.Entry(v.Entry); ok && e.Offer == "" && conn.due(c.Now, moved) {
		h.sendPlace(conn, c.Now, c.Pool, e)
	}
}

// due notes why the place has changed, and says whether it may be sent now.
func (c *conn) due(now time.Time, moved admission.Why) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if moved != "" {
		c.moved = moved
	}
	return now.UnixNano()-c.place.at >= int64(placeEach)
}

// sendPlace sends a place that must arrive. It runs on the owner's goroutine.
func (h *Hub) sendPlace(c *conn, now time.Time, p *admission.Pool, e admission.EntryView) {
	b := appendPlace(nil, &admission.Place{
		Entry: e.ID, Class: e.Class, App: e.App, Intent: e.Intent, Position: e.Position, Length: e.Length, Wait: e.Wait,
	}, h.places.block(now, p, line{e.App, e.Intent}).text)
	t := told{maphash.Bytes(h.places.seed, b), int32(e.Position), now.UnixNano()} //nolint:gosec // no queue is longer
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue(endPlace(b, c.moved))
	c.placed(t)
}

// state sends what a client has: its place, offer, seat and view.
func (h *Hub) state(c *conn, now time.Time, p *admission.Pool) {
	v, _ := p.Client(c.id())
	if e, ok := p.Entry(v.Entry); ok && e.Offer != "" {
		c.send(Offered{"offered", e.Offer, e.Session, e.ExpiresAt})
	} else if ok {
		h.sendPlace(c, now, p, e)
	}
	if s, ok := p.Session(v.Session); ok {
		switch s.Phase {
		case admission.PhasePending, admission.PhaseStarting:
			c.tellStarting("")
			h.starting(p, v.ID, s.ID)
		case admission.PhaseReady, admission.PhaseConnected, admission.PhaseDropped:
			h.seated(c, now, p, s.ID)
		}
	}
	if v.Watching != "" {
		h.watching(c, v.Watching, v.ViewBps)
	}
}

// starting is told once for each host that a session is tried on.
func (h *Hub) starting(p *admission.Pool, client, session string) {
	c := h.of(client)
	s, ok := p.Session(session)
	if c == nil || !ok || !c.tellStarting(s.ID+" "+s.Host) {
		return
	}
	c.send(Starting{"starting", s.ID, s.Host, p.Policy().Apps[s.App].StartS})
}

func (c *conn) tellStarting(what string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := c.told != what
	c.told = what
	return fresh
}

func (h *Hub) seated(c *conn, now time.Time, p *admission.Pool, session string) {
	s, ok := p.Session(session)
	if !ok || s.Client != c.id() {
		return
	}
	host, _ := p.Host(now, s.Host)
	token, expires, err := h.o.PlayerTicket(s.Client, s.ID, s.Host)
	if err != nil {
		c.send(Failure{"error", "no_ticket", "no ticket could be issued; ask again"})
		return
	}
	m := Seated{
		Type: "seated", Session: s.ID, Host: s.Host, Ticket: token, ExpiresAt: expires.UTC(), Sharing: s.Sharing, Watchers: s.Watchers,
		URL: fmt.Sprintf("%s/s/%s/?ticket=%s", strings.TrimRight(host.GateURL, "/"), s.ID, token),
	}
	if !s.EndsAt.IsZero() {
		m.EndsAt = &s.EndsAt
	}
	c.send(m)
}

func (h *Hub) watching(c *conn, session string, bps float64) {
	token, err := h.o.SpectatorTicket(c.id(), session)
	if err != nil {
		c.send(Failure{"error", "no_ticket", "no ticket could be issued; ask again"})
		return
	}
	url := c.watchBase + "/v1/watch/" + session + "?ticket=" + token
	c.send(Watching{"watching", session, url, token, h.o.Mime(session), bps})
}

// watched tells a session's player how many look on.
func (h *Hub) watched(p *admission.Pool, session string) {
	if s, ok := p.Session(session); ok && s.Client != "" {
		text := fmt.Sprintf("%d people look on.", s.Watchers)
		h.tell(s.Client, Notice{Type: "notice", Code: "watched", Message: text, Watchers: &s.Watchers})
	}
}

func (h *Hub) toWaiting(p *admission.Pool, m Notice) {
	p.EachWaiting(func(_, client string, _, _ int, _ *admission.Wait) { h.tell(client, m) })
}

func (h *Hub) drained(p *admission.Pool, host string) {
	for _, c := range h.all() {
		v, _ := p.Client(c.id())
		if s, ok := p.Session(v.Session); ok && s.Host == host {
			c.send(Notice{Type: "notice", Code: "host_draining", Message: "Your host takes no new sessions; yours goes on."})
		}
	}
}

// ticket answers with a fresh one for what the client has.
func (h *Hub) ticket(c *conn, now time.Time, p *admission.Pool, session string) {
	v, _ := p.Client(c.id())
	s, ok := p.Session(session)
	ready := ok && (s.Phase == admission.PhaseReady || s.Phase == admission.PhaseConnected || s.Phase == admission.PhaseDropped)
	switch {
	case v.Session == session && ready:
		h.seated(c, now, p, session)
	case v.Watching == session && ok:
		h.watching(c, session, v.ViewBps)
	default:
		c.send(Failure{"error", "unknown_session", "you neither play nor watch that session"})
	}
}

func (h *Hub) report(client string, p *admission.Pool, m Report) {
	if v, _ := p.Client(client); v.Session != "" {
		h.mu.Lock()
		h.reports[v.Session] = m
		h.mu.Unlock()
	}
}
