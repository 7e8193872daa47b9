package rig

import (
	"context"
	"runtime"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/host"

	"github.com/rendergate/rendergate/probe/calibrate"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Facts are what the machine is.
func (r *Rig) Facts() calibrate.Facts {
	f := calibrate.Facts{Machine: calibration.Machine{
		CPU: model(), Cores: r.sampler.Cores(), Share: r.sampler.Share(), MemoryBytes: r.sampler.MemoryBytes(),
		Driver: r.gpus.Driver(), System: system(),
	}, Capacity: map[string]float64{
		calibration.CPU: r.sampler.Cores(), calibration.Memory: r.sampler.MemoryBytes(), calibration.Uplink: r.o.UplinkBps,
	}}
	if info, err := host.Info(); err == nil {
		f.Machine.Name = info.Hostname
	}
	for i, g := range r.gpus.GPUs() {
		f.Machine.GPUs = append(f.Machine.GPUs, calibration.GPU{Name: g.Name, VRAMBytes: g.VRAMBytes})
		f.Capacity[calibration.Key(calibration.GPULoad, i)] = 1
		f.Capacity[calibration.Key(calibration.Encoder, i)] = 1
		f.Capacity[calibration.Key(calibration.VRAM, i)] = g.VRAMBytes
		f.Capacity[calibration.Key(calibration.EncoderSessions, i)] = r.encoderSessions(g)
	}
	return f
}

func (r *Rig) encoderSessions(g wire.GPU) float64 {
	if r.o.EncoderSessions > 0 {
		return float64(r.o.EncoderSessions)
	}
	return float64(g.EncoderSessions)
}

func model() string {
	if all, err := cpu.Info(); err == nil && len(all) > 0 {
		return all[0].ModelName
	}
	return runtime.GOARCH
}

func system() string {
	info, err := host.Info()
	if err != nil {
		return runtime.GOOS
	}
	return info.Platform + " " + info.PlatformVersion + ", kernel " + info.KernelVersion
}

// reading makes what calibration looks at of a sample.
func (r *Rig) reading(ctx context.Context, s wire.Sample) calibrate.Reading {
	out := calibrate.Reading{Loads: map[string]float64{}, Copies: map[int]calibrate.Use{}}
	put(out.Loads, calibration.CPU, s.CPU, 1)
	put(out.Loads, calibration.Memory, s.Memory, r.sampler.MemoryBytes())
	put(out.Loads, calibration.Uplink, s.EgressBps, r.o.UplinkBps)
	gpus := r.gpus.GPUs()
	for i, g := range s.GPUs {
		put(out.Loads, calibration.Key(calibration.GPULoad, i), g.Util, 1)
		put(out.Loads, calibration.Key(calibration.Encoder, i), g.Encoder, 1)
		if i < len(gpus) {
			put(out.Loads, calibration.Key(calibration.VRAM, i), g.VRAM, gpus[i].VRAMBytes)
			put(out.Loads, calibration.Key(calibration.EncoderSessions, i), g.EncoderSessions, max(1, r.encoderSessions(gpus[i])))
		}
	}
	for _, x := range s.Sessions {
		r.use(out.Copies, x, gpus)
	}
	r.beside.read(ctx, s.WindowMS/1000, &out)
	out.Throttled = r.throttled(out.Throttled)
	r.noteStopped(ctx)
	out.Ended = r.takeEnded()
	return out
}

// put notes a load as a fraction of a capacity, where both are known.
func put(into map[string]float64, key string, value *float64, capacity float64) {
	if value != nil && capacity > 0 {
		into[key] += *value / capacity
	}
}

// use adds what a session uses to its copy; the scene's command counts too.
func (r *Rig) use(all map[int]calibrate.Use, x wire.SessionSample, gpus []wire.GPU) {
	_, n := copyOf(x.Session)
	r.mu.Lock()
	c := r.open[n]
	r.mu.Unlock()
	if c == nil {
		return
	}
	u, there := all[n]
	if !there {
		u = calibrate.Use{Loads: map[string]float64{}, Frames: r.counters.frames(n)}
	}
	put(u.Loads, calibration.CPU, x.CPU, 1)
	put(u.Loads, calibration.Memory, x.Memory, r.sampler.MemoryBytes())
	put(u.Loads, calibration.GPULoad, x.GPU, 1)
	put(u.Loads, calibration.Encoder, x.Encoder, 1)
	if c.gpu >= 0 && c.gpu < len(gpus) {
		put(u.Loads, calibration.VRAM, x.VRAM, gpus[c.gpu].VRAMBytes)
	}
	all[n] = u
}

// throttled is why the CPU, else a GPU, is held down.
func (r *Rig) throttled(cpu string) string {
	if cpu != "" {
		return cpu
	}
	for _, why := range r.gpus.Latest().Throttled {
		if why != "" {
			return "GPU: " + why
		}
	}
	return ""
}

func (r *Rig) takeEnded() map[int]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ended) == 0 {
		return nil
	}
	ended := r.ended
	r.ended = map[int]string{}
	return ended
}
