package plan

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"
)

//go:embed report.html
var reportHTML string

// Report writes one page without outside references: the wait against the
// number of hosts, and the table.
func (a Answer) Report(w io.Writer, d Demand, title string) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"percent": func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) },
		"mbit":    func(x float64) string { return fmt.Sprintf("%.0f Mbit/s", x/1e6) },
		"wait":    Wait,
		"span":    func(d time.Duration) string { return Wait(Row{Stable: true}, d.Seconds()) },
	}).Parse(reportHTML)
	if err != nil {
		return fmt.Errorf("the report: %w", err)
	}
	return t.Execute(w, struct {
		Answer
		Demand Demand
		Title  string
		Plot   plot
	}{a, d, title, a.plot(d)})
}

// Wait is a wait in words: "2 min 5 s"; "grows for ever" where it does.
func Wait(r Row, s float64) string {
	if !r.Stable {
		return "grows for ever"
	}
	d := time.Duration(math.Round(s)) * time.Second
	if d < time.Minute {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	if d < time.Hour {
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}

// plot is the drawing in its own units: 640 x 300, the axes at 60 and 250.
type plot struct {
	P90, P50 string // points of the lines
	Dots     []dot
	Target   float64 // y of the wait that was asked for
	Ticks    []tick
	Below    []tick
}

type dot struct {
	X, Y  float64
	Label string
	Meets bool
}

type tick struct {
	At   float64
	Text string
}

func (a Answer) plot(d Demand) plot {
	top := max(1, 1.5*d.WaitP90.Seconds())
	for _, r := range a.Curve {
		if r.Stable {
			top = max(top, min(r.P90S, 4*max(30, d.WaitP90.Seconds())))
		}
	}
	y := func(s float64) float64 { return 250 - 220*min(1, s/top) }
	p := plot{Target: y(d.WaitP90.Seconds())}
	var p90, p50 strings.Builder
	for i, r := range a.Curve {
		x := 90 + 500*float64(i)/max(1, float64(len(a.Curve)-1))
		p.Below = append(p.Below, tick{x, fmt.Sprint(r.Hosts)})
		if !r.Stable {
			continue
		}
		fmt.Fprintf(&p90, "%.1f,%.1f ", x, y(r.P90S))
		fmt.Fprintf(&p50, "%.1f,%.1f ", x, y(r.P50S))
		p.Dots = append(p.Dots, dot{x, y(r.P90S), Wait(r, r.P90S), r.Meets})
	}
	p.P90, p.P50 = p90.String(), p50.String()
	for i := range 5 {
		s := top * float64(i) / 4
		p.Ticks = append(p.Ticks, tick{y(s), Wait(Row{Stable: true}, s)})
	}
	return p
}
