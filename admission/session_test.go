package admission

import (
	"fmt"
	"testing"
	"time"
)

func TestStartThatFails(t *testing.T) {
	for name, tt := range map[string]struct {
		fail func(s *scene) string
		want string
	}{
		"reported": {func(s *scene) string { return s.state("s1-x", StateEnded) }, "session_moved:i session_starting:2"},
		"timed out": {func(s *scene) string {
			s.now = s.now.Add(60 * time.Second)
			s.sample("h", 0.1)
			s.sample("i", 0.1)
			return s.do(Tick{})
		}, "session_moved:i session_starting:2"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, nil).host("h", 0.1).host("i", 0.5)
			s.join("ann")
			s.want(tt.fail(s), tt.want)
			s.want(s.state("s1-x", StateEnded), "session_ended:failed session_released offered")
			if v := s.entry("ann"); v.Offer == "" || s.client("ann").Session != "" {
				t.Fatalf("its player is not at the head: %+v", v)
			}
		})
	}
}

func TestStartThatFailsOnTheOnlyHost(t *testing.T) {
	s := newScene(t, nil).host("h", 0.1)
	s.join("ann")
	s.want(s.state("s1-x", StateEnded), "session_pending session_starting:2")
	s.want(s.state("s1-x", StateReady), "session_ready")
}

// TestHostThatFails: a host on which nothing starts must not take one player
// after the other, empty as it is.
func TestHostThatFails(t *testing.T) {
	s := newScene(t, nil).host("bad", 0.1).host("good", 0.3)
	for i := range 2 { // each fails on the better host and is moved
		s.join(fmt.Sprint("p", i))
		v := s.session(fmt.Sprint("p", i))
		if v.Host != "bad" {
			t.Fatalf("player %d is on %s", i, v.Host)
		}
		s.want(s.state(v.ID, StateEnded), "session_moved:good session_starting:2")
		s.state(v.ID, StateReady)
		s.state(v.ID, StateConnected)
	}
	s.join("p2")
	s.want(s.state(s.session("p2").ID, StateEnded), "session_pending session_starting:2")
	s.want(s.state(s.session("p2").ID, StateEnded), "session_ended:failed session_released")
	s.blocked(Block{Resource: CPU, Host: "good", Projected: 1.05, Limit: 0.85})
	s.do(Leave{"p0"})
	s.want(s.state("s1-x", StateEnded), "session_released offered")
	if v := s.entry("p2"); v.Offer == "" {
		t.Fatalf("the one who failed is not next: %+v", v)
	}
}

// TestRest: the rest doubles with each start that fails, up to five minutes, and
// one that succeeds, or a probe that connects anew, ends it.
func TestRest(t *testing.T) {
	s := newScene(t, nil).host("h", 0.1)
	s.join("ann")
	fails := func() {
		s.state(s.session("ann").ID, StateEnded)
		s.state(s.session("ann").ID, StateEnded) // the second try of the same seat
	}
	waits := func(want int) {
		t.Helper()
		n := 0
		for ; s.entry("ann").Offer == ""; n++ {
			s.second("h", 0.1)
		}
		if n != want {
			t.Fatalf("nobody is sent there for %d s, want %d", n, want)
		}
		s.accept()
	}
	fails()
	waits(0)
	for _, want := range []int{21, 81, 301, 301} { // after 4, 6, 8, 10 in a row; over when past
		fails()
		if b := s.p.BlockedBy(s.now, "", Play); b == nil || b.Resource != Failing || b.Limit != 2 {
			t.Fatalf("blocked by %+v, want failed starts", b)
		}
		waits(want)
	}
	fails()
	s.do(HostDown{Host: "h"})
	s.host("h", 0.1)
	waits(0)
	s.state(s.session("ann").ID, StateReady)
	s.free("ann")
	s.want(s.join("bob"), "enqueued admitted session_starting:1")
}

