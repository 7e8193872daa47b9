package rival

import "github.com/rendergate/rendergate/server/simulate/world"

// loadavgS is the time constant of Linux's one-minute load average.
const loadavgS = 60

// Sysload is how LiveKit's server places rooms (livekit/livekit,
// pkg/routing/selector/sysload.go and utils.go as of 2025, the selector of kind
// "sysload" with sort_by "random", both as in its sample): a node at random among
// those whose one-minute load average for each CPU is under Limit, 0.9 by
// default; and if none is, one at random among all. So it refuses nobody.
//
// A load average counts what would run, and so passes 1; the share of time that
// ran does not. Here it is the one-minute average of the latter.
type Sysload struct{ Limit float64 }

// Sampled implements [Watcher].
func (Sysload) Sampled(_ float64, h *Host) { h.smoothed(loadavgS) }

// Admits implements [Rule]. Hot hosts rank behind all others.
func (r Sysload) Admits(now float64, h *Host, _ *world.App, gpu int) (bool, float64) {
	if !h.Fresh(now) {
		return false, 0
	}
	rank := draw(now, h)
	if h.smooth(gpu).most() >= r.Limit {
		rank++
	}
	return true, rank
}

// holdS is for how long LiveKit's egress counts a request at its static cost at
// least.
const holdS = 15

// Egress is how LiveKit's egress admits (livekit/egress v1.9.1 and after,
// pkg/stats/monitor.go): if there is no request yet, all of the host may go to
// one; otherwise a request's static cost must fit in Limit of the host, 0.8 by
// default, less what each of the others takes: what it was last seen to use, and
// in its first 15 s its static cost if that is more. Busy hosts come first, at
// random (pkg/server/server_rpc.go, the affinity of StartEgress).
//
// The static cost is the declared one. Egress always sees each of its processes;
// where sessions are not seen by themselves, each is taken to use an equal share.
// Left out is that it ends sessions after 10 s over 95 %: those of a queue are
// promised.
type Egress struct{ Limit float64 }

// Admits implements [Rule].
func (r Egress) Admits(now float64, h *Host, app *world.App, gpu int) (bool, float64) {
	if !h.Fresh(now) {
		return false, 0
	}
	limit, rank := r.Limit, draw(now, h)
	if len(h.Seats) == 0 {
		limit, rank = 1, rank+1
	}
	return r.taken(now, h, gpu).plus(h.declared(app)).most() <= limit, rank
}

func (Egress) taken(now float64, h *Host, gpu int) load {
	sees, share := eyes{seats: h.Sample.Seats}, load{}
	if sees.seats == nil {
		share = h.share(now, gpu)
	}
	taken := load{}
	for _, s := range h.Seats {
		last, seen := sees.find(s.Person)
		if !seen && s.age(now, h.Sample.WindowEnd) > 0 {
			last = share
		}
		if s.age(now, now) < holdS {
			last = last.or(h.declared(s.App))
		}
		taken = taken.plus(s.on(gpu, last))
	}
	return taken
}
