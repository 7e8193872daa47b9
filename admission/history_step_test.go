package admission

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// step does something at random and lets some time pass.
func (h *history) step() {
	switch k := h.n(100); {
	case k < 22:
		h.join()
	case k < 32:
		h.run(pick[Command](h, Leave{h.client()}, Disconnect{h.client()}, Disconnect{h.client()}))
	case k < 44:
		h.answer()
	case k < 62:
		h.report()
	case k < 74:
		h.observeAll()
	case k < 82:
		h.pass()
	case k < 88:
		h.look()
	case k < 94:
		h.hosts()
	default:
		h.operate()
	}
	h.agree()
}

func (h *history) pass() {
	h.now = h.now.Add(pick(h, 100*time.Millisecond, time.Second, 3*time.Second, 21*time.Second, 61*time.Second))
	if next := h.p.NextDeadline(); !next.IsZero() && next.Before(h.now) && h.chance(50) {
		h.now = next
	}
	h.run(Tick{})
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (h *history) client() string {
	if ids := sorted(h.m.clients); len(ids) > 0 && h.chance(95) {
		return pick(h, ids...)
	}
	return "nobody"
}

func (h *history) join() {
	h.clients++
	j := Join{
		Client: fmt.Sprintf("c%d", h.clients), Secret: fmt.Sprintf("k%d", h.clients), App: pick(h, "a", "a", "b", ""),
		Class: pick(h, "", "", "vip", "normal"), Intent: pick(h, Play, Play, Play, View), WatchWhileWaiting: h.chance(50),
	}
	if h.chance(20) {
		j.Identity = fmt.Sprintf("i%d", h.n(3))
	}
	if h.chance(30) {
		if c, ok := h.p.Client(h.client()); ok {
			j.Resume = c.Secret
		}
	}
	if j.Intent == View && h.chance(30) {
		j.Session = h.session()
	}
	out := h.run(j)
	h.m.must(out.Refused != nil || out.Client != "", "a client was taken and is nobody")
}

func (h *history) session() string {
	if ids := sorted(h.m.sessions); len(ids) > 0 {
		return pick(h, ids...)
	}
	return "none"
}

func (h *history) answer() {
	for _, id := range sorted(h.m.entries) {
		if x := h.m.entries[id]; x != nil && x.offer != "" && h.chance(60) {
			v, _ := h.p.Entry(id)
			h.run(pick[Command](h, Accept{x.client, v.Offer}, Accept{x.client, v.Offer}, Accept{x.client, v.Offer}, Decline{x.client, v.Offer}))
		}
	}
}

func (h *history) report() {
	for _, id := range sorted(h.m.sessions) {
		s := h.m.sessions[id]
		if s == nil || !h.chance(60) {
			continue
		}
		next := map[SessionPhase][]SessionState{
			PhaseStarting:  {StateReady, StateReady, StateReady, StateEnded, StateStarting},
			PhaseReady:     {StateConnected, StateConnected, StateConnected, StateEnded},
			PhaseConnected: {StateDropped, StateReady, StateEnded, StateConnected},
			PhaseDropped:   {StateConnected, StateEnded},
			PhaseStopping:  {StateEnded},
			PhasePending:   {StateReady, StateEnded},
			PhaseOffered:   {StateReady},
		}[s.phase]
		if s.phase != PhaseConnected || h.chance(20) {
			h.run(Report{Host: s.grant.Host, Session: id, State: pick(h, next...), Attempt: h.n(4)})
		}
	}
}

func (h *history) observeAll() {
	h.now = h.now.Add(pick(h, 500*time.Millisecond, time.Second, time.Second, 2*time.Second))
	for _, id := range sorted(h.m.hosts) {
		if h.m.hosts[id].connected {
			h.observe(id)
		}
	}
	h.run(Tick{})
}

// observe makes a sample of one host: what its sessions really use, some noise,
// and gaps.
func (h *history) observe(id string) {
	h.seq++
	facts := h.m.hosts[id].facts
	s := Sample{
		Host: id, Seq: h.seq, Received: h.now, WindowEnd: h.now.Add(-time.Duration(h.n(300)) * time.Millisecond),
		Window: pick(h, time.Second, time.Second, 500*time.Millisecond, 30*time.Second), Period: time.Second, CPU: h.level(), Memory: h.maybe(float64(h.n(8)) * 1e9),
	}
	for range facts.GPUs {
		s.GPUs = append(s.GPUs, GPUSample{Util: h.level(), Encoder: h.level(), VRAM: h.maybe(float64(h.n(8)) * 1e9), EncoderSessions: h.maybe(float64(h.n(3)))})
	}
	for _, sid := range sorted(h.m.sessions) {
		if x := h.m.sessions[sid]; x.grant.Host == id && (x.phase.lit() || x.phase == PhaseStarting) && h.chance(80) {
			s.Sessions = append(s.Sessions, SessionSample{
				Session: sid, CPU: h.maybe(float64(h.n(30)) / 100), GPU: h.maybe(float64(h.n(40)) / 100),
				Encoder: h.maybe(float64(h.n(30)) / 100), IdleForS: h.maybe(float64(h.n(30))),
			})
		}
	}
	h.steps = append(h.steps, h.now, s)
	if err := h.p.Observe(h.now, s); err != nil {
		panic(broken(err.Error()))
	}
	h.m.observe(s)
}

func (h *history) level() Reading {
	if h.chance(10) {
		return h.maybe(0.96)
	}
	return h.maybe(float64(h.n(70)) / 100)
}

func (h *history) maybe(v float64) Reading { return Reading{Value: v, Known: h.chance(95)} }

func (h *history) look() {
	h.run(pick[Command](h,
		Watch{Client: h.client()}, Watch{Client: h.client(), Session: h.session()}, Unwatch{Client: h.client()},
		SetSharing{Client: h.player(), Session: h.session(), Mode: pick(h, SharingOpen, SharingAsk, SharingClosed)}))
}

func (h *history) player() string {
	if s := h.m.sessions[h.session()]; s != nil {
		return s.client
	}
	return h.client()
}

func (h *history) hosts() {
	id := pick(h, sorted(h.m.hosts)...)
	switch h.n(5) {
	case 0, 1:
		h.run(HostDown{Host: id})
	case 2:
		h.run(pick[Command](h, Drain{Host: id}, Undrain{Host: id}))
	default:
		up := HostUp{Facts: h.m.hosts[id].facts}
		for _, sid := range sorted(h.m.sessions) {
			if s := h.m.sessions[sid]; s.grant.Host == id && h.chance(70) {
				up.Running = append(up.Running, RunningSession{sid, pick(h, StateReady, StateConnected, StateDropped, StateStarting), h.n(4)})
			}
		}
		h.run(up)
		if h.chance(80) {
			h.observe(id)
			h.run(Tick{})
		}
	}
}

func (h *history) operate() {
	switch h.n(9) {
	case 0:
		h.run(Pause{By: "ops"})
	case 1, 2:
		h.run(Unpause{By: "ops"})
	case 3:
		h.run(EndSession{Session: h.session(), By: "ops"})
	case 4:
		if ids := sorted(h.m.entries); len(ids) > 0 {
			h.run(pick[Command](h, RemoveEntry{Entry: pick(h, ids...)}, Promote{Entry: pick(h, ids...)}))
		}
	case 5, 6:
		h.recover()
	case 7:
		h.learn()
	default:
		p := h.p.Policy()
		other := h.policy()
		p.Uplink, p.Spectators, p.Placement.Order = other.Uplink, other.Spectators, other.Placement.Order
		p.Threshold.Over = other.Threshold.Over
		h.run(SetPolicy{Policy: p, Configured: h.n(2) == 0})
	}
}

// learn is what many sessions would have taught: a history is too short for it.
func (h *history) learn() {
	share := func() float64 { return float64(h.n(11)) / 10 }
	l := Learned{
		Mean: Cost{CPUCores: 2 * share(), GPU: share() / 2, Encoder: share() / 2}, Spread: Cost{CPUCores: share() / 2, GPU: share() / 10},
		Swing: Cost{CPUCores: share() / 4}, Unsure: Cost{CPUCores: share() / 2}, Weight: float64(h.n(remembered)),
	}
	if h.chance(60) {
		for i := range rampSteps {
			l.Ramp = append(l.Ramp, min(1, share()*float64(i)/5))
		}
		slices.Sort(l.Ramp)
	}
	e := Event{At: h.now, Body: CostsLearned{Apps: map[string]Learned{pick(h, historyApps...): l}, Margin: pick(h, 0, 0.5, marginMost)}}
	h.steps, h.log = append(h.steps, h.now, e), append(h.log, e)
	h.p.Apply(e)
	h.m.apply(e)
	h.run(Tick{})
}
