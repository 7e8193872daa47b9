package admission

import "math"

// ended remembers how long a session lasted, the newest lengthsKept.
func (a *app) ended(seconds float64) {
	a.lengths = append(a.lengths, max(0, seconds))
	if over := len(a.lengths) - lengthsKept; over > 0 {
		a.lengths = append(a.lengths[:0], a.lengths[over:]...)
	}
}

// rate is how many seats become free per second, 0 while that is unknown: with
// fewer than ten departures, or with nobody playing.
func (a *app) rate() float64 {
	if len(a.lengths) < lengthsNeeded || a.running == 0 {
		return 0
	}
	total := 0.0
	for _, l := range a.lengths {
		total += l
	}
	if total <= 0 {
		return 0
	}
	return float64(a.running) * float64(len(a.lengths)) / total
}

// forecast is when the k-th departure from now comes, at the given rate. Seats
// that become free independently of each other, at a constant rate in all, make
// that time Erlang distributed with shape k. Its quantiles are those of a
// chi-square with 2k degrees, by the approximation of E. B. Wilson and M. M.
// Hilferty, "The distribution of chi-square", PNAS 17 (1931) 684-688; it is
// within 2 % at the two quantiles used here, for all k. How old the running
// sessions are, and who gives up, is not used yet.
func forecast(k int, rate float64) Wait {
	n := float64(k)
	c := 1 / (9 * n)
	root := math.Sqrt(c)
	quantile := func(z float64) float64 {
		x := 1 - c + z*root
		return n * x * x * x / rate
	}
	return Wait{P50S: quantile(0), P90S: quantile(1.2815515655446004)}
}

// wait is the forecast for a position, nil while it is unknown.
func (a *app) wait(intent Intent, position int) *Wait {
	rate := a.rate()
	if intent != Play || position < 1 || rate == 0 {
		return nil
	}
	w := forecast(position, rate)
	return &w
}
