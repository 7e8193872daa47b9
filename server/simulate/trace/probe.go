package trace

import (
	"errors"
	"fmt"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/trace"
	"github.com/rendergate/rendergate/server/record"
)

// ofProbes makes people of the sessions of hosts: who waited is not known.
func (t *Trace) ofProbes(probes []*recording) {
	t.Assumed, t.Policy = true, admission.DefaultPolicy()
	s, samples := newStory(t), newReadings(t)
	end := t.Start
	for _, r := range probes {
		p := told{story: s, samples: samples, host: r.header.Host, orders: map[string]*wire.Start{}}
		for i := range r.probe {
			p.take(&r.probe[i])
		}
		for _, l := range s.sessions {
			if l.session != "" && l.Host == p.host { // the probe ended, and its sessions with it
				l.Censored = true
				l.end(r.end, "")
			}
		}
		s.down(p.host, r.end)
		if r.end.After(end) {
			end = r.end
		}
	}
	s.cut(end)
	samples.share(s)
	s.give()
	for i := range t.Hosts {
		for _, app := range t.Hosts[i].Apps {
			t.Policy.Apps[app] = admission.Profile{App: app}
		}
	}
}

// told is what one probe tells.
type told struct {
	*story
	samples *readings
	host    string
	orders  map[string]*wire.Start // by session
	period  time.Duration
}

func (p *told) take(l *trace.Line) {
	switch {
	case l.Hello != nil:
		p.period = time.Duration(l.Hello.PeriodS * float64(time.Second))
		p.there(facts(l.Hello), l.At)
	case l.Start != nil:
		p.orders[l.Start.Session] = l.Start
	case l.Sample != nil:
		p.samples.periods[p.period]++
		p.samples.all = append(p.samples.all, ofProbe(p.host, l))
	case l.Session != nil:
		p.session(l.Session, l.At)
	}
}

// session takes a change of state. A session begins with the first.
func (p *told) session(x *wire.Session, at time.Time) {
	l := p.sessions[x.Session]
	if l == nil {
		g := admission.Grant{Session: x.Session, Host: p.host, GPU: admission.NoDevice}
		if o := p.orders[x.Session]; o != nil {
			g.App, g.GPU = o.App, o.GPU
		} else if h := p.hosts[p.host]; h != nil && len(h.Apps) == 1 {
			g.App = h.Apps[0]
		}
		l = p.arrive(x.Session, "", g.App, "", at)
		p.seat(l, g, at)
		l.ordered = at
	}
	switch {
	case l.session == "":
	case x.State == string(admission.StateReady):
		l.isReady(at)
	case x.State == string(admission.StateConnected):
		l.connect(at)
	case x.State == string(admission.StateEnded):
		l.end(at, admission.Why(x.Reason))
	}
}

func facts(h *wire.Hello) admission.HostFacts {
	f := admission.HostFacts{
		Host: h.Host, Version: h.Version, Cores: h.Cores, MemoryBytes: h.MemoryBytes,
		UplinkBps: h.UplinkBps, GateURL: h.GateURL, Apps: h.Apps, Share: h.Share,
	}
	for _, g := range h.GPUs {
		f.GPUs = append(f.GPUs, admission.GPUFacts(g))
	}
	return f
}

// checkProbe says what is impossible in a probe's line.
func checkProbe(l *trace.Line, host string) error {
	switch {
	case l.Hello != nil && l.Hello.Host != host:
		return fmt.Errorf("hello of host %q, and the header says %q", l.Hello.Host, host)
	case l.Hello != nil:
		if !(l.Hello.PeriodS >= 0 && l.Hello.PeriodS <= maxPeriodS) {
			return fmt.Errorf("period_s is %v; want 0 to %v", l.Hello.PeriodS, maxPeriodS)
		}
		return facts(l.Hello).Validate()
	case l.Start != nil && l.Start.Session == "", l.Session != nil && l.Session.Session == "":
		return errors.New(`"session" is empty; want an id`)
	case l.Session != nil:
		return checkState(l.Session.State)
	case l.Sample != nil:
		s := l.Sample
		return check(&readingCheck{
			times: []float64{s.WindowMS, s.AgeMS}, values: []wire.Reading{s.CPU, s.Memory, s.EgressBps},
			gpus: s.GPUs, sessions: s.Sessions,
		})
	}
	return nil
}

func checkState(state string) error {
	switch admission.SessionState(state) {
	case admission.StateStarting, admission.StateReady, admission.StateConnected, admission.StateDropped, admission.StateEnded:
		return nil
	}
	return fmt.Errorf("state %.40q is unknown; want starting, ready, connected, dropped or ended", state)
}

// What a sample may say; beyond it arithmetic would suffer.
const (
	maxPeriodS = 600.0
	maxMS      = 600_000
	maxValue   = 1e16
)

func checkSample(s *record.Sample, at time.Time) error {
	if s.Host == "" {
		return errors.New(`a sample without "host"; want its name`)
	}
	if s.WindowEnd.Sub(at).Abs() > maxMS*time.Millisecond {
		return fmt.Errorf("window_end is %s; want a time about %s, when it was received", s.WindowEnd.Format(time.RFC3339), at.Format(time.RFC3339))
	}
	return check(&readingCheck{
		times: []float64{s.WindowMS, s.PeriodMS}, values: []wire.Reading{s.CPU, s.Memory, s.EgressBps},
		gpus: s.GPUs, sessions: s.Sessions,
	})
}

// readingCheck is what is checked of a sample of either kind.
type readingCheck struct {
	times    []float64 // milliseconds
	values   []wire.Reading
	gpus     []wire.GPUSample
	sessions []wire.SessionSample
}

func check(c *readingCheck) error {
	for _, ms := range c.times {
		if !(ms >= 0 && ms <= maxMS) {
			return fmt.Errorf("a sample with %v ms as window, age or period; want 0 to %v", ms, maxMS)
		}
	}
	values := c.values
	for _, g := range c.gpus {
		values = append(values, g.Util, g.Encoder, g.EncoderSessions, g.VRAM)
	}
	for i := range c.sessions {
		n := &c.sessions[i]
		values = append(values, n.CPU, n.Memory, n.GPU, n.Encoder, n.VRAM, n.IdleS)
	}
	for _, v := range values {
		if v != nil && !(*v >= 0 && *v <= maxValue) {
			return fmt.Errorf("a sample says %v; want 0 to %v, or null where it is unknown", *v, maxValue)
		}
	}
	return nil
}
