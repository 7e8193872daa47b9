package admission

import (
	"fmt"
	"testing"
	"time"
)

// uplink is a pool where one player plays on a host that takes many more, with
// a budget in Mbit/s; a player takes 8, a view 8 or, stepped down, 2.
func uplink(t *testing.T, budget float64, change func(*Policy)) *scene {
	t.Helper()
	s := newScene(t, func(p *Policy) {
		p.Apps["app"] = Profile{App: "app"}
		p.Uplink.BudgetBps = budget * 1e6
		if change != nil {
			change(p)
		}
	}).host("h", 0.1)
	s.play("ann")
	return s
}

func (s *scene) look(id string) string {
	s.Helper()
	return s.do(Join{Client: id, Secret: "k-" + id, Intent: View})
}

func whenFull(w WhenFull, yield bool) func(*Policy) {
	return func(p *Policy) { p.Uplink.WhenFull, p.Spectators.YieldToPlayers = w, yield }
}

func TestUplinkWhenFull(t *testing.T) {
	for name, tt := range map[string]struct {
		when         WhenFull
		yield        bool
		budget       float64
		look, player string // what a third person's view, and then a player, lead to
	}{
		"wait":                    {FullWait, false, 16, "enqueued", "enqueued"},
		"wait, views yield":       {FullWait, true, 16, "enqueued", "enqueued view_ended:yielded admitted session_starting:1"},
		"degrade":                 {FullDegrade, false, 16, "enqueued view_rated view_started", "enqueued"},
		"degrade for a player":    {FullDegrade, false, 20, "enqueued view_started", "enqueued view_rated admitted session_starting:1"},
		"degrade, then yield":     {FullDegrade, true, 16, "enqueued view_rated view_started", "enqueued view_ended:yielded view_ended:yielded admitted session_starting:1"},
		"allow":                   {FullAllow, false, 16, "enqueued view_started", "enqueued admitted session_starting:1"},
		"no budget is no limit":   {FullWait, false, 0, "enqueued view_started", "enqueued admitted session_starting:1"},
		"room for all":            {FullWait, false, 32, "enqueued view_started", "enqueued admitted session_starting:1"},
		"a player would not fit ": {FullWait, true, 8, "enqueued", "enqueued"},
	} {
		t.Run(name, func(t *testing.T) {
			s := uplink(t, tt.budget, whenFull(tt.when, tt.yield))
			s.look("eye")
			s.want(s.look("eye2"), tt.look)
			s.want(s.join("bob"), tt.player)
		})
	}
}

// TestPlayersComeFirst: room that a player waits for is not given to a view.
func TestPlayersComeFirst(t *testing.T) {
	s := uplink(t, 20, whenFull(FullWait, false))
	s.play("bob")
	s.want(s.join("cy"), "enqueued")
	s.want(s.look("eye"), "enqueued")
	s.do(SetPolicy{Policy: func() Policy {
		p := s.p.Policy()
		p.Spectators.BitrateBps = 4e6 // a view would fit now
		return p
	}()})
	if v := s.p.View(); v.Spectators != 0 || v.WatchQueue != 1 {
		t.Fatalf("got %+v", v)
	}
	s.do(Leave{"cy"})
	if v := s.p.View(); v.Spectators != 1 {
		t.Fatalf("got %+v", v)
	}
}

func TestStepUpAgain(t *testing.T) {
	s := uplink(t, 32, whenFull(FullDegrade, false))
	s.play("bob")
	s.look("eye")
	s.look("eye2")
	s.want(s.join("cy"), "enqueued view_rated view_rated admitted session_starting:1")
	s.want(s.do(Leave{"eye2"}), "view_ended:left") // 32 - 24 - 2: room for the view, and for no player then
	s.want(s.free("bob"), "session_released view_rated")
}

