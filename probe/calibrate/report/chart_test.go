package report

import (
	"math"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

func TestScales(t *testing.T) {
	for _, c := range []struct{ value, most, step float64 }{
		{0.85, 1, 0.2}, {1, 1, 0.2}, {1.02, 1.2, 0.2}, {0.3, 0.3, 0.05}, {0.03, 0.03, 0.005}, {0, 1, 0.2}, {-1, 1, 0.2}, {30, 30, 5}, {1e6, 1e6, 2e5}, {1e-300, 1e-4, 2e-5},
	} {
		s, step := upTo(c.value, 0, 100)
		if math.Abs(s.most-c.most) > 1e-9*c.most || math.Abs(step-c.step) > 1e-9*c.step {
			t.Errorf("%v: up to %v by %v, not %v by %v", c.value, s.most, step, c.most, c.step)
		}
		if n := len(s.marks(step, inPercent(step))); n < 3 || n > 8 {
			t.Errorf("%v: %d marks", c.value, n)
		}
	}
}

func TestPlaces(t *testing.T) {
	s := scale{10, 200, 20}
	for _, c := range []struct{ v, at float64 }{{0, 200}, {10, 20}, {5, 110}, {20, 20}, {-1, 200}, {1.0 / 3, 194}} {
		if at := s.at(c.v); at != c.at {
			t.Errorf("%v at %v, not %v", c.v, at, c.at)
		}
	}
}

func TestAxesAreLabelledInTheirOwnDigits(t *testing.T) {
	for _, c := range []struct {
		step, v float64
		percent string
	}{{0.2, 0.6, "60 %"}, {0.05, 0.15, "15 %"}, {0.005, 0.015, "1.5 %"}, {0.0001, 0.0003, "0.03 %"}, {1, 2, "200 %"}} {
		if text := inPercent(c.step)(c.v); text != c.percent {
			t.Errorf("%v by %v: %q, not %q", c.v, c.step, text, c.percent)
		}
	}
}

func TestMarksLieWhereTheLevelsAre(t *testing.T) {
	r := realistic(1)
	for _, u := range uses(r) {
		c := loadChart(r, u)
		if len(c.Marks) != 15 {
			t.Errorf("%s: %d marks", u.key, len(c.Marks))
		}
		if u.key != "gpu/0" {
			continue
		}
		// 13 copies: 7 on this GPU, the last number of copies, over the threshold.
		last := c.Marks[13]
		if last.X != chartRight-chartInset || last.Y >= c.Limit.Y || last.High > last.Y || last.Shape != circle {
			t.Errorf("the last is at %+v, the threshold at %v", last, c.Limit.Y)
		}
		if soak := c.Marks[14]; soak.Shape != diamond || soak.X != c.Answer.At || soak.Y <= c.Limit.Y {
			t.Errorf("the soak is at %+v, the answer at %v", soak, c.Answer.At)
		}
		if c.Line == "" || c.Band == "" || c.Binds == (u.key != r.Check.Resource) {
			t.Errorf("%+v", c)
		}
	}
}

func TestACurveGoesOnPastWhatWasMeasured(t *testing.T) {
	r := realistic(1)
	r.Steps = r.Steps[:9] // up to 8 copies
	c := loadChart(r, uses(r)[7-1])
	if c.Name != "CPU" || c.Line == "" || c.Ahead == "" {
		t.Errorf("%s: %q, then %q", c.Name, c.Line, c.Ahead)
	}
	flat := drawing{curve: calibration.Curve{Base: 2, Slope: 1}, on: 1, points: []point{{n: 1, y: 0.5}}, format: inPercent}
	if c := flat.chart(); c.Line != "" {
		t.Errorf("a curve outside the drawing is drawn: %q", c.Line)
	}
}

func TestThin(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	if kept := thin(all, 4); len(kept) != 4 || kept[0] != 0 || kept[3] != 9 {
		t.Errorf("%v", kept)
	}
	if kept := thin(all, 10); len(kept) != 10 {
		t.Errorf("%v", kept)
	}
}

func TestReadingsKeepTheirExtremes(t *testing.T) {
	readings := make([]float64, 10_000)
	readings[5000] = 1
	readings[7000] = math.NaN()
	y := scale{1, 124, 24}
	var p pen
	trace(&p, readings, y, segment{X: 50, Width: 100})
	points := 0
	for _, c := range p.String() {
		if c == 'L' || c == 'M' {
			points++
		}
	}
	if points > 500 || points < 150 {
		t.Errorf("%d points", points)
	}
	if want := "L100.3 24"; !strings.Contains(p.String(), want) {
		t.Errorf("the peak is not at %s", want)
	}
}

func TestASegmentIsLabelledWhereThereIsRoom(t *testing.T) {
	r := realistic(1)
	c, ok := courseOf(r, uses(r)[0])
	if !ok || len(c.Strips) != 1 || len(c.Strips[0].Steps) != 15 {
		t.Fatalf("%v", c)
	}
	last := -100.0
	for _, s := range c.Strips[0].Steps {
		if s.Copies != "" && s.Middle-last < labelWidth {
			t.Errorf("%s at %v is too near the one before", s.Copies, s.Middle)
		}
		if s.Copies != "" {
			last = s.Middle
		}
		if !s.HasLevel || s.To > stripRight || s.X < stripLeft {
			t.Errorf("%+v", s)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{percent(0.853), "85.3\u00a0%"}, {percent(0), "0.0\u00a0%"}, {percent(0.00123), "0.12\u00a0%"}, {percent(-0.00001), "0.00\u00a0%"}, {percent(math.NaN()), unknown}, {percent(1e300), "1e+302\u00a0%"},
		{span(3.04), "3.0 s"}, {span(59), "59 s"}, {span(61), "1 min 1 s"}, {span(7261), "2 h 1 min"}, {span(math.Inf(1)), ""}, {span(-1), ""},
		{amount(calibration.CPU, 1.5), "1.50 cores"}, {amount(calibration.VRAM, 3<<30), "3.00 GiB"}, {amount(calibration.Uplink, 2.5e6), "2.5 Mbit/s"}, {amount(calibration.GPULoad, 1), ""},
		{capacity(calibration.GPULoad, 1), "1 GPU"}, {capacity(calibration.CPU, 2.5), "2.50 cores"}, {capacity(calibration.EncoderSessions, 8), "8 sessions"}, {capacity("disk", 0), unknown},
		{typed([]string{"./a", "b c", "it's", ""}), `./a 'b c' 'it'\''s' ''`}, {confidence(0.5), "50\u00a0%"}, {confidence(2), ""}, {confidence(math.NaN()), ""},
	} {
		if c.got != c.want {
			t.Errorf("%q, not %q", c.got, c.want)
		}
	}
}
