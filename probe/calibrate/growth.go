package calibrate

import (
	"math"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// point is what a resource came to with n copies on it.
type point struct {
	n, y float64
	half float64 // half the 95 % interval of y by itself
}

// growth is how load grows with copies: a straight line, or a parabola where
// that explains significantly and materially more.
type growth struct {
	calibration.Curve
	inverse  [][]float64 // of the normal equations
	freedom  int         // of variance
	variance float64     // of a level about the curve
}

// known is for how many degrees of freedom the levels' own intervals count in
// the variance about the curve: three points alone would say nothing of it, or
// far too much.
const known = 4

// bent is how much a bend must matter, as a fraction of the resource, at one
// copy past the last: less is not worth a parameter.
const bent = 0.005

// grow fits a curve; ok is false below two numbers of copies.
func grow(points []point) (g growth, ok bool) {
	line, ok := fitPoints(points, 2)
	if !ok || len(points) < 4 {
		return line, ok
	}
	curve, ok := fitPoints(points, 3)
	if !ok {
		return line, true
	}
	next := points[len(points)-1].n + 1
	significant := math.Abs(curve.Bend) > student(curve.freedom)*math.Sqrt(curve.variance*curve.inverse[2][2])
	if significant && math.Abs(curve.At(next)-line.At(next)) > bent {
		return curve, true
	}
	return line, true
}

func fitPoints(points []point, terms int) (growth, bool) {
	columns := make([][]float64, terms)
	y := make([]float64, len(points))
	g := growth{freedom: len(points) - terms}
	noise := 0.0
	for i, p := range points {
		y[i] = p.y
		for j := range columns {
			columns[j] = append(columns[j], math.Pow(p.n, float64(j)))
		}
		noise += (p.half / 1.96) * (p.half / 1.96) / float64(len(points))
	}
	if g.freedom < 0 {
		return g, false
	}
	beta, inverse, ok := leastSquares(columns, y)
	if !ok {
		return g, false
	}
	g.inverse, g.Base, g.Slope = inverse, beta[0], beta[1]
	if terms > 2 {
		g.Bend = beta[2]
	}
	var squares float64
	for _, p := range points {
		squares += math.Pow(p.y-g.At(p.n), 2)
	}
	g.freedom += known
	// Few points may lie on the curve by chance: it is no less than the levels' own.
	g.variance = max(noise, (squares+known*noise)/float64(g.freedom))
	g.Sigma = math.Sqrt(g.variance)
	return g, true
}

// predict gives the load with n copies and half its 95 % interval, that of a
// level that is still to be measured.
func (g growth) predict(n float64) (mean, half float64) {
	x := []float64{1, n, n * n}[:len(g.inverse)]
	return g.At(n), student(g.freedom) * math.Sqrt(g.variance*(1+g.quadratic(x)))
}

// perCopy is the mean cost of one of n copies and half its 95 % interval.
func (g growth) perCopy(n float64) (mean, half float64) {
	x := []float64{0, 1, n}[:len(g.inverse)]
	return g.Slope + g.Bend*n, student(g.freedom) * math.Sqrt(g.variance*g.quadratic(x))
}

// quadratic is x' (X'X)^-1 x.
func (g growth) quadratic(x []float64) float64 {
	sum := 0.0
	for i := range x {
		for j := range x {
			sum += x[i] * g.inverse[i][j] * x[j]
		}
	}
	return max(0, sum)
}

// mostCopies bounds every count of copies.
const mostCopies = 1000

// carries is the most copies at which the curve stays at or under the limit;
// -1 where no end is seen.
func (g growth) carries(limit float64) int {
	for n := range mostCopies {
		if g.At(float64(n+1)) > limit {
			return n
		}
	}
	return -1
}

// student is the 0.975 quantile of Student's t, from its table; 1.96 for many.
func student(freedom int) float64 {
	table := []float64{12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23}
	switch {
	case freedom < 1:
		return table[0]
	case freedom <= len(table):
		return table[freedom-1]
	}
	return 1.96 + 2.5/float64(freedom) // within 0.01 of the table from here on
}

// normal is the normal distribution function.
func normal(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }
