package admission

import (
	"math"
	"time"
)

// table is a forecast for every position of an app's queue: of some positions,
// and in between by interpolation. It is soft: made anew at most once a second,
// sooner where few seats make each event count.
type table struct {
	at      instant
	stirred uint64 // the pool's count then
	upset   uint64
	served  uint64 // the app's count then
	people  int    // who waited then
	lasts   time.Duration
	supply  supply
	spots   []float64
	waits   [2][]float64 // of each spot, seconds; as shown
}

// The spots: every position up to spotsEach, then each further by the ratio.
const (
	spotsEach  = 32
	spotsRatio = 1.05
)

// stir notes what makes forecasts out of date: seats that move, and, more so,
// hosts and policies.
func (p *Pool) stir(b Body) {
	switch b.(type) {
	case PolicySet, Paused, Unpaused, HostConnected, HostLost, HostDrained, HostUndrained:
		p.upset++
	case Enqueued, Resumed, Disconnected, EntryLeft, WishSet, ViewStarted, ViewRated, ViewEnded, CostsLearned:
	default:
		p.stirred++
	}
}

// forecast is the table of the app's queue at that time.
func (p *Pool) forecast(a *app, now instant) *table {
	t := a.table
	length := float64(a.play.len() + 1)
	if t != nil && t.upset == p.upset && (len(t.spots) == 0 || t.spots[len(t.spots)-1] >= length) {
		age := now.sub(t.at)
		if age < tableLasts && (t.stirred == p.stirred || age < t.lasts) {
			return t
		}
	}
	fresh := p.newTable(a, now)
	if t != nil && t.upset == p.upset {
		fresh.calm(t, a.served-t.served)
		fresh.order()
	}
	a.table = fresh
	return fresh
}

// newTable forecasts. It knows nothing, and says so, below lengthsNeeded ends of
// sessions, with no seat, or while the pool is paused.
func (p *Pool) newTable(a *app, now instant) *table {
	t := &table{at: now, stirred: p.stirred, upset: p.upset, served: a.served, people: a.play.len()}
	if p.paused || len(a.lengths) < lengthsNeeded {
		return t
	}
	p.settle(now)
	v := p.survey(a, now)
	t.supply = v.supply
	t.lasts = min(tableLasts, time.Duration(max(0, v.all-tableEach))*tablePerSeat)
	h := v.holding()
	if v.all == 0 {
		return t
	}
	t.fill(a, newFlow(v.seats, h), h)
	return t
}

// fill solves for the time of each spot.
func (t *table) fill(a *app, f *flow, h holding) {
	c := &a.course
	mean, variance := h.moments()
	doubt := 0.0
	if n := float64(h.curve.ends); n > 0 && mean > 0 && !math.IsInf(mean, 1) {
		doubt = min(1, variance/(mean*mean)) / n
	}
	f.discount(c.leaving())
	offers := max(1, c.Offers.Value)
	if c.Offers.N == 0 {
		offers = 1
	}
	length := t.length(a)
	for spot := 1.0; ; spot = nextSpot(spot) {
		t.spots = append(t.spots, spot)
		ask := asked{ahead: (spot-1)*offers + t.supply.excess, doubt: doubt}
		for j, told := range quantiles() {
			ask.z = told.deviate + c.Shifts[placeOf(int(spot))][j]
			t.waits[j] = append(t.waits[j], f.when(ask))
		}
		if spot > length {
			break
		}
	}
	t.order()
}

// order makes nobody's wait shorter than that of those ahead.
func (t *table) order() {
	for i := range t.spots {
		for j := range t.waits {
			if i > 0 {
				t.waits[j][i] = max(t.waits[j][i], t.waits[j][i-1])
			}
		}
		t.waits[1][i] = max(t.waits[1][i], t.waits[0][i])
	}
}

// length is how many places the table must know, with some to come.
func (t *table) length(a *app) float64 {
	n := float64(a.play.len())
	for _, r := range t.supply.rivals {
		n += r.share * r.worth * float64(r.app.play.len())
	}
	return 1.2*n + spotsEach
}

