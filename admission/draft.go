package admission

import (
	"fmt"
	"time"
)

// draft is a decision in the making: the events so far, and the numbers they
// have taken. It never changes the pool.
type draft struct {
	p      *Pool
	now    instant
	at     time.Time
	events []Event
	out    Outcome
	taken  counts
	over   map[*view]bool // views that have ended in this decision
	heads  int64          // keys taken before the head
	tails  int64          // keys taken behind the tail
}

func (p *Pool) draft(now time.Time) *draft {
	t := p.clamp(now)
	p.settle(t)
	return &draft{p: p, now: t, at: t.time()}
}

func (d *draft) add(b Body) { d.events = append(d.events, Event{At: d.at, Body: b}) }

func (d *draft) refuse(code RefusalCode, format string, args ...any) {
	d.out.Refused = &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (d *draft) entryID() string {
	d.taken.Entries++
	return fmt.Sprintf("e%d-%s", d.p.counts.Entries+d.taken.Entries, d.p.id)
}

func (d *draft) sessionID() string {
	d.taken.Sessions++
	return fmt.Sprintf("s%d-%s", d.p.counts.Sessions+d.taken.Sessions, d.p.id)
}

func (d *draft) offerID() string {
	d.taken.Offers++
	return fmt.Sprintf("o%d-%s", d.p.counts.Offers+d.taken.Offers, d.p.id)
}

// headKey is before all keys that ever were, tailKey behind.
func (d *draft) headKey() int64 { d.heads++; return d.p.minKey - d.heads }
func (d *draft) tailKey() int64 { d.tails++; return d.p.maxKey + d.tails }

// decide answers one command.
func (d *draft) decide(c Command) {
	switch c := c.(type) {
	case Tick:
		d.tick()
	case Join:
		d.join(c)
	case Accept:
		d.accept(c)
	case Decline:
		d.decline(c)
	case Leave:
		d.leave(c)
	case Watch:
		d.watch(c)
	case Unwatch:
		d.unwatch(c)
	case SetSharing:
		d.setSharing(c)
	case Disconnect:
		d.disconnect(c)
	case HostUp:
		d.hostUp(c)
	case HostDown:
		d.hostDown(c)
	case Report:
		d.report(c)
	default:
		d.operate(c)
	}
}

// operate answers what operators and the pool's owner ask.
func (d *draft) operate(c Command) {
	switch c := c.(type) {
	case Pause:
		d.pause(c)
	case Unpause:
		d.unpause(c)
	case Drain:
		d.drain(c.Host, true, HostDrained(c))
	case Undrain:
		d.drain(c.Host, false, HostUndrained(c))
	case EndSession:
		d.endSession(c)
	case RemoveEntry:
		d.removeEntry(c)
	case Promote:
		d.promote(c)
	case SetPolicy:
		d.setPolicy(c)
	case Recover:
		d.recover()
	case Open:
		d.refuse(RefusedInvalid, "the pool is open already, as %s", d.p.id)
	default:
		d.refuse(RefusedInvalid, "%T is no command", c)
	}
}

// beforeOpen answers while the pool has no first event yet.
func (d *draft) beforeOpen(c Command) {
	open, ok := c.(Open)
	switch {
	case !ok:
		if _, tick := c.(Tick); !tick {
			d.refuse(RefusedInvalid, "the pool is not open yet: Open comes first")
		}
	case open.ID == "":
		d.refuse(RefusedInvalid, "a pool needs an ID")
	default:
		if err := open.Policy.Validate(); err != nil {
			d.refuse(RefusedInvalid, "%v", err)
			return
		}
		d.add(PoolOpened{ID: open.ID, Name: open.Name, Policy: open.Policy.clone()})
	}
}
