package sampler

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/mem"

	"github.com/rendergate/rendergate/probe/cgroup"
	"github.com/rendergate/rendergate/probe/wire"
)

// Scopes, as the log and the config name them.
const (
	scopeMachine = "machine"
	scopeCgroup  = "cgroup"
	scopeShare   = "share"
)

// host is what counts as the host.
type host struct {
	scope   string
	cores   float64 // what the load is a fraction of
	memory  float64 // bytes; 0: unknown
	machine float64 // cores of the machine
	least   float64 // cores that can be had at all
	own     *cgroup.Group
	levels  []cgroup.Level // that bound the host; each no more than the machine
}

func (h host) dir() string {
	if h.own == nil {
		return ""
	}
	return h.own.Dir()
}

// look finds out what the host is. In a container the machine's figures would
// mislead, so a cgroup that allows less than the machine bounds the host even
// where that was not asked for.
func look(ctx context.Context, o Options) (host, error) {
	n, err := cpu.CountsWithContext(ctx, true)
	if err != nil || n < 1 {
		n = runtime.NumCPU()
	}
	h := host{scope: scopeMachine, machine: float64(n), cores: float64(n)}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		h.memory = float64(m.Total)
	}
	total := h.memory
	err = h.bind(o)
	h.least = h.cores
	switch {
	case o.Share > 0: // its cores are stated, and others may use the rest
		h.scope, h.cores, h.memory, h.own = scopeShare, o.Share, total, nil
	case o.Cgroup:
		if err != nil {
			return h, fmt.Errorf("scope.kind is cgroup, and the sessions' cgroup cannot be read: %w", err)
		}
		h.scope = scopeCgroup
	case h.own != nil && h.cores >= h.machine && h.memory >= total:
		h.own = nil // it bounds nothing
	}
	return h, nil
}

// bind takes in what the cgroup of the sessions allows.
func (h *host) bind(o Options) error {
	own, err := sessionsGroup(o)
	if err != nil {
		return err
	}
	h.own, h.levels = own, own.Levels()
	for i := range h.levels {
		h.levels[i].Cores = min(h.levels[i].Cores, h.machine)
		h.cores = min(h.cores, h.levels[i].Cores)
	}
	if limit := own.MemoryLimit(); limit > 0 && (h.memory == 0 || limit < h.memory) {
		h.memory = limit
	}
	return nil
}

// sessionsGroup is the cgroup that the sessions run in.
func sessionsGroup(o Options) (*cgroup.Group, error) {
	if o.Folder == "" {
		return cgroup.Own(o.Root)
	}
	return cgroup.Below(o.Root, o.Folder)
}

// host adds the load of the host. Where a cgroup bounds a machine that others
// use too, it is the higher of the two: either can be what there is no more of.
func (r *round) host(ctx context.Context) {
	switch h := r.s.host; h.scope {
	case scopeShare:
		r.sumSessions()
	case scopeCgroup:
		r.readOwn()
	default:
		r.readMachine(ctx)
		if h.own != nil {
			cpu, memory := r.sample.CPU, r.sample.Memory
			r.readOwn()
			r.sample.CPU, r.sample.Memory = higher(cpu, r.sample.CPU), higher(memory, r.sample.Memory)
		}
	}
}

// readMachine reads the machine.
func (r *round) readMachine(ctx context.Context) {
	h := r.s.host
	all, err := cpu.TimesWithContext(ctx, false)
	r.now.machineAt = time.Now() // reading the sessions before it took a while
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("want one line of CPU times, got %d", len(all))
	}
	if err == nil {
		r.now.idle = all[0].Idle + all[0].Iowait
		r.sample.CPU = r.busy()
	}
	r.s.said("cpu", err)
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err == nil && m.Total > 0 && m.Available <= m.Total {
		// What is free counts, of the host's memory. Where more is free than the
		// host may have, the machine says nothing of it.
		r.sample.Memory = value(h.memory - float64(m.Available))
	}
	r.s.said("memory", err)
}

// idleError is how much longer than the window all cores may have idled by their
// counters, which tick in hundredths of a second.
const idleError = 0.05

// busy is what the machine did not idle. Linux measures how long a core idles,
// but of busy time it counts the ticks at which it was busy, which for programs
// that run in short bursts is off by some points in a second. Time that the
// hypervisor gave to others counts as used, since it is not there for sessions
// either.
func (r *round) busy() wire.Reading {
	before := r.s.last
	if before.machineAt.IsZero() || r.window <= 0 || r.now.idle < before.idle {
		return nil
	}
	window := r.now.machineAt.Sub(before.machineAt).Seconds()
	share := 1 - (r.now.idle-before.idle)/(window*r.s.host.machine)
	if share < 0 && share > -idleError {
		share = 0
	}
	return value(share)
}

// readOwn reads the cgroup that bounds the host, and those above it that do: the
// load is that of the fullest.
func (r *round) readOwn() {
	h := r.s.host
	r.sample.CPU, r.sample.Memory = nil, nil
	for _, level := range h.levels {
		used, err := h.own.Used(level)
		r.s.said("cgroup "+level.Dir, err)
		if err != nil {
			continue
		}
		r.sample.CPU = higher(r.sample.CPU, times(r.rate("cgroup "+level.Dir, used), 1/level.Cores))
	}
	r.sample.Memory = r.ownMemory()
}

// ownMemory is the host's memory less what the limits leave; without limits,
// what the group uses.
func (r *round) ownMemory() *float64 {
	h := r.s.host
	if h.own.MemoryLimit() == 0 {
		used, err := h.own.MemoryUsed()
		r.s.said("the cgroup's memory", err)
		if err != nil {
			return nil
		}
		return value(used)
	}
	free, err := h.own.MemoryFree()
	r.s.said("the cgroup's memory", err)
	if err != nil {
		return nil
	}
	return value(max(0, h.memory-free))
}

// sumSessions makes the host's load that of its sessions: what else runs on the
// machine is not counted against the share. A session that is read for the
// first time has just started, and its cost is still reserved in full; but
// where one that was known is not any more, neither is the sum.
func (r *round) sumSessions() {
	if r.now.processes == nil || r.window <= 0 {
		return
	}
	var cpu, memory float64
	all := true
	for _, x := range r.sample.Sessions {
		_, before := r.s.last.trees[x.Session]
		if all = all && (x.CPU != nil || !before); x.CPU != nil {
			cpu += *x.CPU
		}
		if x.Memory != nil {
			memory += *x.Memory
		}
	}
	if r.sample.Memory = value(memory); all {
		r.sample.CPU = value(cpu)
	}
}
