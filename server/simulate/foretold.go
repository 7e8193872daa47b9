package simulate

import (
	"math"

	"github.com/rendergate/rendergate/server/simulate/forecast"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// foretold is how well the waits of these runs of the product were foretold, by
// what each was told first. Coverage, the floor and the buckets are of all runs
// together; what is compared with other forecasts, which learn from a run's own
// past, is scored run by run and then averaged.
func foretold(runs []*world.Tally) Forecast {
	var f Forecast
	var all []forecast.Quote
	waited, minutes, rises := 0, 0, 0
	versus := newDuel()
	for _, t := range runs {
		quotes := quotesOf(t)
		waited += len(t.Quotes)
		minutes, rises = minutes+t.ShownMinutes, rises+t.ShownReversals
		all = append(all, quotes...)
		versus.fight(quotes)
	}
	f.Quotes = len(all)
	f.Unknown = over(float64(waited-len(all)), float64(waited))
	f.Reversals = over(float64(rises), float64(minutes))
	if len(all) == 0 {
		return f
	}
	f.CoverageP50, f.CoverageP90 = forecast.Coverage(all, 0), forecast.Coverage(all, 1)
	f.WAPEOfFloor = finite(forecast.ErrorsOf(all, forecast.Told(all)).WAPE / forecast.Floor(all))
	f.MSEOfRolling, f.PinballOf = finite(versus.mse/versus.rolling), versus.pinball()
	f.Buckets = buckets(all)
	return f
}

// quotesOf are the quotes of a run, as they are scored.
func quotesOf(t *world.Tally) []forecast.Quote {
	var list []forecast.Quote
	for _, q := range t.Quotes {
		if !q.Known || q.Position < 1 {
			continue
		}
		list = append(list, forecast.Quote{
			At: q.AtS, Position: q.Position, P50S: q.P50S, P90S: q.P90S, WaitedS: q.WaitedS, Left: q.Censored,
			Rate:  forecast.Rate{Freed: q.FreedPerS, Leaves: q.LeavePerS},
			Seats: q.Seats, MeanS: q.LengthS, HeadS: q.HeadS, Served: q.ServedPerS,
		})
	}
	return list
}

func buckets(all []forecast.Quote) []Bucket {
	var list []Bucket
	for _, g := range forecast.Groups() {
		of := g.Of(all)
		if len(of) == 0 {
			continue
		}
		b := Bucket{From: g.From, To: g.To, Quotes: len(of), CoverageP50: forecast.Coverage(of, 0), CoverageP90: forecast.Coverage(of, 1)}
		if g.To == math.MaxInt {
			b.To = 0
		}
		list = append(list, b)
	}
	return list
}

// duel adds up losses of ours and of the others, over runs.
type duel struct {
	mse, rolling float64
	ours, theirs map[string][2]float64 // pinball losses, by the other's name
}

func newDuel() *duel {
	return &duel{ours: map[string][2]float64{}, theirs: map[string][2]float64{}}
}

// fewest quotes of a run that are compared: of fewer, the others learn nothing.
const fewest = 20

func (d *duel) fight(quotes []forecast.Quote) {
	if len(quotes) < fewest {
		return
	}
	told := forecast.Told(quotes)
	if best, _ := forecast.BestAverage(quotes); finite(best) > 0 {
		d.mse += forecast.ErrorsOf(quotes, told).MSE
		d.rolling += best
	}
	for _, r := range forecast.Rivals(quotes) {
		// On the same quotes: the other has none for some.
		ours := forecast.ErrorsOf(quotes, func(i int) [2]float64 {
			if math.IsNaN(r.Points[i]) {
				return r.At(i)
			}
			return told(i)
		}).Pinball
		theirs := forecast.ErrorsOf(quotes, r.At).Pinball
		if sum := ours[0] + ours[1] + theirs[0] + theirs[1]; finite(sum) != sum {
			continue
		}
		d.ours[r.Name] = [2]float64{d.ours[r.Name][0] + ours[0], d.ours[r.Name][1] + ours[1]}
		d.theirs[r.Name] = [2]float64{d.theirs[r.Name][0] + theirs[0], d.theirs[r.Name][1] + theirs[1]}
	}
}

// pinball is our loss over each other's, of the two levels the one at which ours
// is the worse.
func (d *duel) pinball() map[string]float64 {
	of := map[string]float64{}
	for name, theirs := range d.theirs {
		ours := d.ours[name]
		of[name] = finite(max(ours[0]/theirs[0], ours[1]/theirs[1]))
	}
	return of
}

// finite makes 0 of what is no number: JSON has no word for it.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}
