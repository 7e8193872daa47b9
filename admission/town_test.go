package admission

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rendergate/rendergate/server/simulate/forecast"
)

// town is a simulated place whose people come, wait, play and leave, by the
// pool's own commands. Seats are its only resource, so that the truth about its
// queue is known.
type town struct {
	townPlan
	p       *Pool
	r       *rand.Rand
	agenda  agenda
	now     float64 // s
	people  int
	quotes  []forecast.Quote
	open    map[string]int // entry -> quote
	offers  []float64      // when, the last of them
	lengths []float64      // of the last sessions
	shown   forecast.Reversals
	unknown int // who waited without a quote
	away    int // hosts that are drained
}

// townPlan is what kind of place it is. Times are in seconds.
type townPlan struct {
	name     string
	hosts    int
	seats    int // of each host
	length   func(*rand.Rand) float64
	mean     float64 // of the lengths, as they are cut off at the limit
	limit    time.Duration
	rate     func(t float64) float64 // of people who come, per second
	patience float64                 // mean; 0: nobody leaves
	ignore   float64                 // share of people who never take an offer
	drains   bool                    // one host after the other is drained for a while
	joins    int
	rush     float64 // most people who come, per second; 0: townRate
	until    float64 // its end; 0: when all have come and been served
	known    bool    // its floor is the error of a forecast that is told the truth about lengths
	told     bool    // this one is
}

const (
	townStart    = 4.0
	townStop     = 2.0
	townResponse = 3.0
	townRate     = 0.5 // nobody comes more often, per second
)

// agenda is what happens next.
type agenda []happening

type happening struct {
	at  float64
	seq int
	do  func()
}

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || (a[i].at == a[j].at && a[i].seq < a[j].seq)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(happening)) }
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

func (w *town) at(s float64, do func()) {
	w.people++ // any rising number
	heap.Push(&w.agenda, happening{s, w.people, do})
}

func (w *town) after(s float64, do func()) { w.at(w.now+s, do) }

func (w *town) time() time.Time {
	return historyStart.Add(time.Duration(w.now * float64(time.Second)))
}

// live runs the town until all have come and the queue has been served.
func (c townPlan) live(tb testing.TB, seed uint64) *town {
	tb.Helper()
	w := &town{townPlan: c, p: New(), r: rand.New(rand.NewPCG(seed, 1)), open: map[string]int{}}
	policy := DefaultPolicy()
	policy.Apps["app"] = Profile{App: "app", Seats: c.seats}
	policy.Placement.MaxStarting = 1000
	policy.Queue.MaxLength, policy.Session.IdleTimeout, policy.Session.MaxLength = 0, 0, c.limit
	w.run(Open{ID: "town", Policy: policy})
	for i := range c.hosts {
		w.run(HostUp{Facts: HostFacts{Host: fmt.Sprint("h", i), Cores: 4, Apps: []string{"app"}}})
	}
	w.observe(1)
	if c.told {
		w.p.apps["app"].curve = c.truth()
		for range endsFew + 1 {
			w.p.apps["app"].ended(length{S: c.mean, Cut: true})
		}
	}
	if c.drains {
		w.after(1200, func() { w.drain(0) })
	}
	w.arrive(c.joins)
	w.look()
	for len(w.agenda) > 0 && (w.joins > 0 || w.p.View().Waiting > 0) && (w.until == 0 || w.now < w.until) {
		x := heap.Pop(&w.agenda).(happening)
		for next := w.p.NextDeadline(); !next.IsZero() && next.Sub(historyStart).Seconds() < x.at; next = w.p.NextDeadline() {
			w.now = max(w.now, next.Sub(historyStart).Seconds()) + 1e-6 // past any rounding
			w.run(Tick{})
		}
		w.now = x.at
		x.do()
	}
	return w
}

