// Package report shows what a simulation came to: as one HTML page that refers
// to nothing outside itself, as tables for a page of documentation, and as
// drawings of the loss-load curves.
package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"

	"github.com/rendergate/rendergate/server/simulate"
)

//go:embed *.html
var pages embed.FS

// Write writes the page as UTF-8. Numbers that are not finite are called not
// known, and names are shown as text. It fails only where w does.
func Write(w io.Writer, r simulate.Result) error {
	page, err := render("report.html", contents(r))
	if err != nil {
		return err
	}
	if _, err := w.Write(page); err != nil {
		return fmt.Errorf("writing the report of a simulation: %w", err)
	}
	return nil
}

// render fills in one of the templates; all or nothing, for half a page is worse
// than none.
func render(name string, data any) ([]byte, error) {
	t, err := template.ParseFS(pages, "*.html")
	if err != nil {
		return nil, fmt.Errorf("the report of a simulation: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("the report of a simulation: %w", err)
	}
	return b.Bytes(), nil
}

// content is what the page shows, in words and places: the template decides
// nothing about numbers.
type content struct {
	Set, Answer string
	Missed      []string
	Goals       []heading
	Summary     []summaryRow
	Columns     []heading
	Scenarios   []section
	Policies    []fact // where the rules are from
	Facts       []fact
	LeftOut     string
}

// heading is that of a column: what it is, what is below in small letters, and
// what it means.
type heading struct{ Name, Sub, About string }

type fact struct{ Name, Text string }

// section is one scenario.
type section struct {
	ID, Name, About, Sees string
	Rows                  []row
	Chart                 *chart
	Apart                 string // what the curves do not tell
	Forecast              *forecast
}

// mostScenarios are shown: a result from elsewhere may hold anything, and a page
// that does not open tells nothing.
const mostScenarios = 200

func contents(r simulate.Result) content {
	c := content{Set: plain(r.Set), Goals: goalHeadings(), Columns: headings(), Facts: facts(r), Policies: sources(r)}
	if n := len(r.Scenarios); n > mostScenarios {
		c.LeftOut = fmt.Sprintf("Of %d scenarios the first %d are shown.", n, mostScenarios)
		r.Scenarios = r.Scenarios[:mostScenarios]
	}
	c.Answer, c.Missed = answer(r), missed(r)
	looks := looksOf(r)
	for i, s := range r.Scenarios {
		id := fmt.Sprintf("s%d", i+1)
		c.Summary = append(c.Summary, summaryRowOf(id, s))
		c.Scenarios = append(c.Scenarios, sectionOf(id, s, looks))
	}
	return c
}

func sectionOf(id string, s simulate.Scenario, looks map[string]look) section {
	x := section{ID: id, Name: plain(s.Name), About: plain(s.About), Sees: sees(s), Rows: rows(s), Forecast: forecastOf(s.Forecast)}
	if c, ok := chartOf(id, s, looks); ok {
		x.Chart = &c
	}
	if all := s.Goals(); len(all) > 0 {
		x.Apart = sentence(all[len(all)-1].Note)
	}
	return x
}

// sees says what the rule is told, and holds to.
func sees(s simulate.Scenario) string {
	text := "Samples come every " + span(s.SamplePeriodS) + "."
	if !finite(s.SamplePeriodS) || s.SamplePeriodS <= 0 {
		text = "How often samples come is not known."
	}
	if finite(s.Threshold) && s.Threshold > 0 {
		text += " The threshold is " + percent(s.Threshold) + "."
	}
	return text
}

// sources are where the rules are from, each once.
func sources(r simulate.Result) []fact {
	seen := map[string]bool{}
	var all []fact
	for _, s := range r.Scenarios {
		for _, p := range ordered(s) {
			if !seen[p.Name] && p.Source != "" {
				all = append(all, fact{title(p), plain(p.Source)})
			}
			seen[p.Name] = true
		}
	}
	return all
}

// facts are what was run, and how fast.
func facts(r simulate.Result) []fact {
	all := []fact{
		{"program", plain(r.Version)},
		{"set of scenarios", plain(r.Set)},
		{"seeds", fmt.Sprintf("%d, the first of them %d", r.Seeds, r.FirstSeed)},
		{"took", span(r.TookS)},
	}
	if finite(r.Speed) && r.Speed > 0 {
		all = append(all, fact{"speed", decimal(r.Speed, 0) + " times real time, in our own runs"})
	}
	kept := all[:0]
	for _, f := range all {
		if f.Text != "" {
			kept = append(kept, f)
		}
	}
	return kept
}
