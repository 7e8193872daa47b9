package sampler

import (
	"github.com/rendergate/rendergate/probe/nvml"
	"github.com/rendergate/rendergate/probe/wire"
)

// GPUs reads the host's GPUs.
type GPUs interface {
	Latest() nvml.Reading
}

// readGPUs adds the GPUs, and what each session uses of the one it was given.
func (s *Sampler) readGPUs(now *reading, sample *wire.Sample) {
	if s.o.GPUs == nil {
		return
	}
	latest := s.o.GPUs.Latest()
	sample.GPUs = latest.Samples
	given := map[string]int{}
	for _, session := range s.o.Sessions() {
		given[session.ID] = session.GPU
	}
	for i := range sample.Sessions {
		x := &sample.Sessions[i]
		gpu, known := given[x.Session]
		if !known || gpu < 0 || gpu >= len(latest.Processes) || latest.Processes[gpu] == nil {
			continue
		}
		if !ours(latest.Processes[gpu], now.processes) {
			continue
		}
		sumProcesses(x, now.trees[x.Session].pids, latest, gpu)
	}
}

// ours says whether the driver's process numbers are those of this process's
// own /proc. In a container they may be the machine's, and then say nothing.
func ours(listed map[int]nvml.Process, table map[int]proc) bool {
	for pid := range listed {
		if _, there := table[pid]; there {
			return true
		}
	}
	return len(listed) == 0
}

// sumProcesses adds up a session's processes. One that the driver does not list
// uses nothing, where it tells of processes at all.
func sumProcesses(x *wire.SessionSample, pids []int, latest nvml.Reading, gpu int) {
	var util, encoder, vram float64
	utilKnown, vramKnown := latest.PerProcess[gpu], true
	for _, pid := range pids {
		p, listed := latest.Processes[gpu][pid]
		if !listed {
			continue
		}
		if p.Util != nil && p.Encoder != nil {
			util, encoder = util+*p.Util, encoder+*p.Encoder
		} else {
			utilKnown = false
		}
		if p.VRAM != nil {
			vram += *p.VRAM
		} else {
			vramKnown = false
		}
	}
	if utilKnown {
		x.GPU, x.Encoder = value(min(util, 1)), value(min(encoder, 1))
	}
	if vramKnown {
		x.VRAM = value(vram)
	}
}
