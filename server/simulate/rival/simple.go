package rival

import "github.com/rendergate/rendergate/server/simulate/world"

// Everybody admits everybody, to the host with the fewest sessions.
type Everybody struct{}

// Admits implements [Rule].
func (Everybody) Admits(_ float64, h *Host, _ *world.App, _ int) (bool, float64) {
	return true, float64(len(h.Seats))
}

// LastSample admits while the newest sample is under Limit, as does whoever
// writes the rule "CPU or GPU under 85 %" down as it stands.
type LastSample struct{ Limit float64 }

// Admits implements [Rule].
func (r LastSample) Admits(now float64, h *Host, _ *world.App, gpu int) (bool, float64) {
	if !h.Fresh(now) {
		return false, 0
	}
	used := h.usage(gpu).most()
	return used < r.Limit, used
}

// smoothS is the time constant of [Smoothed]: 0.95 every 250 ms.
const smoothS = 4.87

// Smoothed admits while the exponentially smoothed load is under Limit. The
// smoothing is go-zero's (zeromicro/go-zero, core/stat/usage.go: 0.95 of the old
// every 250 ms, "the average cpu load for past 5 seconds"), which sheds above a
// limit of 0.9 (core/load/adaptiveshedder.go); kratos has the same with 500 ms
// and 0.8. Left out is their second condition, requests in flight over what the
// last seconds' latency allows, for which sessions have no counterpart.
type Smoothed struct{ Limit float64 }

// Sampled implements [Watcher].
func (Smoothed) Sampled(_ float64, h *Host) { h.smoothed(smoothS) }

// Admits implements [Rule].
func (r Smoothed) Admits(now float64, h *Host, _ *world.App, gpu int) (bool, float64) {
	if !h.Fresh(now) {
		return false, 0
	}
	used := h.smooth(gpu).most()
	return used < r.Limit, used
}

// countedTo is up to which load an operator counts sessions.
const countedTo = 0.85

// FixedCount admits a fixed number of sessions: as many as fit under 85 % of each
// resource by their declared costs, times Scale. It is what vendors of cloud
// rendering tell their customers to find out by hand, and what every broker does
// that knows a count for each host (Epic's signalling server, its Matchmaker,
// Agones, GameLift Streams). It never looks at a sample. With several apps the
// declared costs of those who are there are added up.
type FixedCount struct{ Scale float64 }

// Admits implements [Rule].
func (r FixedCount) Admits(_ float64, h *Host, app *world.App, gpu int) (bool, float64) {
	taken := load{}
	for _, s := range h.Seats {
		taken = taken.plus(s.on(gpu, h.declared(s.App)))
	}
	// A sum of many costs is not exact; a count is.
	const rounding = 1e-9
	return taken.plus(h.declared(app)).most() <= r.Scale*countedTo+rounding, taken.most()
}

// logons is how many sessions may be on their way to a host at once.
const logons = 2

// TwoLogons admits while the newest sample is under Limit and fewer than two
// sessions are being set up, from the offer to the player's connection. It is
// Citrix's "concurrent logon tolerance" (Citrix Virtual Apps and Desktops, load
// management policy settings: 2 by default; CPU usage counts as a full load from
// 90 % where that is switched on), with LogonToleranceIsHardLimit set: without
// it the tolerance only ranks. Omnissa's (VMware's) Horizon has the like, the
// connecting session threshold, against a load index that is blind for 30 s.
type TwoLogons struct{ Limit float64 }

// Admits implements [Rule].
func (r TwoLogons) Admits(now float64, h *Host, _ *world.App, gpu int) (bool, float64) {
	if !h.Fresh(now) {
		return false, 0
	}
	coming := 0
	for _, s := range h.Seats {
		if s.Connected == world.Never {
			coming++
		}
	}
	used := h.usage(gpu).most()
	return coming < logons && used < r.Limit, used
}
