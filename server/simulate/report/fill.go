package report

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rendergate/rendergate/server/simulate"
)

// Markers of the parts of a page that are generated. What is nearly one counts
// too, so that a part cannot go stale by a slip of the pen.
var (
	opens  = regexp.MustCompile(`<!--\s*figures\b:?\s*(.*?)\s*-->`)
	closes = regexp.MustCompile(`<!--\s*/\s*figures\s*-->`)
)

// Fill replaces what is between the markers of a Markdown page by tables of the
// result, and leaves all else as it is:
//
//	<!-- figures: summary --> … <!-- /figures -->
//
// The parts are summary (the goals), scenarios (the rule and the best rival) and
// forecast. Filling a page again changes nothing. Unknown markers, and such as
// are not closed or not opened, are errors with their line.
func Fill(page []byte, r simulate.Result) ([]byte, error) {
	var out bytes.Buffer
	rest := page
	line := func(at int) int { return 1 + bytes.Count(page[:len(page)-len(rest)+at], []byte("\n")) }
	for {
		begin, stray := opens.FindSubmatchIndex(rest), closes.FindIndex(rest)
		if stray != nil && (begin == nil || stray[0] < begin[0]) {
			return nil, fmt.Errorf("line %d: figures are closed that were not opened", line(stray[0]))
		}
		if begin == nil {
			out.Write(rest)
			return out.Bytes(), nil
		}
		part, err := figures(string(rest[begin[2]:begin[3]]), r)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line(begin[0]), err)
		}
		inside := rest[begin[1]:]
		end, next := closes.FindIndex(inside), opens.FindIndex(inside)
		if end == nil || next != nil && next[0] < end[0] {
			return nil, fmt.Errorf("line %d: figures are not closed", line(begin[0]))
		}
		out.Write(rest[:begin[1]])
		out.WriteString("\n" + part + "\n")
		out.Write(inside[end[0]:end[1]])
		rest = inside[end[1]:]
	}
}

// figures is a part by its name.
func figures(name string, r simulate.Result) (string, error) {
	parts := map[string]func(simulate.Result) string{"summary": summaryTable, "scenarios": scenarioTable, "forecast": forecastTable}
	part, there := parts[name]
	if !there {
		return "", fmt.Errorf("figures %q are unknown; there are %s", name, strings.Join(slices.Sorted(maps.Keys(parts)), ", "))
	}
	return part(r), nil
}

// markdown is a table being written.
type markdown struct{ strings.Builder }

// tableOf begins one; its first columns are of words, the others of numbers.
func tableOf(words int, head ...string) *markdown {
	m := &markdown{}
	m.row(head...)
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = "--:"
		if i < words {
			rule[i] = "---"
		}
	}
	m.row(rule...)
	return m
}

func (m *markdown) row(cells ...string) {
	m.WriteString("| " + strings.ReplaceAll(strings.Join(cells, " | "), "\u00a0", " ") + " |\n")
}

// text makes a name from elsewhere words of a table: it is nothing else there.
func text(s string) string {
	return strings.NewReplacer(
		`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "~", `\~`, "#", `\#`,
		"&", "&amp;", "<", "&lt;", ">", "&gt;",
	).Replace(short(s, 80))
}

// summaryTable is what each scenario came to, by the goals.
func summaryTable(r simulate.Result) string {
	head := []string{"scenario", "samples"}
	for _, h := range goalHeadings() {
		head = append(head, h.Name+" ("+h.Sub+")")
	}
	m := tableOf(1, head...)
	for _, s := range r.Scenarios {
		cells := []string{text(s.Name), span(s.SamplePeriodS)}
		for _, g := range s.Goals() {
			cells = append(cells, goalCell(g))
		}
		m.row(cells...)
	}
	return m.String()
}

func goalCell(g simulate.Goal) string {
	switch g.Verdict {
	case simulate.Missed:
		return "**" + got(g) + ", missed**"
	case simulate.Reached:
		return got(g)
	case simulate.Unknown:
		return "not known"
	}
	if !finite(g.Got) {
		return "–"
	}
	return got(g) + " (not asked)"
}

// scenarioTable has a row for ours and one for the best rival.
func scenarioTable(r simulate.Result) string {
	m := tableOf(2, "scenario", "rule", "load", "of O2's", "of O1's", "over threshold", "over full by admission", "false refusals", "O2's at the same risk", "wait P50", "wait P90", "gave up")
	for _, s := range r.Scenarios {
		name := text(s.Name)
		if ours, there := s.Ours(); there {
			m.policy(name, "**"+text(title(ours))+"**", ours)
			name = ""
		}
		if best, there := bestRival(s); there {
			m.policy(name, text(title(best)), best)
		}
	}
	return m.String()
}

func (m *markdown) policy(scenario, rule string, p simulate.Policy) {
	m.row(scenario, rule, percent(p.Load), percent(p.LoadOfO2), percent(p.LoadOfO1), percent(p.OverThreshold), percent(p.OverFullByAdmission), percent(p.FalseRefusals), percent(p.FalseRefusalsOfO2), span(p.WaitP50S), span(p.WaitP90S), percent(p.GaveUp))
}

// bestRival is, of the rivals that are over the threshold no longer than the
// goal allows, the one that carries most; where there is none, the one that is
// over it for the shortest time. Each by its own setting.
func bestRival(s simulate.Scenario) (best simulate.Policy, there bool) {
	limit := allowedOver(s)
	for _, p := range s.Rivals() {
		if !there || better(p, best, limit) {
			best, there = p, true
		}
	}
	return best, there
}

func better(a, b simulate.Policy, limit float64) bool {
	fits := a.OverThreshold <= limit
	if fits != (b.OverThreshold <= limit) {
		return fits
	}
	if fits {
		return a.Load > b.Load
	}
	return a.OverThreshold < b.OverThreshold
}

// forecastTable is how well the waits were foretold.
func forecastTable(r simulate.Result) string {
	m := tableOf(1, "scenario", "forecasts", "told nothing", "P50 covers", "P90 covers", "WAPE over the floor", "MSE over the best rolling average's", "pinball over the best other's", "reversals")
	for _, s := range r.Scenarios {
		f := s.Forecast
		if f.Quotes <= 0 {
			continue
		}
		m.row(text(s.Name), fmt.Sprint(f.Quotes), percent(f.Unknown), percent(f.CoverageP50), percent(f.CoverageP90), decimal(f.WAPEOfFloor, 2), decimal(f.MSEOfRolling, 2), hardest(f), percent(f.Reversals))
	}
	return m.String()
}

// hardest is the pinball loss over that of the estimator that comes closest.
func hardest(f simulate.Forecast) string {
	all := others(f)
	if len(all) == 0 {
		return "–"
	}
	return decimal(f.PinballOf[all[0]], 2) + " (" + text(all[0]) + ")"
}
