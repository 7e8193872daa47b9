package rival

import (
	"math"
	"slices"

	"github.com/rendergate/rendergate/server/simulate/world"
)

// Rule says whether a host takes one more.
type Rule interface {
	// Admits says whether the host takes one more session of the app, on that GPU
	// (-1 for an app that needs none), and how good it is among the hosts that do:
	// the lowest rank is taken.
	Admits(now float64, h *Host, app *world.App, gpu int) (ok bool, rank float64)
}

// Watcher is a rule that takes in each sample as it comes.
type Watcher interface{ Sampled(now float64, h *Host) }

// Seater is a rule that takes note of each seat as it is given.
type Seater interface {
	Seated(now float64, h *Host, s *Seat)
}

// Clairvoyant is a rule that knows more than samples tell: it is asked with the
// person, and heeds the pool's uplink, of which no rival knows.
type Clairvoyant interface {
	AdmitsPerson(w *world.World, host int, p *world.Person) (gpu int, ok bool)
}

// guest is a person as the queue knows them.
type guest struct {
	p     *world.Person
	state state
	away  bool
	fresh bool // has just come
	turn  int  // what was planned before the last change does not happen
	lapse int
	host  *Host
	seat  *Seat
}

type state int

const (
	absent state = iota
	waiting
	offered
	seated
	leaving // over for the player; the host still holds it
)

// maxLapses is after how many unanswered offers somebody leaves the queue.
const maxLapses = 2

// Queue is a fair queue in front of a rule. It implements [world.Gate].
type Queue struct {
	w      *world.World
	c      *world.Config
	rule   Rule
	knows  Clairvoyant // the rule, if it is one
	notes  Seater      // likewise
	hosts  []*Host
	downs  []int // by host: how often it has died
	guests []guest
	line   []*guest // who wait, the first in line first
	looked float64  // when the line was last served
}

// New makes the gate of a rule.
func New(rule Rule) func(*world.World) world.Gate {
	return func(w *world.World) world.Gate {
		c := w.Config()
		q := &Queue{w: w, c: c, rule: rule, guests: make([]guest, w.People()), downs: make([]int, c.Hosts)}
		q.knows, _ = rule.(Clairvoyant)
		q.notes, _ = rule.(Seater)
		for i := range c.Hosts {
			m := c.Machine(i)
			q.hosts = append(q.hosts, &Host{ID: i, Cores: m.Cores, GPUs: len(m.GPUs)})
		}
		return q
	}
}

// Join implements [world.Gate].
func (q *Queue) Join(now float64, p *world.Person) {
	g := &q.guests[p.ID]
	*g = guest{p: p, state: waiting, fresh: true}
	q.line = append(q.line, g)
	q.serve(now)
	g.fresh = false
}

// serve gives seats as long as the rule has one for the first in line.
func (q *Queue) serve(now float64) {
	q.looked = now
	for {
		g := q.first()
		if g == nil || q.knows != nil && q.w.UplinkFull() {
			return
		}
		h, gpu := q.choose(now, g.p)
		if h == nil {
			return
		}
		q.give(now, g, h, gpu)
	}
}

func (q *Queue) first() *guest {
	for _, g := range q.line {
		if !g.away {
			return g
		}
	}
	return nil
}

// choose is where the rule puts the person, nil if nowhere.
func (q *Queue) choose(now float64, p *world.Person) (*Host, int) {
	var best *Host
	bestGPU, bestRank := -1, math.Inf(1)
	for _, h := range q.hosts {
		if !h.runs(&q.c.Apps[p.App]) {
			continue
		}
		if gpu, rank, ok := q.admits(now, h, p); ok && (best == nil || rank < bestRank) {
			best, bestGPU, bestRank = h, gpu, rank
		}
	}
	return best, bestGPU
}

func (q *Queue) admits(now float64, h *Host, p *world.Person) (gpu int, rank float64, ok bool) {
	if q.knows != nil {
		gpu, ok = q.knows.AdmitsPerson(q.w, h.ID, p)
		return gpu, float64(len(h.Seats)), ok
	}
	app := &q.c.Apps[p.App]
	gpu = h.device(app)
	ok, rank = q.rule.Admits(now, h, app, gpu)
	return gpu, rank, ok
}

