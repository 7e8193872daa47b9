package calibrate

import (
	"math"
	"slices"
)

// fit is the model of [Settling], fitted.
type fit struct {
	level, half float64
	rise, tau   float64 // of the approach; tau in readings
	lag         int     // period in readings; 0: none
	left        []float64
	sse         float64
}

// taus are the time constants that are tried, in readings; the last is for a
// load that has been level from the start.
func taus() []float64 { return []float64{2, 3, 4, 6, 8, 11, 15, 20, 27, 36, 48} }

// bestFit tries each time constant, without a loop and then with the one that
// what is left shows.
func bestFit(y []float64) fit {
	plain := overTaus(y, 0)
	lag := periodOf(plain.left)
	if lag == 0 {
		return plain
	}
	loop := overTaus(y, lag)
	// It must explain much, and more than four parameters and the choice of the
	// lag do of mere noise: an F of 12 is that of one in 10,000 and less.
	f := (plain.sse/loop.sse - 1) * (float64(len(y)) - 6) / 4
	if loop.sse < 0.5*plain.sse && f > 12 {
		return loop
	}
	return plain
}

func overTaus(y []float64, lag int) fit {
	best, loop := fit{sse: math.Inf(1)}, harmonics(y, lag)
	for _, tau := range taus() {
		if f, ok := fitOne(y, tau, loop); ok && f.sse < best.sse {
			best = f
		}
	}
	flat, _ := fitOne(y, 0, loop)
	best.lag, flat.lag = lag, lag
	// The approach costs a parameter and the choice of tau: it must pay.
	n := float64(len(y))
	if math.IsInf(best.sse, 1) || flat.sse <= best.sse*(1+8/n) {
		return flat
	}
	return best
}

// harmonics are two of a loop; none where the lag is 0.
func harmonics(y []float64, lag int) [][]float64 {
	var columns [][]float64
	for h := 1.0; lag > 0 && h <= 2; h++ {
		w := 2 * math.Pi * h / float64(lag)
		columns = append(columns,
			column(y, func(t float64) float64 { return math.Cos(w * t) }),
			column(y, func(t float64) float64 { return math.Sin(w * t) }))
	}
	return columns
}

// fitOne fits level, approach and loop. tau 0 leaves the approach out.
func fitOne(y []float64, tau float64, loop [][]float64) (fit, bool) {
	columns := [][]float64{column(y, func(float64) float64 { return 1 })}
	if tau > 0 {
		columns = append(columns, column(y, func(t float64) float64 { return math.Exp(-t / tau) }))
	}
	columns = append(columns, loop...)
	beta, inverse, ok := leastSquares(columns, y)
	if !ok {
		return fit{sse: math.Inf(1)}, false
	}
	f := fit{level: beta[0], tau: math.Max(tau, 1), left: slices.Clone(y)}
	wider := 1.96
	if tau > 0 {
		f.rise = beta[1]
		wider *= 1.35 // tau was chosen too
	}
	for i := range f.left {
		for j, c := range columns {
			f.left[i] -= beta[j] * c[i]
		}
		f.sse += f.left[i] * f.left[i]
	}
	freedom := math.Max(1, float64(len(y)-len(beta)))
	f.half = wider * math.Sqrt(f.sse/freedom*inverse[0][0]*spreadBy(f.left))
	return f, true
}

func column(y []float64, f func(t float64) float64) []float64 {
	c := make([]float64, len(y))
	for i := range c {
		c[i] = f(float64(i))
	}
	return c
}

// leastSquares solves the normal equations, and gives the inverse of their
// matrix too, which says how sure each is.
func leastSquares(columns [][]float64, y []float64) (beta []float64, inverse [][]float64, ok bool) {
	k := len(columns)
	m := make([][]float64, k) // [X'X | X'y | 1]
	for i := range m {
		m[i] = make([]float64, 2*k+1)
		for j := range columns {
			m[i][j] = dot(columns[i], columns[j])
		}
		m[i][k], m[i][k+1+i] = dot(columns[i], y), 1
	}
	if !eliminate(m, 1e-9*float64(len(y))) {
		return nil, nil, false
	}
	beta, inverse = make([]float64, k), make([][]float64, k)
	for i := range beta {
		beta[i], inverse[i] = m[i][k], m[i][k+1:]
	}
	return beta, inverse, true
}

