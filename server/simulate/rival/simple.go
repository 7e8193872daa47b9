package rival

import "github.com/rendergate/rendergate/server/simulate/world"

// LastSample admits while the newest sample is under Limit, as does whoever
// writes the rule "CPU or GPU under 85 %" down as it stands.
type LastSample struct{ Limit float64 }

// Admits implements [Rule].
func (r LastSample) Admits(now float64, h *Host, app *world.App, gpu int) (bool, float64) {
	if !h.Fresh(now) {
		return false, 0
	}
	load := h.Sample.CPU
	if gpu >= 0 {
		load = max(load, h.Sample.GPU[gpu], h.Sample.Encoder[gpu])
	}
	return load < r.Limit, load
}

// All admits everybody, to the host with the fewest sessions.
type All struct{}

// Admits implements [Rule].
func (All) Admits(_ float64, h *Host, _ *world.App, _ int) (bool, float64) {
	return true, float64(len(h.Seats))
}