func nextSpot(spot float64) float64 {
	if spot < spotsEach {
		return spot + 1
	}
	return spot * spotsRatio
}

// asked is what is asked of a flow: when so many seats, and one more, have
// become free, at a quantile given as a normal deviate.
type asked struct {
	ahead float64
	z     float64
	doubt float64 // variance of the flow's pace, relative
}

// when is that time in seconds, infinite if it never comes. The number of seats
// that have become free by a time is taken as a scaled Poisson number of its
// mean and variance, so that the time of the n-th is a gamma quantile, by the
// approximation of E. B. Wilson and M. M. Hilferty, "The distribution of
// chi-square", PNAS 17 (1931) 684-688. When the first one comes is exact.
func (f *flow) when(a asked) float64 {
	lack := func(j int) float64 {
		if a.ahead == 0 {
			return f.none[j] + math.Log(math.Erfc(a.z/math.Sqrt2)/2)
		}
		return f.mean[j] - f.need(a, j)
	}
	lo, hi := 0, len(f.t)-1
	if lack(lo) >= 0 {
		return 0
	}
	if lack(hi) < 0 {
		return math.Inf(1)
	}
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; lack(mid) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	x, y := lack(lo), lack(hi)
	return f.t[lo] + (f.t[hi]-f.t[lo])*(-x/(y-x))
}

// need is the mean number at which the quantile is reached.
func (f *flow) need(a asked, j int) float64 {
	one, m := f.grown[j], f.mean[j]
	if m <= 0 {
		return a.ahead + one
	}
	leavers := f.leavers[j] * min(1, (a.ahead+one)/m)
	spread := (f.variance[j] + leavers + a.doubt*m*m) / m
	shape := (a.ahead+one/2)/spread + 0.5
	x := max(0, 1-1/(9*shape)+a.z/(3*math.Sqrt(shape)))
	return spread * shape * x * x * x
}

// calm keeps what is shown from jumping up: those who waited already, and moved
// up by those who were served since, are not told much more than they were told
// then, unless there is a reason: a host or the policy changed (then there is no
// older table to compare with), or what they were told is plainly wrong by now.
// Whoever comes is told the forecast as it is.
func (t *table) calm(old *table, served uint64) {
	rise, near := 1+risePerMinute*t.at.sub(old.at).Minutes(), 0
	for i, spot := range t.spots {
		before := spot + float64(served)
		if near = old.find(before, near); near < 0 || before > float64(old.people) {
			return
		}
		for j := range t.waits {
			was := old.wait(j, near, before)
			if is := t.waits[j][i]; is <= wrongTimes*was+wrongLeast {
				t.waits[j][i] = min(is, was*rise+riseLeast)
			}
		}
	}
}

// find is the last spot that is not behind the position; negative where the
// table does not reach. Near is a guess, from which it goes on.
func (t *table) find(position float64, near int) int {
	n := len(t.spots)
	if n == 0 || position < 1 || position > t.spots[n-1] {
		return -1
	}
	for near+1 < n && t.spots[near+1] <= position {
		near++
	}
	for t.spots[near] > position {
		near--
	}
	return near
}

// guess is a spot near the position.
func (t *table) guess(position float64) int {
	i := position - 1
	if position > spotsEach {
		i = spotsEach - 1 + math.Log(position/spotsEach)/math.Log(spotsRatio)
	}
	return max(0, min(int(i), len(t.spots)-1))
}

// wait is the j-th quantile at a position that is at the spot i or behind it.
func (t *table) wait(j, i int, position float64) float64 {
	w := t.waits[j][i]
	if position > t.spots[i] {
		w += (position - t.spots[i]) / (t.spots[i+1] - t.spots[i]) * (t.waits[j][i+1] - w)
	}
	return w
}

