package admission

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// queued is a pool of hosts with so many seats each, all played for some time,
// that knows how long sessions last, and so many who wait.
func queued(t *testing.T, hosts, seatsEach, waiting int) *scene {
	t.Helper()
	s := newScene(t, seats(seatsEach))
	for i := range hosts {
		s.host(fmt.Sprint("h", i), 0.1)
	}
	r := rand.New(rand.NewPCG(1, 9))
	for i := range hosts * seatsEach {
		s.play(fmt.Sprint("p", i))
	}
	for range 200 {
		s.p.apps["app"].ended(length{S: 300 * r.ExpFloat64(), At: toInstant(s.now)})
	}
	s.now = s.now.Add(time.Minute)
	for i := range hosts {
		s.sample(fmt.Sprint("h", i), 0.1)
	}
	for i := range waiting {
		s.join(fmt.Sprint("w", i))
	}
	return s
}

// TestWaitIsTheSameEverywhere: by entry, in the list and in the walk; and it is
// longer the further back one is.
func TestWaitIsTheSameEverywhere(t *testing.T) {
	s := queued(t, 2, 2, 80)
	list, i, before := s.p.Queue("", 100), 0, Wait{}
	s.p.EachPlace(func(at *Place) {
		e, _ := s.p.Entry(at.Entry)
		if *e.Wait != *at.Wait || *list[i].Wait != *at.Wait {
			t.Fatalf("place %d is told %v, %v and %v", at.Position, *e.Wait, *at.Wait, *list[i].Wait)
		}
		if at.Wait.P50S < before.P50S || at.Wait.P90S < before.P90S || at.Wait.P90S < at.Wait.P50S {
			t.Fatalf("place %d is told %v, and before it %v", at.Position, *at.Wait, before)
		}
		before, i = *at.Wait, i+1
	})
	if i != 80 {
		t.Fatalf("%d places", i)
	}
}

// TestFirstQuoteIsInTheJournal, and what came of it in the snapshot.
func TestFirstQuoteIsInTheJournal(t *testing.T) {
	s := queued(t, 1, 2, 1)
	s.join("ann")
	told := s.p.entries[s.client("ann").Entry].quote
	if is := s.entry("ann").Wait; told == nil || is == nil || told.Wait != *is {
		t.Fatalf("the event says %v, and the entry is told %v", told, is)
	}
	s.now = s.now.Add(time.Second)
	s.do(Leave{Client: "ann"})
	if c := s.p.apps["app"].course; c.Scored[1] != 1 || c.Left == 0 {
		t.Fatalf("nothing was learned of one who left: %+v", c)
	}
}

// TestWaitAfterARestart: a pool from the snapshot forecasts what the first did.
func TestWaitAfterARestart(t *testing.T) {
	s := queued(t, 3, 4, 30)
	s.now = s.now.Add(10 * time.Second)
	s.do(Leave{Client: "w3"})
	data, err := s.p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	q, err := Restore(data)
	if err != nil {
		t.Fatal(err)
	}
	s.p.apps["app"].table, s.p.apps["app"].curve = nil, nil // made a little earlier
	id := s.client("w20").Entry
	a, _ := s.p.Entry(id)
	b, _ := q.Entry(id)
	if a.Wait == nil || b.Wait == nil || *a.Wait != *b.Wait {
		t.Fatalf("before %v, after %v", a.Wait, b.Wait)
	}
}

// TestOlderSnapshotIsRead: one that has lengths alone.
func TestOlderSnapshotIsRead(t *testing.T) {
	s := newScene(t, seats(1))
	data, err := s.p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	old := bytes.Replace(data, []byte(`"apps":[{"name":"app"`), []byte(`"apps":[{"name":"app","lengths":[60,120]`), 1)
	q, err := Restore(old)
	if err != nil {
		t.Fatal(err)
	}
	if l := q.apps["app"].lengths; len(l) != 2 || l[1].S != 120 || l[1].Cut {
		t.Fatalf("lengths %v", l)
	}
}

// TestDrainedHostHandsNoSeatOn: the wait becomes longer at once, and shorter
// again when the host is back.
func TestDrainedHostHandsNoSeatOn(t *testing.T) {
	s := queued(t, 2, 2, 10)
	last := func() float64 { return s.entry("w9").Wait.P50S }
	both := last()
	s.do(Drain{Host: "h1"})
	one := last()
	if one < 1.7*both || one > 2.5*both {
		t.Fatalf("with two hosts %.0f s, with one %.0f s", both, one)
	}
	s.do(Undrain{Host: "h1"})
	if again := last(); again > 1.1*both {
		t.Fatalf("with both again %.0f s, and it was %.0f s", again, both)
	}
	s.do(Pause{})
	if w := s.entry("w9").Wait; w != nil {
		t.Fatalf("paused, and the wait is %v", w)
	}
}

