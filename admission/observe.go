package admission

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// Observe takes a sample. An error says which value is impossible; the sample
// is dropped then. What has become due by it, the next Tick does: NextDeadline
// says so.
func (p *Pool) Observe(now time.Time, s Sample) error {
	h := p.hosts[s.Host]
	switch {
	case h == nil:
		return fmt.Errorf("sample of %q: there is no such host", s.Host)
	case !h.connected:
		return fmt.Errorf("sample of %q: the host is not connected", s.Host)
	case h.sample != nil && s.Seq <= h.sample.Seq:
		return fmt.Errorf("sample %d of %q: it is not newer than %d", s.Seq, s.Host, h.sample.Seq)
	}
	if err := s.check(now); err != nil {
		return fmt.Errorf("sample %d of %q: %w", s.Seq, s.Host, err)
	}
	t := p.clamp(now)
	p.takeSample(h, &s)
	p.settle(t)
	if !p.wake {
		p.wake = p.hasStep(t)
	}
	return nil
}

// hasStep says whether a Tick would do something now.
func (p *Pool) hasStep(now instant) bool {
	d := &draft{p: p, now: now, at: now.time()}
	d.tick()
	return len(d.events) > 0
}

// takeSample makes the sample the host's newest and draws what follows from it.
func (p *Pool) takeSample(h *host, s *Sample) {
	if h.sample != nil && toInstant(s.WindowEnd).sub(h.windowEnd) > stalePeriods*s.Period {
		h.hot = nil // nobody knows how it was meanwhile
		for _, c := range h.closed {
			c.below = 0
		}
	}
	h.sample, h.fresh = s, true
	h.received, h.windowEnd = toInstant(s.Received), toInstant(s.WindowEnd)
	p.fresh.set(&h.freshTimer, timer{
		at: h.received.add(stalePeriods * s.Period), seq: h.seq, kind: timerFresh, owner: h,
	})
	kept := h.departed[:0]
	for _, d := range h.departed {
		if d.at >= h.windowEnd {
			kept = append(kept, d)
		}
	}
	h.departed = kept
	p.takeSessions(h, s)
	h.devices(func(dev device) { p.takeRest(h, dev) })
	p.closures(h)
	p.tune(h)
	p.brownout(h)
	p.touch(h)
}

// takeSessions notes what each of the host's sessions was seen to use. One that
// the sample leaves out is unknown.
func (p *Pool) takeSessions(h *host, sample *Sample) {
	for _, s := range h.sessions {
		s.seen = use{}
	}
	for i := range sample.Sessions {
		x := &sample.Sessions[i]
		s := p.sessions[x.Session]
		if s == nil || s.host != h {
			continue
		}
		s.seen = use{cpu: x.CPU, gpu: x.GPU, encoder: x.Encoder}
		p.watch(s)
		p.noteIdle(s, x.IdleForS)
	}
}

// noteIdle says whether the session's player has done nothing for so long that
// it is to be warned, or that the session is over. Only a sample can say so: a
// host that is silent does not make anybody idle.
func (p *Pool) noteIdle(s *session, idle Reading) {
	s.idle, s.idleEnd, s.idleOver = 0, 0, false
	limit := p.policy.Session.IdleTimeout
	if limit > 0 && idle.Known && s.phase == PhaseConnected {
		since := s.host.windowEnd.add(-time.Duration(min(idle.Value, 1e8) * float64(time.Second)))
		s.idleEnd = since.add(limit)
		s.idleOver = idle.Value >= limit.Seconds()
		told := s.idleWarned > 0 && s.idleEnd <= s.idleWarned.add(2*time.Second)
		soon := idle.Value >= (limit - min(endWarning, limit/10)).Seconds()
		if s.idleOver || (soon && !told) {
			s.idle = max(1, s.host.received)
		}
	}
	p.armSession(s)
}

// closure is a resource that has been too full for even the cheapest session.
type closure struct {
	reopenAt float64 // below the threshold, so that noise does not open and close it
	below    instant // since when it has been low enough; 0: it is not
}

// closures closes and reopens the host's elastic resources: fast to close, slow
// to reopen. Measured load wavers; without this a host at its threshold would
// admit somebody at each dip.
func (p *Pool) closures(h *host) {
	h.devices(func(dev device) { p.closeOrOpen(h, dev) })
}

func (p *Pool) closeOrOpen(h *host, dev device) {
	cheapest := h.cheapest(dev.resource)
	if cheapest == nil || !h.measured(dev).Known {
		return
	}
	l := p.load(h, dev, cheapest)
	with, limit := Project(l).With, p.threshold(dev.resource)
	step := reopenStep
	if l.New.Usual > 0 {
		step = min(step, l.New.Usual/2)
	}
	c := h.closed[dev]
	switch {
	case c == nil && with > limit+epsilon:
		if h.closed == nil {
			h.closed = map[device]*closure{}
		}
		h.closed[dev] = &closure{reopenAt: limit - step}
	case c == nil:
	case with > c.reopenAt:
		c.below = 0
	case c.below == 0:
		c.below = h.windowEnd
	case h.windowEnd.sub(c.below) >= reopenHold:
		delete(h.closed, dev)
	}
}

