package admission

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/server/simulate/forecast"
)

func towns() []townPlan {
	const n = 1500
	return []townPlan{
		{name: "exponential, steady", hosts: 10, seats: 4, length: exponential(300), mean: 300, rate: always(0.14), rateMost: 0.14, patience: 900, joins: n},
		{name: "exponential, nobody leaves, waves", hosts: 10, seats: 4, length: exponential(300), mean: 300, rate: waves(0.04, 0.20, 7200), rateMost: 0.20, joins: n},
		{name: "exponential, bursts, ignored", hosts: 10, seats: 4, length: exponential(300), mean: 300, rate: bursts(0.06, 0.4, 300, 3), rateMost: 0.4, patience: 1200, ignore: 0.1, joins: n},
		{name: "heavy, steady", hosts: 10, seats: 4, length: heavy(300, 1.2), mean: 300, rate: always(0.14), rateMost: 0.14, patience: 900, joins: n},
		{name: "heavy, bursts, ignored", hosts: 10, seats: 4, length: heavy(300, 1.2), mean: 300, rate: bursts(0.06, 0.4, 300, 3), rateMost: 0.4, patience: 1200, ignore: 0.1, joins: n},
		{name: "capped, waves", hosts: 10, seats: 4, length: exponential(600), mean: 379, limit: 600 * time.Second, rate: waves(0.04, 0.16, 7200), rateMost: 0.16, patience: 1800, joins: n},
		{name: "capped, few seats", hosts: 2, seats: 2, length: exponential(600), mean: 379, limit: 600 * time.Second, rate: always(0.012), rateMost: 0.012, patience: 1800, joins: n},
		{name: "exponential, few seats", hosts: 2, seats: 2, length: exponential(300), mean: 300, rate: always(0.014), rateMost: 0.014, patience: 1500, joins: n},
	}
}

// TestForecastsHold lives in several towns and scores what people were told
// first. See docs/rule.md for what the columns mean.
func TestForecastsHold(t *testing.T) {
	var all []forecast.Quote
	for _, plan := range towns() {
		t.Run(plan.name, func(t *testing.T) {
			began := time.Now()
			w := plan.live(t, 1)
			all = append(all, report(t, w)...)
			t.Logf("%s, %.1f h, queue unknown %d", time.Since(began).Round(time.Millisecond), w.now/3600, w.unknown)
			w.watch(t)
		})
	}
	coverage(t, all, "all towns")
}

func (w *town) watch(t *testing.T) {
	t.Logf("shown: %.2f %% of %d minutes with a rise of more than 20 %%", 100*w.shown.Share(), w.shown.Minutes)
	c := w.p.apps["app"].course
	t.Logf("shifts %.2f leaving %.5f course %+v", c.Shifts, c.leaving(), c.Offers)
}

func coverage(t *testing.T, quotes []forecast.Quote, name string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d quotes: P50 %.1f P90 %.1f |", name, len(quotes), 100*forecast.Coverage(quotes, 0), 100*forecast.Coverage(quotes, 1))
	for _, g := range forecast.Groups() {
		list := g.Of(quotes)
		fmt.Fprintf(&b, " %d+: %.1f %.1f (%d)", g.From, 100*forecast.Coverage(list, 0), 100*forecast.Coverage(list, 1), len(list))
	}
	t.Log(b.String())
}

func report(t *testing.T, w *town) []forecast.Quote {
	quotes := w.scored()
	coverage(t, quotes, w.name)
	ours, floor := forecast.ErrorsOf(quotes, forecast.Told(quotes)), forecast.Floor(quotes)
	mse, n := forecast.BestAverage(quotes)
	t.Logf("WAPE %.3f floor %.3f ratio %.3f; MSE %.3g of the best average over %d; pinball %.1f %.1f", ours.WAPE, floor, ours.WAPE/floor, ours.MSE/mse, n, ours.Pinball[0], ours.Pinball[1])
	for _, r := range forecast.Rivals(quotes) {
		e := forecast.ErrorsOf(quotes, r.At)
		t.Logf("  %-18s WAPE %.3f pinball %.1f %.1f", r.Name, e.WAPE, e.Pinball[0], e.Pinball[1])
	}
	return quotes
}
