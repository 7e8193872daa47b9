package simulate

import (
	"cmp"
	"slices"
)

// lossLoad is a policy's load against its time over the threshold: what it gives up
// of the one for the other as its knob is turned.
type lossLoad struct{ points []lossPoint }

// lossPoint is one setting of the knob, with every seed's run.
type lossPoint struct {
	load, over float64 // means over seeds
	loads      []float64
	refusals   []float64 // false ones, by seed
}

// newLossLoad leaves out settings that another one beats on both sides, so that
// load and time over the threshold grow together from point to point.
func newLossLoad(settings [][]*outcome) lossLoad {
	var c lossLoad
	for _, runs := range settings {
		loads := each(runs, (*outcome).load)
		c.points = append(c.points, lossPoint{mean(loads), mean(each(runs, (*outcome).over)), loads, each(runs, (*outcome).refusals)})
	}
	slices.SortStableFunc(c.points, func(a, b lossPoint) int {
		return cmp.Or(cmp.Compare(a.over, b.over), cmp.Compare(b.load, a.load))
	})
	best := -1.0
	c.points = slices.DeleteFunc(c.points, func(p lossPoint) bool {
		if p.load <= best {
			return true
		}
		best = p.load
		return false
	})
	return c
}

// at gives each seed's load where the mean time over the threshold is so much:
// linearly between the two settings around it. Beyond the curve's ends it is the
// load at the end: the curve is not drawn out to where nothing was run.
func (c lossLoad) at(share float64) []float64 {
	return c.between(share, func(p lossPoint) []float64 { return p.loads })
}

// refusalsAt is the same of false refusals.
func (c lossLoad) refusalsAt(share float64) []float64 {
	return c.between(share, func(p lossPoint) []float64 { return p.refusals })
}

func (c lossLoad) between(share float64, of func(lossPoint) []float64) []float64 {
	last := len(c.points) - 1
	if last < 0 {
		return nil
	}
	i := slices.IndexFunc(c.points, func(p lossPoint) bool { return p.over >= share })
	switch {
	case i < 0:
		return of(c.points[last])
	case i == 0:
		return of(c.points[0])
	}
	a, b := c.points[i-1], c.points[i]
	w := (share - a.over) / (b.over - a.over)
	list := make([]float64, len(of(a)))
	for seed := range list {
		list[seed] = (1-w)*of(a)[seed] + w*of(b)[seed]
	}
	return list
}
