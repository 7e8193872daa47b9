package play_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
)

// seat brings somebody into the only seat.
func (s *scene) seat(t *testing.T) (*client, said) {
	t.Helper()
	c := s.join(t, "")
	return c, c.until("seated")
}

// offered brings somebody to an offer: a player leaves the only seat.
func (s *scene) offered(t *testing.T, more string) (*client, said) {
	t.Helper()
	player, _ := s.seat(t)
	c := s.join(t, more)
	if q := c.until("queued"); q.Position != 1 || q.Length != 1 || q.BlockedBy == nil || q.BlockedBy.Resource != "seats" {
		t.Fatalf("queued as %+v", q)
	}
	player.say(`{"type":"leave"}`)
	if e := player.until("ended"); e.Reason != "left" || e.Role != "player" {
		t.Errorf("ended as %+v", e)
	}
	return c, c.until("offered")
}

func TestAnOfferIsTaken(t *testing.T)    { testAnOfferIsTaken(t, options{}) }
func TestAnOfferIsTakenTLS(t *testing.T) { testAnOfferIsTaken(t, options{tls: true}) }

func testAnOfferIsTaken(t *testing.T, o options) {
	s := newScene(t, o)
	s.host("h1")
	c, offer := s.offered(t, "")
	c.say(`{"type":"accept","offer":"` + offer.Offer + `"}`)
	if m := c.until("starting"); m.Session != offer.Session || m.Host != "h1" {
		t.Errorf("starting %+v", m)
	}
	m := c.until("seated")
	if m.Session != offer.Session || !strings.HasSuffix(m.Ticket, "."+offer.Session+".h1") || m.URL != "https://h1.example/s/"+offer.Session+"/?ticket="+m.Ticket {
		t.Errorf("seated %+v", m)
	}
	c.say(`{"type":"ticket","session":"` + offer.Session + `"}`)
	if m := c.until("seated"); m.Session != offer.Session {
		t.Errorf("a fresh ticket for %+v", m)
	}
	c.say(`{"type":"leave"}`)
	if e := c.until("ended"); e.Session != offer.Session || e.Reason != "left" {
		t.Errorf("ended %+v", e)
	}
}

func TestAnOfferIsDeclined(t *testing.T) {
	s := newScene(t, options{})
	s.host("h1")
	c, o := s.offered(t, "")
	c.say(`{"type":"accept","offer":"another"}`)
	if m := c.until("error"); m.Code != "unknown_offer" {
		t.Errorf("%+v", m)
	}
	other := s.join(t, "")
	other.until("queued")
	c.say(`{"type":"decline","offer":"` + o.Offer + `"}`)
	if q := c.until("queued"); q.Moved != "declined" || q.Position != 1 && q.Position != 2 {
		t.Errorf("declined, then %+v", q)
	}
	other.until("offered")
}

func TestAnOfferLapses(t *testing.T) {
	s := newScene(t, options{policy: func(p *admission.Policy) {
		p.Queue.OfferTimeout, p.Queue.OnLapse = time.Second, admission.LapseLeave
	}})
	s.host("h1")
	c, _ := s.offered(t, "")
	if m := c.until("refused"); m.Code != "lapsed" {
		t.Errorf("%+v", m)
	}
}

