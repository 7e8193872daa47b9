package admission

import "math"

// Load is what is known of one elastic resource of one host (the CPU, one GPU,
// one encoder) at its newest sample. All values are fractions of the resource.
type Load struct {
	Measured Reading // y: what the host reads, everything on it included
	Sessions []Use   // each session with a seat there
	Departed float64 // what sessions that left after the sample are credited with, at least used
	// Rest is what the host takes beside its sessions, as it usually does. Where
	// sessions are not seen by themselves it is what they take beyond their learned
	// costs too. Unknown before the first sample that tells.
	Rest      Reading
	RestSwing float64 // standard deviation of Rest over time
	New       Use     // the session that is asked for: Usual is what it will take
	Z         float64 // how many standard deviations are kept free
}

// Use is one session's part of a [Load].
type Use struct {
	Seen    Reading // what the probe saw the session use itself
	Visible float64 // 0 to 1: how far its load shows in the measurement, at the window's end
	Mean    float64 // learned cost of its app
	Usual   float64 // what it is expected to take from now on: its own mean so far, as far as that tells
	Spread  float64 // standard deviation of what Usual may be off, apart from Unsure
	Unsure  float64 // standard deviation that comes of not knowing the app's cost: the same for all
	Swing   float64 // standard deviation of its use over time
}

// Projection is what a [Load] comes to. Fractions, as there.
type Projection struct {
	Now      float64 // P: the measurement, and what it does not show yet
	Usual    float64 // U: what the host's sessions take in the long run
	With     float64 // with the new session and the margin: compare with the threshold
	Reserved float64 // of Now, what the measurement does not show yet
	New      float64 // of With, the session that is asked for
	Margin   float64 // of With, what is kept free
}

// Project is the rule for elastic resources. Telemetry lags: whoever was
// admitted now shows in the load seconds later, so what is not yet visible is
// added at its learned cost. And load wavers: whoever looks at a single sample
// admits in every dip. So both must fit, what the host shows now and what its
// sessions usually take:
//
//	P    = max(0, y - departed - sum of seen) + sum over sessions of (seen + (1 - visible) mean)
//	U    = rest + sum over sessions of usual
//	V    = sum of spread^2 and swing^2, of the new one too, + rest swing^2 + (sum of unsure)^2
//	With = new + max(P, U + Z sqrt(V)), admitting if With <= threshold
//
// where the probe sees each session that shows at all, and
//
//	P = max(0, y - departed) + sum over sessions of (1 - visible) mean
//
// where it sees only the host; then rest is what is measured beyond the learned
// costs of those who show.
//
// What sessions take swings about them independently, so the variances add up:
// the more sessions, the less of a margin for each (statistical multiplexing).
// Not knowing an app's cost is the same mistake in all of its sessions, so those
// deviations add up themselves.
//
// An unknown y is no zero: the caller must not ask. Project takes it as 0.
func Project(l Load) Projection {
	y := 0.0
	if l.Measured.Known {
		y = l.Measured.Value
	}
	seen, each := sumSeen(l.Sessions)
	now := math.Max(0, y-l.Departed)
	if each {
		now = math.Max(0, y-l.Departed-seen)
	}
	rest := now
	if !each {
		rest -= sumShown(l.Sessions)
	}
	if l.Rest.Known {
		rest = l.Rest.Value
	}
	usual, variance, unsure := rest, l.RestSwing*l.RestSwing+l.New.variance(), l.New.Unsure
	for _, u := range l.Sessions {
		now += (1 - u.Visible) * u.Mean
		if each && u.Seen.Known {
			now += u.Seen.Value
		}
		usual += u.Usual
		dark := 1.0
		if !each {
			dark = 1 - u.Visible // rest says how those who show differ and swing
		}
		variance += dark * dark * u.variance()
		unsure += dark * u.Unsure
	}
	margin := l.Z * math.Sqrt(variance+unsure*unsure)
	top := math.Max(now, math.Max(0, usual)+margin)
	return Projection{
		Now: now, Usual: math.Max(0, usual), With: top + l.New.Usual,
		Reserved: math.Max(0, now-y), New: l.New.Usual, Margin: margin,
	}
}

func (u Use) variance() float64 { return u.Spread*u.Spread + u.Swing*u.Swing }

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

// sumShown is what the sessions would show in the measurement at their learned
// costs.
func sumShown(sessions []Use) float64 {
	sum := 0.0
	for _, u := range sessions {
		sum += u.Visible * u.Mean
	}
	return sum
}
