package admission

import "math"

// How a session's load comes up after its player has connected: a menu, a loading
// screen, the first scene. It is learned per app, from sessions that have been
// there for longer, since what is not visible yet has to be kept free.

const (
	rampStep  = 4.0 // seconds of age between two points of a curve
	rampSteps = 30
	rampAge   = rampStep * rampSteps // from this age on a session shows in full
	// rampAfter is the age at which a session tells of its ramp: by then it is
	// known what it usually takes.
	rampAfter = rampAge + 60
	// rampNeeded is how many sessions must have told; rampKept how many are
	// remembered.
	rampNeeded = 5
	rampKept   = 30
	// shownInFull is the share of its usual load from which on a session counts as
	// visible: the rest is noise.
	shownInFull = 0.95
)

// ramp is an app's curve in the making: soft state.
type ramp struct {
	share  [rampSteps]float64 // of the usual load
	weight [rampSteps]float64
	told   int
}

// rise is how one session came up.
type rise struct {
	seen [rampSteps]float64
	n    [rampSteps]float64
	told bool
}

// note takes in what a session took in a window that ended at that age.
func (c *rise) note(age, window, x float64) {
	middle := age - window/2
	if i := int(middle / rampStep); middle >= 0 && i < rampSteps {
		c.seen[i] += x
		c.n[i]++
	}
}

// tell adds a session's course, by what it usually takes.
func (r *ramp) tell(c *rise, usual float64) {
	c.told = true
	if usual <= 0 {
		return
	}
	r.told++
	for i := range c.n {
		if c.n[i] == 0 {
			continue
		}
		r.weight[i] = math.Min(r.weight[i]+1, rampKept)
		r.share[i] += (c.seen[i]/c.n[i]/usual - r.share[i]) / r.weight[i]
	}
}

// curve is what is learned: how much of the load shows at each age, never more
// than at any later one, since what comes down again has to be kept free too.
// Nil before enough is known.
func (r *ramp) curve() []float64 {
	if r.told < rampNeeded {
		return nil
	}
	list := make([]float64, rampSteps)
	least := 1.0
	for i := rampSteps - 1; i >= 0; i-- {
		if r.weight[i] > 0 {
			least = math.Min(least, r.share[i]/shownInFull)
		}
		list[i] = math.Round(math.Max(0, least)*1000) / 1000
	}
	return list
}

// shows is how far a session of the app shows at that age: by the learned curve,
// else rising evenly over the profile's settling time.
func (a *app) shows(age float64) float64 {
	switch {
	case age <= 0:
		return 0
	case a.learned == nil || len(a.learned.Ramp) == 0:
		return math.Min(1, age/a.settleS())
	}
	curve := a.learned.Ramp
	x := age/rampStep - 0.5 // a point stands for the middle of its step
	i := int(math.Floor(x))
	switch {
	case i < 0:
		return math.Max(0, curve[0]*(x+1))
	case i+1 >= len(curve):
		return 1
	}
	return curve[i] + (x-float64(i))*(curve[i+1]-curve[i])
}

// windowParts is in how many parts a window is looked at.
const windowParts = 4

// showsIn is how far a session shows in the mean over a window that ended at that
// age: where windows are long, it was not there for all of it.
func (a *app) showsIn(age, window float64) float64 {
	if window <= 0 {
		return a.shows(age)
	}
	sum := 0.0
	for i := range windowParts {
		sum += a.shows(age - window*(float64(i)+0.5)/windowParts)
	}
	return sum / windowParts
}

// sameRamp says whether two curves would lead to the same decisions.
func sameRamp(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	return maxDistance(a, b) < rampChange
}

// rampChange is the least change of a curve that is worth an event.
const rampChange = 0.05

func maxDistance(a, b []float64) float64 {
	most := 0.0
	for i := range a {
		most = math.Max(most, math.Abs(a[i]-b[i]))
	}
	return most
}
