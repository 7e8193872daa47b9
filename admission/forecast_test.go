package admission

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/server/simulate/forecast"
)

// towns are places with sessions of several lengths, several ways of coming, and
// people who leave or do not answer. In each, so many come as joins says.
func towns(joins int) []townPlan {
	exp, lognormal, capped := exponential(300), heavy(300, 1.2), exponential(600)
	const limit, cappedMean = 600 * time.Second, 600 * (1 - 1/math.E)
	list := []townPlan{
		{name: "exponential", length: exp, mean: 300, rate: always(0.14), patience: 900},
		{name: "exponential, hosts come and go", length: exp, mean: 300, rate: always(0.13), patience: 900, drains: true},
		{name: "exponential, waves, all stay", length: exp, mean: 300, rate: waves(0.04, 0.20, 7200)},
		{name: "exponential, bursts, ignored", length: exp, mean: 300, rate: bursts(0.06, 0.4, 300, 3), patience: 1200, ignore: 0.1},
		{name: "heavy", length: lognormal, mean: 300, rate: always(0.14), patience: 900, known: true},
		{name: "heavy, bursts, ignored", length: lognormal, mean: 300, rate: bursts(0.06, 0.4, 300, 3), patience: 1200, ignore: 0.1, known: true},
		{name: "capped, waves", length: capped, mean: cappedMean, limit: limit, rate: waves(0.04, 0.16, 7200), patience: 1800},
		{name: "capped, few seats", hosts: 2, seats: 2, length: capped, mean: cappedMean, limit: limit, rate: always(0.012), patience: 1800},
		{name: "exponential, few seats", hosts: 2, seats: 2, length: exp, mean: 300, rate: always(0.014), patience: 1500},
	}
	for i := range list {
		p := &list[i]
		p.joins = joins / 2
		if p.hosts == 0 {
			p.hosts, p.seats, p.joins = 10, 4, joins
		}
	}
	return list
}

// judged is how many quotes there must be in all for the goals to be judged:
// the waits of one queue are much alike, so that shares of fewer mean little.
const judged = 8000

// TestForecastsHold lives in several towns and scores what people were told
// first, and what they were shown meanwhile. Set RENDERGATE_TOWN_JOINS for more
// people in each.
func TestForecastsHold(t *testing.T) {
	joins := townJoins
	if set := os.Getenv("RENDERGATE_TOWN_JOINS"); set != "" {
		var err error
		if joins, err = strconv.Atoi(set); err != nil || joins < 1 {
			t.Fatalf("RENDERGATE_TOWN_JOINS is %q: a number above 0 is expected", set)
		}
	}
	var all []forecast.Quote
	var scores []townScore
	for _, plan := range towns(joins) {
		s := plan.score(t)
		t.Log(s.String())
		all, scores = append(all, s.quotes...), append(scores, s)
	}
	t.Log(covered("all towns", all))
	if len(all) < judged {
		t.Logf("the goals are not judged by %d quotes; %d are needed", len(all), judged)
		return
	}
	for _, s := range scores {
		s.judge(t)
	}
	judgeCoverage(t, all)
}

// townScore is what the people of one town were told, and how it compares.
type townScore struct {
	plan    townPlan
	quotes  []forecast.Quote
	shown   forecast.Reversals
	unknown int
	ours    forecast.Errors
	floor   float64
	rivals  map[string]forecast.Errors
	average float64 // squared error of the best rolling average
	over    int
}

func (c townPlan) score(t *testing.T) townScore {
	w := c.live(t, 1)
	s := townScore{plan: c, quotes: w.scored(), shown: w.shown, unknown: w.unknown, rivals: map[string]forecast.Errors{}}
	s.ours, s.floor = forecast.ErrorsOf(s.quotes, forecast.Told(s.quotes)), forecast.Floor(s.quotes)
	if c.known {
		c.told = true
		quotes := c.live(t, 1).scored()
		s.floor = forecast.ErrorsOf(quotes, forecast.Told(quotes)).WAPE
	}
	for _, r := range forecast.Rivals(s.quotes) {
		s.rivals[r.Name] = forecast.ErrorsOf(s.quotes, r.At)
	}
	s.average, s.over = forecast.BestAverage(s.quotes)
	return s
}

func (s townScore) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  WAPE %.3f, %.2f of the floor %.3f; squared error %.2f of the best rolling average's (over %d)\n",
		covered(s.plan.name, s.quotes), s.ours.WAPE, s.ours.WAPE/s.floor, s.floor, s.ours.MSE/s.average, s.over)
	fmt.Fprintf(&b, "  shown: it rose in %.2f %% of %d minutes; unknown to %d; pinball loss %.1f, %.1f s",
		100*s.shown.Share(), s.shown.Minutes, s.unknown, s.ours.Pinball[0], s.ours.Pinball[1])
	for _, name := range sorted(s.rivals) {
		fmt.Fprintf(&b, "; %s %.1f, %.1f", name, s.rivals[name].Pinball[0], s.rivals[name].Pinball[1])
	}
	return b.String()
}

// covered tells the shares of waits that were within P50 and P90, of all and by
// position.
func covered(name string, quotes []forecast.Quote) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d quotes, %.1f and %.1f %% held; by position", name, len(quotes),
		100*forecast.Coverage(quotes, 0), 100*forecast.Coverage(quotes, 1))
	for _, g := range forecast.Groups() {
		if list := g.Of(quotes); len(list) > 0 {
			fmt.Fprintf(&b, ", %d+ (%d): %.1f %.1f", g.From, len(list), 100*forecast.Coverage(list, 0), 100*forecast.Coverage(list, 1))
		}
	}
	return b.String()
}

// judge holds the town against the goals that a single town can show.
func (s townScore) judge(t *testing.T) {
	t.Helper()
	if r := s.ours.WAPE / s.floor; r > 1.15 {
		t.Errorf("%s: the error is %.2f times its floor", s.plan.name, r)
	}
	if r := s.ours.MSE / s.average; r > 0.7 {
		t.Errorf("%s: the squared error is %.2f of that of the best rolling average", s.plan.name, r)
	}
	if r := s.shown.Share(); r > 0.02 {
		t.Errorf("%s: what is shown rose in %.1f %% of minutes", s.plan.name, 100*r)
	}
	for name, e := range s.rivals {
		for j, level := range forecast.Levels() {
			if s.ours.Pinball[j] >= e.Pinball[j] {
				t.Errorf("%s: at %v the pinball loss is %.2f, and %s has %.2f", s.plan.name, level, s.ours.Pinball[j], name, e.Pinball[j])
			}
		}
	}
}

// judgeCoverage holds all first quotes against the goals.
func judgeCoverage(t *testing.T, quotes []forecast.Quote) {
	t.Helper()
	for j, level := range forecast.Levels() {
		if c := forecast.Coverage(quotes, j); math.Abs(c-level) > [2]float64{0.03, 0.02}[j] {
			t.Errorf("%.1f %% of waits were within what was told for %v", 100*c, level)
		}
		for _, g := range forecast.Groups() {
			if c := forecast.Coverage(g.Of(quotes), j); math.Abs(c-level) > 0.05 {
				t.Errorf("from position %d on, %.1f %% of waits were within what was told for %v", g.From, 100*c, level)
			}
		}
	}
}
