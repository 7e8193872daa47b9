package world

// Quote is the first wait that somebody was told, and what came of it.
type Quote struct {
	AtS        float64 // when
	Position   int
	Known      bool    // a wait was told
	P50S, P90S float64 // from AtS
	WaitedS    float64
	Censored   bool // gave up, or still waits at the end: they would have waited longer
}

// quotes collects what people are told of their waits.
type quotes struct {
	all    []Quote
	of     []int // by person: index in all, -1 for none
	last   []float64
	looked float64
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
	q.of[p.ID] = len(q.all)
	q.all = append(q.all, Quote{
		AtS: w.now, Position: place.Position, Known: place.Known, P50S: place.P50S, P90S: place.P90S,
	})
}

func (q *quotes) served(w *World, v *visit, censored bool) {
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
