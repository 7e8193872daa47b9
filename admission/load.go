package admission

// load gathers what is known of one elastic resource for [Project]. The list
// of sessions is only valid until the next call.
func (p *Pool) load(h *host, dev device, a *app) Load {
	mean, spread := h.costs(a)
	l := Load{
		Measured: h.measured(dev), New: h.share(mean, dev.resource),
		Spread: h.share(spread, dev.resource), Z: margins,
	}
	p.uses = p.uses[:0]
	for _, s := range h.sessions {
		if dev.index != NoDevice && s.grant.GPU != dev.index {
			continue
		}
		mean, spread := s.costs()
		p.uses = append(p.uses, Use{
			Seen: s.seen.of(dev.resource), Visible: s.playing(h.windowEnd),
			Mean: h.share(mean, dev.resource), Spread: h.share(spread, dev.resource),
		})
	}
	l.Sessions = p.uses
	for _, d := range h.departed {
		if dev.index == NoDevice || d.gpu == dev.index {
			l.Departed += h.credit(d, dev.resource)
		}
	}
	return l
}

// costs are the session's expected elastic costs: its app's, or those of its
// grant where the policy no longer names the app.
func (s *session) costs() (mean, spread Cost) {
	if s.app.known {
		return s.host.costs(s.app)
	}
	return s.grant.Cost, Cost{}
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
	mean, spread := h.costs(d.app)
	return min(seen.Value, d.visible*max(0, h.share(mean, r)-2*h.share(spread, r)))
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
