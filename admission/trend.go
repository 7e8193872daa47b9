package admission

import "math"

// trend is a mean and a variance over time that fade: all observations count
// alike until they span its memory, from where on old ones are forgotten
// exponentially. Soft state.
type trend struct{ mean, variance, seconds float64 }

// take takes in x, which held for dt seconds.
func (t *trend) take(x, dt, memory float64) {
	t.seconds = math.Min(t.seconds+dt, memory)
	alpha := 1.0
	if t.seconds > 0 {
		alpha = math.Min(1, dt/t.seconds)
	}
	d := x - t.mean
	t.mean += alpha * d
	t.variance = (1 - alpha) * (t.variance + alpha*d*d)
}

// swingTime is how long a session's use takes to become another, in seconds: the
// correlation time that is assumed of it.
const swingTime = 15.0

// averaged is how much of a load's variance over time is left in means over
// windows of that many seconds, where it is exponentially correlated with
// [swingTime] (G. I. Taylor, "Diffusion by continuous movements", 1921, in the
// form that is used for averages of a stationary process).
func averaged(window float64) float64 {
	if window <= 0 {
		return 1
	}
	r := window / swingTime
	return 2 / r * (1 + math.Expm1(-r)/r) // Expm1, or nothing is left of it where r is small
}
