package report

import (
	"math"
	"strconv"
	"strings"
)

// scale turns values from 0 to most into places.
type scale struct{ most, from, to float64 }

func (s scale) at(v float64) float64 {
	return tenth(s.from + (s.to-s.from)*min(1, max(0, v/s.most)))
}

// holds says whether a value lies on the scale.
func (s scale) holds(v float64) bool { return finite(v) && v >= 0 && v <= s.most }

func tenth(v float64) float64 { return math.Round(10*v) / 10 }

// tick is a mark at an axis.
type tick struct {
	At   float64
	Text string
}

// largest load, or number of frames, that is drawn: more than any real one.
const largest = 1e6

// drawable says whether all of the values can be drawn.
func drawable(all ...float64) bool {
	for _, x := range all {
		if !finite(x) || math.Abs(x) > largest {
			return false
		}
	}
	return true
}

// round is the step of 1, 2 or 5 times a power of ten by which at most so many
// lead to most.
func round(most float64, count int) float64 {
	rough := most / float64(count)
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, f := range []float64{1, 2, 5} {
		if rough <= f*power*(1+1e-9) {
			return f * power
		}
	}
	return 10 * power
}

// upTo is a scale with room for a value, and the step of its marks.
func upTo(value, from, to float64) (s scale, step float64) {
	if value <= 0 {
		value = 1
	}
	value = max(value, 1e-4)
	step = round(value, 6)
	return scale{step * math.Ceil(value/step-1e-9), from, to}, step
}

// marks are those of an axis.
func (s scale) marks(step float64, text func(float64) string) []tick {
	var all []tick
	for i := 0; float64(i)*step <= s.most*(1+1e-9); i++ {
		v := float64(i) * step
		all = append(all, tick{s.at(v), text(v)})
	}
	return all
}

// inPercent writes the marks of an axis of loads.
func inPercent(step float64) func(float64) string {
	digits := max(0, int(math.Ceil(-math.Log10(100*step)-1e-9)))
	return func(v float64) string { return decimal(100*v, digits) + " %" }
}

func inNumbers(step float64) func(float64) string {
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	return func(v float64) string { return decimal(v, digits) }
}

// pen writes the path of a line that may have gaps.
type pen struct {
	strings.Builder
	down bool
}

func (p *pen) to(x, y float64) {
	command := byte('L')
	if !p.down {
		command = 'M'
	}
	p.down = true
	p.WriteByte(command)
	p.WriteString(strconv.FormatFloat(tenth(x), 'f', -1, 64))
	p.WriteByte(' ')
	p.WriteString(strconv.FormatFloat(tenth(y), 'f', -1, 64))
}

func (p *pen) lift() { p.down = false }