// TestOtherAppsOfTheHostsCount: whoever waits longer for another app on the same
// hosts is ahead.
func TestOtherAppsOfTheHostsCount(t *testing.T) {
	s := newScene(t, func(p *Policy) {
		p.Apps["app"] = Profile{App: "app", Seats: 4}
		p.Apps["big"] = Profile{App: "big", Seats: 2}
	})
	f := hostFacts("h")
	f.Apps = []string{"app", "big"}
	s.do(HostUp{Facts: f})
	s.sample("h", 0.1)
	join := func(id, app string) {
		s.do(Join{Client: id, Secret: id, App: app, Intent: Play})
		if x := s.client(id).Session; x != "" {
			s.state(x, StateConnected)
		}
	}
	for i := range 4 {
		join(fmt.Sprint("p", i), "app")
	}
	for range 50 {
		s.p.apps["app"].ended(length{S: 300})
		s.p.apps["app"].ended(length{S: 500})
	}
	s.now = s.now.Add(time.Second)
	join("ann", "app")
	alone := s.entry("ann").Wait.P50S
	s.do(Leave{Client: "ann"})
	join("bob", "big")
	s.now = s.now.Add(time.Second)
	join("cy", "app")
	if w := s.entry("cy").Wait; w.P50S <= alone {
		t.Fatalf("alone %.0f s, behind one for the big app %.0f s", alone, w.P50S)
	}
	for i := range 40 {
		join(fmt.Sprint("q", i), []string{"app", "big"}[i*i%3%2])
	}
	for range 50 {
		s.p.apps["big"].ended(length{S: 400})
	}
	s.now = s.now.Add(2 * time.Second)
	s.do(Tick{})
	s.p.EachPlace(func(at *Place) {
		if e, _ := s.p.Entry(at.Entry); at.Wait == nil || *e.Wait != *at.Wait {
			t.Fatalf("place %d of %s is told %v and %v", at.Position, at.App, e.Wait, at.Wait)
		}
	})
}

// TestFlashCrowd: a thousand in ten seconds on forty empty seats are told
// nothing while nothing is known, and something after some sessions.
func TestFlashCrowd(t *testing.T) {
	plan := townPlan{hosts: 10, seats: 4, length: exponential(300), mean: 300, joins: 1000, rate: func(t float64) float64 {
		if t < 10 {
			return 100
		}
		return 0.01
	}, rush: 200, until: 400}
	w := plan.live(t, 1)
	if n := w.unknown; n < 900 {
		t.Fatalf("%d were told nothing", n)
	}
	known := 0
	w.p.EachPlace(func(at *Place) {
		if at.Wait != nil {
			known++
		}
	})
	if waiting := w.p.View().Waiting; known != waiting || known < 700 {
		t.Fatalf("of %d who still wait after 400 s, %d know for how long", waiting, known)
	}
}

// TestWaitIsUnknownWithoutAHost that takes anybody.
func TestWaitIsUnknownWithoutAHost(t *testing.T) {
	s := queued(t, 1, 2, 5)
	s.do(Drain{Host: "h0"})
	if w := s.entry("w0").Wait; w != nil {
		t.Fatalf("with no host that takes anybody the wait is %v", w)
	}
}

// TestFullUplinkHandsItsShareOn: hosts with room to spare give none of it while
// the pool's uplink carries nobody else; whoever leaves makes room for one.
func TestFullUplinkHandsItsShareOn(t *testing.T) {
	s := queued(t, 2, 2, 10)
	seats := s.entry("w9").Wait
	policy := s.p.policy.clone()
	policy.Apps["app"] = Profile{App: "app", Seats: 20}
	policy.Uplink.BudgetBps = 4.5 * policy.Session.BitrateBps
	s.do(SetPolicy{Policy: policy})
	s.p.apps["app"].table = nil
	if uplink := s.entry("w9").Wait; uplink == nil || *uplink != *seats {
		t.Fatalf("with four seats %v, with an uplink for four %v", seats, uplink)
	}
}
