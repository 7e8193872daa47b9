package report

import (
	"math"
	"strconv"
	"strings"
)

// tick is a mark at an axis.
type tick struct {
	At   float64
	Text string
}

func tenth(v float64) float64 { return math.Round(10*v) / 10 }

// loads is the axis of loads: straight, and from where there are some.
type loads struct{ low, high, step float64 }

// mostLoad is more than any host is asked for.
const mostLoad = 100

// loadsOver makes an axis with room for the values.
func loadsOver(low, high float64) loads {
	if high-low < 0.02 {
		low, high = max(0, low-0.02), high+0.02
	}
	step := nice((high - low) / 6)
	return loads{step * math.Floor(low/step+1e-9), step * math.Ceil(high/step-1e-9), step}
}

// nice is the next step of 1, 2 or 5 times a power of ten.
func nice(rough float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, f := range []float64{1, 2, 5} {
		if rough <= f*power*(1+1e-9) {
			return f * power
		}
	}
	return 10 * power
}

func (l loads) at(v float64) float64 {
	return tenth(plotLeft + (plotRight-plotLeft)*(v-l.low)/(l.high-l.low))
}

func (l loads) marks() []tick {
	digits := max(0, int(math.Ceil(-math.Log10(100*l.step)-1e-9)))
	var all []tick
	for i := 0; ; i++ {
		v := l.low + float64(i)*l.step
		if v > l.high*(1+1e-9) {
			return all
		}
		all = append(all, tick{l.at(v), decimal(100*v, digits) + "\u00a0%"})
	}
}

// shares is the axis of time over the threshold: by powers of ten, and straight
// below linear, so that it can show none.
type shares struct{ most float64 }

// linear is the share below which the axis turns straight.
const linear = 1e-4

// sharesUpTo makes an axis with room for the most, and for what is asked for.
func sharesUpTo(most float64) shares {
	for _, top := range []float64{0.03, 0.1, 0.3} {
		if most <= top {
			return shares{top}
		}
	}
	return shares{1}
}

func (s shares) at(v float64) float64 {
	return tenth(plotBottom - (plotBottom-plotTop)*math.Log1p(v/linear)/math.Log1p(s.most/linear))
}

func (s shares) marks() []tick {
	all := []tick{{s.at(0), "0\u00a0%"}}
	for _, v := range []float64{0.0001, 0.001, 0.01, 0.1, 1} {
		if v <= s.most {
			all = append(all, tick{s.at(v), exact(v)})
		}
	}
	return all
}

// pen writes the path of a line.
type pen struct{ strings.Builder }

func (p *pen) to(x, y float64) {
	command := byte('L')
	if p.Len() == 0 {
		command = 'M'
	}
	p.WriteByte(command)
	p.WriteString(strconv.FormatFloat(tenth(x), 'f', -1, 64))
	p.WriteByte(' ')
	p.WriteString(strconv.FormatFloat(tenth(y), 'f', -1, 64))
}
