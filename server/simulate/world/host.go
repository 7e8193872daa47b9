package world

import (
	"math/rand/v2"
	"slices"
)

type phase int

const (
	reserved phase = iota // offered, or accepted and not started
	starting
	ready
	connected
	dropped
	stopping
)

// Seat is a person's session on a host.
type Seat struct {
	person *Person
	app    *App
	course *course
	host   *Host
	gpu    int
	phase  phase
	since  float64 // connected
	played float64 // on another host, before
	gone   bool    // the seat is nobody's any more

	counted bool // in the host's future
	// Since the host's last sample.
	cpu, gpuSum, encoder float64
}

// elapsed is for how long the session has been played. Nobody plays on a dead
// host.
func (s *Seat) elapsed(now float64) float64 {
	if !s.host.up {
		now = max(s.since, s.host.died)
	}
	if s.since == 0 {
		return s.played
	}
	return s.played + now - s.since
}

// factor is what the session takes now, of its costs.
func (s *Seat) factor(now float64) (cpu, gpu, encoder float64) {
	switch s.phase {
	case starting, ready, dropped:
		return idleLevel, idleLevel, idleLevel
	case connected:
		i := int(now - s.since)
		cpu = s.course.at(s.course.cpu, i)
		return cpu, s.course.at(s.course.gpu, i), s.course.encodes(i, cpu)
	default:
		return 0, 0, 0
	}
}

// Host is a machine that renders.
type Host struct {
	w       *World
	id      int
	machine Machine
	up      bool
	died    float64 // last
	chance  *rand.Rand
	seats   []*Seat

	load, demand Loads // at this step: what it is, and what sessions ask for
	sum          Loads // of load, since the last sample
	steps        int
	seq          uint64
	sampled      float64
	blind        float64 // until when no sample arrives
	blackout     float64 // when the next one begins

	// Of the judge: what it foresees, and when it last saw no room, by foresight
	// and by GPU after the CPU.
	paper  paper
	future future
	tight  [2][]float64
}

// Loads are fractions of a host's elastic resources.
type Loads struct {
	CPU     float64
	GPU     []float64
	Encoder []float64
}

// hostCPU is what a host takes with nobody on it.
const hostCPU = 0.02

func newHost(w *World, id int) *Host {
	machine := w.c.Machine(id)
	n := len(machine.GPUs)
	loads := func() Loads { return Loads{GPU: make([]float64, n), Encoder: make([]float64, n)} }
	h := &Host{w: w, id: id, machine: machine, chance: w.chanceOf(id), load: loads(), demand: loads(), sum: loads(), blackout: Never, future: newFuture(n)}
	h.tight = [2][]float64{make([]float64, n+1), make([]float64, n+1)}
	// Probes do not sample in step with each other.
	h.sampled = -h.chance.Float64() * w.c.Probe.PeriodS
	if w.c.Probe.BlackoutN > 0 {
		h.blackout = h.chance.ExpFloat64() * 3600 / w.c.Probe.BlackoutN
	}
	return h
}

func (h *Host) remove(s *Seat) {
	if i := slices.Index(h.seats, s); i >= 0 {
		h.seats = slices.Delete(h.seats, i, i+1)
		s.gone = true
		if s.phase == stopping {
			h.w.quotes.ended(s.elapsed(h.w.now))
		}
	}
}

// restart is after a death: no process is left.
func (h *Host) restart() {
	for _, s := range h.seats {
		if s.phase != stopping {
			h.future.forget(s)
			s.played, s.since, s.phase = s.elapsed(max(s.since, h.died)), 0, reserved
			h.w.visit(s.person).turn++
		}
	}
	h.seq, h.steps = 0, 0
}

// weigh adds up what the host's sessions take.
func (h *Host) weigh() {
	d, c := &h.demand, h.w.c
	d.CPU = h.machine.Idle.CPU
	copy(d.GPU, h.machine.Idle.GPU)
	copy(d.Encoder, h.machine.Idle.Encoder)
	if h.up {
		for _, s := range h.seats {
			cpu, gpu, encoder := s.factor(h.w.now)
			s.add(d, cpu, gpu, encoder)
			s.cpu, s.gpuSum, s.encoder = s.cpu+cpu, s.gpuSum+gpu, s.encoder+encoder
		}
	}
	h.load.CPU = c.contend(d.CPU)
	h.sum.CPU += clip(h.load.CPU)
	for i := range d.GPU {
		h.load.GPU[i], h.load.Encoder[i] = c.contend(d.GPU[i]), c.contend(d.Encoder[i])
		h.sum.GPU[i] += clip(h.load.GPU[i])
		h.sum.Encoder[i] += clip(h.load.Encoder[i])
	}
	h.steps++
}

