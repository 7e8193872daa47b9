package report

import (
	"fmt"
	"math"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// chart is something against the number of copies, 420 x 270 in its own units:
// narrow, so that its letters can be read on a telephone too.
type chart struct {
	Name, Label, Note string
	Binds             bool
	Line, Ahead, Band string // paths: the fitted curve, its part past what was measured, where 95 % of levels lie
	Marks             []mark
	Limit             *line
	Answer            *tick
	Rows, Columns     []tick
	Below             string // what the lower axis counts
}

// mark is a measured level.
type mark struct {
	X, Y      float64
	Low, High float64 // of its whisker
	Shape     shape
	Title     string
}

// shape says what a mark stands for without colour.
type shape string

const (
	circle   shape = "circle"   // settled: judged by its mean
	triangle shape = "triangle" // periodic or restless: judged by its 0.95 quantile
	diamond  shape = "diamond"  // the soak that confirms the answer
)

// line is one across the drawing, with its words.
type line struct {
	Y, TextY float64
	Text     string
}

// Where the axes of a chart lie.
const (
	chartLeft, chartRight = 50.0, 412.0
	chartTop, chartBottom = 26.0, 222.0
	chartInset            = 12.0 // from the axes to the first and the last number of copies
	mostMarks             = 1500
	mostColumns           = 10
)

// point is a level before it has a place.
type point struct {
	n            int
	y, low, high float64
	shape        shape
	title        string
}

// drawing is what a chart is made from.
type drawing struct {
	points []point
	curve  calibration.Curve
	limit  float64 // 0: none
	words  string  // of the limit
	on     int     // copies at the answer; -1: not known
	open   bool    // the answer is not known: it ended early
	more   []float64
	format func(step float64) func(float64) string
}

func loadChart(r calibration.Result, u use) chart {
	d := drawing{points: levels(r, u), on: u.on, open: r.Partial != "", format: inPercent}
	if u.described {
		d.curve, d.more = u.Curve, []float64{u.AtFits, u.AtFitsPlusOne}
	}
	if bounded(u) {
		d.limit, d.words = u.Threshold, "threshold "+percent(u.Threshold)
	}
	c := d.chart()
	c.Name, c.Binds, c.Below, c.Note, c.Label = u.name, u.binds, "copies", note(r, u), label(r, u, len(c.Marks))
	if u.GPU >= 0 {
		c.Below = fmt.Sprintf("copies on GPU %d", u.GPU)
	}
	return c
}

func levels(r calibration.Result, u use) []point {
	var all []point
	for _, s := range r.Steps {
		l, there := s.Levels[u.key]
		n, known := onStep(s, u.GPU)
		if !there || !known || !drawable(l.Judged) {
			continue
		}
		p := point{n: n, y: l.Judged, low: l.Judged, high: l.Judged, shape: shapeOf(s, l)}
		if drawable(l.Mean, l.High) {
			p.low, p.high = min(l.Mean, l.Judged), max(l.High, l.Judged)
		}
		p.title = fmt.Sprintf("%s: %s (mean %s, 0.95 quantile %s), %s", copies(n), percent(l.Judged), percent(l.Mean), percent(l.High), stands(s, l))
		all = append(all, p)
	}
	return all
}

func shapeOf(s calibration.Step, l calibration.Level) shape {
	switch {
	case s.Soak:
		return diamond
	case l.Verdict == calibration.Periodic || l.Verdict == calibration.Restless:
		return triangle
	}
	return circle
}

func stands(s calibration.Step, l calibration.Level) string {
	text := plain(string(l.Verdict))
	if l.Verdict == calibration.Periodic && finite(l.PeriodS) {
		text += " every " + span(l.PeriodS)
	}
	if s.Soak {
		text += ", in the soak"
	}
	return text
}

// chart gives everything its place.
func (d drawing) chart() chart {
	d.points = thin(d.points, mostMarks)
	x := scale{float64(d.mostCopies()), chartLeft + chartInset, chartRight - chartInset}
	y, step := upTo(d.top(), chartBottom, chartTop)
	c := chart{Rows: y.marks(step, d.format(step)), Columns: x.marks(max(1, round(x.most, mostColumns)), inNumbers(1))}
	for _, p := range d.points {
		c.Marks = append(c.Marks, mark{x.at(float64(p.n)), y.at(p.y), y.at(p.low), y.at(p.high), p.shape, p.title})
	}
	c.draw(d, x, y)
	if d.limit > 0 && drawable(d.limit) {
		c.Limit = &line{Y: y.at(d.limit), TextY: beside(y.at(d.limit), chartTop), Text: d.words}
	}
	if d.on >= 0 && d.on <= int(x.most) {
		c.Answer = &tick{x.at(float64(d.on)), d.answer()}
	}
	return c
}

func (d drawing) answer() string {
	switch {
	case d.open:
		return fmt.Sprintf("%d so far", d.on)
	case d.on == 1:
		return "1 fits"
	}
	return fmt.Sprintf("%d fit", d.on)
}

// beside keeps the words of a line at the top inside the drawing.
func beside(y, top float64) float64 {
	if y < top+14 {
		return tenth(y + 15)
	}
	return tenth(y - 6)
}

// mostDrawn bounds the numbers of copies that an axis goes to.
const mostDrawn = 100_000

func (d drawing) mostCopies() int {
	most := 1
	if d.on >= 0 {
		most = max(most, min(d.on, mostDrawn)+1)
	}
	for _, p := range d.points {
		most = max(most, min(p.n, mostDrawn))
	}
	return most
}

// top is the most that the drawing must have room for.
func (d drawing) top() float64 {
	most := 0.0
	for _, v := range append(d.more, d.limit) {
		if drawable(v) {
			most = max(most, v)
		}
	}
	for _, p := range d.points {
		most = max(most, p.y, p.high)
	}
	return most
}

// measured is the largest number of copies with a level.
func (d drawing) measured() float64 {
	most := 0
	for _, p := range d.points {
		most = max(most, p.n)
	}
	return float64(most)
}

// parts of which a fitted curve is drawn.
const parts = 48

// draw draws the fitted curve and its band.
func (c *chart) draw(d drawing, x, y scale) {
	f := d.curve
	if f == (calibration.Curve{}) || !drawable(f.Base, f.Slope, f.Bend) {
		return
	}
	var seen, ahead pen
	until := d.measured()
	for i := range parts + 1 {
		n := x.most * float64(i) / parts
		v := f.At(n)
		if !y.holds(v) {
			seen.lift()
			ahead.lift()
			continue
		}
		if n <= until {
			seen.to(x.at(n), y.at(v))
		}
		if n+x.most/parts > until {
			ahead.to(x.at(n), y.at(v))
		}
	}
	c.Line, c.Ahead = seen.String(), ahead.String()
	if drawable(f.Sigma) && f.Sigma > 0 {
		c.Band = band(f, x, y)
	}
}

func band(f calibration.Curve, x, y scale) string {
	var p pen
	for i := range 2*parts + 2 { // there above the curve, and back below it
		j, side := i, 1.96
		if i > parts {
			j, side = 2*parts+1-i, -1.96
		}
		n := x.most * float64(j) / parts
		if v := f.At(n) + side*f.Sigma; finite(v) {
			p.to(x.at(n), y.at(v))
		}
	}
	return p.String() + "Z"
}

// thin leaves out so many that at most the given number stay, evenly.
func thin[T any](all []T, most int) []T {
	if len(all) <= most {
		return all
	}
	kept := make([]T, most)
	for i := range kept {
		kept[i] = all[int(math.Round(float64(i)*float64(len(all)-1)/float64(most-1)))]
	}
	return kept
}

// note is the line below a chart's name.
func note(r calibration.Result, u use) string {
	if !u.described {
		return ""
	}
	text := percent(u.Base) + " without copies, " + percent(u.PerCopy) + " for each copy"
	if u.on >= 0 {
		text += fmt.Sprintf("; %s with %d", percent(u.AtFits), u.on)
	}
	if n, known := onPast(r, u); known && n > u.on {
		how := "predicted"
		if u.Seen {
			how = "seen"
		}
		text += fmt.Sprintf(", %s with %d (%s)", percent(u.AtFitsPlusOne), n, how)
	}
	if u.Curve.Bend != 0 {
		text += "; the curve bends"
	}
	return text + "."
}

// label says a chart to those who do not see it.
func label(r calibration.Result, u use, marks int) string {
	text := fmt.Sprintf("%s against copies, %d measured levels.", u.name, marks)
	if say := note(r, u); say != "" {
		text += " " + say
	}
	if bounded(u) {
		return text + " The threshold is " + percent(u.Threshold) + "."
	}
	return text + " There is no threshold."
}

func frameChart(r calibration.Result) chart {
	d := drawing{on: max(0, r.Fits), open: r.Partial != "", format: inNumbers}
	for _, s := range r.Steps {
		if s.Frames == nil || !drawable(*s.Frames) || s.Copies <= 0 {
			continue
		}
		p := point{n: s.Copies, y: *s.Frames, low: *s.Frames, high: *s.Frames, shape: circle}
		if s.Soak {
			p.shape = diamond
		}
		p.title = fmt.Sprintf("%s: %s frames a second", copies(s.Copies), decimal(*s.Frames, 1))
		d.points = append(d.points, p)
	}
	if f := r.Frames.Floor; drawable(f) && f > 0 {
		d.limit, d.words = f, "floor "+decimal(f, 1)
	}
	c := d.chart()
	c.Name, c.Below, c.Label = "Frames a second of the slowest copy", "copies", "Frames a second of the slowest copy against copies. "+framesSay(r)
	return c
}
