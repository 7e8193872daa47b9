// Package sampler reads a render host: CPU, memory, network and what each
// session's process tree uses.
package sampler

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/mem"
	"github.com/shirou/gopsutil/v3/net"

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
	Share    float64 // cores that sessions are counted against; 0: the whole machine
	Cgroup   bool    // the host is this process's own cgroup
	Period   time.Duration
	Sessions func() []Session
	GPUs     GPUs   // nil: none are read
	Root     string // of /proc and /sys, for tests; empty: /
	Log      *slog.Logger
}

// Sampler reads the host. It is not safe for concurrent use.
type Sampler struct {
	o      Options
	cores  float64
	memory float64
	own    *cgroup // that bounds the host; nil: the machine does
	last   reading
	log    *slog.Logger
}

// reading is what the next sample takes its differences from.
type reading struct {
	at    time.Time // with its monotonic part
	busy  float64   // CPU seconds of the machine
	own   float64   // CPU seconds of the cgroup that bounds the host
	sent  float64   // bits
	trees map[string]tree
	known bool

	processes map[int]proc
}

// New makes a sampler and looks at what the host is.
func New(ctx context.Context, o Options) (*Sampler, error) {
	s := &Sampler{o: o, log: o.Log, cores: o.Share}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		s.memory = float64(m.Total)
	}
	if s.cores > 0 {
		return s, nil
	}
	n, err := cpu.CountsWithContext(ctx, true)
	if err != nil {
		return nil, fmt.Errorf("counting cores: %w", err)
	}
	s.cores = float64(n)
	return s, s.bound()
}

// bound finds the cgroup whose limits bind before the machine's do, as in a
// container. The machine's figures would mislead there.
func (s *Sampler) bound() error {
	c, err := ownCgroup(s.o.Root)
	if err != nil {
		if s.o.Cgroup {
			return fmt.Errorf("scope.kind is cgroup, and this process's cgroup cannot be read: %w", err)
		}
		return nil // the machine is the host
	}
	cores, memory := min(s.cores, c.cores()), c.memoryLimit()
	if memory == 0 || (s.memory > 0 && memory > s.memory) {
		memory = s.memory
	}
	if !s.o.Cgroup && cores >= s.cores && memory >= s.memory {
		return nil
	}
	s.log.Info("the host is bounded by its cgroup", "cgroup", c.cpu, "cores", cores, "of", s.cores, "memory_bytes", memory)
	s.own, s.cores, s.memory = c, cores, memory
	return nil
}

// Cores is what the load is a fraction of; MemoryBytes is 0 while unknown.
func (s *Sampler) Cores() float64       { return s.cores }
func (s *Sampler) MemoryBytes() float64 { return s.memory }

