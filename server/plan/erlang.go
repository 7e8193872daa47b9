package plan

import (
	"math"
	"time"
)

// ErlangB is the share of arrivals that find all of c servers busy where nobody
// waits, at an offered load of a erlangs (arrival rate times mean service
// time). From A. K. Erlang (1917), by the recursion B(n) = a B(n-1) / (n + a
// B(n-1)). c is 0 or more; a of 0 gives 0, except for c = 0, which gives 1.
func ErlangB(c int, a float64) float64 {
	b := 1.0
	for n := 1; n <= c; n++ {
		b = a * b / (float64(n) + a*b)
	}
	return b
}

// ErlangC is the share of arrivals that must wait where everybody waits as long
// as it takes, in the queue M/M/c: B c / (c - a (1 - B)). It is 1 from a load of
// c on: the queue grows for ever.
func ErlangC(c int, a float64) float64 {
	if a >= float64(c) {
		return 1
	}
	b := ErlangB(c, a)
	return b * float64(c) / (float64(c) - a*(1-b))
}

// queue is an M/M/c queue.
type queue struct {
	servers int
	rate    float64 // arrivals a second
	mean    float64 // service time, seconds
}

func (q queue) load() float64 { return q.rate * q.mean }

// quantile is how long the share p of all arrivals waits at most: the wait of
// those who wait is exponential with rate c/mean - rate.
func (q queue) quantile(p float64) time.Duration {
	c := ErlangC(q.servers, q.load())
	drain := float64(q.servers)/q.mean - q.rate
	switch {
	case drain <= 0:
		return forever
	case 1-p >= c:
		return 0
	}
	return seconds(math.Log(c/(1-p)) / drain)
}

// meanWait is over all arrivals, those who need not wait included.
func (q queue) meanWait() time.Duration {
	drain := float64(q.servers)/q.mean - q.rate
	if drain <= 0 {
		return forever
	}
	return seconds(ErlangC(q.servers, q.load()) / drain)
}

// forever stands for a queue that never empties.
const forever = time.Duration(math.MaxInt64)

// seconds is a duration of that many seconds, at most [forever].
func seconds(s float64) time.Duration {
	if s >= forever.Seconds() {
		return forever
	}
	return time.Duration(s * float64(time.Second))
}