// tell is the forecast of a position at the spot i or behind it; not ok while
// it is unknown.
func (t *table) tell(i int, position float64) (w Wait, ok bool) {
	if i < 0 {
		return Wait{}, false
	}
	p50, p90 := t.wait(0, i, position), t.wait(1, i, position)
	if !(p50 < secondsMost) || !(p90 < secondsMost) {
		return Wait{}, false
	}
	return Wait{P50S: math.Round(p50*10) / 10, P90S: math.Ceil(p90*10) / 10}, true
}

// ahead counts those of rival apps who come before somebody of that class and
// key, in seats of the app.
func (p *Pool) ahead(t *table, class int, x slot) float64 {
	n := 0.0
	for _, r := range t.supply.rivals {
		before := 0
		for i, l := range r.app.play.lines {
			if i < class {
				before += l.all.len()
			} else if i == class {
				before += l.all.rank(x)
			}
		}
		n += float64(before) * r.share * r.worth
	}
	return n
}

// wait is the forecast for an entry at a position, nil while it is unknown.
func (p *Pool) wait(e *entry, position int) *Wait {
	if e.intent != Play || position < 1 {
		return nil
	}
	t := p.forecast(e.app, p.heard())
	x := float64(position)
	if len(t.supply.rivals) > 0 {
		x += p.ahead(t, p.classIndex(e.class), slot{e.listed.key, e})
	}
	if w, ok := t.tell(t.find(x, t.guess(x)), x); ok {
		return &w
	}
	return nil
}

// quote is what somebody who joins now is told first; nil if it is unknown, or
// if there is a seat for them.
func (d *draft) quote(a *app, class string, key int64) *Wait {
	p := d.p
	t, c, position := p.forecast(a, d.now), p.classIndex(class), 1
	for _, l := range a.play.lines[:c+1] {
		position += l.all.len()
	}
	x := float64(position)
	if len(t.supply.rivals) > 0 {
		x += p.ahead(t, c, slot{key, &entry{}})
	}
	w, ok := t.tell(t.find(x, t.guess(x)), x)
	if !ok || w.P90S <= 0 {
		return nil
	}
	return &w
}

// heard is the latest time that the pool was told of.
func (p *Pool) heard() instant { return max(p.last, p.ticked, p.seen) }

// waits tells the forecasts of a whole queue, in order.
type waits struct {
	t     *table
	class int
	walks []walk // through the rivals' lines of the class
}

func (p *Pool) waits(a *app) *waits { return &waits{t: p.forecast(a, p.heard()), class: -1} }

// of are the forecasts of a piece of a line, in one piece of memory, as far as
// they are known: whoever is behind one of whom nothing is known is not known
// either.
func (w *waits) of(class, after int, chunk []slot) []Wait {
	if w == nil || len(w.t.spots) == 0 {
		return nil
	}
	if class != w.class {
		w.turn(class)
	}
	list, near := make([]Wait, 0, len(chunk)), w.t.guess(float64(after+1))
	for i, s := range chunk {
		x := float64(after + i + 1)
		for j := range w.walks {
			x += w.walks[j].ahead(s)
		}
		near = w.t.find(x, max(0, near))
		told, ok := w.t.tell(near, x)
		if !ok {
			break
		}
		list = append(list, told)
	}
	return list
}

// turn begins with the lines of a class.
func (w *waits) turn(class int) {
	w.class, w.walks = class, w.walks[:0]
	for _, r := range w.t.supply.rivals {
		x := walk{rest: r.app.play.lines[class].all.chunks, each: r.share * r.worth}
		for _, l := range r.app.play.lines[:class] {
			x.n += l.all.len()
		}
		w.walks = append(w.walks, x)
	}
}

// walk goes through the entries of a rival's line, along with another line.
type walk struct {
	rest [][]slot
	i    int // in the first chunk of the rest
	n    int // entries passed
	each float64
}

// ahead is what those before x come to; x must not go back.
func (w *walk) ahead(x slot) float64 {
	for len(w.rest) > 0 && bySlot(w.rest[0][w.i], x) < 0 {
		w.n++
		if w.i++; w.i == len(w.rest[0]) {
			w.rest, w.i = w.rest[1:], 0
		}
	}
	return float64(w.n) * w.each
}
