package admission

import "math"

// Load is what is known of one elastic resource of one host (the CPU, one GPU,
// one encoder) at its newest sample. All values are fractions of the resource.
type Load struct {
	Measured Reading // y: what the host reads, everything on it included
	Sessions []Use   // each session with a seat there
	Departed float64 // what sessions that left after the sample are credited with, at least used
	New      float64 // learned cost of the session that is asked for
	Spread   float64 // its standard deviation between sessions
	Z        float64 // how many standard deviations are kept free
}

// Use is one session's part of a [Load].
type Use struct {
	Seen    Reading // what the probe saw the session use itself
	Visible float64 // 0 to 1: how far its load shows in the measurement, at the window's end
	Mean    float64 // learned cost
	Spread  float64 // standard deviation between sessions
}

// Projection is what a [Load] comes to. Fractions, as there.
type Projection struct {
	Now      float64 // P, without the new session
	With     float64 // with the new session and the margin: compare with the threshold
	Reserved float64 // of Now, what the measurement does not show yet
	Margin   float64 // of With, what uncertainty costs
}

// Project is the rule for elastic resources (DESIGN.md, "The rule"). Telemetry
// lags: whoever was admitted now shows in the load seconds later, so what is
// not yet visible is added at its learned cost.
//
// Where the probe sees each session that shows at all:
//
//	P = max(0, y - departed - sum of seen) + sum over sessions of max(seen, (1-visible) * mean)
//
// Where it sees only the host:
//
//	P = max(0, y - departed) + sum over sessions of (1-visible) * mean
//
// and in both cases, admitting if With <= threshold:
//
//	V    = spread_new^2 + sum over sessions of ((1-visible) * spread)^2
//	With = P + mean_new + Z * sqrt(V)
//
// An unknown y is no zero: the caller must not ask. Project takes it as 0.
// This is the one place to improve the estimate; the host's own noise and the
// sample's age do not widen V yet.
func Project(l Load) Projection {
	y := 0.0
	if l.Measured.Known {
		y = l.Measured.Value
	}
	seen, each := sumSeen(l.Sessions)
	rest := math.Max(0, y-l.Departed)
	if each {
		rest = math.Max(0, y-l.Departed-seen)
	}
	now, variance := rest, l.Spread*l.Spread
	for _, u := range l.Sessions {
		hidden := (1 - u.Visible) * u.Mean
		if each && u.Seen.Known {
			hidden = math.Max(u.Seen.Value, hidden)
		}
		now += hidden
		dark := (1 - u.Visible) * u.Spread
		variance += dark * dark
	}
	margin := l.Z * math.Sqrt(variance)
	return Projection{Now: now, With: now + l.New + margin, Reserved: math.Max(0, now-y), Margin: margin}
}

// sumSeen adds up what sessions are seen to use, and says whether every
// session that shows in the measurement is seen by itself.
func sumSeen(sessions []Use) (sum float64, each bool) {
	each = true
	for _, u := range sessions {
		if u.Seen.Known {
			sum += u.Seen.Value
		} else if u.Visible > 0 {
			each = false
		}
	}
	return sum, each
}
