package admission

import (
	"slices"
	"strings"
	"time"
)

// Explain says for each host and resource why the next player of the app would
// or would not get in. An empty app means the only, or the first by name.
func (p *Pool) Explain(now time.Time, appName string) Explanation {
	t := p.clamp(now)
	p.settle(t)
	a := p.named(appName)
	x := Explanation{App: appName, Items: []HostExplanation{}}
	if a == nil {
		x.BlockedBy = p.BlockedBy(now, appName, Play)
		return x
	}
	x.App = a.name
	x.BlockedBy = p.playBlock(t, a)
	x.Admits = x.BlockedBy == nil
	for _, h := range p.hostOrder {
		if slices.Contains(h.group.apps, a) {
			x.Items = append(x.Items, p.explainHost(t, h, a))
		}
	}
	slices.SortFunc(x.Items, func(a, b HostExplanation) int { return strings.Compare(a.Host, b.Host) })
	return x
}

func (p *Pool) explainHost(now instant, h *host, a *app) HostExplanation {
	x := HostExplanation{Host: h.id}
	if !h.connected {
		x.Resources = []Verdict{{Resource: NoHost, Device: NoDevice, Verdict: verdictDisconnected}}
		return x
	}
	f := h.fits[slices.Index(h.group.apps, a)]
	x.Admits = f.ratio <= 1 && !p.paused && p.poolBlock() == nil
	add := func(list ...need) {
		for _, n := range list {
			x.Resources = append(x.Resources, n.explain())
		}
	}
	if p.paused {
		add(need{Resource: PausedResource, Device: NoDevice, Verdict: verdictPaused})
	}
	for _, n := range p.hostState(h) {
		if n.Resource == Stale && h.sample != nil {
			n.Projected, n.Limit = now.sub(h.received).Seconds(), (stalePeriods * h.sample.Period).Seconds()
		}
		add(n)
	}
	add(p.hostNeeds(h, a)...)
	if a.profile.Cost.NeedsGPU() {
		for i := range h.facts.GPUs {
			add(p.gpuNeeds(h, a, i)...)
		}
	}
	add(p.startingNeed(h), p.poolNeed())
	return x
}

// poolNeed is the pool's uplink, which every host shares.
func (p *Pool) poolNeed() need {
	used := float64(p.playBps + p.viewBps)
	n := need{
		Resource: UplinkPool, Device: NoDevice, Reserved: used, Verdict: verdictUnlimited,
		Projected: float64(p.playBps + p.viewBps - p.yieldable() + p.playerBps()), Limit: float64(p.budgetBps()),
	}
	if p.limited() {
		return n.compare()
	}
	return n
}

func (n need) explain() Verdict {
	v := Verdict{
		Resource: n.Resource, Device: n.Device, Reserved: n.Reserved,
		Now: n.Now, Usual: n.Usual, Margin: n.Margin, New: n.New,
		Projected: n.Projected, Limit: n.Limit, Verdict: n.Verdict,
	}
	if n.Measured.Known {
		v.Measured = &n.Measured.Value
	}
	return v
}

// Admits says whether the host would be given the next session of the app now,
// as far as its own resources go: neither a pause nor the pool's uplink counts.
func (p *Pool) Admits(now time.Time, host, app string) bool {
	p.settle(p.clamp(now))
	h, a := p.hosts[host], p.apps[app]
	if h == nil || a == nil || !h.connected {
		return false
	}
	i := slices.Index(h.group.apps, a)
	return i >= 0 && i < len(h.fits) && h.fits[i].ratio <= 1
}
