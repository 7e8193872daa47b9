package admission

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// mayServe checks that it is the entry's turn among those who wait for its app.
func (m *model) mayServe(at time.Time, x *modelEntry) {
	m.must(x != nil && x.intent == Play, "somebody is seated who does not wait to play")
	m.must(m.clients[x.client].connected, "%s is offered a seat and is not there", x.id)
	m.must(!m.paused, "%s is seated while the pool is paused", x.id)
	for _, y := range m.entries {
		if y.app != x.app || y.intent != Play || y.offer != "" || y == x {
			continue
		}
		c := m.clients[y.client]
		held := c.since.Equal(m.recovered) && at.Before(m.recovered.Add(RecoverHold))
		if !c.connected && !held {
			continue
		}
		ahead := m.class(y.class) < m.class(x.class) || (m.class(y.class) == m.class(x.class) && y.key < x.key)
		if !c.connected && ahead && m.anyoneBefore(y) {
			continue // the hold is for the first of all
		}
		m.must(!ahead, "%s is seated past %s", x.id, y.id)
	}
}

// anyoneBefore says whether somebody waits before y for the same app.
func (m *model) anyoneBefore(y *modelEntry) bool {
	for _, z := range m.entries {
		if z.app == y.app && z.intent == Play && z.offer == "" && z != y &&
			(m.class(z.class) < m.class(y.class) || (m.class(z.class) == m.class(y.class) && z.key < y.key)) {
			return true
		}
	}
	return false
}

func (m *model) reserve(at time.Time, g Grant, client string) {
	m.must(m.sessions[g.Session] == nil, "session %s is there twice", g.Session)
	m.checkRoom(at, g, false)
	m.sessions[g.Session] = &modelSession{grant: g, client: client, phase: PhaseOffered}
	m.withinBudget("seat " + g.Session)
}

// free says whether a limit of bits per second binds nobody.
func (m *model) free(limit float64) bool { return limit == 0 || m.policy.Uplink.WhenFull == FullAllow }

func (m *model) withinBudget(what string) {
	sum := 0.0
	for _, s := range m.sessions {
		sum += s.grant.BitrateBps
	}
	for _, c := range m.clients {
		sum += c.bps
	}
	m.must(m.free(m.policy.Uplink.BudgetBps) || sum <= m.policy.Uplink.BudgetBps, "%s: the pool sends %v of %v", what, sum, m.policy.Uplink.BudgetBps)
}

func (m *model) hostBps(host string) float64 {
	sum := 0.0
	for id, s := range m.sessions {
		if s.grant.Host == host {
			sum += s.grant.BitrateBps
			if m.watchers(id) > 0 {
				sum += s.grant.BitrateBps
			}
		}
	}
	return sum
}

// checkRoom recomputes the rule for the grant before it counts.
func (m *model) checkRoom(at time.Time, g Grant, moved bool) {
	h := m.hosts[g.Host]
	_, known := m.policy.Apps[g.App]
	m.must(h != nil && h.connected && !h.draining && known && slices.Contains(h.facts.Apps, g.App), "seat %s on a host that takes nobody", g.Session)
	m.must(h.sample != nil && at.Sub(h.sample.Received) <= 5*h.sample.Period, "seat %s on stale host %s", g.Session, g.Host)
	m.must(!at.Before(h.rest[g.App]), "seat %s on %s, which rests from failed starts until %s", g.Session, g.Host, h.rest[g.App])
	profile := m.policy.Apps[g.App]
	m.must((g.GPU == NoDevice) == !profile.Cost.NeedsGPU(), "seat %s has GPU %d", g.Session, g.GPU)
	m.elastic(h, g, CPU)
	memory := m.policy.Threshold.Memory * h.facts.MemoryBytes
	m.hard(h, g, Memory, h.sample.Memory, memory)
	if g.GPU != NoDevice {
		m.elastic(h, g, GPU)
		m.elastic(h, g, Encoder)
		facts, gpu := h.facts.GPUs[g.GPU], GPUSample{}
		if g.GPU < len(h.sample.GPUs) {
			gpu = h.sample.GPUs[g.GPU]
		}
		m.hard(h, g, VRAM, gpu.VRAM, m.policy.Threshold.VRAM*facts.VRAMBytes)
		m.hard(h, g, EncoderSessions, gpu.EncoderSessions, float64(facts.EncoderSessions))
	}
	m.seats(g, profile)
	if !moved {
		n := m.count(g.Host, PhaseStarting) + m.count(g.Host, PhasePending)
		m.must(n < max(1, m.policy.Placement.MaxStarting), "seat %s while %d start", g.Session, n)
	}
	if !m.free(h.facts.UplinkBps) {
		now := m.hostBps(g.Host) + g.BitrateBps
		m.must(now <= h.facts.UplinkBps, "seat %s: host %s sends %v of %v", g.Session, g.Host, now, h.facts.UplinkBps)
	}
}

