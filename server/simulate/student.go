package simulate

import "math"

func mean(list []float64) float64 {
	sum := 0.0
	for _, x := range list {
		sum += x
	}
	return over(sum, float64(len(list)))
}

// deviation is the standard deviation of the mean of a list of two or more.
func deviation(list []float64) float64 {
	m, sum := mean(list), 0.0
	for _, x := range list {
		sum += (x - m) * (x - m)
	}
	n := float64(len(list))
	return math.Sqrt(sum / (n - 1) / n)
}

// interval is the 95 % interval of the mean of one value for each seed; its ends
// are the mean where there is one seed alone.
func interval(list []float64) Range { return around(mean(list), list) }

// around is the interval by the spread of the list around a mean of its own.
func around(m float64, list []float64) Range {
	if len(list) < 2 {
		return Range{m, m, m}
	}
	half := student95(len(list)-1) * deviation(list)
	return Range{m, m - half, m + half}
}

// student95 is the t of which 95 % of Student's distribution lies within -t to t.
func student95(freedom int) float64 {
	low, high := 0.0, 13.0 // 12.7 with one degree of freedom
	for range 60 {
		if t := (low + high) / 2; within(t, freedom) < 0.95 {
			low = t
		} else {
			high = t
		}
	}
	return (low + high) / 2
}

// within is the probability of Student's distribution between -t and t:
// Abramowitz and Stegun 1964, 26.7.3 and 26.7.4.
func within(t float64, freedom int) float64 {
	theta := math.Atan(t / math.Sqrt(float64(freedom)))
	sin, cos := math.Sincos(theta)
	term, sum, from := 1.0, 0.0, 2
	if freedom%2 == 1 {
		term, from = cos, 3
	}
	for k := from; k <= freedom; k += 2 {
		sum += term
		term *= cos * cos * float64(k-1) / float64(k)
	}
	if freedom%2 == 1 {
		return 2 / math.Pi * (theta + sin*sum)
	}
	return sin * sum
}
