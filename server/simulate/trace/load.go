package trace

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/trace"
	"github.com/rendergate/rendergate/server/record"
)

// reading is a sample, of a server's trace or a probe's.
type reading struct {
	host     string
	seq      uint64
	end      time.Time // of the window
	window   float64   // seconds
	cpu      wire.Reading
	memory   wire.Reading
	gpus     []wire.GPUSample
	sessions []wire.SessionSample
}

// readings are all samples of a trace.
type readings struct {
	t       *Trace
	all     []reading
	periods map[time.Duration]int
	seen    map[seen]bool // of servers
}

// seen tells samples of servers apart.
type seen struct {
	host string
	seq  uint64
	end  time.Time
}

func newReadings(t *Trace) *readings {
	return &readings{t: t, periods: map[time.Duration]int{}, seen: map[seen]bool{}}
}

func (r *readings) ofServer(l *record.Line) {
	s := l.Sample
	id := seen{s.Host, s.Seq, s.WindowEnd}
	if r.seen[id] { // a file that was given twice
		return
	}
	r.seen[id] = true
	r.periods[millis(s.PeriodMS)]++
	r.all = append(r.all, reading{
		host: s.Host, seq: s.Seq, end: s.WindowEnd, window: s.WindowMS / 1000,
		cpu: s.CPU, memory: s.Memory, gpus: s.GPUs, sessions: s.Sessions,
	})
}

func ofProbe(host string, l *trace.Line) reading {
	s := l.Sample
	return reading{
		host: host, seq: s.Seq, end: l.At.Add(-millis(s.AgeMS)), window: s.WindowMS / 1000,
		cpu: s.CPU, memory: s.Memory, gpus: s.GPUs, sessions: s.Sessions,
	}
}

func millis(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }

// same is what a sample has on both ends. Its number alone says little: it
// begins anew with each start of the probe.
type same struct {
	host        string
	seq         uint64
	cpu, memory float64 // -1: unknown
}

func (x *reading) same() same {
	s := same{x.host, x.seq, -1, -1}
	if x.cpu != nil {
		s.cpu = *x.cpu
	}
	if x.memory != nil {
		s.memory = *x.memory
	}
	return s
}

// leastMatched is of how many samples that both have the clocks are compared.
const leastMatched = 3

// besides adds the samples that a probe has and no server does, as those it took
// while it was not connected. By the samples that both have it is told how far
// the clocks are apart.
func (r *readings) besides(p *recording) {
	known := make(map[same]time.Time, len(r.all))
	for i := range r.all {
		known[r.all[i].same()] = r.all[i].end
	}
	var apart []time.Duration
	var more []reading
	for i := range p.probe {
		if p.probe[i].Sample == nil {
			continue
		}
		x := ofProbe(p.header.Host, &p.probe[i])
		if at, ok := known[x.same()]; ok {
			apart = append(apart, at.Sub(x.end))
		} else {
			more = append(more, x)
		}
	}
	if len(more) == 0 {
		return
	}
	if len(apart) < leastMatched {
		r.t.Notes = append(r.t.Notes, fmt.Sprintf(
			"%s: fewer than %d of its samples are in a server's trace, so that clocks cannot be compared: its samples are left out", p.name, leastMatched))
		return
	}
	slices.Sort(apart)
	for i := range more {
		more[i].end = more[i].end.Add(apart[len(apart)/2])
	}
	r.all = append(r.all, more...)
}

// share gives each session its load and each host its overhead.
func (r *readings) share(s *story) {
	slices.SortStableFunc(r.all, func(a, b reading) int { return a.end.Compare(b.end) })
	sums := map[string]*overhead{}
	for i := range r.all {
		x := &r.all[i]
		h := s.hosts[x.host]
		if h == nil || s.t.since(x.end) < 0 || s.t.since(x.end) > s.t.LengthS {
			continue
		}
		h.Samples++
		for j := range x.sessions {
			s.load(x, &x.sessions[j], h.Cores)
		}
		if sums[x.host] == nil {
			sums[x.host] = &overhead{gpus: make([]gpuOverhead, len(h.GPUs))}
		}
		sums[x.host].take(x, h.Cores, s.gpus)
	}
	for name, o := range sums {
		s.hosts[name].Overhead = o.result()
	}
	r.t.Period = r.period()
}

