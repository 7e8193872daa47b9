package calibrate

import (
	"fmt"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// tell tells how it goes. w is nil where nothing is being measured.
func (r *ramp) tell(phase calibration.Phase, w *watch) {
	p := calibration.Progress{
		Phase: phase, Run: r.run, Copies: len(r.open), ElapsedS: time.Since(r.began).Seconds(), ExpectedS: r.expected(),
		Bars: []calibration.Bar{},
	}
	seconds := 0.0
	if w != nil {
		seconds = float64(w.count) * r.o.Period.Seconds()
		for _, key := range w.keys() {
			y := w.loads[key].y
			b := calibration.Bar{Key: key, Now: y[len(y)-1], Verdict: w.levels[key].Verdict}
			if r.bounded(key) {
				b.Threshold = r.threshold(key)
			}
			p.Bars = append(p.Bars, b)
		}
	}
	p.Text = r.words(phase, seconds)
	r.o.Tell(p)
}

func (r *ramp) words(phase calibration.Phase, seconds float64) string {
	switch phase {
	case calibration.Base:
		return fmt.Sprintf("measuring the host without copies, %.0f s", seconds)
	case calibration.Opening:
		return fmt.Sprintf("opening copy %d", len(r.open)+1)
	case calibration.Soaking:
		return fmt.Sprintf("%s: confirming, %.0f of %.0f s", copies(len(r.open)), seconds, r.o.Soak.Seconds())
	case calibration.Closing:
		return "closing copies"
	}
	return fmt.Sprintf("%s: settling, %.0f s", copies(len(r.open)), seconds)
}

// expected is how long it will go on, in seconds: the steps that the curves
// foretell, at the pace so far. nil while there are no curves.
func (r *ramp) expected() *float64 {
	n, left := r.reached, -1
	for key, points := range r.points {
		if g, ok := grow(points); ok && r.bounded(key) {
			if fits := g.carries(r.threshold(key)); fits >= 0 && (left < 0 || fits+1-n < left) {
				left = fits + 1 - n
			}
		}
	}
	if r.o.MaxCopies > 0 && n > 0 && (left < 0 || left > r.o.MaxCopies-n) {
		left = r.o.MaxCopies - n
	}
	if left < 0 || len(r.steps) < 2 {
		return nil
	}
	pace := time.Since(r.began).Seconds() / float64(len(r.steps))
	runs := float64(max(1, r.o.Repeat) - r.run)
	whole := float64(n+max(0, left)+1)*pace + r.o.Soak.Seconds()
	s := float64(max(0, left))*pace + r.o.Soak.Seconds() + runs*whole
	return &s
}
