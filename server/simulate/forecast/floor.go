package forecast

import "math"

// Floor is the least weighted absolute percentage error that any forecast could
// have reached for quotes with such positions and rates: that of the median,
// where seats become free at a constant rate and independently of the past, and
// everybody ahead gives up at a constant rate. So it is for sessions of
// exponential length. It is taken for sessions of all lengths: where seats are
// many, they become free in that way whatever the lengths are (the superposition
// of many renewal processes is a Poisson process; C. Palm, 1943); where lengths
// vary little, or a cap ends them, their ages tell more, and a forecast may get
// below it; where they vary a lot, it is out of reach.
//
// The wait is a sum of exponential times: with j left ahead, the next seat or
// leaving comes after 1/(freed + j leaves); whoever ignores offers holds the
// others up by a time of their own instead. It is taken as a gamma distribution
// of the sum's mean and variance, which is exact where nobody leaves or ignores.
func Floor(quotes []Quote) float64 {
	off, waited := 0.0, 0.0
	for _, q := range quotes {
		mean, variance := 0.0, 0.0
		for j := range q.Position {
			m, v := q.Rate.step(j)
			mean += m
			variance += v
		}
		off += mean * gammaMAD(mean*mean/variance)
		waited += mean
	}
	return off / waited
}

// step is mean and variance of the time until one less than j+1 are ahead.
func (r Rate) step(j int) (mean, variance float64) {
	x, p := 1/(r.Freed+float64(j)*r.Leaves), r.Ignored
	if j == 0 {
		p = 0 // one's own seat
	}
	mean = (1-p)*x + p*r.IgnoredS
	return mean, (1-p)*2*x*x + p*r.IgnoredS*r.IgnoredS - mean*mean
}

// gammaMAD is the mean distance from the median of a gamma distribution of mean
// 1 and that shape: 1 - 2 P(shape + 1, m) with m its median in units of scale.
func gammaMAD(shape float64) float64 {
	lo, hi := 0.0, shape+1
	for range 60 {
		if mid := (lo + hi) / 2; lowerGamma(shape, mid) < 0.5 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return 1 - 2*lowerGamma(shape+1, lo)
}

// lowerGamma is the regularised incomplete gamma function P(a, x), by its series
// (M. Abramowitz and I. Stegun, Handbook of Mathematical Functions (1964), 6.5.29).
func lowerGamma(a, x float64) float64 {
	if x <= 0 {
		return 0
	}
	log, _ := math.Lgamma(a + 1)
	term := math.Exp(a*math.Log(x) - x - log)
	sum := term
	for n := 1; n < 100_000 && term > sum*1e-15; n++ {
		term *= x / (a + float64(n))
		sum += term
	}
	return min(sum, 1)
}
