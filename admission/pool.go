package admission

import (
	"time"
)

// RecoverHold is how long after a [Recovered] nobody is offered a seat past a
// disconnected one who is ahead: the service itself has dropped everybody, so
// the first to come back must not profit from a faster network.
const RecoverHold = 5 * time.Second

// runEvents is about how many events one Run makes before it leaves the rest to
// the next, so that a journal's record stays small. NextDeadline then says that
// there is more to do.
const runEvents = 800

// Pool is one pool as one value. It is not safe for concurrent use, not even
// for readers: reading brings caches up to date.
type Pool struct {
	// What the journal holds. Everything here comes from events alone.
	id, name   string
	policy     Policy
	configured Policy // the last that came from the configuration
	paused     bool
	last       instant // the last event's time: now never goes below it
	recovered  instant
	learnedAt  instant // the last CostsLearned
	learnedZ   float64 // its margin; 0 before
	counts     counts
	minKey     int64 // the lowest and highest key that an entry ever had
	maxKey     int64
	clients    map[string]*client
	entries    map[string]*entry
	sessions   map[string]*session
	hosts      map[string]*host
	apps       map[string]*app

	// What follows from it, kept for speed.
	identities map[string]*client
	secrets    map[string]*client
	offers     *ordered[*session] // outstanding, by number
	bySeq      *ordered[*session] // all sessions, by number
	views      *ordered[*view]    // all views, oldest first
	high       *ordered[*view]    // those above the low bitrate
	low        *ordered[*view]    // those that could step up
	appOrder   []*app             // by name
	hostOrder  []*host            // by number
	groups     []*group           // hosts that serve the same apps
	timers     timers
	playBps    int64 // of all seats
	viewBps    int64 // of all views
	lowSaves   int64 // what all views at the low bitrate would save
	dirty      []*host
	startable  *ordered[*host] // with a session that may start now
	lost       *ordered[*host] // lost, with sessions still on them
	thin       *ordered[*host] // in a brownout, with views to step down

	// Soft state, which no journal holds.
	margin         margin
	fresh          timers  // when samples go stale and rests end
	wake           bool    // Observe or a cut-off Run has left something to do
	ticked         instant // the latest Run
	seen           instant // the latest time that caches were brought up to
	stirred, upset uint64  // changes that forecasts depend on, see stir
	uses           []Use   // scratch
}

// counts number what the pool makes. They rise with the events that make it.
type counts struct {
	Clients  uint64 `json:"clients"`
	Entries  uint64 `json:"entries"`
	Sessions uint64 `json:"sessions"`
	Offers   uint64 `json:"offers"`
	Hosts    uint64 `json:"hosts"`
	Views    uint64 `json:"views"`
}

// New returns an empty pool, to which a journal's events are applied; the
// first is a PoolOpened.
func New() *Pool {
	p := &Pool{
		clients: map[string]*client{}, entries: map[string]*entry{}, sessions: map[string]*session{},
		hosts: map[string]*host{}, apps: map[string]*app{},
		identities: map[string]*client{}, secrets: map[string]*client{},
		offers: newOrdered(bySession), bySeq: newOrdered(bySession),
		startable: newOrdered(byHost), lost: newOrdered(byHost), thin: newOrdered(byHost),
	}
	p.resetViews()
	return p
}

// Decide says what the command leads to. It changes nothing that can be told
// from outside; it only brings caches up to date. A now before the last event
// counts as that event's time, and all events of one decision carry the same
// time. A [Tick] gives one step, and no events when nothing is due.
func (p *Pool) Decide(now time.Time, c Command) ([]Event, Outcome) {
	d := p.draft(now)
	if !p.open() {
		d.beforeOpen(c)
		return d.events, d.out
	}
	d.decide(c)
	return d.events, d.out
}

// Run decides and applies the command, then what has become due by it, until
// nothing is left to do. It returns all events in order. After some hundred
// events it leaves the rest to the next Run, and NextDeadline says so.
func (p *Pool) Run(now time.Time, c Command) ([]Event, Outcome) {
	events, out := p.Decide(now, c)
	p.applyAll(events)
	for p.open() && len(events) < runEvents {
		step, _ := p.Decide(now, Tick{})
		if len(step) == 0 {
			p.wake, p.ticked = false, p.clamp(now)
			return events, out
		}
		p.applyAll(step)
		events = append(events, step...)
	}
	p.wake, p.ticked = p.open(), p.clamp(now)
	return events, out
}

func (p *Pool) applyAll(events []Event) {
	for _, e := range events {
		p.Apply(e)
	}
}

// NextDeadline is when the pool wants a Tick; zero means never. A time that is
// past means at once.
func (p *Pool) NextDeadline() time.Time {
	if p.wake {
		return max(p.ticked, p.last).time()
	}
	next := instant(0)
	consider := func(i instant) {
		if i > 0 && (next == 0 || i < next) {
			next = i
		}
	}
	if t := p.timers.top(); t != nil {
		consider(t.at)
	}
	if end := p.recovered.add(RecoverHold); p.recovered > 0 && end > p.ticked {
		consider(end)
	}
	if p.learnedMuch() {
		consider(p.learnedAt.add(learnEvery))
	}
	return next.time()
}

func (p *Pool) open() bool { return p.id != "" }

// clamp is now as the pool counts: never below the last event's time.
func (p *Pool) clamp(now time.Time) instant { return max(toInstant(now), p.last) }
