package simulate

import (
	"cmp"
	"slices"
)

// Curve is a loss-load curve: what load each setting of a policy's knob carries,
// and what share of time it is over the threshold for that. Rules can be told
// apart by their curves only, not by single points (Breslau, Jamin, Shenker,
// "Comments on the performance of measurement-based admission control
// algorithms", INFOCOM 2000).
type Curve []Point

// Tolerance is how much less than a rival our curve may carry at the same share
// of time over the threshold, as a share of the rival's load, and still count as
// on it. It is fixed: with the 95 % interval in its place, fewer seeds would pass
// more.
const Tolerance = 0.005

// Comparison is how our curve lies against a rival's.
type Comparison struct {
	Compared bool    // false where the curves share no level, so that neither is shown to be beyond
	From, To float64 // the shares of time over the threshold at which they were compared
	// Behind are the levels at which ours carries less than the rival, by more than
	// the tolerance. Curves are straight between their points, so that the points
	// of both, and the ends of the overlap, show every stretch of it.
	Behind []Level
	Worst  Level // the level with the largest shortfall, behind or not
}

// Level is what both carry at one share of time over the threshold.
type Level struct {
	OverThreshold float64
	Ours, Rival   float64 // load
}

// Shortfall is how much less ours carries, as a share of the rival's load;
// negative where it carries more.
func (l Level) Shortfall() float64 {
	if l.Rival <= 0 {
		return 0
	}
	return 1 - l.Ours/l.Rival
}

// Holds says whether ours was found on or beyond the rival's at every level.
func (c Comparison) Holds() bool { return c.Compared && len(c.Behind) == 0 }

// Dominates compares the loads at equal shares of time over the threshold,
// linear between points, where both curves have some. A setting that carries no
// more than another at a smaller share is left out of either: nobody would choose
// it.
func Dominates(ours, rival Curve) Comparison {
	a, b := ours.envelope(), rival.envelope()
	levels := shared(a, b)
	if len(levels) == 0 {
		return Comparison{}
	}
	c := Comparison{Compared: true, From: levels[0], To: levels[len(levels)-1]}
	for i, share := range levels {
		l := Level{OverThreshold: share, Ours: a.at(share), Rival: b.at(share)}
		if i == 0 || l.Shortfall() > c.Worst.Shortfall() {
			c.Worst = l
		}
		if l.Shortfall() > Tolerance {
			c.Behind = append(c.Behind, l)
		}
	}
	return c
}

// envelope sorts by the share and leaves out what is no number, and what nobody
// would choose.
func (c Curve) envelope() Curve {
	var all Curve
	for _, p := range c {
		if p.Drawable() {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b Point) int {
		return cmp.Or(cmp.Compare(a.OverThreshold, b.OverThreshold), -cmp.Compare(a.Load, b.Load))
	})
	return all.chosen()
}

// chosen leaves out of sorted points those that others make useless; the end
// stays, lifted, for a sweep that went on without more load is known that far.
func (c Curve) chosen() Curve {
	var kept Curve
	for _, p := range c {
		if n := len(kept); n == 0 || p.Load > kept[n-1].Load {
			kept = append(kept, p)
		}
	}
	if n := len(kept); n > 0 && c[len(c)-1].OverThreshold > kept[n-1].OverThreshold {
		kept = append(kept, Point{Load: kept[n-1].Load, OverThreshold: c[len(c)-1].OverThreshold})
	}
	return kept
}

// Drawable says whether the point can be: finite, and not less than nothing.
func (p Point) Drawable() bool {
	return p.Load >= 0 && p.Load < absurd && p.OverThreshold >= 0 && p.OverThreshold < absurd
}

// absurd is more of a resource than anybody has; beyond it sums are not finite.
const absurd = 1e9

// shared are the levels at which two envelopes are to be compared, from small to
// large.
func shared(ours, rival Curve) []float64 {
	if len(ours) == 0 || len(rival) == 0 {
		return nil
	}
	from := max(ours[0].OverThreshold, rival[0].OverThreshold)
	to := min(ours[len(ours)-1].OverThreshold, rival[len(rival)-1].OverThreshold)
	if from > to {
		return beyond(ours, rival)
	}
	levels := []float64{from, to}
	for _, p := range slices.Concat(ours, rival) {
		if p.OverThreshold > from && p.OverThreshold < to {
			levels = append(levels, p.OverThreshold)
		}
	}
	slices.Sort(levels)
	return slices.Compact(levels)
}

// beyond is for curves without a common level: where ours carries more than the
// rival ever does, at less time over than the rival ever has, it is beyond.
func beyond(ours, rival Curve) []float64 {
	mine, theirs := ours[len(ours)-1], rival[len(rival)-1]
	if mine.OverThreshold < rival[0].OverThreshold && mine.Load >= theirs.Load {
		return []float64{rival[0].OverThreshold}
	}
	return nil
}

// at is the load at a share, for an envelope that begins at or below it; past
// its end the last setting still does it.
func (c Curve) at(share float64) float64 {
	i, found := slices.BinarySearchFunc(c, share, func(p Point, share float64) int { return cmp.Compare(p.OverThreshold, share) })
	switch {
	case found:
		return c[i].Load
	case i == len(c):
		return c[i-1].Load
	}
	a, b := c[i-1], c[i]
	return a.Load + (b.Load-a.Load)*((share-a.OverThreshold)/(b.OverThreshold-a.OverThreshold))
}
