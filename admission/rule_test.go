package admission

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// TestBurst: a hundred joins within one sample never take a host past its
// threshold, since each seat counts from the moment it is given.
func TestBurst(t *testing.T) {
	s := newScene(t, nil).host("h", 0.1) // 4 cores, 1 core each: 0.1 + 3 x 0.25 = 0.85
	for i := range 100 {
		s.join(fmt.Sprint("p", i))
	}
	if v := s.p.View(); v.SeatsUsed != 3 || v.Waiting != 97 {
		t.Fatalf("%d seated and %d waiting, want 3 and 97", v.SeatsUsed, v.Waiting)
	}
	s.blocked(Block{Resource: CPU, Host: "h", Projected: 1.1, Limit: 0.85})
}

// TestReservationFades: as a session shows in the measurement, its reservation
// goes; it must not be counted twice. A dip of what is measured then lets nobody
// in, since it says little of what sessions usually take; a lasting one does.
func TestReservationFades(t *testing.T) {
	s := newScene(t, nil).host("h", 0)
	s.play("ann", "bob", "cy", "dee")
	for i := range 12 {
		load := 0.75 * math.Min(1, (float64(i)+0.5)/10) // in the middle of each second
		s.want(s.second("h", load), "")
		s.blocked(Block{Resource: CPU, Host: "h", Projected: 1, Limit: 0.85})
	}
	s.want(s.seconds(60, "h", 0.75), "")
	s.want(s.seconds(10, "h", 0.25), "")
	s.want(s.seconds(40, "h", 0.25), "offered")
}

// TestSeatOfAnIdleApp: an app that does little while nobody is connected, before
// the player comes or after a drop, keeps room for what it will do when the
// player is there.
func TestSeatOfAnIdleApp(t *testing.T) {
	for name, seen := range map[string][]SessionSample{
		"seen by session": uses(0.01, "s1-x", "s2-x", "s3-x"),
		"seen as a whole": nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, func(p *Policy) { p.Session.ReconnectGrace = time.Hour }).host("h", 0.1)
			s.play("ann", "bob")
			s.join("cy")
			s.state("s3-x", StateReady)
			s.state("s1-x", StateDropped)
			s.state("s2-x", StateDropped)
			s.join("dee")
			for range 30 {
				s.want(s.second("h", 0.13, seen...), "")
			}
			if b := s.p.BlockedBy(s.now, "", Play); b == nil || b.Resource != CPU || b.Projected < 0.1+4*0.25 {
				t.Fatalf("blocked by %+v, want the three idle seats in full", b)
			}
		})
	}
}

// TestHysteresis: a host that closed opens again one point lower, and when it has
// been there for three seconds. What it usually takes falls slowly.
func TestHysteresis(t *testing.T) {
	s := newScene(t, nil).host("h", 0.7)
	s.join("ann")
	s.blocked(Block{Resource: CPU, Host: "h", Projected: 0.95, Limit: 0.85})
	s.want(s.seconds(200, "h", 0.595), "") // fits below 0.85, and not below 0.84
	s.blocked(Block{Resource: CPU, Host: "h", Projected: 0.845, Limit: 0.84})
	for s.p.BlockedBy(s.now, "", Play).Projected > 0.84 {
		s.want(s.second("h", 0.58), "")
	}
	s.want(s.seconds(2, "h", 0.58), "")
	s.want(s.second("h", 0.595), "") // too high again: the hold starts anew
	s.want(s.seconds(3, "h", 0.58), "")
	s.want(s.second("h", 0.58), "offered")
}

// TestDepartureOpens: a seat that becomes free is a real change, not noise, so
// the hysteresis does not keep it empty. The load that is still measured is
// credited with the least that it can have been.
func TestDepartureOpens(t *testing.T) {
	s := newScene(t, func(p *Policy) {
		p.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 1}, Spread: Cost{CPUCores: 0.1}, SettleS: 1}
	}).host("h", 0.0)
	s.play("ann", "bob", "cy")
	full := func() string { return s.second("h", 0.75, uses(0.25, "s1-x", "s2-x", "s3-x")...) }
	for range 3 {
		full()
	}
	s.play("dee")
	full()
	// now: 0.75 - (0.25 - 2 x 0.025) + 0.25 = 0.8; usually: 2 x 0.25 + 0.25
	s.want(s.free("ann"), "session_released offered")
}

