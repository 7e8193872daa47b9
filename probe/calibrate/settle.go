package calibrate

import (
	"math"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Rule is when a load counts as settled.
type Rule struct {
	Least     time.Duration // never before
	Most      time.Duration // given up then: the load counts as restless
	Tolerance float64       // of half the 95 % interval of the level, and of the rise that is still to come; a fraction of the resource
}

// DefaultRule is what `rendergate calibrate` uses.
func DefaultRule() Rule {
	return Rule{Least: 20 * time.Second, Most: 3 * time.Minute, Tolerance: 0.008}
}

// Settling watches one load, a reading each period. The model is
//
//	y(t) = level + rise * exp(-t/tau) + loop(t) + noise
//
// fitted by least squares over a grid of tau (and, where the autocorrelation
// shows one, the period of the loop): a load that goes up slowly is not waited
// for to the end, since the fit tells where it goes. The interval of the level
// allows for noise that is correlated in time (first order). It is settled when
// that interval and what is still to come are within the tolerance and, over
// the last third, the slope of what the fit leaves is not significant.
type Settling struct {
	rule   Rule
	period time.Duration
	y      []float64
	held   int // readings in a row that it has been settled
}

// NewSettling watches a load with a reading each period.
func NewSettling(r Rule, period time.Duration) *Settling {
	return &Settling{rule: r, period: period}
}

// Add takes a reading, a fraction of the resource, and says how the load stands.
func (s *Settling) Add(y float64) calibration.Level {
	s.y = append(s.y, y)
	elapsed := time.Duration(len(s.y)) * s.period
	l := s.judge()
	l.Seconds = elapsed.Seconds()
	if l.Verdict == calibration.Rising {
		s.held = 0
	} else {
		s.held++
	}
	switch {
	case elapsed >= s.rule.Least && s.held >= holds:
	case elapsed >= s.rule.Most:
		l = restless(s.y)
		l.Seconds = elapsed.Seconds()
	default:
		l.Verdict = calibration.Rising
	}
	l.Judged = l.Mean
	if l.Verdict == calibration.Periodic || l.Verdict == calibration.Restless {
		l.Judged = l.High
	}
	return l
}

// restless is what is said of a load that did not settle: the newer half as it
// was, since a fit that did not hold foretells nothing.
func restless(y []float64) calibration.Level {
	late := y[len(y)/2:]
	mean := average(late)
	var squares float64
	left := make([]float64, len(late))
	for i, v := range late {
		left[i] = v - mean
		squares += left[i] * left[i]
	}
	n := float64(len(late))
	half := 1.96 * math.Sqrt(squares/n/n*spreadBy(left))
	return calibration.Level{Verdict: calibration.Restless, Mean: mean, Half: half, High: quantile(late, 0.95)}
}

// Readings are those so far.
func (s *Settling) Readings() []float64 { return s.y }

const (
	fewest = 16 // readings below which nothing is fitted
	holds  = 5  // readings in a row that must say the same, since the best moment was looked for
)

// judge fits all readings, and where they have not settled the newer half: a
// load that went up by another curve is level after it all the same.
func (s *Settling) judge() calibration.Level {
	l := s.judgeOf(s.y)
	if l.Verdict == calibration.Rising && len(s.y) >= 2*fewest {
		y := s.y[len(s.y)/2:]
		if late := s.judgeOf(y); late.Verdict != calibration.Rising && bestFit(y).flat(y) {
			return late
		}
	}
	return l
}

func (s *Settling) judgeOf(y []float64) calibration.Level {
	if len(y) < fewest {
		return calibration.Level{Verdict: calibration.Rising}
	}
	f := bestFit(y)
	dt := s.period.Seconds()
	l := calibration.Level{Verdict: calibration.Rising, Mean: f.level, Half: f.half, PeriodS: float64(f.lag) * dt}
	coming := f.rise * math.Exp(-float64(len(y)-1)/f.tau)
	l.High = highOf(y, f)
	if l.Half > s.rule.Tolerance || math.Abs(coming) > s.rule.Tolerance || f.trend() {
		return l
	}
	l.Verdict = calibration.Settled
	if f.lag > 0 {
		if len(y) < 3*f.lag && f.rise != 0 {
			l.Verdict = calibration.Rising
			return l
		}
		l.Verdict = calibration.Periodic
	}
	return l
}

// highOf is the upper quantile of the newest whole periods, or of the last half.
func highOf(y []float64, f fit) float64 {
	n := len(y) / 2
	if f.lag > 0 {
		n = max(f.lag, n/f.lag*f.lag)
	}
	return quantile(y[len(y)-n:], 0.95)
}
