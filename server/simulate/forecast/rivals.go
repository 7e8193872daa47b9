package forecast

import (
	"cmp"
	"math"
	"slices"
)

// Rival is a simple forecast, for comparison: one point for each quote, made of
// what was known then; not a number where it knows nothing yet.
type Rival struct {
	Name   string
	Points []float64
}

// At gives the rival's point for both levels, for [ErrorsOf].
func (r Rival) At(i int) [2]float64 { return [2]float64{r.Points[i], r.Points[i]} }

// Rivals are the estimators that are used elsewhere. Quotes must be in the order
// of their time. The first three are as in R. Ibrahim and W. Whitt, "Real-time
// delay estimation based on delay history", M&SOM 11 (2009) 397-415.
func Rivals(quotes []Quote) []Rival {
	n := len(quotes)
	list := []Rival{
		{"queue length", make([]float64, n)}, {"head of line", make([]float64, n)}, {"ahead / rate", make([]float64, n)},
		{"last wait", RollingAverage(quotes, 1)}, {"linear regression", regression(quotes)},
	}
	for i, q := range quotes {
		list[0].Points[i] = unknown(float64(q.Position)*q.MeanS, float64(q.Seats))
		list[1].Points[i] = q.HeadS
		list[2].Points[i] = unknown(float64(q.Position), q.Served)
	}
	return list
}

// unknown is x/y, not a number if y is 0.
func unknown(x, y float64) float64 {
	if y == 0 {
		return math.NaN()
	}
	return x / y
}

// RollingAverage forecasts the mean of the last n waits that were over by then.
func RollingAverage(quotes []Quote, n int) []float64 {
	var last []float64
	return overTime(quotes, func(q Quote) {
		if last = append(last, q.WaitedS); len(last) > n {
			last = last[1:]
		}
	}, func(Quote) float64 {
		sum := 0.0
		for _, w := range last {
			sum += w
		}
		return unknown(sum, float64(len(last)))
	})
}

// BestAverage is the least squared error of rolling averages of past waits, and
// over how many waits it is taken.
func BestAverage(quotes []Quote) (mse float64, n int) {
	mse = math.Inf(1)
	for _, k := range []int{1, 2, 5, 10, 20, 50, 100} {
		r := Rival{Points: RollingAverage(quotes, k)}
		if e := ErrorsOf(quotes, r.At); e.MSE < mse {
			mse, n = e.MSE, k
		}
	}
	return mse, n
}

// fitted is how many waits the regression is fitted to.
const fitted = 200

// regression forecasts by a straight line of the position, fitted by least
// squares to the last waits that were over by then.
func regression(quotes []Quote) []float64 {
	var last []Quote
	return overTime(quotes, func(q Quote) {
		if last = append(last, q); len(last) > fitted {
			last = last[1:]
		}
	}, func(q Quote) float64 {
		if len(last) < 10 {
			return math.NaN()
		}
		var x, y, xx, xy float64
		for _, p := range last {
			k := float64(p.Position)
			x, y, xx, xy = x+k, y+p.WaitedS, xx+k*k, xy+k*p.WaitedS
		}
		n := float64(len(last))
		slope := 0.0
		if d := n*xx - x*x; d > 0 {
			slope = (n*xy - x*y) / d
		}
		return max(0, (y-slope*x)/n+slope*float64(q.Position))
	})
}

// overTime walks the quotes as they are told. Before each, ended is called for
// those who have been offered a seat by then, in the order in which they were.
func overTime(quotes []Quote, ended func(Quote), point func(Quote) float64) []float64 {
	over := make([]Quote, 0, len(quotes))
	for _, q := range quotes {
		if !q.Left {
			over = append(over, q)
		}
	}
	slices.SortStableFunc(over, func(a, b Quote) int { return cmp.Compare(a.At+a.WaitedS, b.At+b.WaitedS) })
	points, next := make([]float64, len(quotes)), 0
	for i, q := range quotes {
		for ; next < len(over) && over[next].At+over[next].WaitedS <= q.At; next++ {
			ended(over[next])
		}
		points[i] = point(q)
	}
	return points
}
