package simulate

import (
	"fmt"
	"math"
	"strings"
)

// Verdict is whether a goal is reached.
type Verdict string

// The verdicts.
const (
	Reached Verdict = "reached"
	Missed  Verdict = "missed"
	Exempt  Verdict = "does not apply"
	Unknown Verdict = "not known" // there is nothing to judge by
)

// Names of goals. All but the curve are JSON names of [Policy].
const (
	GoalLoadOfO2      = "load_of_o2"
	GoalLoadOfO1      = "load_of_o1"
	GoalOver          = "over_threshold"
	GoalOverFull      = "over_full_by_admission"
	GoalFalseRefusals = "false_refusals"
	GoalViolations    = "violations"
	GoalCurve         = "curve"
)

// Goal is one thing that is asked of the product's rule, and what it came to in
// one scenario.
type Goal struct {
	Name    string
	AtLeast bool    // else at most
	Limit   float64 // a share of 1; of violations, their number; of the curve, [Tolerance]
	// Got is what it came to; of the curve, the largest shortfall against a rival,
	// as a share of the rival's load.
	Got     float64
	Verdict Verdict
	// Unsure: the 95 % interval reaches over the limit, so that other seeds may
	// turn the verdict.
	Unsure bool
	Note   string // what else there is to say, in words
}

// Ours is the product's rule; false where the scenario has none.
func (s Scenario) Ours() (Policy, bool) {
	for _, p := range s.Policies {
		if p.Role == RoleOurs {
			return p, true
		}
	}
	return Policy{}, false
}

// Rivals are the policies that are neither ours nor an oracle.
func (s Scenario) Rivals() []Policy {
	var all []Policy
	for _, p := range s.Policies {
		if p.Role != RoleOurs && p.Role != RoleOracle {
			all = append(all, p)
		}
	}
	return all
}

// asked is a goal before anything came of it.
type asked struct {
	name  string
	least bool
	limit func(periodS float64) float64
	// until is the longest sample period it is asked at: who sees less cannot
	// promise as much.
	until float64
	got   func(Policy) float64
}

func goals() []asked {
	is := func(limit float64) func(float64) float64 { return func(float64) float64 { return limit } }
	ever := math.Inf(1)
	return []asked{
		{GoalLoadOfO2, true, is(0.95), ever, func(p Policy) float64 { return known(p.LoadOfO2) }},
		{GoalLoadOfO1, true, is(0.90), 1, func(p Policy) float64 { return known(p.LoadOfO1) }},
		{GoalOver, false, mostOver, ever, func(p Policy) float64 { return p.OverThreshold }},
		{GoalOverFull, false, is(0), 2, func(p Policy) float64 { return p.OverFullByAdmission }},
		{GoalFalseRefusals, false, is(0.03), ever, func(p Policy) float64 { return p.FalseRefusals }},
		{GoalViolations, false, is(0), ever, func(p Policy) float64 { return float64(p.Violations) }},
	}
}

// mostOver is the share of time over the threshold that is asked for: an
// operator's 1 %, and twice as much where the rule sees a host twice a minute or
// less.
func mostOver(periodS float64) float64 {
	if periodS >= 30 {
		return 0.02
	}
	return 0.01
}

// known makes no number of a comparison that was not made.
func known(share float64) float64 {
	if share <= 0 {
		return math.NaN()
	}
	return share
}

// Goals are all that is asked of the product's rule, always the same in the same
// order, with what became of them here.
func (s Scenario) Goals() []Goal {
	ours, there := s.Ours()
	var all []Goal
	for _, a := range goals() {
		g := Goal{Name: a.name, AtLeast: a.least, Limit: a.limit(s.SamplePeriodS), Got: math.NaN()}
		if there {
			g.Got = a.got(ours)
		}
		g.judge(a, s.SamplePeriodS, ours.Intervals)
		all = append(all, g)
	}
	return append(all, s.curveGoal(ours))
}

func (g *Goal) judge(a asked, periodS float64, intervals map[string]Range) {
	switch {
	case !(periodS <= a.until):
		g.Verdict = Exempt
		return
	case math.IsNaN(g.Got) || math.IsInf(g.Got, 0):
		g.Verdict = Unknown
		return
	}
	g.Verdict = Missed
	if g.holds(g.Got) {
		g.Verdict = Reached
	}
	if r, there := intervals[g.Name]; there {
		g.Unsure = g.holds(r.Low) != g.holds(r.High)
	}
}

func (g *Goal) holds(v float64) bool {
	if g.AtLeast {
		return v >= g.Limit
	}
	return v <= g.Limit
}

// curveGoal is that our loss-load curve is on or beyond every rival's.
func (s Scenario) curveGoal(ours Policy) Goal {
	g := Goal{Name: GoalCurve, Limit: Tolerance, Got: math.NaN(), Verdict: Unknown}
	var apart []string
	for _, r := range s.Rivals() {
		if len(r.Curve) == 0 || len(ours.Curve) == 0 {
			continue
		}
		c := Dominates(ours.Curve, r.Curve)
		if !c.Compared {
			apart = append(apart, r.Name)
			continue
		}
		g.against(r, c)
	}
	if len(apart) > 0 {
		g.say("not comparable, for they share no level of time over the threshold: " + strings.Join(apart, ", "))
	}
	return g
}

// against takes in how our curve lies against one more rival's.
func (g *Goal) against(r Policy, c Comparison) {
	short := c.Worst.Shortfall()
	if math.IsNaN(g.Got) || short > g.Got {
		g.Got = short
	}
	if c.Holds() {
		if g.Verdict == Unknown {
			g.Verdict = Reached
		}
		return
	}
	g.Verdict = Missed
	w := c.Worst
	g.say(fmt.Sprintf("behind %s by up to %.1f %%: at %.2g %% of time over, %.1f %% against %.1f %%", r.Name, 100*short, 100*w.OverThreshold, 100*w.Ours, 100*w.Rival))
}

func (g *Goal) say(text string) {
	if g.Note != "" {
		g.Note += "; "
	}
	g.Note += text
}
