package world

import (
	"math"
	"slices"
)

// future is what those who play on a host will ask for, as the judge knows it:
// the sum of their courses, kept up as they come and go, since it is asked for
// far more often than it changes.
type future struct {
	cpu          series
	gpu, encoder []series // by device
	counted      []*Seat  // who is in the sums
	pending      []*Seat  // who has a seat and is not connected
}

// series is by full second of simulated time.
type series []float64

// from is the n seconds from t on, or as many as there are.
func (s series) from(t, n int) series {
	if t >= len(s) {
		return nil
	}
	return s[t:min(t+n, len(s))]
}

// fill takes over n seconds from t on, of the CPU and of one GPU.
func (f *future) fill(d *demands, gpu, t, n int) {
	copy(d.cpu[:], f.cpu.from(t, n))
	if gpu >= 0 {
		copy(d.gpu[:], f.gpu[gpu].from(t, n))
		copy(d.encoder[:], f.encoder[gpu].from(t, n))
	}
}

func newFuture(gpus int) future {
	return future{gpu: make([]series, gpus), encoder: make([]series, gpus)}
}

// foresee brings the future up to who is on the host now.
func (h *Host) foresee() {
	f := &h.future
	for i := len(f.counted) - 1; i >= 0; i-- {
		if s := f.counted[i]; s.gone || !s.plays() {
			f.forget(s)
		}
	}
	f.pending = f.pending[:0]
	for _, s := range h.seats {
		switch {
		case s.counted || s.phase == stopping:
		case s.plays():
			f.count(s, 1)
			s.counted = true
			f.counted = append(f.counted, s)
		default:
			f.pending = append(f.pending, s)
		}
	}
}

// forget takes the seat out of the sums, if it is there. Do this before its times
// change.
func (f *future) forget(s *Seat) {
	if s.counted {
		s.counted = false
		f.count(s, -1)
		f.counted = slices.DeleteFunc(f.counted, func(x *Seat) bool { return x == s })
	}
}

// plays says whether the session is in play, or its player will be back in a
// moment.
func (s *Seat) plays() bool { return s.phase == connected || s.phase == dropped }

// count adds what the session asks for from now to its end, or takes it away.
// What is over does not matter to anybody.
func (f *future) count(s *Seat, sign float64) {
	w := s.host.w
	from := int(math.Ceil(max(s.since, w.now)))
	to := int(math.Ceil(s.since + w.pop.lasts(s.person) - s.played))
	if from >= to {
		return
	}
	first := int(float64(from) - s.since)
	f.cpu = f.cpu.upTo(to)
	addTo(f.cpu[from:to], s.course.cpu, 0, first, sign*s.app.CPUCores/s.host.machine.Cores)
	if s.gpu < 0 {
		return
	}
	f.gpu[s.gpu], f.encoder[s.gpu] = f.gpu[s.gpu].upTo(to), f.encoder[s.gpu].upTo(to)
	addTo(f.gpu[s.gpu][from:to], s.course.gpu, 0, first, sign*s.app.GPU)
	addTo(f.encoder[s.gpu][from:to], s.course.encoder, 0, first, sign*s.app.Encoder)
}

// upTo makes the series long enough for the seconds before t.
func (s series) upTo(t int) series {
	if t <= len(s) {
		return s
	}
	return append(s, make(series, t-len(s))...)
}
