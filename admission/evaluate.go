package admission

import (
	"math"
)

// fit is the rule's word on one host for one app.
type fit struct {
	ratio  float64 // needed over limit, the worst of all resources; at most 1 fits
	move   float64 // the same without the limit on sessions that start
	value  float64 // order of preference among hosts, see [rank]
	gpu    int
	block  Block // the resource that the host is shortest of
	rank   rank
	listed bool
}

// Ratios that stand for a state and not for a load. They only order hosts: a
// host that is short of something is nearer to fitting than one unheard of.
const (
	ratioNoDevice = 1e3
	ratioFailing  = 5e3
	ratioStale    = 1e4
	ratioDraining = 1e5
	ratioMost     = 1e3 // of any load
)

// need is what one resource of one host comes to with the next session of an
// app counted in.
type need struct {
	Resource  Resource
	Device    int
	Measured  Reading
	Reserved  float64
	Now       float64 // of elastic resources: what shows, and what does not show yet
	Usual     float64 // likewise: what the host's sessions take in the long run
	New       float64 // likewise: what the next session is expected to take
	Margin    float64 // likewise: what is kept free
	Projected float64
	Limit     float64
	Ratio     float64
	Verdict   string
}

// The verdicts.
const (
	verdictOK           = "ok"
	verdictFull         = "full"
	verdictStale        = "stale"
	verdictUnknown      = "unknown"
	verdictPaused       = "paused"
	verdictDraining     = "draining"
	verdictDisconnected = "disconnected"
	verdictFailing      = "failing"
	verdictUnlimited    = "unlimited"
)

// epsilon keeps sums of fractions that are exactly full from being called too
// much by a rounding error.
const epsilon = 1e-9

// compare fills in ratio and verdict from projected and limit.
func (n need) compare() need {
	switch {
	case n.Projected <= n.Limit+epsilon*math.Max(1, n.Limit):
		n.Verdict = verdictOK
		if n.Limit > 0 {
			n.Ratio = min(1, n.Projected/n.Limit)
		}
	case n.Limit <= 0:
		n.Verdict, n.Ratio = verdictFull, ratioMost
	default:
		n.Verdict, n.Ratio = verdictFull, min(ratioMost, math.Nextafter(max(1, n.Projected/n.Limit), 2))
	}
	return n
}

func (n need) blockOn(h *host) Block {
	r := n.Resource
	if n.Verdict == verdictUnknown {
		r = Stale
	}
	return Block{Resource: r, Host: h.id, Device: n.Device, Projected: n.Projected, Limit: n.Limit}
}

// judge says how the host fits the next session of the app. It does not look
// at the clock: a stale sample is marked by settle.
func (p *Pool) judge(h *host, a *app) fit {
	worst := need{Ratio: -1, Device: NoDevice}
	consider := func(n need) {
		if n.Ratio > worst.Ratio {
			worst = n
		}
	}
	for _, n := range p.hostState(h) {
		consider(n)
	}
	for _, n := range p.hostNeeds(h, a) {
		consider(n)
	}
	gpu, n := p.chooseGPU(h, a)
	consider(n)
	f := fit{ratio: worst.Ratio, move: worst.Ratio, gpu: gpu, block: worst.blockOn(h)}
	if n := p.startingNeed(h); n.Verdict == verdictFull && f.ratio <= 1 {
		f.ratio, f.block = n.Ratio, n.blockOn(h) // the host has room; only not this moment
	}
	f.value = f.ratio
	if p.policy.Placement.Order == Pack && f.ratio <= 1 {
		f.value = 1 - f.ratio
	}
	return f
}

// hostState is what stands against any session on the host.
func (p *Pool) hostState(h *host) []need {
	var list []need
	if h.draining {
		list = append(list, need{Resource: PausedResource, Device: NoDevice, Ratio: ratioDraining, Verdict: verdictDraining})
	}
	if !h.fresh {
		list = append(list, need{Resource: Stale, Device: NoDevice, Ratio: ratioStale, Verdict: verdictStale})
	}
	if b := h.brown; b != nil {
		list = append(list, need{
			Resource: b.Resource, Device: b.Device, Projected: b.Projected, Limit: b.Limit,
			Ratio: max(2, b.Projected/b.Limit), Verdict: verdictFull,
		})
	}
	return list
}

// hostNeeds are the resources that a host has once, and what failed there.
func (p *Pool) hostNeeds(h *host, a *app) []need {
	c := a.ceiling()
	var measured Reading
	if h.sample != nil {
		measured = h.sample.Memory
	}
	list := []need{
		p.elastic(h, device{CPU, NoDevice}, a),
		h.hard(Memory, NoDevice, hardAsk{measured, c.MemoryBytes, p.policy.Threshold.Memory * h.facts.MemoryBytes}),
		p.seatsNeed(h, a),
		p.uplinkNeed(h),
	}
	if i, found := h.faultOf(a.name); found {
		list = append(list, h.faults[i].need())
	}
	return list
}

