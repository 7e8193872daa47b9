package replay

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rendergate/rendergate/server/simulate/trace"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// takeHosts takes over the hosts that were there.
func (r *Replay) takeHosts(t *trace.Trace) error {
	for i := range t.Hosts {
		h := &t.Hosts[i]
		if len(h.Up) == 0 {
			r.note("host %s was never there, and is left out", h.Host)
			continue
		}
		if err := r.serves(h); err != nil {
			return err
		}
		r.config.Machines = append(r.config.Machines, machine(h, r.config.HostLostS, t.LengthS))
	}
	if r.config.Hosts = len(r.config.Machines); r.config.Hosts == 0 {
		return errors.New("no host was there while the trace was recorded")
	}
	return nil
}

// serves says whether the host has what the world's hosts have: cores, and all
// apps.
func (r *Replay) serves(h *trace.Host) error {
	if !(h.Cores > 0) {
		return fmt.Errorf("host %s has %g cores; want more than 0", h.Host, h.Cores)
	}
	for _, a := range r.config.Apps {
		if len(h.Apps) > 0 && !slices.Contains(h.Apps, a.Name) {
			return fmt.Errorf("host %s does not serve app %s, for which people came: only hosts that serve all of the pool's apps can be simulated", h.Host, a.Name)
		}
	}
	return nil
}

// unknownIdle is what a host takes of its CPU with nobody on it, where that was
// never measured.
const unknownIdle = 0.02

func machine(h *trace.Host, lostS, lengthS float64) world.Machine {
	m := world.Machine{Cores: h.Cores, Up: alive(h.Up, lostS, lengthS)}
	m.Idle = world.Loads{CPU: unknownIdle, GPU: make([]float64, len(h.GPUs)), Encoder: make([]float64, len(h.GPUs))}
	if s := h.Overhead.CPU; s.N > 0 {
		m.Idle.CPU = share(s.Mean / h.Cores)
	}
	for i, g := range h.GPUs {
		m.GPUs = append(m.GPUs, g.Name)
		if i < len(h.Overhead.GPUs) {
			o := h.Overhead.GPUs[i]
			m.Idle.GPU[i], m.Idle.Encoder[i] = share(o.Util.Mean), share(o.Encoder.Mean)
		}
	}
	return m
}

// share is of what there is; measured overheads may be a little below zero.
func share(x float64) float64 { return max(0, min(1, x)) }

// alive is when the host lived. While its probe is not connected, as when the
// service starts anew, sessions go on; only who is silent for so long that the
// host counts as lost has died, and nobody dies since the trace ends.
func alive(up []trace.Interval, lostS, lengthS float64) []world.Interval {
	list := []world.Interval{{FromS: up[0].FromS, ToS: up[0].ToS}}
	for _, x := range up[1:] {
		if last := &list[len(list)-1]; x.FromS-last.ToS < lostS {
			last.ToS = x.ToS
		} else {
			list = append(list, world.Interval{FromS: x.FromS, ToS: x.ToS})
		}
	}
	if last := &list[len(list)-1]; lengthS-last.ToS < lostS {
		last.ToS = world.Never
	}
	return list
}