func (w *town) observe(seq uint64) {
	for i := range w.hosts {
		s := benchSample(fmt.Sprint("h", i), seq, w.time())
		s.CPU = Known(0) // what a host takes would be learned as its sessions' cost; here seats alone decide
		if err := w.p.Observe(w.time(), s); err != nil {
			panic(err)
		}
	}
	w.run(Tick{})
	w.after(100, func() { w.observe(seq + 1) })
}

// drain takes a host away for ten minutes, then, after ten more, the next one.
func (w *town) drain(i int) {
	host := fmt.Sprint("h", i%w.hosts)
	w.away++
	w.run(Drain{Host: host})
	w.after(600, func() {
		w.away--
		w.run(Undrain{Host: host})
		w.after(600, func() { w.drain(i + 1) })
	})
}

// arrive lets people come at the plan's rate, by thinning.
func (w *town) arrive(left int) {
	w.joins = left
	if left == 0 {
		return
	}
	most := max(w.rush, townRate)
	w.after(w.r.ExpFloat64()/most, func() {
		if w.r.Float64()*most > w.rate(w.now) {
			w.arrive(left)
			return
		}
		w.join(fmt.Sprint("p", left))
		w.arrive(left - 1)
	})
}

func (w *town) join(id string) {
	known := w.known()
	w.run(Join{Client: id, Secret: id, Intent: Play})
	c, _ := w.p.Client(id)
	e, waits := w.p.Entry(c.Entry)
	if !waits || e.Offer != "" {
		return
	}
	if w.patience > 0 {
		w.after(w.r.ExpFloat64()*w.patience, func() {
			if x, ok := w.p.Entry(e.ID); ok && x.Offer == "" && x.Lapses == 0 {
				w.run(Leave{Client: id})
			}
		})
	}
	q := w.p.entries[e.ID].quote
	if q == nil {
		w.unknown++
		return
	}
	known.At, known.Position, known.P50S, known.P90S = w.now, e.Position, q.P50S, q.P90S
	w.open[e.ID] = len(w.quotes)
	w.quotes = append(w.quotes, known)
}

// known is what there was to know before somebody joins, and the truth.
func (w *town) known() forecast.Quote {
	q := forecast.Quote{Seats: w.p.apps["app"].running}
	for _, l := range w.lengths {
		q.MeanS += l / float64(len(w.lengths))
	}
	for _, at := range w.offers {
		if at > w.now-300 {
			q.Served += 1.0 / 300
		}
	}
	if e := w.p.apps["app"].play.first(); e != nil {
		q.HeadS = w.now - e.since.time().Sub(historyStart).Seconds()
	}
	n := float64((w.hosts - w.away) * w.seats)
	q.Rate.Freed = n / (w.mean + townResponse + townStart + townStop)
	lost := w.p.policy.Queue.OfferTimeout * time.Duration(w.p.policy.Queue.MaxLapses)
	q.Rate.Ignored, q.Rate.IgnoredS = w.ignore, lost.Seconds()/n
	if w.patience > 0 {
		q.Rate.Leaves = 1 / w.patience
	}
	return q
}

func (w *town) run(c Command) {
	events, out := w.p.Run(w.time(), c)
	if out.Refused != nil {
		panic(fmt.Sprintf("%T: %+v", c, out.Refused))
	}
	for _, e := range events {
		w.follow(e)
	}
}

func (w *town) follow(e Event) {
	switch b := e.Body.(type) {
	case Offered:
		w.over(b.Entry, false)
		w.offers = append(w.offers, w.now)
		w.offers = w.offers[max(0, len(w.offers)-500):]
		w.offered(b)
	case Admitted:
		w.over(b.Entry, false)
	case EntryLeft:
		w.over(b.Entry, true)
	case SessionStarting:
		w.after(w.r.ExpFloat64()*0.2*townStart+0.8*townStart, func() { w.begin(b) })
	case SessionEnded:
		s, _ := w.p.Session(b.Session)
		w.after(townStop, func() { w.run(Report{Host: s.Host, Session: b.Session, State: StateEnded}) })
	}
}

