package admission

import "math"

// toBps makes bits per second whole, so that sums do not depend on the order
// in which people came and left.
func toBps(x float64) int64 {
	const most = 1e15
	if !(x > 0) { // NaN too
		return 0
	}
	return int64(math.Round(min(x, most)))
}

func (p *Pool) playerBps() int64 { return toBps(p.policy.Session.BitrateBps) }
func (p *Pool) fullBps() int64   { return toBps(p.policy.Spectators.BitrateBps) }

// lowBps is where views step down to; the full bitrate where none is set.
func (p *Pool) lowBps() int64 {
	if low := toBps(p.policy.Spectators.LowBitrateBps); low > 0 {
		return min(low, p.fullBps())
	}
	return p.fullBps()
}

func (p *Pool) budgetBps() int64 { return toBps(p.policy.Uplink.BudgetBps) }

// limited says whether there is a budget that anybody is held to.
func (p *Pool) limited() bool {
	return p.budgetBps() > 0 && p.policy.Uplink.WhenFull != FullAllow
}

// roomBps is what is left of the pool's uplink; it may be negative.
func (p *Pool) roomBps() int64 {
	if !p.limited() {
		return math.MaxInt64
	}
	return p.budgetBps() - p.playBps - p.viewBps
}

// yieldable is what could be freed for one more player: by views that step
// down, and by views that end.
func (p *Pool) yieldable() int64 {
	switch {
	case p.policy.Spectators.YieldToPlayers:
		return p.viewBps
	case p.policy.Uplink.WhenFull == FullDegrade:
		return p.lowSaves
	default:
		return 0
	}
}

// poolBlock is why the pool's uplink does not carry one more player, nil if it
// does, after what spectators can give up.
func (p *Pool) poolBlock() *Block {
	if !p.limited() || p.roomBps()+p.yieldable() >= p.playerBps() {
		return nil
	}
	used := p.playBps + p.viewBps - p.yieldable()
	return p.uplinkBlock(used + p.playerBps())
}

func (p *Pool) uplinkBlock(projected int64) *Block {
	return &Block{
		Resource: UplinkPool, Device: NoDevice,
		Projected: float64(projected), Limit: float64(p.budgetBps()),
	}
}

// viewRate is the bitrate at which one more view fits, after what degrading
// can free, and why none does otherwise.
func (p *Pool) viewRate() (int64, *Block) {
	room := p.roomBps()
	if room >= p.fullBps() {
		return p.fullBps(), nil
	}
	if p.policy.Uplink.WhenFull == FullDegrade && room+p.lowSaves >= p.lowBps() {
		return p.lowBps(), nil
	}
	return 0, p.uplinkBlock(p.playBps + p.viewBps + p.fullBps())
}

// makeRoom lets spectators step down, newest first, and then ends the newest
// views, until one more player fits on the pool's uplink and on the host's. The
// promoted client's own view goes first: it is the one who gains. It says
// whether there is room by then; if not, the rest is for the next step.
func (d *draft) makeRoom(h *host, c *client) bool {
	p := d.p
	if p.policy.Uplink.WhenFull == FullAllow {
		return true
	}
	over := int64(0)
	if p.limited() {
		over = p.playerBps() - p.roomBps()
	}
	if p.policy.Uplink.WhenFull == FullDegrade {
		over = d.stepDown(over)
		if over > 0 && p.high.len() > viewsPerStep {
			return false
		}
	}
	if p.policy.Spectators.YieldToPlayers {
		over = d.yield(over, c)
		d.unpublish(h)
	}
	return over <= 0
}

// stepDown lowers views, newest first, to save so many bits per second, and
// returns what is still missing.
func (d *draft) stepDown(over int64) int64 {
	n := 0
	for v := range d.p.high.backward() {
		if over <= 0 || n == viewsPerStep {
			break
		}
		d.rateView(v, d.p.lowBps())
		over -= v.saves
		n++
	}
	return over
}

func (d *draft) rateView(v *view, bps int64) {
	d.add(ViewRated{Client: v.client.id, Session: v.session.id, BitrateBps: float64(bps)})
}

// yield ends views, newest first, to save so many bits per second, and returns
// what is still missing.
func (d *draft) yield(over int64, c *client) int64 {
	end := func(v *view) {
		d.endView(v, WhyYielded)
		over -= v.bps
		if d.p.policy.Uplink.WhenFull == FullDegrade {
			over += v.saves // has stepped down before
		}
	}
	if over > 0 && c.view != nil {
		end(c.view)
	}
	for v := range d.p.views.backward() {
		if over <= 0 || len(d.over) == viewsPerStep {
			break
		}
		if !d.over[v] {
			end(v)
		}
	}
	return over
}

// unpublish ends all views of some of the host's sessions, those with the
// fewest watchers first, until the host's uplink carries one more player.
func (d *draft) unpublish(h *host) {
	limit := toBps(h.facts.UplinkBps)
	for limit > 0 {
		least, streams := h.leastWatched(d.over)
		if least == nil || h.players+streams+d.p.playerBps() <= limit {
			return
		}
		d.endViews(least, WhyYielded)
	}
}

// leastWatched is the session of the host with the fewest views that have not
// ended, of those that have any, and what all of those send to the relay.
func (h *host) leastWatched(ended map[*view]bool) (best *session, streams int64) {
	least := 0
	for _, s := range h.sessions {
		n := 0
		for v := range s.views.all() {
			if !ended[v] {
				n++
			}
		}
		if n > 0 {
			streams += s.bps()
		}
		if n > 0 && (best == nil || n <= least) {
			best, least = s, n
		}
	}
	return best, streams
}
