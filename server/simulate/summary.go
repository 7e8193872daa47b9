package simulate

import (
	"cmp"
	"slices"

	"github.com/rendergate/rendergate/server/simulate/world"
)

// summary is what a subject came to. Outcomes are by seed and run.
func (p *plan) summary(x subject, outcomes [][]*outcome) Scenario {
	out := Scenario{
		Name: x.config.Name, About: x.about, SamplePeriodS: x.config.Probe.PeriodS, Threshold: x.config.Threshold,
	}
	yard := yardstick{
		o1: each(p.of(oracle1, outcomes), (*outcome).load),
		o2: p.settings(oracle2, outcomes),
	}
	for _, g := range p.gates {
		if !g.shown {
			continue
		}
		policy := p.policy(g, p.of(g.name, outcomes), yard)
		policy.Curve = p.curve(g, outcomes)
		out.Policies = append(out.Policies, policy)
		if g.name == product {
			out.Forecast = foretold(tallies(p.of(g.name, outcomes)))
		}
	}
	return out
}

// of are the runs of a policy at its own setting, by seed.
func (p *plan) of(name string, outcomes [][]*outcome) []*outcome {
	n := slices.IndexFunc(p.runs, func(s setting) bool { return p.gates[s.gate].name == name && s.own })
	return column(outcomes, n)
}

// settings are the runs of a policy at each setting of its knob, by seed.
func (p *plan) settings(name string, outcomes [][]*outcome) [][]*outcome {
	var all [][]*outcome
	for n, s := range p.runs {
		if p.gates[s.gate].name == name {
			all = append(all, column(outcomes, n))
		}
	}
	return all
}

func column(outcomes [][]*outcome, n int) []*outcome {
	list := make([]*outcome, len(outcomes))
	for seed := range outcomes {
		list[seed] = outcomes[seed][n]
	}
	return list
}

func tallies(runs []*outcome) []*world.Tally {
	list := make([]*world.Tally, len(runs))
	for i, o := range runs {
		list[i] = o.tally
	}
	return list
}

// policy is what one came to. Waits, overshoots and the deepest load are of all
// seeds together, counts are sums, and all else means of the seeds' figures.
func (p *plan) policy(g gate, runs []*outcome, yard yardstick) Policy {
	waits := pooled(runs, func(t *world.Tally) []float64 { return t.Waits })
	overshoots := pooled(runs, func(t *world.Tally) []float64 { return t.Overshoots })
	average := func(of func(*outcome) float64) float64 { return mean(each(runs, of)) }
	out := Policy{
		Name: g.name, Role: g.role, Title: g.title, Source: g.source,
		Load: average((*outcome).load), OverThreshold: average((*outcome).over),
		OverFull: average((*outcome).full), OverFullByAdmission: average((*outcome).ourFault),
		DepthMean: average((*outcome).depth), OvershootP95S: quantile(overshoots, 0.95),
		FalseRefusals: average((*outcome).refusals), FalseRefusalsOfO2: yard.refusalsOfO2(runs), ForeseenRefusals: average((*outcome).foreseen),
		IdleWhileWaiting: average((*outcome).idle), GaveUp: average((*outcome).gaveUp),
		WaitP50S: quantile(waits, 0.5), WaitP90S: quantile(waits, 0.9), WaitP95S: quantile(waits, 0.95), WaitP99S: quantile(waits, 0.99),
		FlipsPerHour: average((*outcome).flips), OffersWasted: average((*outcome).wasted),
	}
	for _, o := range runs {
		out.DepthMost = max(out.DepthMost, o.tally.DepthMost)
		out.Overtakes += o.tally.Overtakes
		out.Violations += o.tally.Violations
		out.Seated += o.tally.Granted
	}
	out.Intervals = map[string]Range{
		"load": interval(each(runs, (*outcome).load)), "over_threshold": interval(each(runs, (*outcome).over)),
		"false_refusals": interval(each(runs, (*outcome).refusals)),
		"load_of_o1":     yard.byO1(runs), "load_of_o2": yard.byO2(runs),
	}
	out.LoadOfO1, out.LoadOfO2 = out.Intervals["load_of_o1"].Mean, out.Intervals["load_of_o2"].Mean
	return out
}

// curve is the policy's own curve, by its knob; nil where it was not swept.
func (p *plan) curve(g gate, outcomes [][]*outcome) Curve {
	var points Curve
	for n, s := range p.runs {
		if p.gates[s.gate].name == g.name {
			runs := column(outcomes, n)
			runs = runs[:p.sweepSeeds()] // one curve is of one crowd
			points = append(points, Point{
				Knob: s.knob, Load: mean(each(runs, (*outcome).load)),
				OverThreshold: mean(each(runs, (*outcome).over)), Default: s.own,
			})
		}
	}
	if len(points) < 2 {
		return nil
	}
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.Knob, b.Knob) })
	return points
}
