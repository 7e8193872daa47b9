// Package sampler reads a render host: CPU, memory, network and what each
// session's process tree uses.
package sampler

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/mem"
	"github.com/shirou/gopsutil/v3/net"

	"github.com/rendergate/rendergate/probe/wire"
)

// Session is a session whose process tree is told apart.
type Session struct {
	ID      string
	RootPID int // 0 before its process exists
}

// Options of a sampler. Period, Sessions and Log are needed.
type Options struct {
	Share    float64 // cores that sessions are counted against; 0: the whole machine
	Period   time.Duration
	Sessions func() []Session
	Proc     string // the proc file system; empty means /proc
	Log      *slog.Logger
}

// Sampler reads the host. It is not safe for concurrent use.
type Sampler struct {
	o      Options
	cores  float64
	memory float64
	last   reading
	log    *slog.Logger
}

// reading is what the next sample takes its differences from.
type reading struct {
	at    time.Time // with its monotonic part
	busy  float64   // CPU seconds of the machine
	sent  float64   // bytes
	trees map[string]tree
	known bool
}

// New makes a sampler and looks at what the host is.
func New(ctx context.Context, o Options) (*Sampler, error) {
	if o.Proc == "" {
		o.Proc = "/proc"
	}
	s := &Sampler{o: o, log: o.Log, cores: o.Share}
	if s.cores <= 0 {
		n, err := cpu.CountsWithContext(ctx, true)
		if err != nil {
			return nil, fmt.Errorf("counting cores: %w", err)
		}
		s.cores = float64(n)
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		s.memory = float64(m.Total)
	}
	return s, nil
}

// Cores is what the load is a fraction of; MemoryBytes is 0 while unknown.
func (s *Sampler) Cores() float64       { return s.cores }
func (s *Sampler) MemoryBytes() float64 { return s.memory }

// Share says in words what counts as the host; empty for the whole machine.
func (s *Sampler) Share() string {
	if s.o.Share <= 0 {
		return ""
	}
	return fmt.Sprintf("sessions are counted against %g cores of this machine", s.o.Share)
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

// Read takes one sample. What cannot be read, or has nothing to compare with,
// is unknown.
func (s *Sampler) Read(ctx context.Context) wire.Sample {
	now := reading{at: time.Now(), trees: map[string]tree{}}
	sample := wire.Sample{At: now.at.UTC(), GPUs: []wire.GPUSample{}, Sessions: []wire.SessionSample{}}
	window := now.at.Sub(s.last.at).Seconds()
	known := s.last.known && window > 0
	if known {
		sample.WindowMS = window * 1000
	}
	s.readTrees(&now, &sample, window)
	if s.o.Share > 0 {
		sumSessions(&sample)
	} else {
		s.readMachine(ctx, &now, &sample, window)
	}
	s.readNetwork(ctx, &now, &sample, window)
	now.known = true
	s.last = now
	return sample
}

func (s *Sampler) readTrees(now *reading, sample *wire.Sample, window float64) {
	sessions := s.o.Sessions()
	processes, err := processTable(s.o.Proc)
	if err != nil {
		s.log.Warn("the processes could not be read", "err", err)
		return
	}
	for _, session := range sessions {
		if session.RootPID == 0 {
			continue
		}
		use, ok := treeOf(processes, session.RootPID)
		if !ok {
			continue
		}
		now.trees[session.ID] = use
		out := wire.SessionSample{Session: session.ID, Memory: value(use.memory)}
		if before, ok := s.last.trees[session.ID]; ok && window > 0 {
			out.CPU = value(max(0, use.cpu-before.cpu) / window / s.cores)
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
		if s.last.known && window > 0 && now.busy >= s.last.busy {
			sample.CPU = value((now.busy - s.last.busy) / window / s.cores)
		}
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		sample.Memory = value(float64(m.Total - m.Available))
	}
}

func (s *Sampler) readNetwork(ctx context.Context, now *reading, sample *wire.Sample, window float64) {
	all, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return
	}
	for _, n := range all {
		if n.Name != "lo" {
			now.sent += float64(n.BytesSent)
		}
	}
	if s.last.known && window > 0 && now.sent >= s.last.sent {
		sample.EgressBps = value((now.sent - s.last.sent) * 8 / window)
	}
}

func value(v float64) wire.Reading { return &v }