func (m *model) seats(g Grant, profile Profile) {
	facts := m.hosts[g.Host].facts
	if profile.Seats == 0 || elsewhere(profile, facts) {
		return
	}
	share := 1 / float64(profile.Seats)
	for _, s := range m.sessions {
		other := m.policy.Apps[s.grant.App]
		if n := other.Seats; s.grant.Host == g.Host && n > 0 && !elsewhere(other, facts) {
			share += 1 / float64(n)
		}
	}
	m.must(share <= 1+1e-6, "seat %s: %v of the calibrated seats of %s", g.Session, share, g.Host)
}

func (m *model) costs(g Grant) (mean, spread Cost) {
	profile, known := m.policy.Apps[g.App]
	if !known {
		return g.Cost, Cost{}
	}
	mean, spread = profile.Cost, profile.Spread
	if l, ok := m.learned[g.App]; ok {
		mean.CPUCores, mean.GPU, mean.Encoder = l.Mean.CPUCores, l.Mean.GPU, l.Mean.Encoder
		spread.CPUCores, spread.GPU, spread.Encoder = l.Spread.CPUCores, l.Spread.GPU, l.Spread.Encoder
	}
	if elsewhere(profile, m.hosts[g.Host].facts) {
		spread.CPUCores = math.Max(spread.CPUCores, mean.CPUCores/4)
		spread.GPU = math.Max(spread.GPU, mean.GPU/4)
		spread.Encoder = math.Max(spread.Encoder, mean.Encoder/4)
	}
	return mean, spread
}

// elsewhere says whether a profile was measured on another kind of machine. In
// these histories GPUs have no names, so their number is the kind.
func elsewhere(p Profile, f HostFacts) bool {
	if p.Machine == (Machine{}) {
		return false
	}
	names := 0
	if len(f.GPUs) > 0 {
		names = 2 * (len(f.GPUs) - 1)
	}
	return p.Machine.Cores != f.Cores || len(p.Machine.GPUs) != names
}

func (m *model) fraction(h *modelHost, c Cost, r Resource) float64 {
	switch r {
	case CPU:
		return c.CPUCores / h.facts.Cores
	case GPU:
		return c.GPU
	default:
		return c.Encoder
	}
}

func (m *model) reading(h *modelHost, gpu int, r Resource) Reading {
	if r == CPU {
		return h.sample.CPU
	}
	if gpu >= len(h.sample.GPUs) {
		return Reading{}
	}
	if r == GPU {
		return h.sample.GPUs[gpu].Util
	}
	return h.sample.GPUs[gpu].Encoder
}

func (s *modelSession) seenOf(r Resource) Reading {
	switch r {
	case CPU:
		return s.seen.CPU
	case GPU:
		return s.seen.GPU
	default:
		return s.seen.Encoder
	}
}

// visible: what a process holds shows from when it is ready.
func (m *model) visible(h *modelHost, s *modelSession) float64 {
	if s.live.IsZero() {
		return 0
	}
	return m.risen(s.grant.App, h.sample.WindowEnd.Sub(s.live).Seconds())
}

func (m *model) risen(app string, age float64) float64 {
	settle := m.policy.Apps[app].SettleS
	if settle == 0 {
		settle = 60
	}
	return math.Max(0, math.Min(1, age/settle))
}

// playing: load shows while the player is there.
func (m *model) playing(h *modelHost, s *modelSession) float64 {
	switch s.phase {
	case PhaseConnected:
		age, sum := h.sample.WindowEnd.Sub(s.connected).Seconds(), 0.0
		for _, part := range []float64{1, 3, 5, 7} { // a window is looked at in four parts
			sum += m.shows(s.grant.App, age-part/8*h.sample.Window.Seconds())
		}
		return sum / 4
	case PhaseStopping:
		return m.visible(h, s)
	default:
		return 0
	}
}

