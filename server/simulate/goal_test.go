package simulate

import (
	"math"
	"strings"
	"testing"
)

// good is a scenario in which all goals are reached.
func good() Scenario {
	return Scenario{Name: "rush", SamplePeriodS: 1, Policies: []Policy{
		{
			Name: "rendergate", Role: RoleOurs, LoadOfO2: 0.97, LoadOfO1: 0.92, OverThreshold: 0.008, FalseRefusals: 0.02,
			Curve: curveOf(0.001, 0.78, 0.02, 0.84),
		},
		{Name: "latest", Role: RoleRival, Curve: curveOf(0.001, 0.7, 0.02, 0.8)},
		{Name: "seats", Curve: curveOf(0, 0.5)},
		{Name: "o1", Role: RoleOracle, Curve: curveOf(0.001, 0.9, 0.02, 0.95)},
	}}
}

func TestGoals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *Scenario, ours *Policy)
		goal   string
		want   Verdict
	}{
		"load of O2":                    {nil, GoalLoadOfO2, Reached},
		"less load of O2":               {func(_ *Scenario, p *Policy) { p.LoadOfO2 = 0.949 }, GoalLoadOfO2, Missed},
		"no O2":                         {func(_ *Scenario, p *Policy) { p.LoadOfO2 = 0 }, GoalLoadOfO2, Unknown},
		"load of O1":                    {nil, GoalLoadOfO1, Reached},
		"less load of O1":               {func(_ *Scenario, p *Policy) { p.LoadOfO1 = 0.89 }, GoalLoadOfO1, Missed},
		"less load of O1, seldom seen":  {func(s *Scenario, p *Policy) { p.LoadOfO1, s.SamplePeriodS = 0.5, 2 }, GoalLoadOfO1, Exempt},
		"over":                          {nil, GoalOver, Reached},
		"over too long":                 {func(_ *Scenario, p *Policy) { p.OverThreshold = 0.0101 }, GoalOver, Missed},
		"over too long, seen at 10 s":   {func(s *Scenario, p *Policy) { p.OverThreshold, s.SamplePeriodS = 0.015, 10 }, GoalOver, Missed},
		"over, seen at 30 s":            {func(s *Scenario, p *Policy) { p.OverThreshold, s.SamplePeriodS = 0.02, 30 }, GoalOver, Reached},
		"over too long, seen at 30 s":   {func(s *Scenario, p *Policy) { p.OverThreshold, s.SamplePeriodS = 0.021, 30 }, GoalOver, Missed},
		"over by no number":             {func(_ *Scenario, p *Policy) { p.OverThreshold = math.NaN() }, GoalOver, Unknown},
		"full":                          {nil, GoalOverFull, Reached},
		"over full":                     {func(s *Scenario, p *Policy) { p.OverFullByAdmission, s.SamplePeriodS = 1e-9, 2 }, GoalOverFull, Missed},
		"over full, seldom seen":        {func(s *Scenario, p *Policy) { p.OverFullByAdmission, s.SamplePeriodS = 0.1, 5 }, GoalOverFull, Exempt},
		"refusals":                      {func(_ *Scenario, p *Policy) { p.FalseRefusals = 0.03 }, GoalFalseRefusals, Reached},
		"too many refusals":             {func(_ *Scenario, p *Policy) { p.FalseRefusals = 0.031 }, GoalFalseRefusals, Missed},
		"violations":                    {func(_ *Scenario, p *Policy) { p.Violations = 1 }, GoalViolations, Missed},
		"curve":                         {nil, GoalCurve, Reached},
		"curve behind an unnamed rival": {func(s *Scenario, _ *Policy) { s.Policies[2].Curve = curveOf(0, 0.5, 0.01, 0.9) }, GoalCurve, Missed},
		"no curve":                      {func(_ *Scenario, p *Policy) { p.Curve = nil }, GoalCurve, Unknown},
		"no rule of ours":               {func(_ *Scenario, p *Policy) { p.Role = RoleRival }, GoalViolations, Unknown},
		"no period":                     {func(s *Scenario, _ *Policy) { s.SamplePeriodS = math.NaN() }, GoalLoadOfO1, Exempt},
	} {
		t.Run(name, func(t *testing.T) {
			s := good()
			if c.change != nil {
				c.change(&s, &s.Policies[0])
			}
			for _, g := range s.Goals() {
				if g.Name == c.goal && g.Verdict != c.want {
					t.Errorf("%s: %s (%v), not %s", g.Name, g.Verdict, g.Got, c.want)
				}
			}
		})
	}
}

func TestAGoalWithinTheNoiseIsUnsure(t *testing.T) {
	s := good()
	s.Policies[0].Intervals = map[string]Range{GoalOver: {0.008, 0.005, 0.011}, GoalLoadOfO2: {0.97, 0.96, 0.98}}
	for _, g := range s.Goals() {
		if g.Unsure != (g.Name == GoalOver) {
			t.Errorf("%s unsure: %t", g.Name, g.Unsure)
		}
	}
}

func TestTheCurveGoalSaysWhere(t *testing.T) {
	s := good()
	s.Policies[1].Curve = curveOf(0, 0.7, 0.02, 0.9)
	all := s.Goals()
	note := all[len(all)-1].Note
	for _, words := range []string{"behind latest by up to 6.7 %: at 2 % of time over, 84.0 % against 90.0 %", "not comparable", "seats"} {
		if !strings.Contains(note, words) {
			t.Errorf("%q does not say %q", note, words)
		}
	}
}
