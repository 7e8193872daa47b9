package plan

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
)

// The simulation is of the queue as players meet it: they come at random
// (Poisson), are served in their order, may give up, and hold a seat from when
// it is offered to when it is free again.

const (
	simulated = 200_000 // arrivals that count
	warmUp    = 20_000  // arrivals before, while the queue fills
	batches   = 20      // for the interval: means of batches are nearly independent
)

// outcome is what a simulated demand met.
type outcome struct {
	waits     []float64 // of those who were seated, seconds, sorted
	waited    float64   // share of all who did not get a seat at once
	gaveUp    float64   // share of all who left before their turn
	busy      float64   // share of the seats' time
	mean      float64   // wait of those seated, seconds
	meanHalf  float64   // half the 95 % interval of mean
	p90Spread float64   // half the 95 % interval of the P90
}

// seatHeap holds when each seat is free again.
type seatHeap []float64

func (h seatHeap) Len() int           { return len(h) }
func (h seatHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h seatHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push and Pop are for [heap]; the number of seats does not change.
func (h *seatHeap) Push(any) {}

// Pop gives nothing.
func (h *seatHeap) Pop() any { return nil }

// stream is a source of random numbers of its own. The seeds are fixed, so that
// the same question gets the same answer, and another number of seats meets
// the same players. ChaCha8, since near seeds of a plain generator give streams
// that go together.
func stream(n byte) *rand.Rand {
	return rand.New(rand.NewChaCha8([32]byte{n})) //nolint:gosec // not for secrets: repeatable
}

// simulate runs the demand on that many seats.
func (d Demand) simulate(seats int) outcome {
	arrivals, lengths, patience := stream(1), stream(2), stream(3)
	free := make(seatHeap, seats)
	length := d.lengths()
	var o outcome
	var now, used float64
	var waited, gaveUp int
	var began float64
	means := make([]float64, batches)
	counts := make([]int, batches)
	batchWaits := make([][]float64, batches)
	for i := range warmUp + simulated {
		now += arrivals.ExpFloat64() / d.rate()
		hold, patient := d.Overhead.Seconds()+length(lengths), patience.ExpFloat64()*d.Patience.Seconds()
		counting := i >= warmUp
		if i == warmUp {
			began = now
		}
		wait := max(0, free[0]-now)
		if counting && wait > 0 {
			waited++
		}
		if d.Patience > 0 && patient < wait {
			if counting {
				gaveUp++
			}
			continue
		}
		if wait > 0 {
			hold += d.Accept.Seconds() // the seat is offered, and waits for the answer
		}
		free[0] = now + wait + hold
		heap.Fix(&free, 0)
		if counting {
			b := (i - warmUp) * batches / simulated
			means[b] += wait
			counts[b]++
			batchWaits[b] = append(batchWaits[b], wait)
			o.waits = append(o.waits, wait)
			used += hold
		}
	}
	slices.Sort(o.waits)
	o.waited, o.gaveUp = float64(waited)/simulated, float64(gaveUp)/simulated
	o.busy = min(1, used/(float64(seats)*(now-began)))
	o.intervals(means, counts, batchWaits)
	return o
}

// intervals are by the method of batch means (Law, Simulation Modeling and
// Analysis, 9.5.3), with the t quantile of 19 degrees of freedom.
func (o *outcome) intervals(means []float64, counts []int, waits [][]float64) {
	p90s := make([]float64, 0, batches)
	for b := range means {
		if counts[b] > 0 {
			means[b] /= float64(counts[b])
			slices.Sort(waits[b])
			p90s = append(p90s, quantileOf(waits[b], 0.9))
		}
	}
	o.mean, o.meanHalf = interval(means)
	_, o.p90Spread = interval(p90s)
}

// interval is the mean and half the width of its 95 % interval.
func interval(x []float64) (mean, half float64) {
	if len(x) == 0 {
		return 0, 0
	}
	for _, v := range x {
		mean += v / float64(len(x))
	}
	variance := 0.0
	for _, v := range x {
		variance += (v - mean) * (v - mean) / max(1, float64(len(x)-1))
	}
	const t19 = 2.093
	return mean, t19 * math.Sqrt(variance/float64(len(x)))
}

// quantileOf takes the p quantile of sorted values, 0 of none.
func quantileOf(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

// lengths draws how long sessions are. With a P90 they are lognormal with that
// mean and P90, which fits play times well; without, exponential. None is
// longer than the cap.
func (d Demand) lengths() func(*rand.Rand) float64 {
	limit := math.Inf(1)
	if d.MaxLength > 0 {
		limit = d.MaxLength.Seconds()
	}
	if d.LengthP90 == 0 {
		return func(r *rand.Rand) float64 { return min(limit, r.ExpFloat64()*d.Length.Seconds()) }
	}
	sigma, _ := d.sigma()
	mu := math.Log(d.Length.Seconds()) - sigma*sigma/2
	return func(r *rand.Rand) float64 { return min(limit, math.Exp(mu+sigma*r.NormFloat64())) }
}

// z90 is the 0.9 quantile of the normal distribution.
const z90 = 1.2815515655446004

// sigma is the shape of the lognormal distribution whose mean and P90 are
// given: ln(P90/mean) = z sigma - sigma^2/2. No such distribution has a P90 of
// more than exp(z^2/2) = 2.27 times its mean; of the two solutions, the one
// nearer to a plain shape is taken.
func (d Demand) sigma() (float64, bool) {
	ratio := math.Log(d.LengthP90.Seconds() / d.Length.Seconds())
	under := z90*z90 - 2*ratio
	if under < 0 {
		return z90, false
	}
	return z90 - math.Sqrt(under), ratio > 0
}