// TestStepUpOneByOne: views step up only as far as there is room for them and
// for one more player.
func TestStepUpOneByOne(t *testing.T) {
	s := uplink(t, 37, whenFull(FullDegrade, false))
	s.play("bob")
	s.look("eye")
	s.look("eye2")
	s.want(s.join("cy"), "enqueued view_rated admitted session_starting:1")
	s.want(s.join("dee"), "enqueued view_rated admitted session_starting:1")
	s.want(s.free("dee"), "session_released") // 37 - 24 - 4: 9 left, 6 needed and 8 kept
	s.want(s.free("cy"), "session_released view_rated")
	if eye, eye2 := s.client("eye").ViewBps, s.client("eye2").ViewBps; eye != 8e6 || eye2 != 2e6 {
		t.Fatalf("eye has %v, eye2 %v: the oldest goes first", eye, eye2)
	}
}

func TestOwnViewYieldsFirst(t *testing.T) {
	s := uplink(t, 24, whenFull(FullWait, true))
	s.do(SetPolicy{Policy: func() Policy { p := s.p.Policy(); p.Apps["app"] = Profile{App: "app", Seats: 1}; return p }()})
	s.do(Join{Client: "bob", Secret: "kb", Intent: Play, WatchWhileWaiting: true})
	s.look("eye")
	s.now = s.now.Add(time.Millisecond)
	s.do(SetPolicy{Policy: func() Policy { p := s.p.Policy(); p.Apps["app"] = Profile{App: "app", Seats: 2}; return p }()})
	if s.entry("bob").Offer == "" || s.client("bob").Watching != "" || s.client("eye").Watching == "" {
		t.Fatalf("bob %+v, eye %+v", s.client("bob"), s.client("eye"))
	}
}

func TestWatchWhileWaiting(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	s.play("ann")
	s.want(s.do(Join{Client: "bob", Secret: "kb", Intent: Play, WatchWhileWaiting: true}), "enqueued view_started")
	s.want(s.state("s1-x", StateDropped), "session_dropped")
	s.want(s.free("ann"), "session_released offered")
	s.want(s.accept(), "offer_accepted session_starting:1")
	s.do(Join{Client: "cy", Secret: "kc", Intent: Play, WatchWhileWaiting: true})
	if s.client("cy").Watching != "" {
		t.Fatal("there is nothing to watch yet")
	}
	s.want(s.state("s2-x", StateReady), "session_ready view_started")
	s.want(s.do(Unwatch{"cy"}), "view_ended:left")
	s.want(s.second("h", 0.1), "") // and no other by itself
	s.want(s.do(Watch{Client: "cy"}), "view_started")
	s.want(s.do(SetSharing{Client: "bob", Session: "s2-x", Mode: SharingClosed}), "sharing_set view_ended:not_shared")
	s.want(s.do(SetSharing{Client: "bob", Session: "s2-x", Mode: SharingOpen}), "sharing_set view_started")
	s.want(s.do(Disconnect{"cy"}), "disconnected")
	s.want(s.pass(15*time.Second), "view_ended:grace")
	s.want(s.do(Join{Resume: "kc", Intent: Play}), "resumed view_started")
}

// TestSeatedEndsTheView: the view lasts until the same client is seated.
func TestSeatedEndsTheView(t *testing.T) {
	s := uplink(t, 0, nil)
	s.look("bob")
	s.want(s.do(Join{Client: "ignored", Resume: "k-bob", Intent: Play}), "resumed enqueued admitted session_starting:1")
	if s.client("bob").Watching == "" {
		t.Fatal("the view ended before the seat was ready")
	}
	s.want(s.state("s2-x", StateReady), "session_ready view_ended:seated")
}

func TestWatchQueue(t *testing.T) {
	s := newScene(t, func(p *Policy) { seats(2)(p); p.Spectators.MaxPerSession = 1 }).host("h", 0.1)
	s.want(s.look("eye"), "enqueued")
	if b := s.p.BlockedBy(s.now, "", View); b == nil || b.Resource != Seats || b.Limit != 0 {
		t.Fatalf("blocked by %+v", b)
	}
	s.join("ann")
	s.want(s.state("s1-x", StateReady), "session_ready view_started")
	s.want(s.look("eye2"), "enqueued")
	if b := s.p.BlockedBy(s.now, "", View); b == nil || b.Resource != Seats || b.Projected != 2 || b.Limit != 1 {
		t.Fatalf("blocked by %+v", b)
	}
	if v := s.entry("eye2"); v.Position != 1 || v.Wait != nil {
		t.Fatalf("got %+v", v)
	}
	s.want(s.do(Leave{"eye"}), "view_ended:left view_started")
	s.want(s.do(Leave{"ann"}), "view_ended:session session_ended:left")
	if _, ok := s.p.Client("eye2"); ok {
		t.Fatal("a spectator is left with nothing to look at")
	}
}