func TestUnknownIsNotZero(t *testing.T) {
	for name, tt := range map[string]struct {
		sample Sample
		want   *Block
	}{
		"known":            {Sample{CPU: Known(0.1)}, nil},
		"unknown":          {Sample{}, &Block{Resource: Stale, Host: "h", Projected: 0.25, Limit: 0.85}},
		"known to be full": {Sample{CPU: Known(0.85)}, &Block{Resource: CPU, Host: "h", Projected: 1.1, Limit: 0.85}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, nil)
			s.do(HostUp{Facts: hostFacts("h")})
			s.blocked(Block{Resource: Stale, Host: "h"})
			tt.sample.Host = "h"
			s.observe(tt.sample)
			if tt.want != nil {
				s.blocked(*tt.want)
			} else if b := s.p.BlockedBy(s.now, "", Play); b != nil {
				t.Fatalf("blocked by %+v", b)
			}
		})
	}
}

func TestStaleSample(t *testing.T) {
	s := newScene(t, nil).host("h", 0.1)
	s.now = s.now.Add(5 * time.Second)
	if b := s.p.BlockedBy(s.now, "", Play); b != nil {
		t.Fatalf("blocked by %+v", b)
	}
	s.now = s.now.Add(time.Millisecond)
	s.blocked(Block{Resource: Stale, Host: "h", Projected: 5.001, Limit: 5})
	s.join("ann")
	if !strings.Contains(fmt.Sprint(s.p.Explain(s.now, "")), "stale") {
		t.Fatal("explain does not say stale")
	}
	s.want(s.second("h", 0.1), "offered")
}

func TestNoHost(t *testing.T) {
	s := newScene(t, nil)
	s.blocked(Block{Resource: NoHost, Projected: 1})
	s.host("h", 0.1).do(HostDown{Host: "h"})
	s.blocked(Block{Resource: NoHost, Projected: 1})
}

// gpus is a scene with one host of GPUs.
func gpus(t *testing.T, cost Cost, facts ...GPUFacts) *scene {
	s := newScene(t, func(p *Policy) { p.Apps["app"] = Profile{App: "app", Cost: cost} })
	f := hostFacts("h")
	f.MemoryBytes = 16e9
	f.GPUs = facts
	s.do(HostUp{Facts: f})
	return s
}

func (s *scene) gpuSample(loads ...float64) {
	x := Sample{Host: "h", CPU: Known(0)}
	for _, l := range loads {
		x.GPUs = append(x.GPUs, GPUSample{Util: Known(l), Encoder: Known(l / 2)})
	}
	s.observe(x)
}

func TestHardResources(t *testing.T) {
	for name, tt := range map[string]struct {
		cost  Cost
		gpu   GPUFacts
		fits  int
		block Block
	}{
		"vram":             {Cost{VRAMBytes: 6e9}, GPUFacts{VRAMBytes: 16e9}, 2, Block{Resource: VRAM, Host: "h", Projected: 18e9, Limit: 14.4e9}},
		"encoder sessions": {Cost{EncoderSessions: 1}, GPUFacts{EncoderSessions: 3}, 3, Block{Resource: EncoderSessions, Host: "h", Projected: 4, Limit: 3}},
		"memory":           {Cost{MemoryBytes: 5e9}, GPUFacts{}, 2, Block{Resource: Memory, Host: "h", Projected: 15e9, Limit: 14.4e9}},
		"gpu":              {Cost{GPU: 0.4}, GPUFacts{}, 2, Block{Resource: GPU, Host: "h", Projected: 1.2, Limit: 0.85}},
		"encoder":          {Cost{Encoder: 0.3}, GPUFacts{}, 2, Block{Resource: Encoder, Host: "h", Projected: 0.9, Limit: 0.85}},
	} {
		t.Run(name, func(t *testing.T) {
			s := gpus(t, tt.cost, tt.gpu)
			s.gpuSample(0)
			for i := range tt.fits + 2 {
				s.join(fmt.Sprint("p", i))
			}
			if v := s.p.View(); v.SeatsUsed != tt.fits {
				t.Fatalf("%d seated, want %d", v.SeatsUsed, tt.fits)
			}
			s.blocked(tt.block)
		})
	}
}

func TestGPUOfASession(t *testing.T) {
	for name, tt := range map[string]struct {
		order Order
		loads []float64
		want  []int
	}{
		"spread":                   {Spread, []float64{0.3, 0.1, 0.2}, []int{1, 2, 0, 1, 2}},
		"pack":                     {Pack, []float64{0.3, 0.1, 0.2}, []int{0, 0, 0, 2, 2}},
		"ties go to the lower":     {Spread, []float64{0.1, 0.1}, []int{0, 1, 0, 1}},
		"a full one is left alone": {Spread, []float64{0.8, 0.7}, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := gpus(t, Cost{GPU: 0.2}, make([]GPUFacts, len(tt.loads))...)
			p := s.p.Policy()
			p.Placement.Order, p.Threshold.GPU = tt.order, 0.95
			s.do(SetPolicy{Policy: p})
			s.gpuSample(tt.loads...)
			for i, want := range tt.want {
				s.join(fmt.Sprint("p", i))
				if got := s.session(fmt.Sprint("p", i)).GPU; got != want {
					t.Fatalf("session %d is on GPU %d, want %d", i, got, want)
				}
			}
		})
	}
}

