package report

import (
	"math"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/server/simulate"
)

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{percent(0), "0 %"}, {percent(math.Copysign(0, -1)), "0 %"}, {percent(1e-9), "< 0.01 %"}, {percent(0.0062), "0.62 %"}, {percent(0.0137), "1.4 %"}, {percent(1.048), "104.8 %"}, {percent(math.NaN()), "not known"},
		{exact(0.95), "95 %"}, {exact(0.0001), "0.01 %"},
		{span(1), "1 s"}, {span(0.5), "0.5 s"}, {span(30), "30 s"}, {span(42.4), "42 s"}, {span(59.7), "1 min 0 s"}, {span(187), "3 min 7 s"}, {span(4012), "1 h 6 min"}, {span(-1), "not known"}, {span(math.Inf(1)), "not known"},
		{decimal(1.005, 1), "1.0"}, {decimal(-0.01, 1), "0.0"}, {decimal(2e7, 1), "2e+07"},
		{short("measured-sum-of-all", 14), "measured-sum-…"}, {sentence(""), ""}, {sentence("behind it"), "Behind it."},
	} {
		if got := strings.ReplaceAll(c.got, "\u00a0", " "); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	x := loadsOver(0.42, 0.95)
	if x.low != 0.4 || x.high != 1 || x.at(0.4) != plotLeft || x.at(1) != plotRight || len(x.marks()) != 7 {
		t.Errorf("%+v: %v", x, x.marks())
	}
	if same := loadsOver(0.8, 0.8); !(same.low < 0.8 && same.high > 0.8) {
		t.Errorf("%+v", same)
	}
	y := sharesUpTo(0.02)
	if y.most != 0.03 || y.at(0) != plotBottom || y.at(0.03) != plotTop {
		t.Errorf("%+v", y)
	}
	for _, most := range []float64{0, 0.04, 0.2, 0.5, 1} {
		marks := sharesUpTo(most).marks()
		for i := 1; i < len(marks); i++ {
			if marks[i-1].At-marks[i].At < 14 {
				t.Errorf("up to %v: %v", most, marks)
			}
		}
	}
}

// TestNamesBesideLinesAreApart holds what makes each of them readable.
func TestNamesBesideLinesAreApart(t *testing.T) {
	r := sample()
	s := r.Scenarios[0]
	for range mostLines {
		s.Policies = append(s.Policies, s.Policies[1])
	}
	c, ok := chartOf("s1", s, looksOf(r))
	if !ok || len(c.Lines) != mostLines {
		t.Fatalf("%d lines", len(c.Lines))
	}
	for i, a := range c.Lines {
		for _, b := range c.Lines[:i] {
			if math.Abs(a.LabelY-b.LabelY) < labelGap-0.2 {
				t.Errorf("%s at %v and %s at %v", a.Name, a.LabelY, b.Name, b.LabelY)
			}
		}
		if a.LabelY < plotTop-1 || a.LabelY > plotBottom+1 {
			t.Errorf("%s at %v", a.Name, a.LabelY)
		}
	}
	if last := c.Lines[len(c.Lines)-1]; last.Class != "ours" {
		t.Errorf("%s is drawn over ours", last.Name)
	}
}

func TestLinesDifferWithoutColour(t *testing.T) {
	seen := map[string]string{}
	for name, l := range looksOf(sample()) {
		kind, _, _ := strings.Cut(l.Class, " ")
		if other, there := seen[kind+l.Shape]; there {
			t.Errorf("%s and %s have the same marks", name, other)
		}
		seen[kind+l.Shape] = name
	}
}

func TestEveryGoalHasItsHeading(t *testing.T) {
	want := []string{simulate.GoalLoadOfO2, simulate.GoalLoadOfO1, simulate.GoalOver, simulate.GoalOverFull, simulate.GoalFalseRefusals, simulate.GoalViolations, simulate.GoalCurve}
	all := simulate.Scenario{}.Goals()
	if len(all) != len(want) || len(goalHeadings()) != len(want) {
		t.Fatalf("%d goals, %d headings", len(all), len(goalHeadings()))
	}
	for i, g := range all {
		if g.Name != want[i] {
			t.Errorf("%s stands below %s", g.Name, goalHeadings()[i].Name)
		}
	}
}