// cheapest is the app of the host that takes least of the resource.
func (h *host) cheapest(r Resource) *app {
	var least *app
	for _, a := range h.group.apps {
		if least == nil || a.mean.of(r) < least.mean.of(r) {
			least = a
		}
	}
	return least
}

// brownout notes since when a resource has been past the mark, and begins and
// ends the host's brownout.
func (p *Pool) brownout(h *host) {
	worst := h.heat(device{CPU, NoDevice})
	for i := range h.facts.GPUs { // every device keeps its own time, so all are asked
		worst = cmp.Or(worst, h.heat(device{GPU, i}))
		worst = cmp.Or(worst, h.heat(device{Encoder, i}))
	}
	changed := (worst == nil) != (h.brown == nil)
	h.brown = worst
	if changed {
		p.regrade(h)
	}
}

// heat is the block of a device that has been past the mark for long enough.
func (h *host) heat(dev device) *Block {
	y, since := h.measured(dev), h.hot[dev]
	mark := brownoutAt
	if since > 0 && h.windowEnd.sub(since) >= brownoutHold {
		mark = brownoutEnd // it is in a brownout: it ends lower than it began
	}
	if !y.Known || y.Value < mark {
		delete(h.hot, dev)
		return nil
	}
	if since == 0 {
		if h.hot == nil {
			h.hot = map[device]instant{}
		}
		h.hot[dev] = h.windowEnd
		return nil
	}
	if h.windowEnd.sub(since) < brownoutHold {
		return nil
	}
	return &Block{Resource: dev.resource, Host: h.id, Device: dev.index, Projected: y.Value, Limit: brownoutAt}
}

// The bounds of what a sample may say.
const (
	maxFraction  = 2.0 // a window that is measured a little wrong may come out above 1
	maxClockSkew = time.Minute
	maxPeriod    = time.Minute
	maxSessions  = 10000
)

// check says which value of the sample is impossible.
func (s *Sample) check(now time.Time) error {
	switch {
	case s.Received.IsZero() || s.Received.After(now.Add(maxClockSkew)):
		return fmt.Errorf("received at %s, and it is %s", s.Received, now)
	case s.WindowEnd.Sub(s.Received).Abs() > maxClockSkew:
		return fmt.Errorf("its window ended %s after it was received; the clock of the host is off",
			s.WindowEnd.Sub(s.Received))
	case s.Period <= 0 || s.Period > maxPeriod:
		return fmt.Errorf("a period of %s; it must be above 0 and at most %s", s.Period, maxPeriod)
	case s.Window < 0 || s.Window > maxPeriod:
		return fmt.Errorf("a window of %s; it must be 0 to %s", s.Window, maxPeriod)
	case len(s.GPUs) > maxGPUs || len(s.Sessions) > maxSessions:
		return fmt.Errorf("%d GPUs and %d sessions; at most %d and %d are allowed",
			len(s.GPUs), len(s.Sessions), maxGPUs, maxSessions)
	}
	return s.checkValues()
}

func (s *Sample) checkValues() error {
	var c checker
	c.fraction("cpu", s.CPU)
	c.amount("memory", s.Memory)
	c.amount("egress", s.EgressBps)
	for i, g := range s.GPUs {
		c.gpu = i + 1
		c.fraction("util", g.Util)
		c.fraction("encoder", g.Encoder)
		c.amount("encoder sessions", g.EncoderSessions)
		c.amount("VRAM", g.VRAM)
	}
	for i := range s.Sessions {
		x := &s.Sessions[i]
		c.gpu, c.session = 0, x.Session
		c.fraction("cpu", x.CPU)
		c.amount("memory", x.Memory)
		c.fraction("gpu", x.GPU)
		c.fraction("encoder", x.Encoder)
		c.amount("VRAM", x.VRAM)
		c.amount("idle seconds", x.IdleForS)
	}
	return c.err
}

// checker keeps the first impossible value. Where it is put into words only then.
type checker struct {
	gpu     int // from 1; 0: of no GPU
	session string
	err     error
}

func (c *checker) at() string {
	switch {
	case c.gpu > 0:
		return fmt.Sprintf("GPU %d: ", c.gpu-1)
	case c.session != "":
		return fmt.Sprintf("session %s: ", c.session)
	default:
		return ""
	}
}

func (c *checker) fraction(name string, r Reading) {
	if r.Known && (math.IsNaN(r.Value) || r.Value < 0 || r.Value > maxFraction) && c.err == nil {
		c.err = fmt.Errorf("%s%s is %v; a fraction from 0 to %v is expected", c.at(), name, r.Value, maxFraction)
	}
}

func (c *checker) amount(name string, r Reading) {
	if r.Known && !amount(r.Value) && c.err == nil {
		c.err = fmt.Errorf("%s%s is %v; 0 to 1e16 is expected", c.at(), name, r.Value)
	}
}
