package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rendergate/rendergate/server/simulate"
)

// row is one policy in the table of a scenario.
type row struct {
	Title, Name string
	Role        string // ours, rival or oracle: a class of the style
	Cells       []cell
}

// cell has a second line in small letters.
type cell struct{ Text, Sub string }

// column is one figure of a policy.
type column struct {
	heading
	cell func(simulate.Policy) cell
}

func columns() []column {
	return []column{
		{heading{"load", "95\u00a0% interval", "Mean demand of each host's fullest resource."}, ranged("load", func(p simulate.Policy) float64 { return p.Load })},
		{heading{"of O2's", "95\u00a0% interval", "Load over the second oracle's, at the same share of time over the threshold."}, ranged("load_of_o2", func(p simulate.Policy) float64 { return p.LoadOfO2 })},
		{heading{"of O1's", "95\u00a0% interval", "Load over the first oracle's."}, ranged("load_of_o1", func(p simulate.Policy) float64 { return p.LoadOfO1 })},
		{heading{"over threshold", "95\u00a0% interval", "Share of the hosts' time with a resource over its threshold."}, ranged("over_threshold", func(p simulate.Policy) float64 { return p.OverThreshold })},
		{heading{"over full", "by admission", "Share of time with a resource over 100\u00a0%; below, what would not be without a session that was admitted."}, func(p simulate.Policy) cell { return cell{percent(p.OverFull), percent(p.OverFullByAdmission)} }},
		{heading{"depth, most", "mean", "How far over the threshold, as a share of the resource."}, func(p simulate.Policy) cell { return cell{percent(p.DepthMost), percent(p.DepthMean)} }},
		{heading{"overshoot", "P95", "How long the time over the threshold lasts, in nineteen of twenty cases at most."}, func(p simulate.Policy) cell { return cell{span(p.OvershootP95S), ""} }},
		{heading{"false refusals", "O2's at the same risk", "Share of the decisions on whoever is first in line; below, the second oracle's where it is over the threshold for as long: who does not know the future cannot do much better."}, refusals},
		{heading{"idle", "while waiting", "What is unused up to the threshold while somebody waits."}, func(p simulate.Policy) cell { return cell{percent(p.IdleWhileWaiting), ""} }},
		{heading{"wait P50", "P90", "Half wait no longer; below, nine in ten."}, func(p simulate.Policy) cell { return cell{span(p.WaitP50S), span(p.WaitP90S)} }},
		{heading{"wait P95", "P99", "Nineteen in twenty wait no longer; below, 99 in 100."}, func(p simulate.Policy) cell { return cell{span(p.WaitP95S), span(p.WaitP99S)} }},
		{heading{"gave up", "", "Share of those who came."}, func(p simulate.Policy) cell { return cell{percent(p.GaveUp), ""} }},
		{heading{"flips", "an hour", "How often a host opened or closed."}, func(p simulate.Policy) cell { return cell{decimal(p.FlipsPerHour, 1), ""} }},
		{heading{"offers wasted", "", "Share of the offers that nobody took up."}, func(p simulate.Policy) cell { return cell{percent(p.OffersWasted), ""} }},
		{heading{"overtakes", "", "How often somebody was seated before another who had come earlier."}, func(p simulate.Policy) cell { return cell{fmt.Sprint(p.Overtakes), ""} }},
		{heading{"violations", "", "Of hard budgets, the order and seats, over all seeds."}, func(p simulate.Policy) cell { return cell{fmt.Sprint(p.Violations), ""} }},
		{heading{"seated", "", "How many got a seat, over all seeds."}, func(p simulate.Policy) cell { return cell{fmt.Sprint(p.Seated), ""} }},
	}
}

func headings() []heading {
	var all []heading
	for _, c := range columns() {
		all = append(all, c.heading)
	}
	return all
}

// ranged is a figure with its interval below.
func ranged(name string, of func(simulate.Policy) float64) func(simulate.Policy) cell {
	return func(p simulate.Policy) cell { return cell{percent(of(p)), interval(p, name)} }
}

