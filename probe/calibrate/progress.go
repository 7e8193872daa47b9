package calibrate

import (
	"fmt"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// tell tells how it goes. w is nil where nothing is being measured.
func (r *ramp) tell(phase calibration.Phase, w *watch) {
	p := calibration.Progress{
		Phase: phase, Run: r.run, Copies: len(r.open), ElapsedS: time.Since(r.began).Seconds(), Bars: []calibration.Bar{},
	}
	seconds := 0.0
	if w != nil {
		seconds = float64(w.count) * r.o.Period.Seconds()
		for _, key := range w.keys() {
			y := w.loads[key].y
			b := calibration.Bar{Key: key, Now: y[len(y)-1], Level: w.levels[key].Judged, Verdict: w.levels[key].Verdict}
			if r.bounded(key) {
				b.Threshold = r.threshold(key)
			}
			p.Bars = append(p.Bars, b)
		}
	}
	p.Text, p.ExpectedS = r.words(phase, seconds), r.expected(phase, seconds)
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
func (r *ramp) expected(phase calibration.Phase, seconds float64) *float64 {
	steps, known := r.stepsLeft()
	soak := r.o.Soak.Seconds()
	if phase == calibration.Soaking {
		steps, known, soak = 0, true, max(0, soak-seconds)
	}
	if !known || len(r.steps) < 2 {
		return nil
	}
	pace := time.Since(r.began).Seconds() / float64(len(r.steps))
	runs := float64(max(1, r.o.Repeat) - r.run)
	whole := float64(r.reached+1)*pace + r.o.Soak.Seconds()
	s := float64(steps)*pace + soak + runs*whole
	return &s
}

// stepsLeft is how many numbers of copies are still to be measured: up to one
// past where the curves meet a threshold.
func (r *ramp) stepsLeft() (steps int, known bool) {
	n := r.reached
	for key, points := range r.points {
		g, ok := grow(points)
		if !ok || !r.bounded(key) {
			continue
		}
		if fits := g.carries(r.threshold(key)); fits >= 0 && (!known || fits+1-n < steps) {
			steps, known = fits+1-n, true
		}
	}
	if r.o.MaxCopies > 0 && n > 0 && (!known || steps > r.o.MaxCopies-n) {
		steps, known = r.o.MaxCopies-n, true
	}
	return max(0, steps), known
}