func (w *town) over(entry string, left bool) {
	i, waits := w.open[entry]
	if !waits {
		return
	}
	delete(w.open, entry)
	w.quotes[i].WaitedS, w.quotes[i].Left = w.now-w.quotes[i].At, left
}

// offered: some people never answer, and they are the same each time.
func (w *town) offered(b Offered) {
	h := uint64(0)
	for _, x := range b.Client {
		h = h*0x9E3779B97F4A7C15 + uint64(x)
	}
	h ^= h >> 31
	h *= 0xBF58476D1CE4E5B9
	if float64(h>>11)/(1<<53) < w.ignore {
		return
	}
	w.after(w.r.ExpFloat64()*townResponse, func() {
		if x, ok := w.p.Entry(b.Entry); ok && x.Offer == b.Offer {
			w.run(Accept{Client: b.Client, Offer: b.Offer})
		}
	})
}

func (w *town) begin(b SessionStarting) {
	w.run(Report{Host: b.Host, Session: b.Session, State: StateReady})
	w.run(Report{Host: b.Host, Session: b.Session, State: StateConnected})
	length := w.length(w.r)
	if w.limit > 0 {
		length = min(length, w.limit.Seconds()+1) // the pool ends it
	}
	w.after(length, func() {
		if s, ok := w.p.Session(b.Session); ok && s.Client == b.Client {
			w.run(Leave{Client: b.Client})
		}
		w.lengths = append(w.lengths, length)
		w.lengths = w.lengths[max(0, len(w.lengths)-200):]
	})
}

// look notes what everybody is shown, every twenty seconds.
func (w *town) look() {
	w.p.settle(toInstant(w.time()))
	w.p.EachPlace(func(x *Place) {
		if x.Wait != nil {
			w.shown.See(x.Entry, w.now, x.Wait.P50S, x.Wait.P90S)
		}
	})
	w.shown.Forget(w.now - 1)
	w.after(20, w.look)
}

// scored are those whose outcome is known.
func (w *town) scored() []forecast.Quote {
	list := make([]forecast.Quote, 0, len(w.quotes))
	open := map[int]bool{}
	for _, i := range w.open {
		open[i] = true
	}
	for i, q := range w.quotes {
		if !open[i] {
			list = append(list, q)
		}
	}
	return list
}

func exponential(mean float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return r.ExpFloat64() * mean }
}

// heavy is lognormal with the mean; sigma is the spread of its logarithm.
func heavy(mean, sigma float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return mean * math.Exp(sigma*r.NormFloat64()-sigma*sigma/2) }
}

func always(rate float64) func(float64) float64 { return func(float64) float64 { return rate } }

// bursts are so many seconds at the high rate after as many, times so much, at the low one.
func bursts(low, high, s, pause float64) func(float64) float64 {
	return func(t float64) float64 {
		if math.Mod(t, s*(1+pause)) > s*pause {
			return high
		}
		return low
	}
}

// waves rise and fall between the rates.
func waves(low, high, s float64) func(float64) float64 {
	return func(t float64) float64 { return low + (high-low)*(1-math.Cos(2*math.Pi*t/s))/2 }
}

// truth is how long sessions last, from so many of them that it is as good as
// known.
func (c townPlan) truth() *curve {
	r := rand.New(rand.NewPCG(3, 4))
	list := make([]float64, 200_000)
	for i := range list {
		list[i] = c.length(r)
	}
	slices.Sort(list)
	t := &curve{knots: []float64{0}, rates: []float64{0}, risen: []float64{0}, ends: len(list), made: maxInstant}
	left := 1.0
	for left > 0.0002 {
		next := left * 0.96
		knot, risen := list[len(list)-int(next*float64(len(list)))], -math.Log(next)
		n := len(t.knots) - 1
		if knot > t.knots[n] {
			t.rates[n] = (risen - t.risen[n]) / (knot - t.knots[n])
			t.knots, t.risen, t.rates = append(t.knots, knot), append(t.risen, risen), append(t.rates, t.rates[n])
		}
		left = next
	}
	return t
}
