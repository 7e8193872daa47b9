package rival

import "github.com/rendergate/rendergate/server/simulate/world"

// Foresees is the first oracle, O1: it knows what every session will take and
// how long it will last, and admits while no resource will pass Limit as long as
// the newcomer plays. It is the peak oracle of Bashir et al., "Take it to the
// limit: peak prediction-driven resource overcommitment in datacenters",
// EuroSys 2021, with sessions for tasks.
type Foresees struct{ Limit float64 }

// Admits is never asked.
func (Foresees) Admits(float64, *Host, *world.App, int) (bool, float64) { return false, 0 }

// AdmitsPerson implements [Clairvoyant].
func (o Foresees) AdmitsPerson(w *world.World, host int, p *world.Person) (int, bool) {
	return w.Room(host, p, o.Limit, world.FromNow)
}

// Present is the second oracle, O2: it sees the present without lag or noise and
// knows what a session takes on average. It admits while the present load and
// one more session are at most Limit; sessions that do not show in full count
// with the average.
type Present struct{ Limit float64 }

// Admits is never asked.
func (Present) Admits(float64, *Host, *world.App, int) (bool, float64) { return false, 0 }

// AdmitsPerson implements [Clairvoyant].
func (o Present) AdmitsPerson(w *world.World, host int, p *world.Person) (int, bool) {
	if !w.Up(host) {
		return -1, false
	}
	gpu, load := w.Present(host, p.App)
	return gpu, load <= o.Limit
}
