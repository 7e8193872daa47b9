package admission

import "math"

// load gathers what is known of one elastic resource for [Project]. The list
// of sessions is only valid until the next call.
func (p *Pool) load(h *host, dev device, a *app) Load {
	l := Load{Measured: h.measured(dev), Z: p.margin.z, New: h.newcomer(a, dev.resource)}
	p.uses = p.uses[:0]
	for _, s := range h.sessions {
		if dev.index == NoDevice || s.grant.GPU == dev.index {
			p.uses = append(p.uses, s.use(dev.resource))
		}
	}
	l.Sessions = p.uses
	for _, d := range h.departed {
		if dev.index == NoDevice || d.gpu == dev.index {
			l.Departed += h.credit(d, dev.resource)
		}
	}
	_, each := sumSeen(l.Sessions)
	if t := h.rest[reach{dev, each}]; t != nil {
		l.Rest, l.RestSwing = Known(t.mean), math.Sqrt(t.variance/averaged(h.window()))
	}
	return l
}

// newcomer is what a session of the app is expected to take.
func (h *host) newcomer(a *app, r Resource) Use {
	c, scale := a.costs[elastic(r)], 1.0
	if r == CPU && h.facts.Cores > 0 {
		scale = 1 / h.facts.Cores
	}
	if h.foreign(a) {
		c.spread = math.Max(c.spread, foreignSpread*c.mean)
	}
	mean := c.mean * scale
	return Use{
		Mean: mean, Usual: mean, Spread: c.spread * scale, Unsure: c.unsure * scale,
		Swing: c.swing * scale,
	}
}

// use is the session's part of a load. What it takes is expected to be between
// its own mean so far and what its app costs: nearer to its own the longer it was
// seen, by how much sessions of the app differ and how much each swings (the
// best linear predictor; H. Buehlmann, "Experience rating and credibility", 1967).
func (s *session) use(r Resource) Use {
	h := s.host
	u := Use{Seen: s.seen.of(r), Visible: s.playing(h.windowEnd)}
	if !s.app.known {
		u.Mean = h.share(s.grant.Cost, r)
		u.Usual = u.Mean
		return u
	}
	n := h.newcomer(s.app, r)
	u.Mean, u.Usual, u.Spread, u.Unsure, u.Swing = n.Mean, n.Usual, n.Spread, n.Unsure, n.Swing
	t := s.own.of(r)
	if s.phase == PhaseStopping || t.seconds <= 0 {
		if u.Seen.Known { // what shows already is the least that it will be
			u.Usual = math.Max(u.Usual, u.Seen.Value)
		}
		return u
	}
	between, within := square(n.Spread)+square(n.Unsure), square(n.Swing)
	noise := within * 2 * swingTime / t.seconds // variance of its own mean
	trust := 0.0
	if between > 0 {
		trust = between / (between + noise)
	}
	mean := t.mean
	if r == CPU {
		mean /= h.facts.Cores
	}
	u.Usual = n.Mean + trust*(mean-n.Mean)
	rest := math.Sqrt(1 - trust)
	u.Spread, u.Unsure = u.Spread*rest, u.Unsure*(1-trust)
	if n.Mean > 0 {
		u.Swing = n.Swing * math.Max(0.5, math.Min(2, u.Usual/n.Mean))
	}
	return u
}

func (o *own) of(r Resource) trend { return o.trends[elastic(r)] }

// appCost is what a session of an app is expected to take of one elastic
// resource: its mean, and standard deviations. CPU is in cores.
type appCost struct {
	mean   float64
	spread float64 // between sessions
	swing  float64 // of one session over time
	unsure float64 // of the mean, for want of knowing better
}

// share turns a cost into a fraction of the host's resource.
func (h *host) share(c Cost, r Resource) float64 {
	if r == CPU && h.facts.Cores > 0 {
		return c.CPUCores / h.facts.Cores
	}
	return c.of(r)
}

// credit is the least that a departed session was using, and so the most that
// may be taken off a measurement that still holds it. Nothing is taken off for
// one that was not seen by itself: it may have idled since its player dropped.
func (h *host) credit(d departed, r Resource) float64 {
	seen := d.seen.of(r)
	if !seen.Known {
		return 0
	}
	u := h.newcomer(d.app, r)
	return math.Min(seen.Value, d.visible*math.Max(0, u.Mean-2*u.Spread))
}

// measured is the host's own reading of an elastic resource.
func (h *host) measured(dev device) Reading {
	switch {
	case h.sample == nil:
		return Reading{}
	case dev.resource == CPU:
		return h.sample.CPU
	case dev.resource == GPU:
		return h.gpuSample(dev.index).Util
	default:
		return h.gpuSample(dev.index).Encoder
	}
}

// window is how long the newest sample's window was, in seconds.
func (h *host) window() float64 {
	if h.sample == nil {
		return 0
	}
	if h.sample.Window > 0 {
		return h.sample.Window.Seconds()
	}
	return h.sample.Period.Seconds()
}

// devices are the host's elastic resources.
func (h *host) devices(f func(device)) {
	f(device{CPU, NoDevice})
	for i := range h.facts.GPUs {
		f(device{GPU, i})
		f(device{Encoder, i})
	}
}

// takeRest notes what the host takes beside its sessions, or, where these are
// not seen by themselves, beyond what they are expected to. A sample that still
// holds somebody who has gone tells nothing.
func (p *Pool) takeRest(h *host, dev device) {
	y := h.measured(dev)
	if !y.Known || len(h.departed) > 0 || h.windowEnd.sub(h.left).Seconds() < h.window() {
		return
	}
	rest := y.Value
	each := true
	shown := 0.0
	for _, s := range h.sessions {
		if dev.index != NoDevice && s.grant.GPU != dev.index {
			continue
		}
		u := s.use(dev.resource)
		switch {
		case u.Seen.Known:
			rest -= u.Seen.Value
		case u.Visible > 0:
			each = false
		}
		shown += u.Visible * u.Mean
	}
	if !each {
		rest = y.Value - shown
		h.teachTogether(dev)
	}
	if h.rest == nil {
		h.rest = map[reach]*trend{}
	}
	t := h.rest[reach{dev, each}]
	if t == nil {
		t = &trend{}
		h.rest[reach{dev, each}] = t
	}
	t.take(rest, h.window(), restMemory)
}
