package rival

import "github.com/rendergate/rendergate/server/simulate/world"

const (
	// windowS is the measurement window T.
	windowS = 30
	// windowSamples is how many samples it has at least.
	windowSamples = 3
)

// MeasuredSum admits while the measured load and the declared cost of the
// newcomer are at most Limit: the Measured Sum of Jamin, Danzig, Shenker and
// Zhang, "A measurement-based admission control algorithm for integrated services
// packet networks", SIGCOMM 1995 and IEEE/ACM Transactions on Networking 5(1),
// 1997, with the time-window estimator of the same papers, checked against ns-2
// (adc/ms-adc.cc, adc/timewindow-est.cc). The load is the highest average over a
// sampling period S in a window T; it is raised at once by a higher average, and
// by the declared cost when somebody is admitted, which starts the window anew.
//
// The papers' utilization target is 0.9; here it is the threshold, as for others.
// S is the probe's period. T is 30 s, which of 10, 30, 60 and 120 s did best in a
// steady world, and 3 S at least, ns-2's default. Each resource of a host is a
// link.
type MeasuredSum struct{ Limit float64 }

// window is one resource's estimate.
type window struct {
	sum   float64
	most  float64 // of the samples in the window
	since float64 // its start
}

func (w *window) measure(x, now, length float64) {
	w.sum, w.most = max(w.sum, x), max(w.most, x)
	if now-w.since >= length {
		w.sum, w.most, w.since = w.most, 0, now
	}
}

func (w *window) add(cost, now float64) {
	w.sum, w.most, w.since = w.sum+cost, 0, now
}

// windows are a host's.
type windows struct {
	cpu          window
	gpu, encoder []window
}

// Sampled implements [Watcher].
func (MeasuredSum) Sampled(now float64, h *Host) {
	s := h.Sample
	m, _ := h.Memory.(*windows)
	if m == nil {
		m = newWindows(now, h)
	}
	length := max(windowS, windowSamples*s.PeriodS)
	m.cpu.measure(s.CPU, now, length)
	for i := range s.GPU {
		m.gpu[i].measure(s.GPU[i], now, length)
		m.encoder[i].measure(s.Encoder[i], now, length)
	}
}

// newWindows takes those whom the host has already for new: all of them start
// after the host does.
func newWindows(now float64, h *Host) *windows {
	m := &windows{gpu: make([]window, len(h.Sample.GPU)), encoder: make([]window, len(h.Sample.GPU))}
	h.Memory = m
	for _, s := range h.Seats {
		m.add(now, h, s)
	}
	return m
}

func (m *windows) add(now float64, h *Host, s *Seat) {
	cost := h.declared(s.App)
	m.cpu.add(cost.cpu, now)
	if s.GPU >= 0 {
		m.gpu[s.GPU].add(cost.gpu, now)
		m.encoder[s.GPU].add(cost.encoder, now)
	}
}

// Seated implements [Seater].
func (MeasuredSum) Seated(now float64, h *Host, s *Seat) {
	if m, ok := h.Memory.(*windows); ok {
		m.add(now, h, s)
	}
}

// Admits implements [Rule].
func (r MeasuredSum) Admits(now float64, h *Host, app *world.App, gpu int) (bool, float64) {
	m, ok := h.Memory.(*windows)
	if !ok || !h.Fresh(now) {
		return false, 0
	}
	measured := load{cpu: m.cpu.sum}
	if gpu >= 0 {
		measured.gpu, measured.encoder = m.gpu[gpu].sum, m.encoder[gpu].sum
	}
	return measured.plus(h.declared(app)).most() <= r.Limit, measured.most()
}
