package world

import "math"

// The judge is clairvoyant: it knows what every session is going to take, and
// how long it will last. It says whether a host could take one more without ever
// passing a limit while the newcomer plays. It looks at each full
// second, as the accounts do.

// Foresight says from when on a newcomer's load counts.
type Foresight int

const (
	// FromNow: a seat is promised when it is offered, so it must be there from
	// then on. The newcomer counts as playing from now on; so does everybody who
	// has a seat and is not connected yet.
	FromNow Foresight = iota
	// FromConnection: the newcomer starts, connects and passes the menu first. Who
	// judges by this sees the seats that will be free by then.
	FromConnection
)

// Room says whether the host has room for the person's whole session, and on
// which GPU (-1 for an app that needs none).
func (w *World) Room(host int, p *Person, limit float64, f Foresight) (gpu int, ok bool) {
	h := w.hosts[host]
	if !h.up {
		return -1, false
	}
	app := &w.c.Apps[p.App]
	if !app.NeedsGPU() {
		return -1, w.roomOn(h, -1, p, limit, f)
	}
	// The emptiest first.
	for tried := 0; tried < len(h.demand.GPU); tried++ {
		g := h.nthEmptiest(tried)
		if w.roomOn(h, g, p, limit, f) {
			return g, true
		}
	}
	return -1, false
}

func (h *Host) nthEmptiest(n int) int {
	for i := range h.demand.GPU {
		before := 0
		for j := range h.demand.GPU {
			if h.demand.GPU[j] < h.demand.GPU[i] || h.demand.GPU[j] == h.demand.GPU[i] && j < i {
				before++
			}
		}
		if before == n {
			return i
		}
	}
	return 0
}

func (w *World) roomOn(h *Host, gpu int, p *Person, limit float64, f Foresight) bool {
	h.foresee()
	a := &w.c.Apps[p.App]
	n := newcomer{
		course: w.pop.courseOf(p), limit: limit, from: w.now, ends: w.now + w.pop.lasts(p),
		cpu: a.CPUCores / h.machine.Cores, gpu: a.GPU, encoder: a.Encoder, device: gpu,
	}
	if n.first = n.course.play; f == FromConnection {
		n.from, n.first = n.from+p.StartS+p.ConnectS, 0
		n.ends += p.StartS + p.ConnectS
	}
	// Where the last one had no room the next one seldom has.
	tight := &h.tight[f][gpu+1]
	if *tight >= w.now && *tight < n.ends && h.passes(&n, *tight, 1) >= 0 {
		return false
	}
	for t := math.Ceil(w.now); t < n.ends; t += ahead {
		if i := h.passes(&n, t, min(ahead, int(math.Ceil(n.ends-t)))); i >= 0 {
			*tight = t + float64(i)
			return false
		}
	}
	return true
}

// newcomer is somebody of whom it is asked whether a host has room for them.
type newcomer struct {
	course     *course
	limit      float64
	from, ends float64 // when they count
	first      int     // the second of the course with which they begin
	device     int     // the GPU, -1 for none
	// What the app takes, as fractions of the host's.
	cpu, gpu, encoder float64
}

// ahead is how many seconds are looked at together.
const ahead = 64

// demands are what a host is asked for, second by second.
type demands struct{ cpu, gpu, encoder [ahead]float64 }

// passes says in which of the n seconds from t on the host would first pass the
// newcomer's limit; -1 if it would not.
func (h *Host) passes(x *newcomer, t float64, n int) int {
	var d demands
	h.future.fill(&d, x.device, int(t), n)
	for _, s := range h.future.pending {
		s.pending(&d, x.device, t-h.w.now, n)
	}
	start := max(0, int(math.Ceil(x.from-t)))
	first := x.first + int(t+float64(start)-x.from)
	addTo(d.cpu[:n], x.course.cpu, start, first, x.cpu)
	if x.device >= 0 {
		addTo(d.gpu[:n], x.course.gpu, start, first, x.gpu)
		addTo(d.encoder[:n], x.course.encoder, start, first, x.encoder)
	}
	idle, gpu, encoder := h.idle(x.device)
	for k := range n {
		if h.w.c.contend(max(idle+d.cpu[k], gpu+d.gpu[k], encoder+d.encoder[k])) > x.limit {
			return k
		}
	}
	return -1
}