// period is that of most samples, the shorter one of two.
func (r *readings) period() time.Duration {
	best := time.Duration(0)
	for p, n := range r.periods {
		if c := cmp.Compare(n, r.periods[best]); c > 0 || c == 0 && p < best {
			best = p
		}
	}
	return best
}

// load gives a session's own use to whoever had it.
func (s *story) load(x *reading, n *wire.SessionSample, cores float64) {
	l := s.sessions[n.Session]
	if l == nil || l.since.IsZero() || !l.ended.IsZero() && x.end.After(l.ended) {
		return // never ready, or being stopped
	}
	cpu := known(n.CPU)
	cpu.Value *= cores
	l.Load = append(l.Load, Point{
		AtS: x.end.Sub(l.since).Seconds(), ForS: x.window, CPU: cpu, GPU: known(n.GPU), Encoder: known(n.Encoder),
		Memory: known(n.Memory), VRAM: known(n.VRAM),
	})
}

func known(r wire.Reading) admission.Reading {
	if r == nil {
		return admission.Reading{}
	}
	return admission.Known(*r)
}

// overhead adds up what is left of a host's samples without its sessions.
type overhead struct {
	cpu, memory spread
	gpus        []gpuOverhead
}

type gpuOverhead struct{ util, encoder, vram spread }

func (o *overhead) take(x *reading, cores float64, gpus map[string]int) {
	var cpu, memory sum
	for i := range x.sessions {
		cpu.add(x.sessions[i].CPU)
		memory.add(x.sessions[i].Memory)
	}
	o.cpu.rest(x.cpu, cpu, cores)
	o.memory.rest(x.memory, memory, 1)
	for g := range min(len(o.gpus), len(x.gpus)) {
		var util, encoder, vram sum
		for i := range x.sessions {
			n := &x.sessions[i]
			on, told := gpus[n.Session]
			if !told && len(o.gpus) == 1 && (n.GPU != nil || n.VRAM != nil) {
				on, told = 0, true
			}
			switch {
			case !told:
				util.unknown, encoder.unknown, vram.unknown = true, true, true
			case on == g:
				util.add(n.GPU)
				encoder.add(n.Encoder)
				vram.add(n.VRAM)
			}
		}
		o.gpus[g].util.rest(x.gpus[g].Util, util, 1)
		o.gpus[g].encoder.rest(x.gpus[g].Encoder, encoder, 1)
		o.gpus[g].vram.rest(x.gpus[g].VRAM, vram, 1)
	}
}

func (o *overhead) result() Overhead {
	out := Overhead{CPU: o.cpu.stat(), Memory: o.memory.stat()}
	for _, g := range o.gpus {
		out.GPUs = append(out.GPUs, Load{Util: g.util.stat(), Encoder: g.encoder.stat(), VRAM: g.vram.stat()})
	}
	return out
}

// sum is of readings; unknown as soon as one is.
type sum struct {
	value   float64
	unknown bool
}

func (s *sum) add(r wire.Reading) {
	if r == nil {
		s.unknown = true
		return
	}
	s.value += *r
}

// spread is a running mean and variance (Welford 1962).
type spread struct {
	n        int
	mean, m2 float64
}

// rest takes what is measured less what sessions use, in units of scale.
func (s *spread) rest(measured wire.Reading, used sum, scale float64) {
	if measured == nil || used.unknown {
		return
	}
	x := (*measured - used.value) * scale
	s.n++
	d := x - s.mean
	s.mean += d / float64(s.n)
	s.m2 += d * (x - s.mean)
}

func (s *spread) stat() Stat {
	if s.n < 2 {
		return Stat{Mean: s.mean, N: s.n}
	}
	return Stat{Mean: s.mean, Spread: math.Sqrt(s.m2 / float64(s.n-1)), N: s.n}
}