func interval(p simulate.Policy, name string) string {
	r, there := p.Intervals[name]
	if !there || !finite(r.Low, r.High) {
		return ""
	}
	return percent(r.Low) + " to " + percent(r.High)
}

func refusals(p simulate.Policy) cell {
	return cell{percent(p.FalseRefusals), percent(p.FalseRefusalsOfO2)}
}

// roleOf is one of the three, whatever the result says.
func roleOf(p simulate.Policy) string {
	switch p.Role {
	case simulate.RoleOurs, simulate.RoleOracle:
		return string(p.Role)
	}
	return string(simulate.RoleRival)
}

// ordered are the policies, ours first and oracles last.
func ordered(s simulate.Scenario) []simulate.Policy {
	place := map[simulate.Role]int{simulate.RoleOurs: -1, simulate.RoleOracle: 1}
	all := slices.Clone(s.Policies)
	slices.SortStableFunc(all, func(a, b simulate.Policy) int { return cmp.Compare(place[a.Role], place[b.Role]) })
	return all
}

// mostPolicies of one scenario are listed.
const mostPolicies = 100

func rows(s simulate.Scenario) []row {
	all := ordered(s)
	var out []row
	for _, p := range all[:min(len(all), mostPolicies)] {
		x := row{Title: title(p), Name: plain(p.Name), Role: roleOf(p)}
		for _, c := range columns() {
			x.Cells = append(x.Cells, c.cell(p))
		}
		out = append(out, x)
	}
	return out
}

// forecast is how well waits were foretold, in words.
type forecast struct {
	Facts   []fact
	Buckets []bucket
}

type bucket struct{ Positions, Quotes, P50, P90 string }

// mostBuckets of positions are listed.
const mostBuckets = 100

func forecastOf(f simulate.Forecast) *forecast {
	if f.Quotes <= 0 && len(f.Buckets) == 0 {
		return nil
	}
	out := &forecast{Facts: []fact{
		{"first forecasts", fmt.Sprintf("%d, and %s of those who waited were told nothing", f.Quotes, percent(f.Unknown))},
		{"P50 covers", percent(f.CoverageP50) + " of the waits (50\u00a0% would be right)"},
		{"P90 covers", percent(f.CoverageP90) + " of the waits (90\u00a0% would be right)"},
		{"absolute error (WAPE)", decimal(f.WAPEOfFloor, 2) + " times the least that is possible for known rates"},
		{"squared error (MSE)", decimal(f.MSEOfRolling, 2) + " times that of the best rolling average"},
	}}
	for _, o := range others(f) {
		out.Facts = append(out.Facts, fact{"pinball loss", decimal(f.PinballOf[o], 2) + " times that of " + plain(o)})
	}
	out.Facts = append(out.Facts, fact{"reversals", percent(f.Reversals) + " of the minutes shown, in which the wait rose by more than a fifth"})
	for _, b := range f.Buckets[:min(len(f.Buckets), mostBuckets)] {
		out.Buckets = append(out.Buckets, bucket{positions(b), fmt.Sprint(b.Quotes), percent(b.CoverageP50), percent(b.CoverageP90)})
	}
	return out
}

// others are the estimators that the forecast was compared to, the hardest to
// beat first.
func others(f simulate.Forecast) []string {
	var all []string
	for name := range f.PinballOf {
		all = append(all, name)
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(-cmp.Compare(f.PinballOf[a], f.PinballOf[b]), cmp.Compare(a, b))
	})
	return all[:min(len(all), mostPolicies)]
}

func positions(b simulate.Bucket) string {
	switch {
	case b.From == b.To:
		return fmt.Sprint(b.From)
	case b.To < b.From || b.To >= 1e6:
		return fmt.Sprintf("%d and more", b.From)
	}
	return fmt.Sprintf("%d to %d", b.From, b.To)
}
