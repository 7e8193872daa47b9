package world

import (
	"fmt"
	"testing"

	"github.com/rendergate/rendergate/admission"
)

// spy notes what the core orders.
type spy struct {
	*World
	moved, requeued int
	wrong           []string
}

func (s *spy) Move(p *Person, host, gpu int) {
	s.moved++
	if from := s.visit(p).seat.host.id; !s.hosts[host].up || from == host {
		s.wrong = append(s.wrong, fmt.Sprintf("%s moved at %.1f from %d to %d", s.visit(p), s.now, from, host))
	}
	s.World.Move(p, host, gpu)
}

func (s *spy) Requeue(p *Person) {
	s.requeued++
	s.World.Requeue(p)
}

// TestADeadHostsSessionsGoOn: what was on a host that stays away is moved to
// another one or waits again, and once it is lost nothing is left there.
func TestADeadHostsSessionsGoOn(t *testing.T) {
	c := crowded()
	c.Contention, c.Arrivals.PerHour, c.Failures = 0, 100, // few enough that others have room
		Failures{PerHour: 4, LastsS: 400}
	moved, requeued := 0, 0
	for seed := range uint64(4) {
		var s *spy
		down := map[int]float64{}
		x := Run(NewPopulation(c, seed), func(w *World) Gate {
			g := NewCore(admission.DefaultPolicy())(w).(*Core)
			s = &spy{World: w}
			g.orders = s
			look(w, func() {
				for i, h := range w.hosts {
					if h.up {
						down[i] = w.now
					} else if w.now-down[i] > c.HostLostS+10 && len(h.seats) > 0 {
						t.Errorf("seed %d: %.0f s after its death host %d has %d seats", seed, w.now-down[i], i, len(h.seats))
					}
				}
			})
			return g
		})
		if len(s.wrong) > 0 || x.Violations > 0 {
			t.Errorf("seed %d: wrong: %v, %d violations", seed, s.wrong, x.Violations)
		}
		moved, requeued = moved+s.moved, requeued+s.requeued
	}
	if moved+requeued < 10 || moved == 0 {
		t.Errorf("%d moved and %d waited again: too few to tell", moved, requeued)
	}
}

// look calls something every ten seconds.
func look(w *World, do func()) {
	w.agenda.add(w.now+10, func() {
		do()
		look(w, do)
	})
}

// TestARestartGoesOn: who played when the host died plays on for what was left.
func TestARestartGoesOn(t *testing.T) {
	f := &fake{seat: everybody}
	ends := 0.0
	f.sample = func(*Sample) {
		h := f.w.hosts[0]
		if h.up && len(h.seats) > 0 {
			ends = f.w.now
		}
	}
	c := tiny()
	c.LengthS, c.Probe.PeriodS = 400, 1
	Run(&Population{config: c, People: []*Person{somebody(0, 10, 100)}}, func(w *World) Gate {
		w.agenda.add(70, func() { // played for 50 s
			w.hosts[0].up, w.hosts[0].died = false, w.now
			w.gate.HostDown(w.now, 0)
		})
		w.agenda.add(100, func() {
			w.hosts[0].up = true
			w.hosts[0].restart()
			w.gate.HostUp(w.now, 0)
		})
		return faked(f)(w)
	})
	// From 20 to 70, away until 100, starting until 110, and 50 s more.
	if ends < 158 || ends > 162 {
		t.Errorf("the seat is there until %.0f s", ends)
	}
}
