package rival

import (
	"math"

	"github.com/rendergate/rendergate/server/simulate/world"
)

// load is what is taken of a host by way of one of its GPUs: fractions of its
// CPU, and of the GPU and its encoder, which are 0 where no GPU is asked for.
// The rules reckon in each by itself and are bound by the fullest.
type load struct{ cpu, gpu, encoder float64 }

func (l load) most() float64 { return max(l.cpu, l.gpu, l.encoder) }

func (l load) plus(m load) load {
	return load{l.cpu + m.cpu, l.gpu + m.gpu, l.encoder + m.encoder}
}

func (l load) times(x float64) load { return load{l.cpu * x, l.gpu * x, l.encoder * x} }

// or is the greater of both, resource by resource.
func (l load) or(m load) load {
	return load{max(l.cpu, m.cpu), max(l.gpu, m.gpu), max(l.encoder, m.encoder)}
}

// beyond is what l has more than m, resource by resource.
func (l load) beyond(m load) load {
	return load{max(0, l.cpu-m.cpu), max(0, l.gpu-m.gpu), max(0, l.encoder-m.encoder)}
}

// usage is the host's newest sample.
func (h *Host) usage(gpu int) load {
	s := h.Sample
	if gpu < 0 {
		return load{cpu: s.CPU}
	}
	return load{s.CPU, s.GPU[gpu], s.Encoder[gpu]}
}

// declared is what the app's profile says of a session.
func (h *Host) declared(app *world.App) load {
	cpuCores, gpu, encoder := app.DeclaredCost()
	return load{cpuCores / h.Cores, gpu, encoder}
}

// on is what the seat takes by way of the GPU, of what it takes at all.
func (s *Seat) on(gpu int, l load) load {
	if gpu < 0 || s.GPU != gpu {
		return load{cpu: l.cpu}
	}
	return l
}

// age is for how long the session has been ordered at a time, below 0 if it was
// later. One that is offered and not accepted has only just been.
func (s *Seat) age(now, at float64) float64 { return at - min(now, s.Started) }

// eyes find what the newest sample saw of each session. Both lists are in the
// order of the seats, mostly, so the next one is where the last one led to.
type eyes struct {
	seats []world.SeatSample
	next  int
}

func (e *eyes) find(p *world.Person) (use load, ok bool) {
	for range e.seats {
		if e.next >= len(e.seats) {
			e.next = 0
		}
		s := &e.seats[e.next]
		e.next++
		if s.Person == p {
			return load{s.CPU, s.GPU, s.Encoder}, true
		}
	}
	return load{}, false
}

// share is the usage for each of the sessions that the newest sample can have
// seen: what a rule takes for a session's own where sessions are not seen.
func (h *Host) share(now float64, gpu int) load {
	all, here := 0.0, 0.0
	for _, s := range h.Seats {
		if s.age(now, h.Sample.WindowEnd) > 0 {
			all++
			if s.GPU == gpu {
				here++
			}
		}
	}
	u := h.usage(gpu)
	all, here = max(1, all), max(1, here)
	return load{u.cpu / all, u.gpu / here, u.encoder / here}
}

// smooth is a host's loads, exponentially smoothed.
type smooth struct {
	at           float64 // of the last sample
	cpu          float64
	gpu, encoder []float64
}

// smoothed brings the host's memory up to the newest sample. What counts is how
// long ago a sample was and not how many came since, so that the time constant
// does not depend on the probe's period.
func (h *Host) smoothed(constantS float64) {
	s := h.Sample
	m, _ := h.Memory.(*smooth)
	keep := 0.0
	if m == nil {
		m = &smooth{gpu: make([]float64, len(s.GPU)), encoder: make([]float64, len(s.GPU))}
		h.Memory = m
	} else {
		keep = math.Exp(-(s.WindowEnd - m.at) / constantS)
	}
	m.at = s.WindowEnd
	m.cpu = keep*m.cpu + (1-keep)*s.CPU
	for i := range s.GPU {
		m.gpu[i] = keep*m.gpu[i] + (1-keep)*s.GPU[i]
		m.encoder[i] = keep*m.encoder[i] + (1-keep)*s.Encoder[i]
	}
}

func (h *Host) smooth(gpu int) load {
	m := h.Memory.(*smooth) // made with the first sample
	if gpu < 0 {
		return load{cpu: m.cpu}
	}
	return load{m.cpu, m.gpu[gpu], m.encoder[gpu]}
}

// draw is a number from 0 to 1 for a host in a moment, for those who choose at
// random. It depends on nothing else: whoever only asks changes no later choice.
func draw(now float64, h *Host) float64 {
	x := math.Float64bits(now) + uint64(h.ID+1)*0x9e3779b97f4a7c15 + uint64(len(h.Seats))<<40 //nolint:gosec // small
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9                                                      // the finalizer of SplitMix64, Steele et al. 2014
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}
