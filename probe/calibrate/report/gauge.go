package report

import (
	"fmt"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// gauge draws a prediction against what was seen, 420 x 90 in its own units.
type gauge struct {
	Label          string
	Low, High, Mid float64 // x of the interval and the prediction
	Seen           *float64
	Limit          *float64
	Marks          []tick
}

func gaugeOf(r calibration.Result) *gauge {
	c := r.Check
	if c == nil || !drawable(c.Predicted, c.Low, c.High) {
		return nil
	}
	most := max(1, c.Predicted, c.High)
	if drawable(c.Seen) {
		most = max(most, c.Seen)
	}
	x, step := upTo(most, 14, 406)
	g := &gauge{Low: x.at(c.Low), High: x.at(c.High), Mid: x.at(c.Predicted), Marks: x.marks(step, inPercent(step))}
	g.Label = fmt.Sprintf("Predicted %s, from %s to %s.", percent(c.Predicted), percent(c.Low), percent(c.High))
	if drawable(c.Seen) && c.Seen > 0 && c.Skipped == "" {
		at := x.at(c.Seen)
		g.Seen = &at
		g.Label += " Seen " + percent(c.Seen) + "."
	}
	for _, u := range uses(r) {
		if u.key == c.Resource && bounded(u) && x.holds(u.Threshold) {
			at := x.at(u.Threshold)
			g.Limit = &at
			g.Label += " The threshold is " + percent(u.Threshold) + "."
		}
	}
	return g
}