// TestAnOlderStart: what a host still says of a process that has another in its
// place by now changes nothing, and says nothing of the new one.
func TestAnOlderStart(t *testing.T) {
	s := newScene(t, nil).host("h", 0.1)
	s.join("ann")
	s.want(s.state("s1-x", StateEnded), "session_pending session_starting:2")
	old := func(st SessionState, attempt int) string {
		return s.do(Report{Host: "h", Session: "s1-x", State: st, Attempt: attempt})
	}
	for _, st := range []SessionState{StateStarting, StateReady, StateConnected, StateEnded} {
		s.want(old(st, 1), "")
	}
	s.want(old(StateReady, 2), "session_ready")
	s.do(HostDown{Host: "h"})
	s.want(s.do(HostUp{Facts: hostFacts("h"), Running: []RunningSession{{"s1-x", StateReady, 1}}}),
		"host_connected session_pending session_starting:3")
}

func TestStartsTakeTurns(t *testing.T) {
	s := newScene(t, func(p *Policy) { p.Placement.MaxStarting = 1 }).host("h", 0.1)
	s.want(s.join("ann"), "enqueued admitted session_starting:1")
	s.want(s.join("bob"), "enqueued")
	s.blocked(Block{Resource: Starting, Host: "h", Projected: 2, Limit: 1})
	s.now = s.now.Add(time.Millisecond)
	s.want(s.state("s1-x", StateReady), "session_ready offered")
	s.want(s.join("cy"), "enqueued admitted session_starting:1")
	s.want(s.accept(), "offer_accepted")
	if v := s.session("bob"); v.Phase != PhasePending {
		t.Fatalf("bob %+v", v)
	}
	s.want(s.state("s3-x", StateReady), "session_ready session_starting:1")
	s.want(s.do(Leave{"bob"}), "session_ended:left")
	s.want(s.state("s2-x", StateEnded), "session_released")
}

// TestPendingIsReleasedAtOnce: no host was told of it, so none will say that it
// is gone.
func TestPendingIsReleasedAtOnce(t *testing.T) {
	s := newScene(t, func(p *Policy) { p.Placement.MaxStarting = 1 }).host("h", 0.1)
	s.join("ann")
	s.join("bob")
	s.now = s.now.Add(time.Millisecond)
	s.state("s1-x", StateReady)
	s.join("cy")
	s.accept()
	s.want(s.do(Leave{"bob"}), "session_ended:left session_released")
}

func TestSeatOutlivesItsProcess(t *testing.T) {
	s := newScene(t, nil).host("h", 0.1)
	s.play("ann")
	for attempt := 2; attempt <= 1+maxCrashes; attempt++ {
		s.want(s.state("s1-x", StateEnded), map[int]string{
			2: "session_pending session_starting:2", 3: "session_pending session_starting:3", 4: "session_pending session_starting:4",
		}[attempt])
		s.state("s1-x", StateReady)
		s.state("s1-x", StateConnected)
	}
	s.want(s.state("s1-x", StateEnded), "session_ended:failed session_released offered")
}

func TestCrashesFarApartAreForgiven(t *testing.T) {
	s := newScene(t, func(p *Policy) { p.Session.MaxLength = 0 }).host("h", 0.1)
	s.play("ann")
	for range 2 * maxCrashes {
		s.now = s.now.Add(4 * time.Minute)
		s.do(Report{Host: "h", Session: "s1-x", State: StateEnded})
		if s.session("ann").Phase != PhaseStarting {
			t.Fatal("it was given up")
		}
		s.state("s1-x", StateReady)
		s.state("s1-x", StateConnected)
	}
}