func TestWatchAnother(t *testing.T) {
	s := uplink(t, 0, nil)
	s.play("bob")
	s.want(s.do(Join{Client: "eye", Secret: "ke", Intent: View, Session: "s2-x"}), "enqueued view_started")
	s.want(s.do(Watch{Client: "eye", Session: "s1-x"}), "view_ended:left view_started")
	s.want(s.do(Watch{Client: "eye", Session: "s1-x"}), "")
	if c := s.client("eye"); c.Watching != "s1-x" {
		t.Fatalf("got %+v", c)
	}
	list := s.p.Watchable("", 10)
	if len(list) != 2 || list[0].ID != "s2-x" || list[1].Watchers != 1 {
		t.Fatalf("watchable: %+v", list)
	}
}

func TestWatchRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(s *scene)
		watch  Watch
		want   RefusalCode
	}{
		"not there":   {nil, Watch{Client: "eye", Session: "s9-x"}, RefusedUnknownSession},
		"not shared":  {func(s *scene) { s.do(SetSharing{Client: "bob", Session: "s2-x", Mode: SharingAsk}) }, Watch{Client: "eye", Session: "s2-x"}, RefusedNotShared},
		"full":        {func(s *scene) { s.look("x"); s.look("y") }, Watch{Client: "w", Session: "s1-x"}, RefusedWatchersFull},
		"nothing":     {func(s *scene) { s.do(Leave{"ann"}); s.do(Leave{"bob"}) }, Watch{Client: "w"}, RefusedNothingToWatch},
		"a player":    {nil, Watch{Client: "ann", Session: "s2-x"}, RefusedInvalid},
		"uplink":      {func(s *scene) { s.budget(16) }, Watch{Client: "w"}, RefusedUplink},
		"unknown one": {nil, Watch{Client: "nobody"}, RefusedUnknownClient},
	} {
		t.Run(name, func(t *testing.T) {
			s := uplink(t, 0, func(p *Policy) {
				p.Apps["app"] = Profile{App: "app", Seats: 2}
				p.Spectators.MaxPerSession = 1
				p.Spectators.YieldToPlayers = false
			})
			s.play("bob", "w")
			if tt.before != nil {
				tt.before(s)
			}
			if tt.watch.Client == "eye" {
				s.look("eye")
			}
			names, out := s.try(tt.watch)
			if out.Refused == nil || out.Refused.Code != tt.want || names != "" {
				t.Fatalf("got %q %+v, want %s", names, out.Refused, tt.want)
			}
		})
	}
}

func (s *scene) budget(mbps float64) {
	s.Helper()
	p := s.p.Policy()
	p.Uplink.BudgetBps = mbps * 1e6
	s.do(SetPolicy{Policy: p})
}

// TestHostUplink: a session's stream leaves its host once, however many look
// on; and it makes way for a player.
func TestHostUplink(t *testing.T) {
	s := newScene(t, func(p *Policy) { p.Apps["app"] = Profile{App: "app"} })
	facts := hostFacts("h")
	facts.UplinkBps = 24e6
	s.do(HostUp{Facts: facts})
	s.sample("h", 0.1)
	s.play("ann", "bob")
	s.want(s.look("eye"), "enqueued view_started")
	s.want(s.do(Join{Client: "other", Secret: "ko", Intent: View}), "enqueued view_started") // of the same session
	if a, b := s.client("eye").Watching, s.client("other").Watching; a != b {
		t.Fatalf("they look on at %s and %s", a, b)
	}
	if v, _ := s.p.Host(s.now, "h"); v.SpectatorStreams != 1 || v.UplinkUsedBps != 24e6 {
		t.Fatalf("got %+v", v)
	}
	s.want(s.join("cy"), "enqueued view_ended:yielded view_ended:yielded admitted session_starting:1")
	s.want(s.join("dee"), "enqueued")
	s.blocked(Block{Resource: UplinkHost, Host: "h", Projected: 32e6, Limit: 24e6})
	s.want(s.look("eye"), "enqueued")
	if b := s.p.BlockedBy(s.now, "", View); b == nil || b.Resource != UplinkHost || b.Projected != 32e6 {
		t.Fatalf("blocked by %+v", b)
	}
}

