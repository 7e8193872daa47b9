package replay

import (
	"math"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/simulate/trace"
)

// part is what a session took of one resource.
type part func(*trace.Point) admission.Reading

// The resources of a course.
func ofCPU(x *trace.Point) admission.Reading     { return x.CPU }
func ofGPU(x *trace.Point) admission.Reading     { return x.GPU }
func ofEncoder(x *trace.Point) admission.Reading { return x.Encoder }

// mean is over time, of what is known from when the player connected.
type mean struct{ sum, seconds float64 }

func (m *mean) add(load []trace.Point, of part) {
	for i := range load {
		if x, v := &load[i], of(&load[i]); v.Known && x.AtS > 0 {
			m.sum, m.seconds = m.sum+v.Value*x.ForS, m.seconds+x.ForS
		}
	}
}

// or is the mean, or what stands for it where nothing is known.
func (m mean) or(else_ float64) float64 {
	if m.seconds <= 0 {
		return else_
	}
	return max(0, m.sum/m.seconds)
}

// window is a stretch of time in which a session took so much.
type window struct{ from, to, value float64 }

// series is what a session took of a resource in each second from the one at
// fromS until it was over at toS, and its mean after that, over the app's cost.
// A second has the value of the window that its middle is in. Between windows
// with one lost sample between them it is interpolated; in longer gaps it is the
// session's mean, or the app's where nothing of it is known.
func series(load []trace.Point, of part, cost, fromS, toS float64) []float32 {
	if cost <= 0 {
		return []float32{0}
	}
	var known []window
	for i := range load {
		if x, v := &load[i], of(&load[i]); v.Known && x.ForS > 0 {
			known = append(known, window{x.AtS - x.ForS, x.AtS, max(0, v.Value)})
		}
	}
	var m mean
	m.add(load, of)
	usual := m.or(cost)
	var list []float32
	next := 0 // the first window that ends after the second's middle
	for t := fromS + 0.5; len(known) > 0 && t < toS; t++ {
		for next < len(known) && known[next].to <= t {
			next++
		}
		list = append(list, float32(value(known, next, t, usual)/cost))
	}
	return append(list, float32(usual/cost))
}

// value is at a time, of which next is the first window that ends later.
func value(known []window, next int, t, usual float64) float64 {
	if next < len(known) && known[next].from <= t {
		return known[next].value
	}
	if next == 0 || next == len(known) {
		return usual
	}
	a, b := known[next-1], known[next]
	if gap := b.from - a.to; gap > lostGap*math.Max(a.to-a.from, b.to-b.from) {
		return usual
	}
	return a.value + (b.value-a.value)*(t-a.to)/(b.from-a.to)
}

// lostGap is how long a gap of one lost sample can be, in windows.
const lostGap = 1.5