func TestSessionDeadlines(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Policy)
		before func(s *scene)
		steps  []time.Duration
		want   []string
	}{
		"nobody connects": {nil, func(s *scene) { s.join("ann"); s.state("s1-x", StateReady) },
			[]time.Duration{59 * time.Second, time.Second}, []string{"", "session_ended:no_show"}},
		"the player is gone": {nil, func(s *scene) { s.play("ann"); s.state("s1-x", StateDropped) },
			[]time.Duration{29 * time.Second, time.Second}, []string{"", "session_ended:left"}},
		"comes back": {nil, func(s *scene) {
			s.play("ann")
			s.state("s1-x", StateDropped)
			s.state("s1-x", StateConnected)
		}, []time.Duration{time.Minute}, []string{""}},
		"length": {nil, func(s *scene) { s.play("ann") },
			[]time.Duration{29*time.Minute - time.Second, time.Second, time.Minute},
			[]string{"", "ending_soon:length", "session_ended:length"}},
		"short length warns a tenth before": {func(p *Policy) { p.Session.MaxLength = 100 * time.Second }, func(s *scene) { s.play("ann") },
			[]time.Duration{89 * time.Second, time.Second, 10 * time.Second}, []string{"", "ending_soon:length", "session_ended:length"}},
		"no limits": {func(p *Policy) { p.Session.MaxLength, p.Session.FirstConnectTimeout = 0, 0 },
			func(s *scene) { s.join("ann"); s.state("s1-x", StateReady) }, []time.Duration{1000 * time.Hour}, []string{""}},
		"the socket of the page does not matter": {nil, func(s *scene) { s.play("ann"); s.do(Disconnect{"ann"}) },
			[]time.Duration{10 * time.Minute}, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, tt.change).host("h", 0.1)
			tt.before(s)
			for i, d := range tt.steps {
				s.want(s.pass(d), tt.want[i])
			}
		})
	}
}

func TestIdle(t *testing.T) {
	s := newScene(t, func(p *Policy) { p.Session.IdleTimeout = 100 * time.Second }).host("h", 0.1)
	s.play("ann")
	idle := func(seconds float64) string {
		return s.second("h", 0.1, SessionSample{Session: "s1-x", IdleForS: Known(seconds)})
	}
	s.want(idle(89), "")
	s.want(idle(90), "ending_soon:idle")
	s.want(idle(91), "")
	s.want(idle(0), "")
	s.want(idle(90), "ending_soon:idle")
	s.want(s.pass(time.Minute), "") // a silent host makes nobody idle
	s.want(s.second("h", 0.1, SessionSample{Session: "s1-x"}), "")
	s.want(idle(100), "session_ended:idle")
}

func TestHostLost(t *testing.T) {
	for name, tt := range map[string]struct {
		hosts []string
		want  string
	}{
		"to another host":           {[]string{"i"}, "host_lost session_moved:i session_starting:2"},
		"to the head of the queue ": {nil, "host_lost session_ended:host_lost session_released"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, seats(1)).host("h", 0.1)
			s.play("ann")
			for _, id := range tt.hosts {
				s.host(id, 0.1)
			}
			s.want(s.do(HostDown{Host: "h"}), "host_disconnected")
			s.pass(time.Minute - 1)
			for _, id := range tt.hosts {
				s.sample(id, 0.1)
			}
			s.want(s.pass(1), tt.want)
		})
	}
}

func TestHostComesBack(t *testing.T) {
	for name, tt := range map[string]struct {
		before  func(s *scene)
		running []RunningSession
		want    string
	}{
		"with the session":           {func(s *scene) { s.play("ann") }, []RunningSession{{"s1-x", StateConnected, 0}}, "host_connected"},
		"whose player has gone":      {func(s *scene) { s.play("ann") }, []RunningSession{{"s1-x", StateReady, 0}}, "host_connected session_dropped"},
		"without it":                 {func(s *scene) { s.play("ann") }, nil, "host_connected session_pending session_starting:2"},
		"without a start in flight":  {func(s *scene) { s.join("ann") }, nil, "host_connected session_starting:1"},
		"with a start in flight":     {func(s *scene) { s.join("ann") }, []RunningSession{{"s1-x", StateStarting, 0}}, "host_connected"},
		"that got ready meanwhile":   {func(s *scene) { s.join("ann") }, []RunningSession{{"s1-x", StateReady, 0}}, "host_connected session_ready"},
		"without one that was ended": {func(s *scene) { s.play("ann"); s.do(Leave{"ann"}) }, nil, "host_connected session_released"},
		"with one that was ended":    {func(s *scene) { s.play("ann"); s.do(Leave{"ann"}) }, []RunningSession{{"s1-x", StateConnected, 0}}, "host_connected"},
		"with one nobody knows":      {func(s *scene) { s.play("ann") }, []RunningSession{{"s1-x", StateConnected, 0}, {"s9-y", StateReady, 0}}, "host_connected"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, nil).host("h", 0.1)
			tt.before(s)
			s.do(HostDown{Host: "h"})
			s.want(s.do(HostUp{Facts: hostFacts("h"), Running: tt.running}), tt.want)
		})
	}
}

