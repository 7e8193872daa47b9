package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// course is how one load went: a strip for each repetition.
type course struct {
	Name, Note string
	Binds      bool
	Strips     []strip
}

// strip is a repetition's readings, one step after another, 420 x 150 in its own
// units.
type strip struct {
	Name, Label string // Name is empty where there is one only
	Path        string
	Steps       []segment
	Limit       *line
	Rows        []tick
	Until       string
}

// segment is the part of a strip that one step takes.
type segment struct {
	X, Width float64
	Middle   float64
	Copies   string // empty where there is no room for it
	Soak     bool
	HasLevel bool
	Level    float64 // y of what it came to
	From, To float64 // x of the level's line, the later half
}

// Where the axes of a strip lie.
const (
	stripLeft, stripRight = 50.0, 412.0
	stripTop, stripBottom = 24.0, 124.0
	mostStrips            = 12
	mostSegments          = 400
	labelWidth            = 17.0 // of a number of copies
)

func courseOf(r calibration.Result, u use) (course, bool) {
	c := course{Name: u.name, Binds: u.binds}
	all := byRun(r, u.key)
	if len(all) > mostStrips {
		c.Note = fmt.Sprintf("The first %d of %d repetitions.", mostStrips, len(all))
		all = all[:mostStrips]
	}
	y, _ := upTo(highest(all, u), stripBottom, stripTop)
	step := round(y.most, 2)
	for _, steps := range all {
		s := stripOf(thin(steps, mostSegments), u, y)
		s.Rows = y.marks(step, inPercent(step))
		if len(all) > 1 {
			s.Name = fmt.Sprintf("run %d", steps[0].Run)
		}
		c.Strips = append(c.Strips, s)
	}
	return c, len(c.Strips) > 0
}

// byRun parts the steps that have readings by their repetition.
func byRun(r calibration.Result, key string) [][]calibration.Step {
	var all [][]calibration.Step
	place := map[int]int{}
	for _, s := range r.Steps {
		if len(s.Trace[key]) == 0 {
			continue
		}
		i, there := place[s.Run]
		if !there {
			i = len(all)
			place[s.Run] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], s)
	}
	return all
}

func highest(all [][]calibration.Step, u use) float64 {
	most := 0.0
	if bounded(u) && drawable(u.Threshold) {
		most = u.Threshold
	}
	for _, steps := range all {
		for _, s := range steps {
			for _, v := range s.Trace[u.key] {
				if drawable(v) {
					most = max(most, v)
				}
			}
		}
	}
	return most
}

func stripOf(steps []calibration.Step, u use, y scale) strip {
	seconds := 0.0
	for _, s := range steps {
		seconds += lasts(s, u.key)
	}
	x := scale{seconds, stripLeft, stripRight}
	out := strip{Until: span(seconds) + " of readings", Label: courseLabel(steps, u)}
	var p pen
	began, free := 0.0, 0.0
	for _, s := range steps {
		ends := began + lasts(s, u.key)
		g := segmentOf(s, u, y, x.at(began), x.at(ends))
		if g.Middle-labelWidth/2 < free {
			g.Copies = ""
		} else {
			free = g.Middle + labelWidth/2
		}
		out.Steps = append(out.Steps, g)
		trace(&p, s.Trace[u.key], y, g)
		began = ends
	}
	out.Path = p.String()
	if bounded(u) && drawable(u.Threshold) {
		at := y.at(u.Threshold)
		out.Limit = &line{Y: at, TextY: beside(at, stripTop), Text: "threshold " + percent(u.Threshold)}
	}
	return out
}

// lasts is how long a step's readings last, in seconds; each counts as one
// second where the period makes no sense.
func lasts(s calibration.Step, key string) float64 {
	period := s.PeriodS
	if !(period > 0 && period < 1e6) {
		period = 1
	}
	return period * float64(len(s.Trace[key]))
}

func segmentOf(s calibration.Step, u use, y scale, from, to float64) segment {
	g := segment{X: from, Width: tenth(to - from), Middle: tenth((from + to) / 2), Copies: fmt.Sprint(s.Copies), Soak: s.Soak, From: tenth((from + to) / 2), To: to}
	if l, there := s.Levels[u.key]; there && drawable(l.Judged) {
		g.HasLevel, g.Level = true, y.at(l.Judged)
	}
	return g
}

// trace draws readings from one end of a segment to the other; where there are
// more than can be seen, the lowest and the highest of neighbours.
func trace(p *pen, readings []float64, y scale, g segment) {
	p.lift()
	columns := int(math.Ceil(2*g.Width)) + 1
	each := 1
	if len(readings) > 2*columns {
		each = (len(readings) + columns - 1) / columns
	}
	for i := 0; i < len(readings); i += each {
		low, high := math.Inf(1), math.Inf(-1)
		for _, v := range readings[i:min(len(readings), i+each)] {
			if drawable(v) {
				low, high = min(low, v), max(high, v)
			}
		}
		if low > high { // there was none
			p.lift()
			continue
		}
		x := g.X + g.Width*(float64(i)+float64(each)/2)/float64(len(readings))
		p.to(min(x, g.X+g.Width), y.at(low))
		if high > low {
			p.to(min(x, g.X+g.Width), y.at(high))
		}
	}
}

// mostSaid are the steps whose levels a label lists.
const mostSaid = 40

func courseLabel(steps []calibration.Step, u use) string {
	var said []string
	for _, s := range steps[:min(len(steps), mostSaid)] {
		if l, there := s.Levels[u.key]; there && finite(l.Judged) {
			said = append(said, fmt.Sprintf("%d: %s", s.Copies, percent(l.Judged)))
		}
	}
	if len(steps) > mostSaid {
		said = append(said, "and so on")
	}
	return "Readings of " + u.name + ", one number of copies after another. It came to, by copies: " + strings.Join(said, ", ") + "."
}