// Share says in words what counts as the host; empty for the whole machine.
func (s *Sampler) Share() string {
	if s.o.Share <= 0 {
		return ""
	}
	return fmt.Sprintf("sessions are counted against %g of this machine's %d cores", s.o.Share, runtime.NumCPU())
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
// machine was asleep, rates say nothing of now.
const maxGap = 5

// Read takes one sample. What cannot be read, or has nothing to compare with,
// is unknown.
func (s *Sampler) Read(ctx context.Context) wire.Sample {
	now := reading{at: time.Now(), trees: map[string]tree{}, known: true}
	sample := wire.Sample{At: now.at.UTC(), GPUs: []wire.GPUSample{}, Sessions: []wire.SessionSample{}}
	window := now.at.Sub(s.last.at)
	if !s.last.known || window <= 0 || (s.o.Period > 0 && window > maxGap*s.o.Period) {
		s.last.known = false
	} else {
		sample.WindowMS = window.Seconds() * 1000
	}
	s.readTrees(&now, &sample, window.Seconds())
	switch {
	case s.o.Share > 0:
		sumSessions(&sample)
	case s.o.Cgroup:
		s.readOwn(&now, &sample, window.Seconds())
	default:
		s.readMachine(ctx, &now, &sample, window.Seconds())
		if s.own != nil {
			s.tighter(&now, &sample, window.Seconds())
		}
	}
	s.readNetwork(ctx, &now, &sample, window.Seconds())
	s.readGPUs(&now, &sample)
	s.last = now
	return sample
}

// rate is the rise of a counter by the second; unknown if it fell, or if there
// is nothing to compare with.
func (s *Sampler) rate(now, before, window float64) wire.Reading {
	if !s.last.known || now < before {
		return nil
	}
	return value((now - before) / window)
}

func (s *Sampler) proc() string { return filepath.Join("/", s.o.Root, "proc") }

func (s *Sampler) readTrees(now *reading, sample *wire.Sample, window float64) {
	sessions := s.o.Sessions()
	processes, err := processTable(s.proc())
	if err != nil {
		s.log.Warn("the processes could not be read", "err", err)
		return
	}
	now.processes = processes.all
	for _, session := range sessions {
		if session.RootPID == 0 {
			continue
		}
		use, ok := processes.treeOf(session.RootPID)
		if !ok {
			continue
		}
		if session.Cgroup != "" {
			use = inCgroup(session.Cgroup, use)
		}
		now.trees[session.ID] = use
		out := wire.SessionSample{Session: session.ID, Memory: value(use.memory)}
		if before, ok := s.last.trees[session.ID]; ok && before.root == use.root && before.cgroup == use.cgroup {
			// A tree that lost a process nobody waited for has lost its time too.
			out.CPU = s.rate(max(use.cpu, before.cpu), before.cpu, window*s.cores)
		}
		sample.Sessions = append(sample.Sessions, out)
	}
}

// sumSessions makes the host's load that of its sessions: what else runs on the
// machine is not counted against the share. One that is not known yet has just
// started; its cost is still reserved in full.
func sumSessions(sample *wire.Sample) {
	var cpu, memory float64
	for _, n := range sample.Sessions {
		if n.CPU != nil {
			cpu += *n.CPU
		}
		if n.Memory != nil {
			memory += *n.Memory
		}
	}
	sample.CPU, sample.Memory = value(cpu), value(memory)
}

func (s *Sampler) readMachine(ctx context.Context, now *reading, sample *wire.Sample, window float64) {
	times, err := cpu.TimesWithContext(ctx, false)
	if err == nil && len(times) == 1 {
		t := times[0]
		now.busy = t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal
		sample.CPU = s.rate(now.busy, s.last.busy, window*s.machineCores())
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		sample.Memory = value(float64(m.Total - m.Available))
	}
}

func (s *Sampler) machineCores() float64 {
	if s.own == nil {
		return s.cores
	}
	return float64(runtime.NumCPU())
}

// readOwn reads the cgroup that is the host.
func (s *Sampler) readOwn(now *reading, sample *wire.Sample, window float64) {
	if use, err := s.own.usage(); err == nil {
		now.own = use
		sample.CPU = s.rate(use, s.last.own, window*s.cores)
	}
	if used, err := s.own.memoryUsed(); err == nil {
		sample.Memory = value(used)
	}
}

// tighter keeps the higher load of machine and cgroup: either can be what there
// is no more of.
func (s *Sampler) tighter(now *reading, machine *wire.Sample, window float64) {
	var own wire.Sample
	s.readOwn(now, &own, window)
	if own.CPU != nil && (machine.CPU == nil || *own.CPU > *machine.CPU) {
		machine.CPU = own.CPU
	}
	if own.Memory != nil {
		machine.Memory = own.Memory
	}
}

func (s *Sampler) readNetwork(ctx context.Context, now *reading, sample *wire.Sample, window float64) {
	all, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return
	}
	for _, n := range all {
		if n.Name != "lo" {
			now.sent += float64(n.BytesSent) * 8
		}
	}
	sample.EgressBps = s.rate(now.sent, s.last.sent, window)
}

func value(v float64) wire.Reading { return &v }
