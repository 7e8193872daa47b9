package rival

import "github.com/rendergate/rendergate/server/simulate/world"

// Host is what a rule may know of a host: its samples, and what was sent there.
type Host struct {
	ID    int
	Cores float64
	GPUs  int
	Up    bool
	// Sample is the newest that has arrived; nil before the first, and after the
	// host was away.
	Sample  *world.Sample
	Arrived float64 // when it did
	Seats   []*Seat // in the order in which they were given
	Memory  any     // what the rule remembers of the host between samples
}

// Seat is a session that was sent to a host. Times that have not come are Never.
type Seat struct {
	Person    *world.Person
	App       *world.App
	GPU       int
	Given     float64 // offered, or given at once
	Started   float64 // ordered to start, anew if the host was away
	Ready     float64
	Connected float64 // first
}

// staleAfter is how many periods old a sample may be, for every rule alike.
const staleAfter = 5

// Fresh says whether the host's newest sample is not too old to go by.
func (h *Host) Fresh(now float64) bool {
	return h.Sample != nil && now-h.Arrived <= staleAfter*h.Sample.PeriodS
}

// runs says whether the host is there and has what the app needs at all.
func (h *Host) runs(app *world.App) bool { return h.Up && (h.GPUs > 0 || !app.NeedsGPU()) }

// device is the GPU with the fewest sessions, -1 for an app that needs none.
func (h *Host) device(app *world.App) int {
	if !app.NeedsGPU() {
		return -1
	}
	best, fewest := 0, len(h.Seats)+1
	for gpu := range h.GPUs {
		if n := h.on(gpu); n < fewest {
			best, fewest = gpu, n
		}
	}
	return best
}

// on is how many sessions the GPU has.
func (h *Host) on(gpu int) int {
	n := 0
	for _, s := range h.Seats {
		if s.GPU == gpu {
			n++
		}
	}
	return n
}
