package rival

import "github.com/rendergate/rendergate/server/simulate/world"

const (
	// stressAt is the CPU usage that JVB calls a stress of 1.
	stressAt = 0.9
	// rampS is for how long Jicofo adds a participant to what a bridge reports.
	rampS = 20
)

// Jicofo is how Jitsi's conference focus tells whether a bridge is overloaded
// (jitsi/jicofo of August 2026, Bridge.kt and reference.conf of jicofo-selector;
// jitsi/jitsi-videobridge, JvbLoadManager.kt): the stress that the bridge reports,
// its CPU usage over 0.9, and the stress of all participants that were added in
// the last 20 s, must be under Limit, 0.8 by default; the least stressed comes
// first.
//
// A participant's stress is the bridge's setting average-participant-stress, "an
// estimation of the stress an endpoint adds to the bridge when ramped up". Its
// default of 0.01 is of video conferences, and so is not used unless Stress says
// so; by default it is the declared cost over 0.9. Jicofo itself takes the least
// stressed bridge when all are overloaded, since a participant must be somewhere;
// here they wait. JVB's lower threshold of 0.72 ends the reduction of streams and
// admits nobody, so it has no part in this.
type Jicofo struct {
	Limit  float64
	Stress float64 // of a participant; 0: as declared
}

// Admits implements [Rule].
func (r Jicofo) Admits(now float64, h *Host, _ *world.App, gpu int) (bool, float64) {
	if !h.Fresh(now) {
		return false, 0
	}
	stress := h.usage(gpu).times(1 / stressAt)
	for _, s := range h.Seats {
		if s.age(now, now) < rampS {
			stress = stress.plus(s.on(gpu, r.stress(h, s.App)))
		}
	}
	return stress.most() < r.Limit, stress.most()
}

func (r Jicofo) stress(h *Host, app *world.App) load {
	if r.Stress > 0 {
		return load{r.Stress, r.Stress, r.Stress}
	}
	return h.declared(app).times(1 / stressAt)
}
