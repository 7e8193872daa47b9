package report

import (
	"fmt"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// curve is load against copies.
type curve struct {
	Name      string
	Label     string // says it in words
	Line      string // the fitted curve
	Band      string // where 95 % of levels lie about it
	Points    []mark
	Threshold float64 // y; 0 without one
	Limit     string
	Answer    float64 // x
	Fits      int
	Rows      []tick
	Columns   []tick
}

// mark is a measured level.
type mark struct {
	X, Y      float64
	Low, High float64 // of its whisker
	Soak      bool
	Title     string
}

// mostPoints bounds what is drawn: a page with more is slow, and shows no more.
const mostPoints = 2000

func curveOf(r calibration.Result, key, name string, x calibration.Resource) curve {
	n := copiesOn(r, x)
	c := curve{Name: name, Fits: n, Limit: percent(x.Threshold)}
	steps := r.Steps[:min(len(r.Steps), mostPoints)]
	values, most := []float64{x.Threshold}, float64(n+1)
	for _, s := range steps {
		if l, there := s.Levels[key]; there && finite(l.Judged) {
			values, most = append(values, l.Judged, l.High), max(most, float64(onKey(s, x.GPU)))
		}
	}
	p := plane{most: most, top: topOf(values)}
	for _, s := range steps {
		l, there := s.Levels[key]
		if !there || !finite(l.Judged+l.Half+l.High) {
			continue
		}
		copies := onKey(s, x.GPU)
		c.Points = append(c.Points, mark{
			X: p.x(float64(copies)), Y: p.y(l.Judged), Low: p.y(l.Mean - l.Half), High: p.y(max(l.High, l.Mean+l.Half)), Soak: s.Soak,
			Title: fmt.Sprintf("%d: %s, 0.95 quantile %s, %s", copies, percent(l.Judged), percent(l.High), l.Verdict),
		})
	}
	c.draw(p, x.Curve)
	if x.Threshold > 0 {
		c.Threshold = p.y(x.Threshold)
	}
	c.Answer, c.Rows, c.Columns = p.x(float64(n)), p.rows(), p.columns()
	c.Label = fmt.Sprintf("Load of %s against copies: %s without, %s more with each, %s with %d, %s with %d; threshold %s.",
		name, percent(x.Base), percent(x.PerCopy), percent(x.AtFits), n, percent(x.AtFitsPlusOne), n+1, percent(x.Threshold))
	return c
}

// draw draws the fitted curve and its band.
func (c *curve) draw(p plane, f calibration.Curve) {
	const parts = 40
	var line, over, under []at
	for i := range parts + 1 {
		n := p.most * float64(i) / parts
		y := f.At(n)
		if !finite(y) || !finite(f.Sigma) {
			return
		}
		line = append(line, at{p.x(n), p.y(y)})
		over = append(over, at{p.x(n), p.y(y + 1.96*f.Sigma)})
		under = append([]at{{p.x(n), p.y(y - 1.96*f.Sigma)}}, under...)
	}
	c.Line, c.Band = path(line), path(append(over, under...))
}

// onKey is how many copies of a step use the device.
func onKey(s calibration.Step, gpu int) int {
	if gpu < 0 {
		return s.Copies
	}
	if gpu < len(s.PerGPU) {
		return s.PerGPU[gpu]
	}
	return 0
}

func copiesOn(r calibration.Result, x calibration.Resource) int {
	if x.GPU < 0 {
		return max(0, min(r.Fits, 10_000))
	}
	if x.GPU < len(r.FitsPerGPU) {
		return max(0, min(r.FitsPerGPU[x.GPU], 10_000))
	}
	return 0
}

// course is how a load went, step after step.
type course struct {
	Name      string
	Label     string
	Lines     []string // of each step
	Starts    []tick   // of each step, with its copies
	Threshold float64
	Limit     string
	Rows      []tick
	Until     string
}

// mostReadings bounds the readings that are drawn.
const mostReadings = 20_000

func courseOf(r calibration.Result, key, name string, x calibration.Resource) (course, bool) {
	var values []float64
	total, last := 0, 0.0
	for _, s := range r.Steps {
		y := s.Trace[key]
		if total+len(y) > mostReadings {
			break
		}
		total += len(y)
		values = append(values, y...)
		last += float64(len(y)) * s.PeriodS
	}
	if total < 2 {
		return course{}, false
	}
	p := plane{most: float64(total), top: topOf(append(values, x.Threshold))}
	c := course{Name: name, Limit: percent(x.Threshold), Rows: p.rows(), Label: "Readings of " + name + ", one number of copies after another."}
	if finite(last) {
		c.Until = fmt.Sprintf("%.0f s of readings", last)
	}
	if x.Threshold > 0 {
		c.Threshold = p.y(x.Threshold)
	}
	c.trace(r, key, p)
	return c, true
}

// trace draws the readings, as many as the plane has room for.
func (c *course) trace(r calibration.Result, key string, p plane) {
	i := 0
	for _, s := range r.Steps {
		y := s.Trace[key]
		if i+len(y) > int(p.most) {
			return
		}
		c.Starts = append(c.Starts, tick{p.x(float64(i)), fmt.Sprint(s.Copies)})
		var line []at
		for _, v := range y {
			if finite(v) {
				line = append(line, at{p.x(float64(i)), p.y(v)})
			}
			i++
		}
		c.Lines = append(c.Lines, path(line))
	}
}