func TestLeaving(t *testing.T) {
	t.Run("while queued", func(t *testing.T) {
		s := newScene(t, options{})
		c := s.join(t, "")
		c.until("queued")
		c.say(`{"type":"leave"}`)
		if e := c.until("ended"); e.Reason != "left" || e.Role != "player" || e.Session != "" {
			t.Errorf("%+v", e)
		}
		c.say(`{"type":"leave"}`)
		if m := c.until("error"); m.Code != "unknown_client" {
			t.Errorf("left twice: %+v", m)
		}
		c.say(`{"type":"join","intent":"play"}`) // and one may come again
		if w := c.until("welcome"); w.Resumed {
			t.Errorf("%+v", w)
		}
		c.until("queued")
	})
	t.Run("while waiting to watch", func(t *testing.T) {
		s := newScene(t, options{})
		c := s.dial(t, nil)
		c.say(`{"type":"join","intent":"watch"}`)
		if q := c.until("queued"); q.Intent != "watch" {
			t.Errorf("%+v", q)
		}
		c.say(`{"type":"leave"}`)
		if e := c.until("ended"); e.Reason != "left" || e.Role != "spectator" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("while offered", func(t *testing.T) {
		s := newScene(t, options{})
		s.host("h1")
		c, _ := s.offered(t, "")
		next := s.join(t, "")
		next.until("queued")
		c.say(`{"type":"leave"}`)
		if e := c.until("ended"); e.Reason != "left" {
			t.Errorf("%+v", e)
		}
		next.until("offered")
	})
	t.Run("while starting", func(t *testing.T) {
		s := newScene(t, options{manual: true})
		s.host("h1")
		c := s.join(t, "")
		m := c.until("starting")
		c.say(`{"type":"leave"}`)
		if e := c.until("ended"); e.Reason != "left" || e.Session != m.Session {
			t.Errorf("%+v", e)
		}
	})
	t.Run("while watching", func(t *testing.T) {
		s := newScene(t, options{})
		s.host("h1")
		s.seat(t)
		c := s.dial(t, nil)
		c.say(`{"type":"join","intent":"watch"}`)
		w := c.until("watching")
		c.say(`{"type":"leave"}`)
		if e := c.until("ended"); e.Reason != "left" || e.Role != "spectator" || e.Session != w.Session {
			t.Errorf("%+v", e)
		}
	})
}

func TestWatchingWhileWaiting(t *testing.T) {
	s := newScene(t, options{})
	s.host("h1")
	player, seat := s.seat(t)
	c := s.join(t, `,"watch_while_waiting":true`)
	q := c.until("queued")
	w := c.until("watching")
	if w.Session != seat.Session || !strings.Contains(w.URL, "/v1/watch/"+seat.Session+"?ticket=spectator.") {
		t.Errorf("watching %+v", w)
	}
	if n := player.until("notice"); n.Code != "watched" {
		t.Errorf("%+v", n)
	}
	c.say(`{"type":"unwatch"}`)
	if e := c.until("ended"); e.Role != "spectator" || e.Reason != "left" {
		t.Errorf("unwatched: %+v", e)
	}
	c.say(`{"type":"watch","session":"` + seat.Session + `"}`)
	c.until("watching")
	player.say(`{"type":"sharing","session":"` + seat.Session + `","mode":"closed"}`)
	c.until("ended")
	c.say(`{"type":"watch","session":"` + seat.Session + `"}`)
	if m := c.until("refused"); m.Code != "not_shared" {
		t.Errorf("%+v", m)
	}
	player.say(`{"type":"leave"}`)
	o := c.until("offered")
	c.say(`{"type":"accept","offer":"` + o.Offer + `"}`)
	c.until("seated")
	if q.Entry == "" {
		t.Error("the place has no name")
	}
}

func TestAViewEndsWithTheSeat(t *testing.T) {
	s := newScene(t, options{manual: true, policy: func(p *admission.Policy) {
		a := p.Apps["showroom"]
		a.Seats = 2
		p.Apps["showroom"] = a
	}})
	s.host("h1")
	player := s.join(t, "")
	first := player.until("starting").Session
	s.do(admission.Report{Host: "h1", Session: first, State: admission.StateReady})
	player.until("seated")
	c := s.dial(t, nil)
	c.say(`{"type":"join","intent":"watch"}`)
	c.until("watching")
	c.say(`{"type":"join","intent":"play"}`) // allowed while watching
	second := c.until("starting").Session
	s.do(admission.Report{Host: "h1", Session: second, State: admission.StateReady})
	heard := map[string]bool{}
	for !heard["seated"] || !heard["ended promoted"] {
		m := c.next()
		heard[strings.TrimSpace(m.Type+" "+m.Reason)] = true
	}
}

func TestAPlaceIsPromoted(t *testing.T) {
	s := newScene(t, options{})
	first := s.join(t, "")
	first.until("queued")
	second := s.join(t, "")
	entry := second.until("queued").Entry
	s.do(admission.Promote{Entry: entry, By: "ops"})
	if q := second.until("queued"); q.Position != 1 || q.Moved != "" {
		t.Errorf("the promoted one has %+v", q)
	}
	if q := first.find(func(m said) bool { return m.Type == "queued" && m.Position == 2 }); q.Moved != "promoted" {
		t.Errorf("the one behind has %+v", q)
	}
	s.do(admission.RemoveEntry{Entry: entry, By: "ops"})
	if m := second.until("refused"); m.Code != "removed" {
		t.Errorf("%+v", m)
	}
}

func TestASessionEnds(t *testing.T) {
	s := newScene(t, options{})
	s.host("h1")
	c, seat := s.seat(t)
	s.do(admission.EndSession{Session: seat.Session, By: "ops"})
	if e := c.until("ended"); e.Session != seat.Session || e.Reason != "removed" {
		t.Errorf("%+v", e)
	}
}

func TestALostHostsPlayerIsRequeued(t *testing.T) {
	s := newScene(t, options{policy: func(p *admission.Policy) { p.Placement.HostLost = 50 * time.Millisecond }})
	s.host("h1")
	c, seat := s.seat(t)
	behind := s.join(t, "")
	behind.until("queued")
	s.do(admission.HostDown{Host: "h1"})
	if e := c.until("ended"); e.Reason != "host_lost" || e.Session != seat.Session {
		t.Errorf("%+v", e)
	}
	if q := c.until("queued"); q.Position != 1 || q.Length != 2 {
		t.Errorf("requeued as %+v", q)
	}
	if q := behind.find(func(m said) bool { return m.Type == "queued" && m.Position == 2 }); q.Moved != "host_lost" {
		t.Errorf("the one behind has %+v", q)
	}
}

func TestNotices(t *testing.T) {
	s := newScene(t, options{})
	s.host("h1")
	player, _ := s.seat(t)
	waiting := s.join(t, "")
	waiting.until("queued")
	s.do(admission.Pause{By: "ops"})
	if n := waiting.until("notice"); n.Code != "paused" {
		t.Errorf("%+v", n)
	}
	blocked := func(m said) bool { return m.Type == "queued" && m.BlockedBy != nil && m.BlockedBy.Resource == "paused" }
	waiting.find(blocked)
	s.do(admission.Unpause{By: "ops"})
	if n := waiting.until("notice"); n.Code != "resumed" {
		t.Errorf("%+v", n)
	}
	s.do(admission.Drain{Host: "h1", By: "ops"})
	if n := player.until("notice"); n.Code != "host_draining" {
		t.Errorf("%+v", n)
	}
}

// A sample changes no place, and yet what a place waits for.
func TestSamplesAloneRefreshWhatOneWaitsFor(t *testing.T) {
	s := newScene(t, options{policy: func(p *admission.Policy) {
		p.Apps["showroom"] = admission.Profile{App: "showroom", Cost: admission.Cost{CPUCores: 100}}
	}})
	s.host("h1")
	s.sample("h1", 2, 0.95)
	c := s.join(t, "")
	q := c.until("queued")
	if q.BlockedBy == nil || q.BlockedBy.Resource != "cpu" {
		t.Fatalf("%+v", q)
	}
	s.sample("h1", 3, 0.99)
	c.find(func(m said) bool {
		return m.Type == "queued" && m.BlockedBy != nil && m.BlockedBy.Projected > q.BlockedBy.Projected+0.02
	})
}