// idle is what the host takes with nobody on it, with one of its GPUs or none.
func (h *Host) idle(gpu int) (cpu, util, encoder float64) {
	l := &h.machine.Idle
	if gpu < 0 {
		return l.CPU, 0, 0
	}
	return l.CPU, l.GPU[gpu], l.Encoder[gpu]
}

// addTo adds a series of the course, from its first second on, to the sums from
// the start-th on. The last second goes on.
func addTo(sum []float64, series []float32, start, first int, weight float64) {
	if start >= len(sum) {
		return
	}
	sum = sum[start:]
	known := series[min(first, len(series)):]
	known = known[:min(len(known), len(sum))]
	for k, x := range known {
		sum[k] += float64(x) * weight
	}
	last := float64(series[len(series)-1]) * weight
	for k := len(known); k < len(sum); k++ {
		sum[k] += last
	}
}

// pending adds what somebody with a seat who is not connected yet will ask for in
// so many seconds, if they play from now on.
func (s *Seat) pending(d *demands, gpu int, in float64, n int) {
	n = max(0, min(n, int(math.Ceil(s.host.w.pop.lasts(s.person)-s.played-in))))
	first := s.course.play + int(in)
	addTo(d.cpu[:n], s.course.cpu, 0, first, s.app.CPUCores/s.host.machine.Cores)
	if gpu < 0 || s.gpu != gpu {
		return
	}
	addTo(d.gpu[:n], s.course.gpu, 0, first, s.app.GPU)
	addTo(d.encoder[:n], s.course.encoder, 0, first, s.app.Encoder)
}

// Present is what the host's sessions ask for now, with the mean cost of one more
// of the app. Sessions that do not show in full yet count at their app's mean.
func (w *World) Present(host, app int) (gpu int, load float64) {
	h, a := w.hosts[host], &w.c.Apps[app]
	cpu := h.machine.Idle.CPU + a.CPUCores/h.machine.Cores
	for _, s := range h.seats {
		c, _ := s.present(w.now)
		cpu += c * s.app.CPUCores / h.machine.Cores
	}
	if !a.NeedsGPU() {
		return -1, w.c.contend(cpu)
	}
	best, bestLoad := -1, Never
	for i := range h.demand.GPU {
		g, encoder := h.machine.Idle.GPU[i]+a.GPU, h.machine.Idle.Encoder[i]+a.Encoder
		for _, s := range h.seats {
			if s.gpu == i {
				_, x := s.present(w.now)
				g += x * s.app.GPU
				encoder += s.encodes(w.now) * s.app.Encoder
			}
		}
		if l := max(g, encoder); l < bestLoad {
			best, bestLoad = i, l
		}
	}
	return best, w.c.contend(max(cpu, bestLoad))
}

func (s *Seat) present(now float64) (cpu, gpu float64) {
	switch {
	case s.phase == stopping:
		return 0, 0
	case s.phase == connected && now-s.since >= float64(s.course.play):
		cpu, gpu, _ = s.factor(now)
		return cpu, gpu
	default:
		return 1, 1
	}
}

// encodes is the like of the encoder.
func (s *Seat) encodes(now float64) float64 {
	if i := int(now - s.since); s.phase == connected && i >= s.course.play {
		return s.course.at(s.course.encoder, i)
	}
	return 1
}

// Up says whether the host is alive.
func (w *World) Up(host int) bool { return w.hosts[host].up }

// UplinkFull says whether the pool's uplink carries nobody more.
func (w *World) UplinkFull() bool {
	return w.c.UplinkBps > 0 && float64(w.seated()+1)*w.c.BitrateBps > w.c.UplinkBps
}

func (w *World) seated() int {
	n := 0
	for _, h := range w.hosts {
		n += len(h.seats)
	}
	return n
}