// shows: by the app's learned ramp, whose points are four seconds apart from the
// age of two on, else evenly over the profile's settling time.
func (m *model) shows(app string, age float64) float64 {
	ramp := m.learned[app].Ramp
	if len(ramp) == 0 || age <= 0 {
		return m.risen(app, age)
	}
	before, points := -2.0, append([]float64{0}, ramp...)
	for i, share := range points[:len(ramp)] {
		if age <= before+4 {
			return share + (points[i+1]-share)*(age-before)/4
		}
		before += 4
	}
	return 1
}

// elastic checks what holds whatever sessions are expected to take in the long
// run and whatever margin is kept: with the new one, what the host shows and does
// not show yet is no more than the threshold.
func (m *model) elastic(h *modelHost, g Grant, r Resource) {
	mean, _ := m.costs(g)
	y, cost := m.reading(h, g.GPU, r), m.fraction(h, mean, r)
	if !y.Known {
		m.must(cost == 0, "seat %s: %s of %s is unknown", g.Session, r, g.Host)
		return
	}
	perSession, seen, hidden := true, 0.0, 0.0
	for _, s := range m.sessions {
		if s.grant.Host != g.Host || (r != CPU && s.grant.GPU != g.GPU) {
			continue
		}
		v, x := m.playing(h, s), s.seenOf(r)
		sMean, _ := m.costs(s.grant)
		hidden += (1 - v) * m.fraction(h, sMean, r)
		if x.Known {
			seen += x.Value
		} else if v > 0 {
			perSession = false
		}
	}
	load := math.Max(0, y.Value-m.credit(h, g, r))
	if perSession {
		load = math.Max(seen, load)
	}
	limit := map[Resource]float64{CPU: m.policy.Threshold.CPU, GPU: m.policy.Threshold.GPU, Encoder: m.policy.Threshold.Encoder}[r]
	with := load + hidden + cost
	m.must(with <= limit+1e-6, "seat %s: %s of %s would be %v of %v", g.Session, r, g.Host, with, limit)
}

// credit is the least that those took who are in the newest sample and gone.
func (m *model) credit(h *modelHost, g Grant, r Resource) float64 {
	sum := 0.0
	for _, d := range h.departed {
		if r != CPU && d.session.grant.GPU != g.GPU {
			continue
		}
		mean, spread := m.costs(d.session.grant)
		least := m.visible(h, &d.session) * math.Max(0, m.fraction(h, mean, r)-2*m.fraction(h, spread, r))
		if seen := d.session.seenOf(r); seen.Known {
			sum += math.Min(least, seen.Value)
		}
	}
	return sum
}

func (m *model) hard(h *modelHost, g Grant, r Resource, y Reading, limit float64) {
	if limit == 0 {
		return
	}
	of := func(c Cost) float64 {
		return map[Resource]float64{Memory: c.MemoryBytes, VRAM: c.VRAMBytes, EncoderSessions: c.EncoderSessions}[r]
	}
	all, used := of(g.Cost), of(g.Cost)
	for _, s := range m.sessions {
		if s.grant.Host == g.Host && (r == Memory || s.grant.GPU == g.GPU) {
			all += of(s.grant.Cost)
			used += (1 - m.visible(h, s)) * of(s.grant.Cost)
		}
	}
	m.must(all <= limit*(1+1e-6), "seat %s: %v of %v %s reserved", g.Session, all, limit, r)
	m.must(!y.Known || y.Value+used <= limit*(1+1e-6), "seat %s: %v of %v %s used", g.Session, y.Value+used, limit, r)
}

// ranks are the places of all who wait, by entry, within their class.
func (m *model) ranks() map[string]int {
	ranks := map[string]int{}
	for _, list := range m.lines() {
		for i, x := range list {
			ranks[x.id] = i
		}
	}
	return ranks
}

type modelLine struct {
	intent Intent
	app    string
	class  int
}

func (m *model) lines() map[modelLine][]*modelEntry {
	lines := map[modelLine][]*modelEntry{}
	for _, x := range m.entries {
		if x.offer == "" {
			k := modelLine{x.intent, x.app, m.class(x.class)}
			lines[k] = append(lines[k], x)
		}
	}
	for _, list := range lines {
		slices.SortFunc(list, func(a, b *modelEntry) int { return cmp.Compare(a.key, b.key) })
	}
	return lines
}
