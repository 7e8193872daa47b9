package report

import (
	"fmt"
	"strings"

	"github.com/rendergate/rendergate/server/simulate"
)

// goalHeadings are in the order of [simulate.Scenario.Goals].
func goalHeadings() []heading {
	return []heading{
		{"load of O2", "at least 95\u00a0%", "The load that the rule carries, over that of the second oracle at the same share of time over the threshold: it sees the present without lag or noise and knows what a session takes on average."},
		{"load of O1", "at least 90\u00a0%, with samples every 1\u00a0s", "The load over that of the first oracle, which knows what each session will take, and for how long."},
		{"time over the threshold", "at most 1\u00a0%; 2\u00a0% with samples of 30\u00a0s and more", "The share of the hosts' time in which a resource is over its threshold."},
		{"over full by admission", "never, with samples every 2\u00a0s or less", "The share of the hosts' time in which a resource is over 100\u00a0%, and would not be without a session that was admitted."},
		{"false refusals", "at most 3\u00a0%", "The share of the decisions on whoever is first in line that say no although there was room."},
		{"violations", "none", "How often a hard budget, the order or the number of seats was broken, over all seeds."},
		{"loss-load curve", "on or beyond every rival's", "The largest shortfall of load against a rival's at the same share of time over the threshold, linear between the settings of each; up to 0.5\u00a0% of the rival's load counts as on it."},
	}
}

// summaryRow is one scenario against the goals.
type summaryRow struct {
	ID, Name string
	Cells    []verdict
}

// verdict is one goal in words.
type verdict struct {
	Got, Says string
	Class     string // reached, missed or none
}

func summaryRowOf(id string, s simulate.Scenario) summaryRow {
	x := summaryRow{ID: id, Name: plain(s.Name)}
	for _, g := range s.Goals() {
		x.Cells = append(x.Cells, verdictOf(g))
	}
	return x
}

func verdictOf(g simulate.Goal) verdict {
	v := verdict{Got: got(g), Says: string(g.Verdict), Class: "none"}
	switch g.Verdict {
	case simulate.Reached:
		v.Class = "reached"
	case simulate.Missed:
		v.Class = "missed"
	case simulate.Unknown:
		v.Got = "–"
	}
	if g.Unsure {
		v.Says += ", within the noise"
	}
	return v
}

// got is what a goal came to.
func got(g simulate.Goal) string {
	switch {
	case !finite(g.Got):
		return unknown
	case g.Name == simulate.GoalViolations:
		return decimal(g.Got, 0)
	case g.Name != simulate.GoalCurve:
		return percent(g.Got)
	case g.Got <= 0:
		return "beyond"
	case g.Verdict == simulate.Reached:
		return "on it"
	}
	return "behind by " + percent(g.Got)
}

// answer is the result in one sentence.
func answer(r simulate.Result) string {
	good, open := 0, 0
	for _, s := range r.Scenarios {
		miss, unsaid := tally(s)
		if miss == 0 && unsaid == 0 {
			good++
		}
		if miss == 0 && unsaid > 0 {
			open++
		}
	}
	n := len(r.Scenarios)
	if n == 0 {
		return "No scenario was run."
	}
	text := fmt.Sprintf("The rule reaches all its goals in %d of %s", good, count(n, "scenario"))
	if open > 0 {
		text += fmt.Sprintf("; in %d more it misses none, but not every goal could be judged", open)
	}
	return text + "."
}

func tally(s simulate.Scenario) (miss, unsaid int) {
	for _, g := range s.Goals() {
		switch g.Verdict {
		case simulate.Missed:
			miss++
		case simulate.Unknown:
			unsaid++
		}
	}
	return miss, unsaid
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// missed are the goals that were not reached, one sentence for each scenario.
func missed(r simulate.Result) []string {
	var all []string
	names := goalHeadings()
	for _, s := range r.Scenarios {
		var said []string
		for i, g := range s.Goals() {
			if g.Verdict == simulate.Missed {
				said = append(said, names[i].Name+" "+got(g)+" ("+asked(g)+")")
			}
		}
		if len(said) > 0 {
			all = append(all, plain(s.Name)+": "+strings.Join(said, "; ")+".")
		}
	}
	return all
}

// asked is what a goal asks for, in the scenario at hand.
func asked(g simulate.Goal) string {
	switch {
	case g.Name == simulate.GoalCurve:
		return "asked: within " + exact(g.Limit)
	case g.AtLeast:
		return "asked: at least " + exact(g.Limit)
	case g.Limit == 0:
		return "asked: none"
	}
	return "asked: at most " + exact(g.Limit)
}