// eliminate makes the left square of m the unit matrix, by rows (Gauss and
// Jordan); what is smaller than least counts as zero.
func eliminate(m [][]float64, least float64) bool {
	for i := range m {
		pivot := i
		for r := i + 1; r < len(m); r++ {
			if math.Abs(m[r][i]) > math.Abs(m[pivot][i]) {
				pivot = r
			}
		}
		m[i], m[pivot] = m[pivot], m[i]
		if math.Abs(m[i][i]) < least {
			return false
		}
		scale(m[i], 1/m[i][i])
		for r := range m {
			if r != i {
				subtract(m[r], m[i], m[r][i])
			}
		}
	}
	return true
}

func scale(row []float64, by float64) {
	for j := range row {
		row[j] *= by
	}
}

func subtract(from, row []float64, times float64) {
	if times == 0 {
		return
	}
	for j := range from {
		from[j] -= times * row[j]
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// slope is how far x goes from one end to the other on a straight line, and the
// deviation of that, allowing for correlated noise.
func slope(x []float64) (goes, deviation float64) {
	n := float64(len(x))
	mean := average(x)
	var sxy, sxx, sse float64
	for i, v := range x {
		t := float64(i) - (n-1)/2
		sxy += t * (v - mean)
		sxx += t * t
	}
	b := sxy / sxx
	left := make([]float64, len(x))
	for i, v := range x {
		left[i] = v - mean - b*(float64(i)-(n-1)/2)
		sse += left[i] * left[i]
	}
	return b * n, n * math.Sqrt(sse/(n-2)/sxx*spreadBy(left))
}

// spreadBy is by how much correlated noise widens a variance: (1+rho)/(1-rho)
// for noise of the first order.
func spreadBy(left []float64) float64 {
	rho := math.Min(0.95, math.Max(0, correlation(left, 1)))
	return (1 + rho) / (1 - rho)
}

// trend says whether what the fit leaves goes somewhere over the last third: a
// slope that is not zero at the 99 % level and more than a point.
func (f fit) trend() bool {
	goes, deviation := slope(f.left[len(f.left)*2/3:])
	return math.Abs(goes) > 2.6*deviation && math.Abs(goes) > 0.01
}

// flat says whether what the fit leaves of a level goes nowhere, as far as
// that can be told: the opposite burden of proof.
func (f fit) flat(y []float64) bool {
	x := y
	if f.lag > 0 {
		x = f.left
	}
	goes, deviation := slope(x)
	return math.Abs(goes)+deviation <= 0.025
}

func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v / float64(len(x)) // not summed first: nothing overflows
	}
	return sum
}

// correlation is the autocorrelation at a lag.
func correlation(x []float64, lag int) float64 {
	mean := average(x)
	var top, bottom float64
	for i, v := range x {
		bottom += (v - mean) * (v - mean)
		if i >= lag {
			top += (v - mean) * (x[i-lag] - mean)
		}
	}
	if bottom == 0 {
		return 0
	}
	return top / bottom
}

// periodOf is the shortest lag at which the autocorrelation has a peak that
// stands out, 0 if there is none. A period must be seen twice.
func periodOf(x []float64) int {
	if len(x) < 12 {
		return 0
	}
	c := make([]float64, len(x)/2+2)
	for lag := range c {
		// The estimate falls with the lag, since fewer pairs are left.
		c[lag] = correlation(x, lag) * float64(len(x)) / float64(len(x)-lag)
	}
	best, at := 0.45, 0
	for lag := 5; lag <= len(x)/2; lag++ {
		if c[lag] > best+0.1*float64(min(1, at)) && c[lag] >= c[lag-1] && c[lag] >= c[lag+1] {
			best, at = c[lag], lag
		}
	}
	return at
}

// quantile takes the p quantile, 0 of nothing.
func quantile(x []float64, p float64) float64 {
	if len(x) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(x))
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}
