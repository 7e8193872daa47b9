package world

// Quote is the first wait that somebody was told, and what came of it.
type Quote struct {
	AtS        float64 // when
	Position   int
	Known      bool    // a wait was told
	P50S, P90S float64 // from AtS
	WaitedS    float64
	Censored   bool // gave up, or still waits at the end: they would have waited longer

	// What there was to know when it was told, for other forecasts.
	Seats      int     // taken
	LengthS    float64 // mean of the last sessions that were played to their end
	HeadS      float64 // for how long whoever was first in line had waited
	ServedPerS float64 // first seats given lately
	FreedPerS  float64 // the truth: first seats given for each second in which somebody waited
	LeavePerS  float64 // the truth: chance that somebody who waits gives up
}

// quotes collects what people are told of their waits.
type quotes struct {
	all    []Quote
	of     []int // by person: index in all, -1 for none
	last   []float64
	looked float64

	lengths []float64 // of the last sessions
	given   []float64 // when first seats were given, the last of them
}

// How far back "lately" goes.
const (
	lastLengths  = 200
	lastGivenS   = 300
	lastGivenMax = 1000
)

// ended notes how long somebody has played.
func (q *quotes) ended(seconds float64) { q.lengths = keep(append(q.lengths, seconds), lastLengths) }

// keep is the end of a list. It lets the list grow to twice that, so that little
// is copied.
func keep(list []float64, n int) []float64 {
	if len(list) < 2*n {
		return list
	}
	return append(list[:0], list[len(list)-n:]...)
}

// known fills in what there is to know apart from what is told.
func (q *quotes) known(w *World, x *Quote, p *Person) {
	x.Seats, x.LeavePerS = w.seated(), over(1, w.c.People.PatienceS)
	for _, s := range q.lengths[max(0, len(q.lengths)-lastLengths):] {
		x.LengthS += s / float64(min(len(q.lengths), lastLengths))
	}
	for _, at := range q.given {
		if at > w.now-lastGivenS {
			x.ServedPerS += 1.0 / lastGivenS
		}
	}
	if head := w.head(); head != nil && head != p {
		x.HeadS = w.now - head.ArrivesS
	}
}

func over(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// freed is told at the end to all, the truth about the whole run.
func (q *quotes) freed(t *Tally, c *Config) {
	n := 0
	for _, s := range t.Served {
		if s.ServedS > s.CameS && s.ServedS > c.WarmUpS {
			n++
		}
	}
	waiting := over(t.WaitingS, t.HostS) * (c.LengthS - c.WarmUpS)
	for i := range q.all {
		q.all[i].FreedPerS = over(float64(n), waiting)
	}
}

// shownEveryS is how often what is shown is looked at.
const shownEveryS = 60

// jump is how much a shown wait may rise in that time.
const jump = 0.2

func (q *quotes) begin(w *World) {
	q.of, q.last = make([]int, len(w.visits)), make([]float64, len(w.visits))
	for i := range q.of {
		q.of[i] = -1
	}
}

func (q *quotes) first(w *World, p *Person) {
	place, ok := w.gate.Place(w.now, p)
	if !ok || p.ArrivesS <= w.c.WarmUpS {
		return
	}
	x := Quote{AtS: w.now, Position: place.Position, Known: place.Known, P50S: place.P50S, P90S: place.P90S}
	q.known(w, &x, p)
	q.of[p.ID] = len(q.all)
	q.all = append(q.all, x)
}

func (q *quotes) served(w *World, v *visit, censored bool) {
	if !censored {
		q.given = keep(append(q.given, w.now), lastGivenMax)
	}
	if i := q.of[v.person.ID]; i >= 0 {
		q.all[i].WaitedS, q.all[i].Censored = w.now-q.all[i].AtS, censored
		q.of[v.person.ID] = -1
	}
}

// shown looks, once a minute, at what those who wait are told.
func (q *quotes) shown(w *World) {
	if w.now-q.looked < shownEveryS {
		return
	}
	q.looked = w.now
	for i := w.oldest; i < len(w.visits) && w.visits[i].came; i++ {
		v := &w.visits[i]
		if !v.waiting {
			q.last[i] = 0
			continue
		}
		place, ok := w.gate.Place(w.now, v.person)
		if !ok || !place.Known {
			q.last[i] = 0
			continue
		}
		if was := q.last[i]; was > 0 && w.now > w.c.WarmUpS {
			w.tally.ShownMinutes++
			if place.P50S > was*(1+jump) {
				w.tally.ShownReversals++
			}
		}
		q.last[i] = max(1, place.P50S)
	}
}
