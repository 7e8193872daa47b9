package world

import (
	"math"
	"math/rand/v2"
)

// World is one run of one gate.
type World struct {
	c      *Config
	pop    *Population
	gate   Gate
	now    float64
	step   float64
	agenda agenda
	hosts  []*Host
	visits []visit // by person
	oldest int     // nobody before waits
	length int     // who wait
	tally  Tally
	quotes quotes

	unjudged bool // see RunUnjudged
}

// Run lets everybody of the population meet the gate, and returns what came of it.
func Run(pop *Population, gate func(*World) Gate) *Tally { return run(pop, gate, false) }

// RunUnjudged is [Run] without the judge, who takes a third of the time: nothing
// is known of false refusals, and of who let a host get full. All else is the same.
func RunUnjudged(pop *Population, gate func(*World) Gate) *Tally { return run(pop, gate, true) }

func run(pop *Population, gate func(*World) Gate, unjudged bool) *Tally {
	c := pop.config
	w := &World{c: c, pop: pop, step: min(1, c.Probe.PeriodS), visits: make([]visit, len(pop.People)), unjudged: unjudged}
	for i := range c.Hosts {
		w.hosts = append(w.hosts, newHost(w, i))
	}
	w.tally.begin(w)
	w.gate = gate(w)
	for _, h := range w.hosts {
		w.begins(h)
	}
	w.comeLater(0)
	for t := w.step; t <= c.LengthS; t += w.step {
		w.until(t)
		w.integrate()
	}
	w.tally.end(w)
	t := w.tally // a copy: who keeps it must not keep the world
	return &t
}

// comeLater plans who comes next: one after the other, so that the agenda stays
// short.
func (w *World) comeLater(id int) {
	if id == len(w.pop.People) {
		return
	}
	p := w.pop.People[id]
	w.agenda.add(p.ArrivesS, func() {
		w.comeLater(id + 1)
		w.arrive(p)
	})
}

// Config is the world's.
func (w *World) Config() *Config { return w.c }

// until lets happen what is due up to t.
func (w *World) until(t float64) {
	for {
		next, tick := w.agenda.next(), w.gate.Next()
		if next > t && tick > t {
			w.now = t
			return
		}
		if tick < next {
			w.now = max(w.now, tick)
			w.gate.Tick(w.now)
			continue
		}
		x := w.agenda.take()
		w.now = max(w.now, x.at)
		x.do()
	}
}

// after plans what happens to somebody unless something else does first.
func (w *World) after(seconds float64, v *visit, do func()) {
	turn := v.turn
	w.agenda.add(w.now+seconds, func() {
		if v.turn == turn {
			do()
		}
	})
}

// failLater plans the host's next death.
func (w *World) failLater(h *Host) {
	f := w.c.Failures
	if f.PerHour <= 0 {
		return
	}
	up, down := h.chance.ExpFloat64()*3600/f.PerHour, h.chance.ExpFloat64()*f.LastsS
	w.agenda.add(w.now+up, func() {
		w.dies(h)
		w.agenda.add(w.now+down, func() {
			w.lives(h)
			w.failLater(h)
		})
	})
}

// begins plans the host's life, or lets it begin.
func (w *World) begins(h *Host) {
	if h.machine.Up == nil {
		w.lives(h)
		w.failLater(h)
	}
	for _, up := range h.machine.Up {
		w.agenda.add(up.FromS, func() { w.lives(h) })
		w.agenda.add(up.ToS, func() { w.dies(h) })
	}
}

func (w *World) lives(h *Host) {
	h.up = true
	h.restart()
	w.gate.HostUp(w.now, h.id)
}

func (w *World) dies(h *Host) {
	h.up, h.died = false, w.now
	w.gate.HostDown(w.now, h.id)
}

// integrate accounts for the step that ends now, and lets probes sample.
func (w *World) integrate() {
	for _, h := range w.hosts {
		h.weigh()
		w.tally.host(w, h)
		h.sampleDue()
	}
	w.tally.stepped(w)
}

// chanceOf is a source of random numbers of its own for each host.
func (w *World) chanceOf(host int) *rand.Rand {
	return rand.New(rand.NewPCG(w.pop.seed, uint64(host)+0x4057<<40)) //nolint:gosec // repeatable, not secret
}

// contend is the load that a demand comes to.
func (c *Config) contend(demand float64) float64 {
	return demand * (1 + c.Contention*demand*demand)
}

// head is the person who is first in line and there, nil if nobody is.
func (w *World) head() *Person {
	for w.oldest < len(w.visits) && w.visits[w.oldest].over {
		w.oldest++
	}
	for i := w.oldest; i < len(w.visits); i++ {
		v := &w.visits[i]
		if !v.came {
			return nil // those who come later come in order
		}
		if v.waiting && !v.away {
			return v.person
		}
	}
	return nil
}

func clip(x float64) float64 { return math.Max(0, math.Min(1, x)) }

// People is how many people come.
func (w *World) People() int { return len(w.visits) }

// Plan lets a gate have something happen later.
func (w *World) Plan(at float64, do func(now float64)) {
	w.agenda.add(at, func() { do(w.now) })
}