// TestMoveMakesRoom: a session that moves to another host must not take its
// uplink past the limit.
func TestMoveMakesRoom(t *testing.T) {
	s := newScene(t, func(p *Policy) { p.Apps["app"] = Profile{App: "app"}; p.Session.MaxLength = 0 })
	facts := hostFacts("i")
	facts.UplinkBps = 16e6
	s.do(HostUp{Facts: facts})
	s.sample("i", 0.5)
	s.play("ann")
	s.do(Drain{Host: "i"})
	s.host("h", 0.1)
	s.play("bob")
	s.do(Undrain{Host: "i"})
	s.do(Join{Client: "eye", Secret: "ke", Intent: View, Session: s.session("ann").ID})
	if s.session("bob").Host != "h" || s.client("eye").Watching != s.session("ann").ID {
		t.Fatalf("bob plays on %s, eye looks on at %s", s.session("bob").Host, s.client("eye").Watching)
	}
	s.do(HostDown{Host: "h"})
	s.now = s.now.Add(time.Minute)
	s.sample("i", 0.5)
	s.want(s.do(Tick{}), "host_lost view_ended:yielded session_moved:i session_starting:2")
}

func TestManyWant(t *testing.T) {
	s := newScene(t, func(p *Policy) { seats(1)(p); p.Spectators.MaxPerSession = 3 }).host("h", 0.1)
	for i := range 10 {
		id := fmt.Sprint("p", i)
		s.do(Join{Client: id, Secret: "k" + id, Intent: Play, WatchWhileWaiting: true})
	}
	s.want(s.state("s1-x", StateReady), "session_ready view_started view_started view_started")
	for i, want := range []bool{false, true, true, true, false} {
		if got := s.client(fmt.Sprint("p", i)).Watching != ""; got != want {
			t.Errorf("p%d watches: %v, want %v", i, got, want)
		}
	}
}

func TestListsGoOn(t *testing.T) {
	s := newScene(t, seats(5)).host("h", 0.1)
	for i := range 12 {
		s.join(fmt.Sprint("p", i))
	}
	var sessions, entries []string
	for after := ""; ; {
		page := s.p.Sessions(after, 2)
		if len(page) == 0 {
			break
		}
		for _, v := range page {
			sessions = append(sessions, v.ID)
		}
		after = page[len(page)-1].ID
	}
	for after := ""; ; {
		page := s.p.Queue(after, 3)
		if len(page) == 0 {
			break
		}
		for _, v := range page {
			entries = append(entries, v.Client)
		}
		after = page[len(page)-1].ID
	}
	s.want(fmt.Sprint(sessions), "[s1-x s2-x s3-x s4-x s5-x]")
	s.want(fmt.Sprint(entries), "[p5 p6 p7 p8 p9 p10 p11]")
	if v := s.p.View(); v.SeatsUsed != 5 || v.Calibrated != 5 || v.Waiting != 7 || v.HostsConnected != 1 {
		t.Errorf("got %+v", v)
	}
	if list := s.p.Hosts(s.now); len(list) != 1 || len(list[0].Sessions) != 5 || list[0].SampleAge != 0 {
		t.Errorf("got %+v", list)
	}
	if list := s.p.Queue("e99-x", 3); len(list) != 0 {
		t.Errorf("after one that has gone: %+v", list)
	}
}
