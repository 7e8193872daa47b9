// Package report draws a calibration as one HTML page without outside
// references.
package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/rendergate/rendergate/probe/calibrate/screen"
	"github.com/rendergate/rendergate/probe/wire/calibration"
)

//go:embed report.html
var page string

// Write writes the page.
func Write(w io.Writer, r calibration.Result) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"percent": percent, "number": number, "amount": amount, "span": screen.Span, "copies": screen.Copies,
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("the report: %w", err)
	}
	return t.Execute(w, contents(r))
}

// contents is what the page shows.
type content struct {
	calibration.Result
	Answer  string
	Rows    []row
	Curves  []curve
	Courses []course
	Command string
}

// row is one line of the table.
type row struct {
	Name string
	Kind string
	calibration.Resource
}

func contents(r calibration.Result) content {
	c := content{Result: r, Answer: screen.Answer(r), Command: strings.Join(r.Command, " ")}
	for _, kind := range screen.Kinds(r) {
		x := r.Resources[kind]
		devices := x.Devices
		if len(devices) == 0 {
			devices = []calibration.Resource{x}
		}
		for _, d := range devices {
			key := calibration.Key(kind, d.GPU)
			name := kind
			if d.GPU >= 0 {
				name = fmt.Sprintf("%s of GPU %d", kind, d.GPU)
			}
			c.Rows = append(c.Rows, row{name, kind, d})
			c.Curves = append(c.Curves, curveOf(r, key, name, d))
			if course, ok := courseOf(r, key, name, d); ok {
				c.Courses = append(c.Courses, course)
			}
		}
	}
	return c
}

// finite says whether a number can be drawn.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func percent(x float64) string {
	if !finite(x) {
		return "unknown"
	}
	digits := 1
	if math.Abs(x) < 0.01 {
		digits = 2
	}
	rounded := math.Round(1e4*x) / 100
	return fmt.Sprintf("%.*f %%", digits, rounded+0) // -0 + 0 is 0
}

func number(x float64) string {
	if !finite(x) {
		return "unknown"
	}
	return fmt.Sprintf("%.3g", x)
}

// amount is a share of a resource in the resource's own unit.
func amount(kind string, share, capacity float64) string {
	x := share * capacity
	switch {
	case !finite(x):
		return "unknown"
	case kind == calibration.CPU:
		return fmt.Sprintf("%.2f cores", x)
	case kind == calibration.Memory, kind == calibration.VRAM:
		return fmt.Sprintf("%.2f GiB", x/(1<<30))
	case kind == calibration.Uplink:
		return fmt.Sprintf("%.1f Mbit/s", x/1e6)
	case kind == calibration.EncoderSessions:
		return fmt.Sprintf("%.1f sessions", x)
	}
	return percent(share)
}

// at is a place in a drawing.
type at struct{ X, Y float64 }

// tick is a mark at an axis.
type tick struct {
	At   float64
	Text string
}

// plane turns values into places: x from 0 to Most, y from 0 to 1 and more.
type plane struct{ most, top float64 }

// The drawing's own units: 640 x 300, axes at 56 and 250.
const (
	left, right, bottom, height = 56.0, 616.0, 250.0, 226.0
)

func (p plane) x(v float64) float64 { return tenth(left + (right-left)*clamp(v/p.most)) }
func (p plane) y(v float64) float64 { return tenth(bottom - height*clamp(v/p.top)) }

func clamp(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}

func tenth(v float64) float64 { return math.Round(10*v) / 10 }

func (p plane) rows() []tick {
	var all []tick
	step := 0.2
	if p.top <= 0.3 {
		step = 0.05
	}
	for v := 0.0; v <= p.top+1e-9; v += step {
		all = append(all, tick{p.y(v), fmt.Sprintf("%.0f %%", 100*v)})
	}
	return all
}

// mostTicks is how many marks fit on the lower axis.
const mostTicks = 16

func (p plane) columns() []tick {
	step := math.Max(1, math.Ceil(p.most/mostTicks))
	var all []tick
	for v := 0.0; v <= p.most; v += step {
		all = append(all, tick{p.x(v), fmt.Sprintf("%.0f", v)})
	}
	return all
}

func path(places []at) string {
	var b strings.Builder
	for i, p := range places {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%g,%g", p.X, p.Y)
	}
	return b.String()
}

// topOf is the upper end of an axis that shows the values: 100 %, or less where
// they are small.
func topOf(values []float64) float64 {
	values = slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return !finite(v) })
	if len(values) == 0 || slices.Max(values) > 0.24 {
		return 1
	}
	return 0.3
}
