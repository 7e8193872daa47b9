package admission

import (
	"bytes"
	"reflect"
	"testing"
)

func TestMachines(t *testing.T) {
	gpus := func(names ...string) HostFacts {
		f := HostFacts{Cores: 16}
		for _, n := range names {
			f.GPUs = append(f.GPUs, GPUFacts{Name: n})
		}
		return f
	}
	l4 := Machine{Cores: 16, GPUs: "L4, L4"}
	for name, c := range map[string]struct {
		profile Machine
		host    HostFacts
		differs bool
	}{
		"says nothing":       {Machine{}, gpus("L4"), false},
		"the same":           {l4, gpus("L4", "L4"), false},
		"a share, nearly":    {Machine{Cores: 15.9, GPUs: "L4, L4"}, gpus("L4", "L4"), false},
		"one GPU less":       {l4, gpus("L4"), true},
		"other GPUs":         {l4, gpus("L40S", "L4"), true},
		"more cores":         {Machine{Cores: 8, GPUs: "L4, L4"}, gpus("L4", "L4"), true},
		"any order":          {Machine{Cores: 16, GPUs: GPUNames([]string{"T4", "L4"})}, gpus("L4", "T4"), false},
		"none, and none":     {Machine{Cores: 16}, gpus(), false},
		"none, where one is": {Machine{Cores: 16}, gpus("L4"), true},
		"1 % fewer cores":    {Machine{Cores: 15.85}, gpus(), false},
		"2 % fewer cores":    {Machine{Cores: 15.68}, gpus(), true},
		"2 % more cores":     {Machine{Cores: 16.33}, gpus(), true},
		"GPUs alone":         {Machine{GPUs: "L4"}, gpus("L4"), false},
		"other GPUs alone":   {Machine{GPUs: "T4"}, gpus("L4"), true},
		"twice the same GPU": {Machine{Cores: 16, GPUs: "L4"}, gpus("L4", "L4"), true},
	} {
		if got := c.profile.Differs(c.host.Machine()); got != c.differs {
			t.Errorf("%s: %s and %s: %v", name, c.profile, c.host.Machine(), got)
		}
	}
}

// TestAProfileFromElsewhere is used with less trust: its seats do not count, and
// a quarter of its cost is uncertain.
func TestAProfileFromElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		machine Machine
		rest    float64 // beside the session, which takes a quarter
		want    string
	}{
		"the same machine, the last seat is taken":  {Machine{Cores: 4}, 0.1, "seats"},
		"another machine, load decides":             {Machine{Cores: 8}, 0.1, ""},
		"the same machine, 55 % + 25 %":             {Machine{}, 0.3, ""},
		"another machine, 55 % + 25 % and a margin": {Machine{Cores: 8}, 0.3, "cpu"},
	} {
		t.Run(name, func(t *testing.T) {
			seats := 1
			if c.machine == (Machine{}) {
				seats = 0
			}
			s := newScene(t, func(p *Policy) {
				p.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 1}, Doubt: 0.01, Seats: seats, SettleS: 1, Machine: c.machine}
				p.Threshold.Over = 0.16 // one standard deviation is kept free
			}).host("h", c.rest)
			s.play("ann")
			s.seconds(8, "h", c.rest+0.25, uses(0.25, "s1-x")...)
			v, _ := s.p.Host(s.now, "h")
			if foreign := c.machine.Cores == 8; foreign != (len(v.Foreign) == 1) {
				t.Errorf("foreign: %v", v.Foreign)
			}
			x := s.p.Explain(s.now, "app")
			got := ""
			if x.BlockedBy != nil {
				got = string(x.BlockedBy.Resource)
			}
			if got != c.want {
				t.Errorf("blocked by %q, want %q: %+v", got, c.want, x)
			}
		})
	}
}

// TestWhatIsLearnedTakesOver from a profile of another kind of machine: its mean
// does, and its spread where that is wider. Narrower it stays no less than a
// quarter, since it is learned of all hosts of the pool.
func TestWhatIsLearnedTakesOver(t *testing.T) {
	s := newScene(t, func(p *Policy) {
		p.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 1}, Spread: Cost{CPUCores: 0.1}, Machine: Machine{Cores: 8}}
	}).host("elsewhere", 0)
	own := hostFacts("own")
	own.Cores = 8
	s.do(HostUp{Facts: own})
	want := func(host string, mean, spread float64) {
		t.Helper()
		a := s.p.apps["app"]
		for _, h := range s.p.hostOrder {
			n := h.newcomer(a, CPU)
			if m, d := n.Mean*h.facts.Cores, n.Spread*h.facts.Cores; h.id == host && (m != mean || d != spread) {
				t.Errorf("%s: %g cores with a spread of %g, want %g and %g", host, m, d, mean, spread)
			}
		}
	}
	learn := func(mean, spread float64) {
		s.p.Apply(Event{At: s.now, Body: CostsLearned{Apps: map[string]Learned{
			"app": {Mean: Cost{CPUCores: mean}, Spread: Cost{CPUCores: spread}, Weight: remembered},
		}}})
	}
	want("elsewhere", 1, 0.25)
	want("own", 1, 0.1)
	learn(2, 0.1)
	want("elsewhere", 2, 0.5)
	want("own", 2, 0.1)
	learn(2, 0.75)
	want("elsewhere", 2, 0.75)
	want("own", 2, 0.75)
}