func TestOfferOnALostHost(t *testing.T) {
	s := newScene(t, seats(1)).host("h", 0.1)
	s.play("ann", "bob", "cy")
	s.free("ann")
	s.do(HostDown{Host: "h"})
	s.do(SetPolicy{Policy: func() Policy { p := s.p.Policy(); p.Placement.HostLost = time.Second; return p }()})
	s.now = s.now.Add(time.Second)
	s.want(s.do(HostUp{Facts: hostFacts("i")}), "host_connected host_lost offer_lapsed:host_lost")
	if v := s.entry("bob"); v.Position != 1 || v.Lapses != 0 {
		t.Fatalf("bob %+v", v)
	}
}

func TestOperators(t *testing.T) {
	s := newScene(t, nil).host("h", 0.1)
	s.want(s.do(Pause{By: "ops"}), "paused")
	s.want(s.do(Pause{By: "ops"}), "")
	s.join("ann")
	s.blocked(Block{Resource: PausedResource})
	s.now = s.now.Add(time.Millisecond)
	s.want(s.do(Unpause{By: "ops"}), "unpaused offered")
	s.want(s.do(RemoveEntry{Entry: "e1-x", By: "ops"}), "entry_left:removed")
	s.want(s.do(Drain{Host: "h"}), "host_drained")
	s.join("bob")
	s.blocked(Block{Resource: PausedResource, Host: "h"})
	s.now = s.now.Add(time.Millisecond)
	s.want(s.do(Undrain{Host: "h"}), "host_undrained offered")
	s.accept()
	s.want(s.do(EndSession{Session: "s2-x", By: "ops"}), "session_ended:removed")
	for _, c := range []Command{
		Drain{Host: "nowhere"}, Undrain{Host: "nowhere"}, EndSession{Session: "s9-x"}, RemoveEntry{Entry: "e9-x"},
		Promote{Entry: "e9-x"}, HostDown{Host: "nowhere"}, Leave{"nobody"}, Watch{Client: "nobody"}, Unwatch{"nobody"},
		Disconnect{"nobody"}, Accept{"nobody", "o1-x"}, Report{Host: "h", Session: "s9-x", State: StateReady},
		SetPolicy{}, HostUp{}, Open{ID: "y"}, SetSharing{Client: "ann", Session: "s9-x", Mode: SharingOpen},
	} {
		if names, out := s.try(c); out.Refused == nil || out.Refused.Message == "" || names != "" {
			t.Errorf("%T%+v: got %q %+v, want a refusal", c, c, names, out)
		}
	}
}

func TestBeforeOpen(t *testing.T) {
	p := New()
	for _, c := range []Command{Join{Client: "c", Intent: Play}, Recover{}, Open{}, Open{ID: "x"}} {
		if events, out := p.Run(historyStart, c); out.Refused == nil || len(events) != 0 {
			t.Errorf("%T: got %v %+v, want a refusal", c, events, out)
		}
	}
	if at := p.NextDeadline(); !at.IsZero() {
		t.Errorf("a pool that is not open wants a tick at %s", at)
	}
}

// TestTimeNeverGoesBack: a clock that was set back does not make events older
// than the last.
func TestTimeNeverGoesBack(t *testing.T) {
	s := newScene(t, nil).host("h", 0.1)
	last := s.now
	events, _ := s.p.Run(last.Add(-time.Hour), Join{Client: "c", Secret: "k", Intent: Play})
	for _, e := range events {
		if e.At.Before(last) {
			t.Errorf("%s at %s, after %s", e.Name(), e.At, last)
		}
	}
}
