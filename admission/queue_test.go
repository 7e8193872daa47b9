package admission

import (
	"fmt"
	"testing"
	"time"
)

func seats(n int) func(*Policy) {
	return func(p *Policy) { p.Apps["app"] = Profile{App: "app", Seats: n} }
}

func TestSeatedAtOnceWatchedOrQueued(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	s.want(s.join("ann"), "enqueued admitted session_starting:1")
	s.want(s.join("bob"), "enqueued")
	s.blocked(Block{Resource: Seats, Host: "h", Projected: 2, Limit: 1})
	s.now = s.now.Add(time.Millisecond)
	s.want(s.do(Leave{Client: "ann"}), "session_ended:left")
	if s.entry("bob").Offer != "" {
		t.Fatal("the seat was offered while its host still held it")
	}
	s.want(s.do(Report{Host: "h", Session: "s1-x", State: StateEnded}), "session_released offered")
	s.want(s.accept(), "offer_accepted session_starting:1")
	s.want(s.state("s2-x", StateReady), "session_ready")
	s.want(s.state("s2-x", StateConnected), "session_connected")
}

func TestLapses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Policy)
		answer func(s *scene) string
		want   string
	}{
		"next goes on": {nil, func(s *scene) string { return s.pass(20 * time.Second) },
			"offer_lapsed:lapsed entry_moved offered"},
		"declined goes on": {nil, func(s *scene) string { return s.do(Decline{"bob", s.entry("bob").Offer}) },
			"offer_lapsed:declined entry_moved offered"},
		"leaves where so set": {func(p *Policy) { p.Queue.OnLapse = LapseLeave }, func(s *scene) string { return s.pass(20 * time.Second) },
			"offer_lapsed:lapsed entry_left:lapsed offered"},
		"leaves at the last": {func(p *Policy) { p.Queue.MaxLapses = 1 }, func(s *scene) string { return s.pass(20 * time.Second) },
			"offer_lapsed:lapsed entry_left:lapsed offered"},
		"a moment before": {nil, func(s *scene) string { return s.pass(20*time.Second - 1) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, func(p *Policy) {
				seats(1)(p)
				if tt.change != nil {
					tt.change(p)
				}
			}).host("h", 0.1)
			s.play("ann", "bob", "cy", "dee")
			s.want(s.free("ann"), "session_released offered")
			for range 19 {
				s.second("h", 0.1)
			}
			s.now = s.now.Add(-19 * time.Second)
			s.want(tt.answer(s), tt.want)
		})
	}
}

// TestLapsedIsBehindTheNext: the lapsed one is third then, behind the one who
// has the offer, and before all others.
func TestLapsedIsBehindTheNext(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	s.play("ann", "bob", "cy", "dee", "eve")
	s.do(Disconnect{"cy"}) // is next, and is not there
	s.free("ann")
	s.do(Decline{"bob", s.entry("bob").Offer})
	if s.entry("dee").Offer == "" {
		t.Fatal("the seat did not go on to the next who is there")
	}
	for client, want := range map[string]int{"cy": 1, "bob": 2, "eve": 3} {
		if got := s.entry(client).Position; got != want {
			t.Errorf("%s is at %d, want %d", client, got, want)
		}
	}
}

func TestAcceptAfterTheClock(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	s.play("ann", "bob")
	s.free("ann")
	offer := s.entry("bob").Offer
	s.now = s.now.Add(20 * time.Second)
	if _, out := s.try(Accept{"bob", offer}); out.Refused == nil || out.Refused.Code != RefusedUnknownOffer {
		t.Fatalf("got %+v", out)
	}
}