// encoding is the encoder's part: it does not depend on what is drawn.
func encoding(factor float64) float64 {
	if factor > idleLevel {
		return 1
	}
	return factor
}

func (s *Seat) add(d *Loads, cpu, gpu, encoder float64) {
	d.CPU += cpu * s.app.CPUCores / s.host.machine.Cores
	if s.gpu >= 0 {
		d.GPU[s.gpu] += gpu * s.app.GPU
		d.Encoder[s.gpu] += encoder * s.app.Encoder
	}
}

// most is the highest of the loads.
func (l *Loads) most() float64 {
	most := l.CPU
	for i := range l.GPU {
		most = max(most, l.GPU[i], l.Encoder[i])
	}
	return most
}

// sampleDue lets the probe sample when its period is over.
func (h *Host) sampleDue() {
	p := h.w.c.Probe
	if h.w.now-h.sampled < p.PeriodS-1e-9 {
		return
	}
	h.sampled = h.w.now
	h.seq++
	s := h.read(p)
	arrives := h.w.now + h.chance.ExpFloat64()*p.DelayS
	lost := h.chance.Float64() < p.Loss || h.inBlackout()
	if h.up && !lost {
		h.w.agenda.add(arrives, func() {
			if h.up {
				h.w.gate.Sample(h.w.now, s)
			}
		})
	}
}

func (h *Host) inBlackout() bool {
	if h.w.now >= h.blackout {
		h.blind = h.blackout + h.chance.ExpFloat64()*h.w.c.Probe.BlackoutS
		h.blackout = h.blind + h.chance.ExpFloat64()*3600/h.w.c.Probe.BlackoutN
	}
	return h.w.now < h.blind
}

// paper is what samples are written on. They are many and small, so room for
// them is taken a hundred at a time. Whoever has one may keep it.
type paper struct {
	samples pad[Sample]
	loads   pad[float64]
	seats   pad[SeatSample]
}

type pad[T any] []T

const sheets = 512

func (p *pad[T]) take(n int) []T {
	if len(*p) < n {
		*p = make([]T, max(n, sheets))
	}
	taken := (*p)[:n:n]
	*p = (*p)[n:]
	return taken
}

// read is what the probe sees of the window that ends now.
func (h *Host) read(p Probe) *Sample {
	n := float64(max(1, h.steps))
	noisy := func(sum float64) float64 { return clip(sum/n + p.Noise*h.chance.NormFloat64()) }
	s := &h.paper.samples.take(1)[0]
	*s = Sample{
		Host: h.id, Seq: h.seq, WindowEnd: h.w.now, WindowS: p.PeriodS, PeriodS: p.PeriodS, CPU: noisy(h.sum.CPU),
	}
	s.GPU, s.Encoder = h.paper.loads.take(len(h.sum.GPU)), h.paper.loads.take(len(h.sum.GPU))
	for i := range h.sum.GPU {
		s.GPU[i], s.Encoder[i] = noisy(h.sum.GPU[i]), noisy(h.sum.Encoder[i])
	}
	if p.Sessions {
		s.Seats = h.paper.seats.take(len(h.seats))[:0]
	}
	for _, x := range h.seats {
		if p.Sessions && x.phase >= starting {
			// What hinders all shows in each.
			s.Seats = append(s.Seats, SeatSample{
				Person:  x.person,
				CPU:     x.cpu / n * x.app.CPUCores / h.machine.Cores * h.inflation(h.demand.CPU),
				GPU:     x.gpuSum / n * x.app.GPU * h.inflation(h.demandOf(x.gpu)),
				Encoder: x.encoder / n * x.app.Encoder,
			})
		}
		x.cpu, x.gpuSum, x.encoder = 0, 0, 0
	}
	h.sum.CPU, h.steps = 0, 0
	clear(h.sum.GPU)
	clear(h.sum.Encoder)
	return s
}

func (h *Host) demandOf(gpu int) float64 {
	if gpu < 0 {
		return 0
	}
	return h.demand.GPU[gpu]
}

// inflation is what contention, and the resource's end, make of a demand.
func (h *Host) inflation(demand float64) float64 {
	if demand <= 0 {
		return 1
	}
	return min(1, h.w.c.contend(demand)) / demand
}
