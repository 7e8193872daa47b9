package report

import (
	"math"

	"github.com/rendergate/rendergate/server/simulate"
)

// sample is a result made by hand: it is shaped as one of the program's, and
// none of its figures was measured.
func sample() simulate.Result {
	r := simulate.Result{Version: "v0.9.0-12-gabc", Set: "standard", Seeds: 20, FirstSeed: 1, TookS: 754, Speed: 12345}
	for i, s := range []struct {
		name, about string
		period      float64
		over        float64
	}{
		{"steady", "Arrivals come evenly, a little more than there is room for.", 1, 0.0062},
		{"rush", "A link is shared: 300 people within a minute.", 1, 0.0081},
		{"slow-samples", "As steady, but a host is heard of twice a minute.", 30, 0.0143},
		{"heavy-tails", "Every tenth session takes three times as much as the profile says.", 5, 0.0137},
	} {
		r.Scenarios = append(r.Scenarios, scenario(i, s.name, s.about, s.period, s.over))
	}
	return r
}

func scenario(i int, name, about string, period, over float64) simulate.Scenario {
	ours := policy("rendergate", simulate.RoleOurs, "Rendergate", "this project", 0.815, over, 0)
	ours.LoadOfO2, ours.LoadOfO1, ours.FalseRefusals = 0.968-0.01*float64(i), 0.923-0.01*float64(i), 0.012+0.004*float64(i)
	ours.Intervals = map[string]simulate.Range{
		"load": {Mean: 0.815, Low: 0.812, High: 0.818}, "over_threshold": {Mean: over, Low: over - 0.002, High: over + 0.002},
		"load_of_o2": {Mean: ours.LoadOfO2, Low: ours.LoadOfO2 - 0.004, High: ours.LoadOfO2 + 0.004},
	}
	oracle1 := policy("o1", simulate.RoleOracle, "Oracle that knows what comes", "Bashir et al., Take it to the limit, EuroSys 2021", 0.88, 0, 0)
	oracle1.Curve = nil
	last := policy("last-sample", simulate.RoleRival, "Newest sample under the threshold", "usual practice", 0.83, 0.11, -0.045)
	if i == 3 {
		last.Curve[6].Load = 0.87
	}
	ewma := policy("ewma", simulate.RoleRival, "Smoothed load", "usual practice", 0.8, 0.07, -0.06)
	sum := policy("measured-sum", "", "Measured sum", "Jamin, Danzig, Shenker, Zhang 1997", 0.79, 0.013, -0.025)
	hoeffding := policy("hoeffding", simulate.RoleRival, "Hoeffding bound", "Floyd 1996", 0.74, 0.002, -0.06)
	seats := policy("fixed-seats", simulate.RoleRival, "A fixed number of seats", "usual practice", 0.55, 0, -0.2)
	seats.Curve = simulate.Curve{{Knob: 4, Load: 0.42}, {Knob: 5, Load: 0.55, Default: true}, {Knob: 6, Load: 0.66, OverThreshold: 0.0004}, {Knob: 7, Load: 0.77, OverThreshold: 0.09}}
	return simulate.Scenario{
		Name: name, About: about, SamplePeriodS: period, Threshold: 0.85, Forecast: foretold(),
		Policies: []simulate.Policy{oracle1, policy("o2", simulate.RoleOracle, "Oracle of the present", "this project", 0.84, 0.008, 0.02), last, ewma, ours, sum, hoeffding, seats},
	}
}

// policy has a curve that bends as such curves do, moved to the side.
func policy(name string, role simulate.Role, title, source string, load, over, aside float64) simulate.Policy {
	p := simulate.Policy{
		Name: name, Role: role, Title: title, Source: source, Load: load, OverThreshold: over, LoadOfO1: load / 0.88, LoadOfO2: load / 0.84,
		OverFull: over / 9, DepthMost: 0.12, DepthMean: 0.021, OvershootP95S: 14.2, FalseRefusals: 0.08, ForeseenRefusals: 0.1, IdleWhileWaiting: 0.041,
		WaitP50S: 42, WaitP90S: 187, WaitP95S: 263, WaitP99S: 4012, GaveUp: 0.083, FlipsPerHour: 11.3, Overtakes: 0, OffersWasted: 0.034, Seated: 48211,
	}
	for i := range 8 {
		knob := 0.70 + 0.04*float64(i)
		p.Curve = append(p.Curve, simulate.Point{
			Knob: knob, Load: knob - 0.02 + aside - 0.008*float64(max(0, i-4)), OverThreshold: math.Max(0, math.Pow(10, float64(i)/2-3.6)-0.0003), Default: i == 4,
		})
	}
	return p
}

func foretold() simulate.Forecast {
	f := simulate.Forecast{
		Quotes: 18211, Unknown: 0.013, CoverageP50: 0.512, CoverageP90: 0.907, WAPEOfFloor: 1.08, MSEOfRolling: 0.64, Reversals: 0.021,
		PinballOf: map[string]float64{"rolling-10": 0.71, "littles-law": 0.88, "last-wait": 0.42},
	}
	for i, to := range []int{1, 3, 10, 30, 0} {
		f.Buckets = append(f.Buckets, simulate.Bucket{From: []int{1, 2, 4, 11, 31}[i], To: to, Quotes: 4000 - 700*i, CoverageP50: 0.49 + 0.01*float64(i), CoverageP90: 0.9 + 0.004*float64(i)})
	}
	return f
}