func TestDisconnectedKeepsItsPlaceAndBlocksNobody(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	s.play("ann", "bob", "cy")
	s.do(Disconnect{"bob"})
	s.want(s.free("ann"), "session_released offered")
	if s.entry("cy").Offer == "" || s.entry("bob").Position != 1 {
		t.Fatalf("cy %+v, bob %+v", s.entry("cy"), s.entry("bob"))
	}
	s.want(s.do(Join{Client: "new", Resume: "k-bob", Intent: Play}), "resumed")
	if s.entry("bob").Position != 1 {
		t.Fatal("coming back cost the place")
	}
	s.do(Disconnect{"bob"})
	s.pass(19 * time.Second)
	s.pass(time.Second)
	s.pass(39 * time.Second)
	s.want(s.pass(time.Second), "entry_left:grace")
}

func TestOneIdentityOnePlace(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	s.play("ann")
	first := Join{Client: "c1", Secret: "k1", Identity: "me", Intent: Play}
	s.do(first)
	again, out := s.try(Join{Client: "c2", Secret: "k2", Identity: "me", Intent: Play})
	s.want(again, "resumed")
	if out.Client != "c1" || !out.Resumed || s.client("c1").Secret != "k2" {
		t.Fatalf("got %+v", out)
	}
	_, out = s.try(Join{Client: "c3", Secret: "k3", Resume: "k2", Identity: "somebody else", Intent: Play})
	if out.Refused == nil || out.Refused.Code != RefusedIdentity {
		t.Fatalf("a secret with another identity: %+v", out)
	}
	_, out = s.try(Join{Client: "c4", Secret: "k4", Resume: "k1", Intent: Play})
	if out.Refused != nil || out.Resumed || out.Client != "c4" {
		t.Fatalf("an old secret is a new join: %+v", out)
	}
}

func TestClassesGoFirst(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	s.play("ann", "bob")
	s.do(Join{Client: "vip", Secret: "kv", Class: "vip", Intent: Play})
	if v := s.entry("vip"); v.Position != 1 || v.Length != 2 || s.entry("bob").Position != 2 {
		t.Fatalf("vip %+v, bob %+v", v, s.entry("bob"))
	}
	s.free("ann")
	if s.entry("vip").Offer == "" {
		t.Fatal("the offer went to another")
	}
}

func TestPromote(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	s.play("ann", "bob", "cy", "dee")
	s.want(s.do(Promote{Entry: s.entry("dee").ID, By: "ops"}), "entry_moved")
	for client, want := range map[string]int{"dee": 1, "bob": 2, "cy": 3} {
		if got := s.entry(client).Position; got != want {
			t.Errorf("%s is at %d, want %d", client, got, want)
		}
	}
}

func TestJoinRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		join Join
		want RefusalCode
	}{
		"no intent":       {Join{Client: "c", Secret: "k"}, RefusedInvalid},
		"unknown app":     {Join{Client: "c", Secret: "k", Intent: Play, App: "other"}, RefusedUnknownApp},
		"unknown class":   {Join{Client: "c", Secret: "k", Intent: Play, Class: "gold"}, RefusedUnknownClass},
		"taken id":        {Join{Client: "ann", Secret: "k", Intent: Play}, RefusedInvalid},
		"taken secret":    {Join{Client: "c", Secret: "k-ann", Intent: Play}, RefusedInvalid},
		"full queue":      {Join{Client: "c", Secret: "k", Intent: Play}, RefusedQueueFull},
		"unknown session": {Join{Client: "c", Secret: "k", Intent: View, Session: "s9-x"}, RefusedUnknownSession},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, func(p *Policy) { seats(1)(p); p.Queue.MaxLength = 1 }).host("h", 0.1)
			s.play("ann", "bob")
			names, out := s.try(tt.join)
			if out.Refused == nil || out.Refused.Code != tt.want || names != "" || out.Refused.Message == "" {
				t.Fatalf("got %q %+v, want %s", names, out.Refused, tt.want)
			}
		})
	}
}

func TestRecoveredHoldsForTheHead(t *testing.T) {
	s := newScene(t, seats(1))
	s.join("bob")
	s.join("cy")
	s.do(Recover{})
	s.do(Join{Client: "new", Resume: "k-cy", Intent: Play})
	s.host("h", 0.1)
	if s.entry("cy").Offer != "" {
		t.Fatal("the first to come back passed the head")
	}
	if at := s.p.NextDeadline(); !at.Equal(s.now.Add(RecoverHold)) {
		t.Fatalf("the next deadline is %s", at)
	}
	s.want(s.pass(RecoverHold), "offered")
	if s.entry("cy").Offer == "" {
		t.Fatal("nobody was offered the seat after the hold")
	}
}