// elastic judges one elastic resource.
func (p *Pool) elastic(h *host, dev device, a *app) need {
	l := p.load(h, dev, a)
	pr := Project(l)
	n := need{
		Resource: dev.resource, Device: dev.index, Measured: l.Measured,
		Reserved: pr.Reserved, Now: pr.Now, Usual: pr.Usual, New: pr.New, Margin: pr.Margin,
		Projected: pr.With, Limit: p.threshold(dev.resource),
	}
	switch {
	case !l.Measured.Known && l.New.Usual > 0:
		n.Verdict, n.Ratio = verdictUnknown, ratioStale
		return n
	case !l.Measured.Known:
		n.Verdict = verdictUnknown // the app needs nothing of it, so nothing can be said
		return n
	}
	if c := h.closed[dev]; c != nil && n.Projected <= n.Limit {
		// Low enough to have stayed open, not low enough, or not for long enough,
		// to open again.
		n.Limit, n.Verdict, n.Ratio = c.reopenAt, verdictFull, math.Nextafter(1, 2)
		return n
	}
	return n.compare()
}

func (p *Pool) threshold(r Resource) float64 {
	switch r {
	case CPU:
		return p.policy.Threshold.CPU
	case GPU:
		return p.policy.Threshold.GPU
	default:
		return p.policy.Threshold.Encoder
	}
}

// hardAsk is what is asked of a hard resource, in its own unit.
type hardAsk struct {
	measured Reading
	ask      float64
	limit    float64 // 0: the capacity is unknown, so nothing can be limited
}

// hard judges a hard resource: what is reserved and what is asked must fit,
// and where it is measured, what is used and not yet visible must fit too.
func (h *host) hard(r Resource, gpu int, x hardAsk) need {
	n := need{Resource: r, Device: gpu, Measured: x.measured, Limit: x.limit}
	all, hidden := 0.0, 0.0
	for _, s := range h.sessions {
		if gpu != NoDevice && s.grant.GPU != gpu {
			continue
		}
		c := s.grant.Cost.of(r)
		all += c
		hidden += (1 - s.visible(h.windowEnd)) * c
	}
	base := all
	n.Reserved = all
	if x.measured.Known {
		n.Reserved = hidden
		base = max(all, x.measured.Value+hidden)
	}
	n.Projected = base + x.ask
	if x.limit <= 0 {
		n.Verdict = verdictUnlimited
		return n
	}
	return n.compare()
}

// of is the part of the cost that one resource takes.
func (c Cost) of(r Resource) float64 {
	switch r {
	case CPU:
		return c.CPUCores
	case GPU:
		return c.GPU
	case Encoder:
		return c.Encoder
	case Memory:
		return c.MemoryBytes
	case VRAM:
		return c.VRAMBytes
	case EncoderSessions:
		return c.EncoderSessions
	default:
		return 0
	}
}

// set is the opposite of [Cost.of], for elastic resources.
func (c *Cost) set(r Resource, x float64) {
	switch r {
	case CPU:
		c.CPUCores = x
	case GPU:
		c.GPU = x
	case Encoder:
		c.Encoder = x
	}
}

// seatsNeed is the calibrated number of sessions. Where a host serves several
// apps, a seat of one is worth as many of another as the profiles say.
func (p *Pool) seatsNeed(h *host, a *app) need {
	n := need{Resource: Seats, Device: NoDevice, Verdict: verdictUnlimited}
	if h.seats(a) <= 0 {
		n.Projected = float64(len(h.sessions) + 1)
		return n
	}
	n.Limit = float64(h.seats(a))
	for _, s := range h.sessions {
		if seats := h.seats(s.app); seats > 0 {
			n.Reserved += n.Limit / float64(seats)
		}
	}
	n.Projected = n.Reserved + 1
	return n.compare()
}

// uplinkNeed is the host's own uplink. Where spectators yield to players, the
// streams sent to the relay do not stand in a player's way.
func (p *Pool) uplinkNeed(h *host) need {
	n := need{Resource: UplinkHost, Device: NoDevice, Verdict: verdictUnlimited, Limit: h.facts.UplinkBps}
	used := h.players
	if !p.policy.Spectators.YieldToPlayers {
		used += h.streamBps()
	}
	n.Reserved = float64(used)
	n.Projected = float64(used + p.playerBps())
	if n.Limit <= 0 || p.policy.Uplink.WhenFull == FullAllow {
		return n
	}
	return n.compare()
}

// startingNeed is the limit on sessions that start on the host at once. It
// says no, or nothing: it does not make one host better than another.
func (p *Pool) startingNeed(h *host) need {
	return need{
		Resource: Starting, Device: NoDevice, Reserved: float64(h.starting + h.pending),
		Projected: float64(h.starting + h.pending + 1), Limit: float64(p.maxStarting()),
	}.compare()
}
