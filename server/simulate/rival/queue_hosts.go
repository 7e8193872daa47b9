package rival

import (
	"slices"

	"github.com/rendergate/rendergate/server/simulate/world"
)

// What hosts tell the queue.

// HostUp implements [world.Gate]: what ran there starts again.
func (q *Queue) HostUp(now float64, host int) {
	h := q.hosts[host]
	h.Up, h.Sample = true, nil
	q.downs[host]++
	for _, s := range slices.Clone(h.Seats) {
		g := &q.guests[s.Person.ID]
		switch g.state {
		case leaving:
			q.unseat(g)
			q.w.Free(g.p)
		case seated:
			s.Started, s.Ready, s.Connected = now, world.Never, world.Never
			q.w.Start(g.p)
		}
	}
	q.serve(now)
}

// HostDown implements [world.Gate]: after a while its players wait again, first.
func (q *Queue) HostDown(now float64, host int) {
	h := q.hosts[host]
	h.Up, h.Sample, h.Memory = false, nil, nil
	q.downs[host]++
	down := q.downs[host]
	q.w.Plan(now+q.c.HostLostS, func(now float64) {
		if q.downs[host] == down {
			q.lost(now, h)
		}
	})
}

func (q *Queue) lost(now float64, h *Host) {
	for _, s := range slices.Backward(slices.Clone(h.Seats)) {
		g := &q.guests[s.Person.ID]
		was := g.state
		q.unseat(g)
		if was == leaving {
			q.w.Free(g.p)
			continue
		}
		g.state = waiting
		q.line = slices.Insert(q.line, 0, g)
		if was == offered {
			q.w.Withdraw(g.p)
		} else {
			q.w.Requeue(g.p)
		}
	}
	q.serve(now)
}

// Report implements [world.Gate].
func (q *Queue) Report(now float64, r world.Report) {
	g := &q.guests[r.Person.ID]
	if g.seat == nil {
		return
	}
	switch r.State {
	case world.Ready:
		g.seat.Ready = now
		if limit := q.c.MaxLengthS; limit > 0 {
			q.plan(now+limit, g, func(float64) { q.stop(g) })
		}
	case world.Connected:
		g.seat.Connected = min(g.seat.Connected, now)
	case world.Ended:
		g.state = absent
		q.unseat(g)
		q.w.Free(r.Person)
		q.serve(now)
	}
}

// Sample implements [world.Gate].
func (q *Queue) Sample(now float64, s *world.Sample) {
	h := q.hosts[s.Host]
	if h.Sample != nil && s.Seq <= h.Sample.Seq {
		return
	}
	h.Sample, h.Arrived = s, now
	if w, ok := q.rule.(Watcher); ok {
		w.Sampled(now, h)
	}
	q.serve(now)
}
