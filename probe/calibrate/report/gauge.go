package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// gauge draws a prediction against what was seen, 420 x 84 in its own units. Its
// axis shows what matters only, and does not begin at 0.
type gauge struct {
	Label          string
	Low, High, Mid float64 // x of the interval and the prediction
	Seen, Limit    *float64
	Marks          []tick
}

func gaugeOf(r calibration.Result) *gauge {
	c := r.Check
	if c == nil || !drawable(c.Predicted, c.Low, c.High) {
		return nil
	}
	shown := []float64{c.Predicted, c.Low, c.High}
	seen := drawable(c.Seen) && c.Seen > 0 && c.Skipped == ""
	if seen {
		shown = append(shown, c.Seen)
	}
	limit := limitOf(r, c.Resource)
	if limit > 0 {
		shown = append(shown, limit)
	}
	g, at := gaugeOver(shown)
	g.Low, g.High, g.Mid = at(c.Low), at(c.High), at(c.Predicted)
	g.Label = fmt.Sprintf("Predicted %s%s.", percent(c.Predicted), interval(c.Low, c.High))
	if seen {
		x := at(c.Seen)
		g.Seen, g.Label = &x, g.Label+" Seen "+percent(c.Seen)+"."
	}
	if limit > 0 {
		x := at(limit)
		g.Limit, g.Label = &x, g.Label+" The threshold is "+percent(limit)+"."
	}
	return g
}

// gaugeOver makes an axis that has room for the values.
func gaugeOver(shown []float64) (*gauge, func(float64) float64) {
	low, high := slices.Min(shown), slices.Max(shown)
	step := round(max(1e-3, high-low), 4)
	least := step * math.Floor(low/step-0.1)
	x := scale{step*math.Ceil(high/step+0.1) - least, 84, 396}
	text := inPercent(step)
	return &gauge{Marks: x.marks(step, func(v float64) string { return text(v + least) })}, func(v float64) float64 { return x.at(v - least) }
}

// limitOf is the threshold of a key, 0 for none that can be drawn.
func limitOf(r calibration.Result, key string) float64 {
	for _, u := range uses(r) {
		if u.key == key && bounded(u) && drawable(u.Threshold) {
			return u.Threshold
		}
	}
	return 0
}
