package world

import "math"

// The judge is clairvoyant: it knows what every session is going to take, and
// how long it will last. It says whether a host could take one more without ever
// passing a limit while the newcomer plays.

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

// stride is how far apart the judge looks, in seconds.
const stride = 1

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
	app, course := &w.c.Apps[p.App], w.pop.courseOf(p)
	lasts := w.pop.lasts(p)
	starts, from := 0.0, course.play
	if f == FromConnection {
		starts, from = p.StartS+p.ConnectS, 0
	}
	for t := 0.0; t < starts+lasts; t += stride {
		cpu, g, encoder := h.foreseen(t, gpu)
		if t >= starts {
			i := from + int(t-starts)
			cpu += course.at(course.cpu, i) * app.CPUCores / w.c.Cores
			if gpu >= 0 {
				g += course.at(course.gpu, i) * app.GPU
				encoder += app.Encoder
			}
		}
		if w.c.contend(math.Max(cpu, math.Max(g, encoder))) > limit {
			return false
		}
	}
	return true
}

// foreseen is what those who have a seat will ask for in so many seconds.
func (h *Host) foreseen(in float64, gpu int) (cpu, g, encoder float64) {
	now := h.w.now
	cpu = hostCPU
	for _, s := range h.seats {
		i := s.course.play + int(in)
		left := h.w.pop.lasts(s.person) - s.played
		switch s.phase {
		case stopping:
			continue
		case connected:
			i = int(now + in - s.since)
			left -= now - s.since
		}
		if in >= left {
			continue
		}
		cpu += s.course.at(s.course.cpu, i) * s.app.CPUCores / h.w.c.Cores
		if gpu >= 0 && s.gpu == gpu {
			g += s.course.at(s.course.gpu, i) * s.app.GPU
			encoder += s.app.Encoder
		}
	}
	return cpu, g, encoder
}

// Present is what the host's sessions ask for now, with the mean cost of one more
// of the app. Sessions that do not show in full yet count at their app's mean.
func (w *World) Present(host, app int) (gpu int, load float64) {
	h, a := w.hosts[host], &w.c.Apps[app]
	cpu := hostCPU + a.CPUCores/w.c.Cores
	for _, s := range h.seats {
		c, _ := s.present(w.now)
		cpu += c * s.app.CPUCores / w.c.Cores
	}
	if !a.NeedsGPU() {
		return -1, w.c.contend(cpu)
	}
	best, bestLoad := -1, Never
	for i := range h.demand.GPU {
		g, encoder := a.GPU, a.Encoder
		for _, s := range h.seats {
			if s.gpu == i {
				_, x := s.present(w.now)
				g += x * s.app.GPU
				encoder += s.app.Encoder
			}
		}
		if l := math.Max(g, encoder); l < bestLoad {
			best, bestLoad = i, l
		}
	}
	return best, w.c.contend(math.Max(cpu, bestLoad))
}

func (s *Seat) present(now float64) (cpu, gpu float64) {
	switch {
	case s.phase == stopping:
		return 0, 0
	case s.phase == connected && now-s.since >= float64(s.course.play):
		return s.factor(now)
	default:
		return 1, 1
	}
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