func (q *Queue) give(now float64, g *guest, h *Host, gpu int) {
	q.line = slices.DeleteFunc(q.line, func(x *guest) bool { return x == g })
	g.turn++
	g.host = h
	g.seat = &Seat{
		Person: g.p, App: &q.c.Apps[g.p.App], GPU: gpu,
		Given: now, Started: world.Never, Ready: world.Never, Connected: world.Never,
	}
	h.Seats = append(h.Seats, g.seat)
	if q.notes != nil {
		q.notes.Seated(now, h, g.seat)
	}
	if g.fresh {
		q.seat(now, g)
		return
	}
	g.state = offered
	q.w.Offer(g.p, h.ID, gpu, now+q.c.OfferS)
	q.plan(now+q.c.OfferS, g, func(now float64) { q.lapse(now, g) })
}

// seat makes the seat the guest's own.
func (q *Queue) seat(now float64, g *guest) {
	g.state = seated
	g.seat.Started = now
	q.w.Grant(g.p, g.host.ID, g.seat.GPU)
	q.w.Start(g.p)
}

// plan lets something happen unless something else changes the guest first.
func (q *Queue) plan(at float64, g *guest, do func(now float64)) {
	turn := g.turn
	q.w.Plan(at, func(now float64) {
		if g.turn == turn {
			do(now)
		}
	})
}

// lapse lets the seat go on; the guest keeps a place behind the next, or leaves.
func (q *Queue) lapse(now float64, g *guest) {
	q.unseat(g)
	g.lapse++
	if g.lapse >= maxLapses {
		g.state = absent
		q.w.Withdraw(g.p)
		q.w.Left(g.p)
	} else {
		g.state = waiting
		q.line = slices.Insert(q.line, min(1, len(q.line)), g)
		q.w.Withdraw(g.p)
	}
	q.serve(now)
}

func (q *Queue) unseat(g *guest) {
	if g.host != nil {
		g.host.Seats = slices.DeleteFunc(g.host.Seats, func(s *Seat) bool { return s == g.seat })
	}
	g.host, g.seat = nil, nil
	g.turn++
}

// Leave implements [world.Gate].
func (q *Queue) Leave(now float64, p *world.Person) {
	g := &q.guests[p.ID]
	switch g.state {
	case waiting:
		g.state = absent
		q.line = slices.DeleteFunc(q.line, func(x *guest) bool { return x == g })
		q.serve(now)
	case offered:
		g.state = absent
		q.unseat(g)
		q.w.Withdraw(p)
		q.w.Left(p)
		q.serve(now)
	case seated:
		q.stop(g)
	}
}

func (q *Queue) stop(g *guest) {
	g.state = leaving
	g.turn++
	q.w.Stop(g.p)
}

// Accept implements [world.Gate].
func (q *Queue) Accept(now float64, p *world.Person) {
	if g := &q.guests[p.ID]; g.state == offered {
		g.turn++
		q.seat(now, g)
	}
}

// Gone implements [world.Gate].
func (q *Queue) Gone(now float64, p *world.Person) {
	g := &q.guests[p.ID]
	if g.state != waiting {
		return
	}
	g.away = true
	g.turn++
	q.plan(now+q.c.GraceS, g, func(now float64) {
		q.Leave(now, p)
		q.w.Left(p)
	})
}

// Back implements [world.Gate].
func (q *Queue) Back(now float64, p *world.Person) {
	if g := &q.guests[p.ID]; g.state == waiting {
		g.away = false
		g.turn++
		q.serve(now)
	}
}

// everyS is how often the rule is asked again while somebody waits.
const everyS = 1

// Tick implements [world.Gate].
func (q *Queue) Tick(now float64) { q.serve(now) }

// Next implements [world.Gate].
func (q *Queue) Next() float64 {
	if len(q.line) == 0 {
		return world.Never
	}
	return q.looked + everyS
}

// Admits implements [world.Gate].
func (q *Queue) Admits(now float64, host, app int) bool {
	h := q.hosts[host]
	if !h.runs(&q.c.Apps[app]) {
		return false
	}
	for i := range q.line {
		if p := q.line[i].p; p.App == app {
			_, _, ok := q.admits(now, h, p)
			return ok
		}
	}
	if q.knows != nil {
		return true // it answers for a person, and nobody asks
	}
	a := &q.c.Apps[app]
	ok, _ := q.rule.Admits(now, h, a, h.device(a))
	return ok
}

// Place implements [world.Gate]. Nothing is told of the wait.
func (q *Queue) Place(_ float64, p *world.Person) (world.Place, bool) {
	for i, g := range q.line {
		if g.p == p {
			return world.Place{Position: i + 1}, true
		}
	}
	return world.Place{}, false
}
