package world

import "fmt"

// visit is what becomes of a person in one run.
type visit struct {
	person  *Person
	turn    int // what was planned before the last change does not happen
	came    bool
	waiting bool // in the queue, without an offer
	away    bool // the connection is lost
	over    bool // has left or has played
	lapses  int
	again   bool // was seated before and waits anew
	offers  int
	waited  float64 // until the first offer or seat
	seen    bool    // waited is known
	judged  bool    // that the gate let them wait when it was their turn
	seat    *Seat
}

// idleLevel is what a session takes while it starts, and while nobody is
// connected, of its cost.
const idleLevel = 0.3

// stopS is how long a host takes to end a session.
const stopS = 1.0

func (w *World) visit(p *Person) *visit { return &w.visits[p.ID] }

func (w *World) arrive(p *Person) {
	v := w.visit(p)
	v.person, v.came, v.waiting = p, true, true
	w.length++
	w.gate.Join(w.now, p)
	if v.waiting {
		w.quotes.first(w, p)
	}
	w.agenda.add(w.now+p.Patience, func() {
		if v.waiting {
			w.leave(p)
		}
	})
	for _, d := range p.Drops {
		w.agenda.add(w.now+d.at, func() { w.drop(v, d) })
	}
}

// drop loses the connection of somebody who waits.
func (w *World) drop(v *visit, d drop) {
	if !v.waiting || v.away {
		return
	}
	v.away = true
	w.gate.Gone(w.now, v.person)
	w.agenda.add(w.now+d.lasts, func() {
		if v.away = false; !v.over && v.seat == nil {
			w.gate.Back(w.now, v.person)
		}
	})
}

// leave is the person's own doing.
func (w *World) leave(p *Person) {
	if v := w.visit(p); v.waiting {
		w.out(v) // before the gate hears of it: it may seat the next at once
	}
	w.gate.Leave(w.now, p)
}

// out takes the person from the queue for good.
func (w *World) out(v *visit) {
	w.unwait(v)
	v.over = true
	w.tally.gaveUp(w, v)
}

func (w *World) unwait(v *visit) {
	if v.waiting {
		v.waiting = false
		w.length--
	}
}

// served notes how long the person has waited for a first seat.
func (w *World) served(v *visit) {
	if !v.seen {
		v.seen, v.waited = true, w.now-v.person.ArrivesS
		w.tally.served(w, v)
	}
}

// Offer implements [Orders].
func (w *World) Offer(p *Person, host, gpu int, until float64) {
	v := w.visit(p)
	w.tally.decided(w, v, host, gpu)
	w.unwait(v)
	w.served(v)
	w.sit(v, host, gpu)
	w.tally.Offers++
	answer := p.answer(v.offers)
	v.offers++
	if w.now+answer < until {
		w.after(answer, v, func() {
			if !v.away {
				w.gate.Accept(w.now, p)
			}
		})
	}
}

// sit reserves a seat for the person.
func (w *World) sit(v *visit, host, gpu int) {
	if v.seat != nil {
		w.tally.Violations++ // somebody holds two
		w.rise(v)
	}
	v.turn++
	v.seat = &Seat{person: v.person, app: &w.c.Apps[v.person.App], course: w.pop.courseOf(v.person), host: w.hosts[host], gpu: gpu}
	v.seat.host.seats = append(v.seat.host.seats, v.seat)
}

// rise frees the person's seat.
func (w *World) rise(v *visit) {
	if v.seat != nil {
		v.seat.host.remove(v.seat)
		v.seat = nil
		v.turn++
	}
}

// Withdraw implements [Orders].
func (w *World) Withdraw(p *Person) {
	v := w.visit(p)
	w.rise(v)
	w.tally.Wasted++
	v.lapses++
	w.wait(v)
}

func (w *World) wait(v *visit) {
	if v.waiting || v.over {
		return
	}
	v.waiting = true
	w.oldest = min(w.oldest, v.person.ID)
	w.length++
	if w.now-v.person.ArrivesS > v.person.Patience {
		w.after(0, v, func() {
			if v.waiting {
				w.leave(v.person)
			}
		})
	}
}

// Left implements [Orders].
func (w *World) Left(p *Person) {
	if v := w.visit(p); !v.over {
		w.rise(v)
		w.out(v)
	}
}

// Grant implements [Orders].
func (w *World) Grant(p *Person, host, gpu int) {
	v := w.visit(p)
	if v.seat == nil { // without an offer
		w.tally.decided(w, v, host, gpu)
		w.unwait(v)
		w.served(v)
		w.sit(v, host, gpu)
	}
	v.turn++
	w.tally.Granted++
}

// Start implements [Orders].
func (w *World) Start(p *Person) {
	v := w.visit(p)
	s := v.seat
	if s == nil {
		w.tally.Violations++ // a start without a seat
		return
	}
	v.turn++
	s.phase = starting
	w.after(p.StartS, v, func() {
		if s.host.up {
			s.phase = ready
			w.gate.Report(w.now, Report{s.host.id, p, Ready})
			w.after(p.ConnectS, v, func() { w.connect(v, s) })
		}
	})
}

// connect lets the person play.
func (w *World) connect(v *visit, s *Seat) {
	if !s.host.up || s.phase != ready {
		return
	}
	p := s.person
	s.phase, s.since = connected, w.now
	w.gate.Report(w.now, Report{s.host.id, p, Connected})
	w.after(max(1, p.LengthS-s.played), v, func() { w.gate.Leave(w.now, p) })
	for _, d := range p.Drops {
		w.after(d.at, v, func() {
			if s.phase != connected {
				return
			}
			s.phase = dropped
			w.gate.Report(w.now, Report{s.host.id, p, Dropped})
			w.after(d.lasts, v, func() {
				if s.phase == dropped && s.host.up {
					s.phase = connected
					w.gate.Report(w.now, Report{s.host.id, p, Connected})
				}
			})
		})
	}
}

// Stop implements [Orders].
func (w *World) Stop(p *Person) {
	v := w.visit(p)
	s := v.seat
	if s == nil || s.phase == stopping {
		return
	}
	v.over = true
	v.turn++
	s.phase = stopping
	w.after(stopS, v, func() {
		if s.host.up {
			w.gate.Report(w.now, Report{s.host.id, p, Ended})
		}
	})
}

// Free implements [Orders].
func (w *World) Free(p *Person) { w.rise(w.visit(p)) }

// Move implements [Orders].
func (w *World) Move(p *Person, host, gpu int) {
	v := w.visit(p)
	played := 0.0
	if v.seat != nil {
		played = v.seat.elapsed(w.now)
	}
	w.rise(v)
	w.sit(v, host, gpu)
	v.seat.played = played
}

// Requeue implements [Orders].
func (w *World) Requeue(p *Person) {
	v := w.visit(p)
	w.rise(v)
	v.again, v.over = true, false
	w.wait(v)
}

func (v *visit) String() string { return fmt.Sprintf("person %d", v.person.ID) }
