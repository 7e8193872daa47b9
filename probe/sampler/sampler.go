// Package sampler reads a render host: CPU, memory, network and what each
// session's process tree uses. docs/sampling.md says where each figure is from.
package sampler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"time"

	"github.com/shirou/gopsutil/v3/common"

	"github.com/rendergate/rendergate/probe/wire"
)

// Session is a session whose processes are told apart.
type Session struct {
	ID      string
	RootPID int    // 0 before its process exists
	Cgroup  string // folder of its own cgroup (v2), empty without
	GPU     int    // index, -1 for none
}

// Options of a sampler. Period, Sessions and Log are needed.
type Options struct {
	Share      float64  // cores that sessions are counted against; 0: the whole machine
	Cgroup     bool     // the host is a cgroup: that of Folder, or this process's own
	Folder     string   // of a cgroup v2 in which sessions run; empty: this process's own
	Interfaces []string // whose sent bytes are the egress; none: those that lead out of here
	Period     time.Duration
	Sessions   func() []Session
	GPUs       GPUs   // nil: none are read
	Root       string // of /proc and /sys, for tests; empty: /
	Log        *slog.Logger
}

// Sampler reads the host. It is not safe for concurrent use.
type Sampler struct {
	o      Options
	host   host
	links  links
	last   reading
	silent map[string]bool // what could not be read and was said so
	log    *slog.Logger
}

// reading is what the next sample takes its differences from.
type reading struct {
	at        time.Time // with its monotonic part; zero: nothing was read yet
	counters  map[string]float64
	trees     map[string]tree
	processes map[int]proc // nil: they could not be read
	machineAt time.Time    // of idle; zero: it was not read
	idle      float64      // seconds that the machine's cores have idled, all together
}

// New makes a sampler and looks at what the host is.
func New(ctx context.Context, o Options) (*Sampler, error) {
	if o.Period <= 0 || o.Sessions == nil || o.Log == nil {
		return nil, errors.New("sampler: Period, Sessions and Log are needed")
	}
	s := &Sampler{o: o, log: o.Log, silent: map[string]bool{}}
	h, err := look(s.gopsutil(ctx), o)
	if err != nil {
		return nil, err
	}
	s.host = h
	s.log.Info("what counts as the host", "scope", h.scope, "cores", h.cores, "of", h.machine, "memory_bytes", h.memory, "cgroup", h.dir())
	if o.Share > h.least {
		s.log.Warn("the share is more than there is", "share", o.Share, "cores", h.least)
	}
	return s, nil
}

// Cores is what the load is a fraction of; MemoryBytes is 0 while unknown.
func (s *Sampler) Cores() float64       { return s.host.cores }
func (s *Sampler) MemoryBytes() float64 { return s.host.memory }

// Share says in words what counts as the host; empty for the whole machine.
func (s *Sampler) Share() string {
	switch {
	case s.o.Share > 0:
		return fmt.Sprintf("sessions are counted against %g of this machine's %g cores", s.o.Share, s.host.machine)
	case s.host.own != nil && s.host.cores < s.host.machine:
		return fmt.Sprintf("a cgroup allows %g of this machine's %g cores", s.host.cores, s.host.machine)
	default:
		return ""
	}
}

// Run gives a sample each period until ctx ends.
func (s *Sampler) Run(ctx context.Context, give func(wire.Sample)) error {
	tick := time.NewTicker(s.o.Period)
	defer tick.Stop()
	s.Read(ctx) // the first reading has nothing to compare with
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			give(s.Read(ctx))
		}
	}
}

// maxGap is how many periods a window may span. After a longer one, as when the
// machine stood still, rates say nothing of now.
const maxGap = 5

// Read takes one sample. What cannot be read, or has nothing to compare with,
// is unknown.
func (s *Sampler) Read(ctx context.Context) wire.Sample {
	ctx = s.gopsutil(ctx)
	now := reading{at: time.Now(), counters: map[string]float64{}, trees: map[string]tree{}}
	sample := wire.Sample{At: now.at.UTC(), GPUs: []wire.GPUSample{}, Sessions: []wire.SessionSample{}}
	window := now.at.Sub(s.last.at)
	if s.last.at.IsZero() || window <= 0 || window > maxGap*s.o.Period {
		s.last, window = reading{}, 0 // nothing can be told from it
	}
	sample.WindowMS = window.Seconds() * 1000
	r := &round{s: s, now: &now, sample: &sample, window: window.Seconds()}
	r.sessions(ctx)
	r.host(ctx)
	r.network(ctx)
	s.readGPUs(&now, &sample)
	s.last = now
	return sample
}

// round is the taking of one sample.
type round struct {
	s      *Sampler
	now    *reading
	sample *wire.Sample
	window float64 // seconds since the last reading; 0: nothing to compare with
}

// rate notes a counter and gives its rise by the second; unknown if it fell, or
// if there is nothing to compare with.
func (r *round) rate(counter string, now float64) wire.Reading {
	r.now.counters[counter] = now
	before, known := r.s.last.counters[counter]
	return r.rise(before, now, known)
}

func (r *round) rise(before, now float64, known bool) wire.Reading {
	if !known || r.window <= 0 {
		return nil
	}
	return value((now - before) / r.window) // none if it fell
}

// said notes that something could not be read, or can be again. It is logged
// once, not in each period.
func (s *Sampler) said(what string, err error) {
	if bad := err != nil; bad != s.silent[what] {
		s.silent[what] = bad
		if bad {
			s.log.Warn("a part of the samples is unknown", "what", what, "err", err)
		} else {
			s.log.Info("a part of the samples is known again", "what", what)
		}
	}
}

func (s *Sampler) proc() string { return filepath.Join("/", s.o.Root, "proc") }

// gopsutil lets it read below the root that tests give.
func (s *Sampler) gopsutil(ctx context.Context) context.Context {
	if s.o.Root == "" {
		return ctx
	}
	return context.WithValue(ctx, common.EnvKey, common.EnvMap{common.HostProcEnvKey: s.proc()})
}

// value is a reading; what is no number, or below zero, is none.
func value(v float64) wire.Reading {
	if !(v >= 0) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// times scales a reading.
func times(v wire.Reading, factor float64) wire.Reading {
	if v == nil {
		return nil
	}
	return value(*v * factor)
}

// higher is the higher of two readings; one that is unknown says nothing.
func higher(a, b wire.Reading) wire.Reading {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}
