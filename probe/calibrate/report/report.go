// Package report draws a calibration as one HTML page that refers to nothing
// outside itself.
package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

//go:embed *.html
var pages embed.FS

// Write writes the page as UTF-8. Numbers that are not finite are left out, and
// whatever names the result has are shown as text. It fails only where w does.
func Write(w io.Writer, r calibration.Result) error {
	t, err := template.ParseFS(pages, "*.html")
	if err != nil {
		return fmt.Errorf("the report of a calibration: %w", err)
	}
	var b bytes.Buffer // half a page is worse than none
	if err := t.ExecuteTemplate(&b, "report.html", contents(r)); err != nil {
		return fmt.Errorf("the report of a calibration: %w", err)
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("writing the report of a calibration: %w", err)
	}
	return nil
}

// content is what the page shows, in words and places: the template decides
// nothing about numbers.
type content struct {
	App, Answer, Partial string
	Findings             []finding
	Check                []string // sentences
	Gauge                *gauge   // of the check
	Runs                 string
	Frames               string
	FrameChart           *chart
	Rows                 []row
	Charts               []chart
	Courses              []course
	LeftOut              []string // what was too much to draw
	Fits                 int
	Facts                []fact
}

type finding struct{ Code, Message, With string }

// fact is one line of what it was measured on.
type fact struct {
	Name, Text string
	Code       bool // as it would be typed
}

// What more of is not shown: a result from elsewhere may hold anything, and a
// page that does not open tells nothing.
const (
	mostFindings = 100
	mostUses     = 64
	mostSteps    = 3000
)

func contents(r calibration.Result) content {
	c := content{App: app(r), Answer: answer(r), Partial: partial(r), Fits: max(0, r.Fits), Runs: runs(r.Runs), Facts: facts(r)}
	for _, f := range r.Findings[:min(len(r.Findings), mostFindings)] {
		with := ""
		if f.Copies > 0 {
			with = "with " + copies(f.Copies)
		}
		c.Findings = append(c.Findings, finding{plain(f.Code), plain(f.Message), with})
	}
	c.tooMuch(len(r.Findings), mostFindings, "findings")
	if len(r.Steps) > mostSteps {
		c.tooMuch(len(r.Steps), mostSteps, "steps")
		r.Steps = r.Steps[:mostSteps]
	}
	c.Check, c.Gauge = check(r), gaugeOf(r)
	c.frames(r)
	c.resources(r)
	return c
}

func (c *content) tooMuch(there, shown int, what string) {
	if there > shown {
		c.LeftOut = append(c.LeftOut, fmt.Sprintf("Of %d %s the first %d are shown.", there, what, shown))
	}
}

func (c *content) resources(r calibration.Result) {
	all := uses(r)
	c.tooMuch(len(all), mostUses, "resources")
	for _, u := range all[:min(len(all), mostUses)] {
		if u.described {
			c.Rows = append(c.Rows, rowOf(r, u))
		}
		c.Charts = append(c.Charts, loadChart(r, u))
		if x, ok := courseOf(r, u); ok {
			c.Courses = append(c.Courses, x)
		}
	}
}

func (c *content) frames(r calibration.Result) {
	if r.Frames == nil {
		return
	}
	c.Frames = framesSay(r)
	if x := frameChart(r); len(x.Marks) > 0 {
		c.FrameChart = &x
	}
}