// TestRecoveredKeepsOffers: an offer's clock is not started anew; one that ran
// out meanwhile goes back to the head, uncounted.
func TestRecoveredKeepsOffers(t *testing.T) {
	s := newScene(t, seats(2)).host("h", 0.1)
	s.play("ann", "bob", "cy", "dee", "eve")
	s.free("ann")
	s.now = s.now.Add(10 * time.Second)
	s.sample("h", 0.1)
	s.free("bob")
	clock := s.entry("dee").ExpiresAt
	s.now = s.now.Add(12 * time.Second) // the service was away
	s.want(s.do(Recover{}), "recovered offer_lapsed:recovered")
	if v := s.entry("cy"); v.Position != 1 || v.Lapses != 0 {
		t.Fatalf("cy %+v", v)
	}
	if v := s.entry("dee"); !v.ExpiresAt.Equal(clock) {
		t.Fatalf("dee's clock went from %s to %s", clock, v.ExpiresAt)
	}
}

func TestGracesStartAnewWithRecovered(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	s.play("ann", "bob")
	s.state("s1-x", StateDropped)
	s.do(Disconnect{"bob"})
	s.now = s.now.Add(time.Hour)
	s.want(s.do(Recover{}), "recovered session_ended:length")
	s = newScene(t, func(p *Policy) { seats(1)(p); p.Session.MaxLength = 0 }).host("h", 0.1)
	s.play("ann", "bob")
	s.state("s1-x", StateDropped)
	s.do(Disconnect{"bob"})
	s.now = s.now.Add(time.Hour)
	s.want(s.do(Recover{}), "recovered")
	s.want(s.pass(29*time.Second), "")
	s.want(s.pass(time.Second), "session_ended:left")
	s.want(s.pass(30*time.Second), "host_lost entry_left:grace session_released")
}

// TestManyAtOnce: a run does not make a record without end, and says that there
// is more to do.
func TestManyAtOnce(t *testing.T) {
	s := newScene(t, nil)
	for i := range 3000 {
		id := fmt.Sprint(i)
		s.do(Join{Client: id, Secret: "k" + id, Intent: Play})
	}
	s.do(Recover{})
	s.now = s.now.Add(time.Minute)
	runs := 0
	for at := s.p.NextDeadline(); !at.IsZero() && !at.After(s.now); at = s.p.NextDeadline() {
		events, _ := s.p.Run(s.now, Tick{})
		if runs++; len(events) > runEvents+viewsPerStep || runs > 10 {
			t.Fatalf("run %d made %d events", runs, len(events))
		}
	}
	if n := s.p.View().Waiting; n != 0 || runs < 3 {
		t.Fatalf("%d wait after %d runs", n, runs)
	}
}

func TestWaitIsUnknownBelowTenDepartures(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	for i := range lengthsNeeded {
		id := fmt.Sprint("p", i)
		s.play(id)
		s.now = s.now.Add(60 * time.Second)
		s.sample("h", 0.1)
		s.play("waits" + id)
		if w := s.entry("waits" + id).Wait; w != nil {
			t.Fatalf("after %d departures the wait is %+v", i, w)
		}
		s.do(Leave{Client: "waits" + id})
		s.free(id)
	}
	s.play("ann", "bob", "cy")
	bob, cy := s.entry("bob").Wait, s.entry("cy").Wait
	if bob == nil || cy == nil || bob.P50S < 50 || bob.P50S > 61 || bob.P90S > 70 || cy.P50S < 105 || cy.P50S > 125 {
		t.Fatalf("waits %+v and %+v, want about a minute, as all ten sessions lasted, and two", bob, cy)
	}
}
