package admission

import (
	"testing"
	"time"
)

func TestSmoke(t *testing.T) {
	p := New()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pol := DefaultPolicy()
	pol.Apps["a"] = Profile{App: "a", Cost: Cost{CPUCores: 1}, Seats: 2}
	run := func(c Command) Outcome {
		ev, out := p.Run(now, c)
		for _, e := range ev {
			t.Logf("%s %+v", e.Name(), e.Body)
		}
		if out.Refused != nil {
			t.Logf("refused %+v", *out.Refused)
		}
		return out
	}
	run(Open{ID: "x", Name: "n", Policy: pol})
	run(HostUp{Facts: HostFacts{Host: "h", Cores: 4, Apps: []string{"a"}}})
	obs := func(cpu float64) {
		now = now.Add(time.Second)
		if err := p.Observe(now, Sample{Host: "h", Seq: uint64(now.Unix()), Received: now, WindowEnd: now, Period: time.Second, CPU: Known(cpu)}); err != nil {
			t.Fatal(err)
		}
	}
	obs(0)
	run(Join{Client: "c1", Secret: "k1", Intent: Play})
	run(Join{Client: "c2", Secret: "k2", Intent: Play, WatchWhileWaiting: true})
	run(Join{Client: "c3", Secret: "k3", Intent: Play})
	run(Report{Host: "h", Session: "s1-x", State: StateReady})
	run(Report{Host: "h", Session: "s1-x", State: StateConnected})
	run(Accept{Client: "c2", Offer: "o1-x"})
	b := p.BlockedBy(now, "", Play)
	t.Log(b, p.NextDeadline())
	snap, err := p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	q, err := Restore(snap)
	if err != nil {
		t.Fatal(err)
	}
	s2, _ := q.Snapshot()
	if string(s2) != string(snap) {
		t.Fatal("differs")
	}
	t.Log(p.Explain(now, ""))
	run(Leave{Client: "c1"})
	run(Report{Host: "h", Session: "s1-x", State: StateEnded})
	obs(0)
	now = now.Add(30 * time.Second)
	run(Tick{})
}
