package world

import "math"

// How often it is looked at hosts' verdicts, and, which takes longer, at whether
// the judge has room for the first in line.
const (
	judgeEveryS = 5
	lookEveryS  = 30
)

// full is a whole resource.
const full = 1.0

// Tally is what came of a run. Times are seconds, and count after the warm-up.
type Tally struct {
	HostS  float64 // hosts alive, their times added up
	Demand float64 // of the fullest resource of each host, over HostS: fractions times seconds

	OverS, FullS, FullByAdmissionS float64   // of HostS, over the threshold and over the whole
	DepthMost                      float64   // the highest load, over the threshold
	DepthSum                       float64   // load over the threshold, times seconds
	Overshoots                     []float64 // how long each was

	IdleS    float64 // unused up to the threshold while somebody waits: fractions times seconds
	WaitingS float64 // host seconds while somebody waits

	Decisions        int // seats given, and people whom the gate let wait when it was their turn
	Refused          int // of these, who were let wait
	FalseRefused     int // the judge would have admitted, see [FromNow]
	ForeseenRefused  int // the judge would have admitted by [FromConnection]
	Looks, Rooms     int // how often it was looked at the first in line, and the judge had room for them
	Waits            []float64
	GaveUp           []float64 // waits of those who gave up before they were served
	Flips            int       // a host's verdict changed
	Overtakes        int
	Offers, Wasted   int
	Granted          int
	Violations       int // of hard budgets, order and seats
	Quotes           []Quote
	ShownMinutes     int // of people's waits that were shown
	ShownReversals   int // in which the shown wait rose by more than a fifth
	LengthOfQueueSum float64
	Served           []Served // in order: what estimators of waits learn from

	hosts  []hostTally
	judged float64
	looked float64
	from   float64
}

// hostTally is what a run remembers of one host.
type hostTally struct {
	over    float64 // how long it has been over the threshold
	admits  bool
	condemn map[*Seat]bool // the judge would not have given them their seats, by the whole resource
}

// Served is when somebody came and when they were served.
type Served struct{ CameS, ServedS float64 }

func (t *Tally) begin(w *World) {
	t.from = w.c.WarmUpS
	t.hosts = make([]hostTally, len(w.hosts))
	for i := range t.hosts {
		t.hosts[i].condemn = map[*Seat]bool{}
	}
	w.quotes.begin(w)
}

// counts says whether the warm-up is over.
func (t *Tally) counts(w *World) bool { return w.now > t.from }

// host accounts for one step of one host.
func (t *Tally) host(w *World, h *Host) {
	if !h.up || !t.counts(w) {
		return
	}
	ht, step, load, limit := &t.hosts[h.id], w.step, h.load.most(), w.c.Threshold
	t.HostS += step
	t.Demand += h.demand.most() * step
	if w.length > 0 {
		t.WaitingS += step
		t.IdleS += math.Max(0, limit-load) * step
	}
	if load > limit {
		t.OverS += step
		ht.over += step
		t.DepthSum += (load - limit) * step
		t.DepthMost = max(t.DepthMost, load-limit)
	} else if ht.over > 0 {
		t.Overshoots = append(t.Overshoots, ht.over)
		ht.over = 0
	}
	if load > full {
		t.FullS += step
		if ht.byAdmission(h) {
			t.FullByAdmissionS += step
		}
	}
}

// byAdmission says whether somebody is on the host whom the judge, who knew what
// those on the host then would take, would not have let in.
func (ht *hostTally) byAdmission(h *Host) bool {
	for _, s := range h.seats {
		if ht.condemn[s] {
			return true
		}
	}
	return false
}

// stepped is once a step, for the pool as a whole.
func (t *Tally) stepped(w *World) {
	if c := w.c; c.UplinkBps > 0 && float64(w.seated())*c.BitrateBps > c.UplinkBps*(1+1e-9) {
		t.Violations++
	}
	t.LengthOfQueueSum += float64(w.length) * w.step
	w.quotes.shown(w)
	if p := w.head(); p != nil && t.counts(w) && !w.visit(p).judged {
		w.visit(p).judged = true
		t.refused(w, p)
	}
	if w.now-t.judged < judgeEveryS {
		return
	}
	t.judged = w.now
	if !t.counts(w) {
		return
	}
	for i, h := range w.hosts {
		if admits := w.gate.Admits(w.now, h.id, 0); admits != t.hosts[i].admits {
			t.hosts[i].admits = admits
			t.Flips++
		}
	}
	if w.unjudged || w.now-t.looked < lookEveryS {
		return
	}
	t.looked = w.now
	if p := w.head(); p != nil {
		t.Looks++
		if !w.UplinkFull() && w.anyRoom(p, FromNow) {
			t.Rooms++
		}
	}
}

// refused judges that the gate lets somebody wait whose turn has come.
func (t *Tally) refused(w *World, p *Person) {
	t.Decisions++
	t.Refused++
	if w.unjudged || w.UplinkFull() {
		return
	}
	if w.anyRoom(p, FromNow) {
		t.FalseRefused++
	}
	if w.anyRoom(p, FromConnection) {
		t.ForeseenRefused++
	}
}

func (w *World) anyRoom(p *Person, f Foresight) bool {
	for i := range w.hosts {
		if _, ok := w.Room(i, p, w.c.Threshold, f); ok {
			return true
		}
	}
	return false
}

// decided judges a seat that is given. It is called before the person has it.
func (t *Tally) decided(w *World, v *visit, host, gpu int) {
	h := w.hosts[host]
	t.overtaken(w, v)
	if !w.unjudged && !(h.up && w.roomOn(h, gpu, v.person, full, FromNow)) {
		// The seat is not there yet: note it once it is.
		w.agenda.add(w.now, func() {
			if s := v.seat; s != nil && s.host == h {
				t.hosts[host].condemn[s] = true
			}
		})
	}
	if t.counts(w) {
		t.Decisions++
	}
}

// overtaken counts those who are served before somebody who came earlier, is
// there, and let no offer lapse.
func (t *Tally) overtaken(w *World, v *visit) {
	if v.again || v.lapses > 0 {
		return
	}
	for i := w.oldest; i < v.person.ID; i++ {
		x := &w.visits[i]
		if x.waiting && !x.away && x.lapses == 0 && x.person.App == v.person.App {
			t.Overtakes++
			t.Violations++
			return
		}
	}
}

func (t *Tally) served(w *World, v *visit) {
	t.Served = append(t.Served, Served{v.person.ArrivesS, w.now})
	if v.person.ArrivesS > t.from {
		t.Waits = append(t.Waits, v.waited)
	}
	w.quotes.served(w, v, false)
}

func (t *Tally) gaveUp(w *World, v *visit) {
	if v.seen {
		return
	}
	if v.person.ArrivesS > t.from {
		t.GaveUp = append(t.GaveUp, w.now-v.person.ArrivesS)
	}
	w.quotes.served(w, v, true)
}

// end closes what is still open.
func (t *Tally) end(w *World) {
	for i := range t.hosts {
		if o := t.hosts[i].over; o > 0 {
			t.Overshoots = append(t.Overshoots, o)
		}
	}
	for i := range w.visits {
		if v := &w.visits[i]; v.came && !v.seen && !v.over {
			w.quotes.served(w, v, true)
		}
	}
	w.quotes.freed(t, w.c)
	t.Quotes = w.quotes.all
	t.hosts = nil // they hold on to seats, and these to the world
}