// TestReplayKnowsTheKind: from its journal and from a snapshot comes a pool that
// decides the same, since facts are in events and the profile is in the policy.
func TestReplayKnowsTheKind(t *testing.T) {
	s := newScene(t, nil)
	policy := s.p.Policy()
	policy.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 1}, Seats: 1, Machine: Machine{Cores: 4, GPUs: "NVIDIA L4"}}
	p, log := New(), []Event(nil)
	run := func(c Command) {
		t.Helper()
		events, out := p.Run(s.now, c)
		if out.Refused != nil {
			t.Fatalf("%T refused: %+v", c, *out.Refused)
		}
		log = append(log, events...)
	}
	observe := func(p *Pool, seq uint64) {
		t.Helper()
		err := p.Observe(s.now, Sample{Host: "h", Seq: seq, CPU: Known(0.1), Received: s.now, WindowEnd: s.now, Window: 1e9, Period: 1e9})
		if err != nil {
			t.Fatal(err)
		}
	}
	run(Open{ID: "x", Policy: policy})
	run(HostUp{Facts: hostFacts("h")})
	observe(p, 1)
	run(Join{Client: "ann", Secret: "k", Intent: Play})
	observe(p, 2)

	record, err := EncodeEvents(log)
	if err != nil {
		t.Fatal(err)
	}
	events, err := DecodeEvents(record)
	if err != nil {
		t.Fatal(err)
	}
	replayed := New()
	for _, e := range events {
		replayed.Apply(e)
	}
	snapshot, err := p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	restored, err := Restore(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	want := p.Explain(s.now, "app")
	if v, _ := p.Host(s.now, "h"); len(v.Foreign) != 1 || len(v.Sessions) != 1 {
		t.Fatalf("the host is not what this is about: %+v", v)
	}
	for name, q := range map[string]*Pool{"replayed": replayed, "restored": restored} {
		if got, err := q.Snapshot(); err != nil || !bytes.Equal(got, snapshot) {
			t.Errorf("%s: %v\n%s\n%s", name, err, got, snapshot)
		}
		observe(q, 2)
		if v, _ := q.Host(s.now, "h"); len(v.Foreign) != 1 {
			t.Errorf("%s: foreign is %v", name, v.Foreign)
		}
		if got := q.Explain(s.now, "app"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v\nwant %+v", name, got, want)
		}
	}
}

// TestJournalsFromBeforeMachines were written by a program that knew of none:
// they are read, and where no machine is named none is written.
func TestJournalsFromBeforeMachines(t *testing.T) {
	policy := DefaultPolicy()
	policy.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 1}, Seats: 2}
	p := New()
	opened, _ := p.Run(historyStart, Open{ID: "x", Policy: policy})
	up, _ := p.Run(historyStart, HostUp{Facts: hostFacts("h")})
	record, err := EncodeEvents(append(opened, up...))
	if err != nil || bytes.Contains(record, []byte("machine")) {
		t.Fatalf("%v: %s", err, record)
	}
	old := []byte(`{"v":1,"events":[{"at":"2026-11-20T10:00:00Z","type":"policy_set","data":{"by":"ops","policy":{"apps":{"app":{` +
		`"app":"app","cost":{"cpu_cores":1,"memory_bytes":0,"gpu":0,"vram_bytes":0,"encoder":0,"encoder_sessions":0},` +
		`"spread":{"cpu_cores":0,"memory_bytes":0,"gpu":0,"vram_bytes":0,"encoder":0,"encoder_sessions":0},"seats":2,"start_s":0,"settle_s":0}},` +
		`"threshold":{"cpu":0.85,"gpu":0.85,"vram":0.9,"encoder":0.85,"memory":0.9},"uplink":{"budget_bps":0,"when_full":"wait"},` +
		`"session":{"bitrate_bps":8000000,"max_length":0,"idle_timeout":0,"first_connect_timeout":0,"reconnect_grace":0,"sharing":"open"},` +
		`"spectators":{"max_per_session":1,"bitrate_bps":0,"low_bitrate_bps":0,"yield_to_players":true,"reconnect_grace":0},` +
		`"queue":{"max_length":1,"offer_timeout":20000000000,"on_lapse":"next","max_lapses":2,"reconnect_grace":0,"classes":["normal"]},` +
		`"placement":{"order":"spread","max_starting":1,"host_lost":0}}}}]}`)
	events, err := DecodeEvents(old)
	if err != nil {
		t.Fatal(err)
	}
	p.Apply(events[0])
	if v, _ := p.Host(historyStart, "h"); p.Policy().Apps["app"].Machine != (Machine{}) || len(v.Foreign) != 0 {
		t.Errorf("%+v, %v", p.Policy().Apps["app"], v.Foreign)
	}
}