func TestHostOfASession(t *testing.T) {
	for name, tt := range map[string]struct {
		order Order
		want  string
	}{"spread": {Spread, "b a c b a c b"}, "pack": {Pack, "c c a a b b b"}} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, func(p *Policy) {
				p.Placement.Order = tt.order
				p.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 0.8}} // a fifth of a host
			})
			s.host("a", 0.3).host("b", 0.2).host("c", 0.35)
			got := []string{}
			for i := range 7 {
				s.join(fmt.Sprint("p", i))
				got = append(got, s.session(fmt.Sprint("p", i)).Host)
			}
			s.want(strings.Join(got, " "), tt.want)
		})
	}
}

// TestBlockedHeadKeepsItsHosts: a small app must not take, bit by bit, the room
// that the head of another app waits for.
func TestBlockedHeadKeepsItsHosts(t *testing.T) {
	s := newScene(t, func(p *Policy) {
		p.Apps = map[string]Profile{"big": {Cost: Cost{CPUCores: 2}}, "small": {Cost: Cost{CPUCores: 0.4}}}
	})
	both, small := hostFacts("both"), hostFacts("small")
	both.Apps, small.Apps = []string{"big", "small"}, []string{"small"}
	s.do(HostUp{Facts: both})
	s.sample("both", 0.5)
	s.want(s.do(Join{Client: "ann", Secret: "ka", App: "big", Intent: Play}), "enqueued")
	s.want(s.do(Join{Client: "bob", Secret: "kb", App: "small", Intent: Play}), "enqueued")
	if b := s.p.BlockedBy(s.now, "small", Play); b == nil || b.Host != "both" || b.Resource != CPU {
		t.Fatalf("bob is blocked by %+v", b)
	}
	s.do(HostUp{Facts: small})
	s.want(s.second("small", 0), "offered")
	if s.entry("bob").Offer == "" {
		t.Fatal("the offer went to the blocked head")
	}
}

func TestBrownout(t *testing.T) {
	s := newScene(t, func(p *Policy) {
		p.Threshold.CPU = 1
		p.Apps["app"] = Profile{App: "app"}
		p.Session.Sharing = SharingOpen
	}).host("h", 0.5)
	s.play("ann")
	s.do(Join{Client: "eye", Secret: "ke", Intent: View})
	for range 10 {
		s.want(s.second("h", 0.96), "")
	}
	s.want(s.second("h", 0.96), "view_rated")
	s.join("bob")
	s.blocked(Block{Resource: CPU, Host: "h", Projected: 0.96, Limit: 0.95})
	s.want(s.second("h", 0.92), "") // not over yet
	s.want(s.second("h", 0.89), "offered view_rated")
}

func TestLearning(t *testing.T) {
	s := newScene(t, func(p *Policy) { p.Session.MaxLength = 0 }).host("h", 0)
	s.play("ann")
	learned := []time.Time{}
	for range 600 {
		s.now = s.now.Add(time.Second)
		s.sample("h", 0.4, SessionSample{Session: "s1-x", CPU: Known(0.4)})
		events, _ := s.p.Run(s.now, Tick{})
		for _, e := range events {
			s.m.apply(e)
			if _, ok := e.Body.(CostsLearned); ok {
				learned = append(learned, e.At)
			}
		}
	}
	if len(learned) < 2 {
		t.Fatalf("learned %d times", len(learned))
	}
	for i := range learned[1:] {
		if d := learned[i+1].Sub(learned[i]); d < time.Minute {
			t.Fatalf("learned twice within %s", d)
		}
	}
	if got := s.p.apps["app"].mean.CPUCores; got < 1.3 || got > 1.6 {
		t.Fatalf("learned %v cores, from 1 towards 1.6", got)
	}
}

// TestASaturatedHostTeachesNothing: what is seen is what was left, not what was
// wanted.
func TestASaturatedHostTeachesNothing(t *testing.T) {
	s := newScene(t, nil).host("h", 0)
	s.play("ann", "bob")
	s.seconds(100, "h", 0.97, uses(0.1, "s1-x", "s2-x")...)
	if c := s.p.apps["app"].estimate.costs[0]; c != (costEstimate{}) {
		t.Errorf("the app was told %+v", c)
	}
	if x := s.p.sessions["s1-x"].own; x.trends[0] != (trend{}) || x.rise != (rise{}) {
		t.Errorf("of a session is kept %+v", x)
	}
}

// uses are samples of sessions that each take that fraction of the CPU.
func uses(cpu float64, sessions ...string) []SessionSample {
	list := make([]SessionSample, 0, len(sessions))
	for _, id := range sessions {
		list = append(list, SessionSample{Session: id, CPU: Known(cpu)})
	}
	return list
}
