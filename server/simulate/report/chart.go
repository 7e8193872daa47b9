package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rendergate/rendergate/server/simulate"
)

// chart is the loss-load curves of a scenario, 480 x 360 in its own units: narrow,
// so that its letters can be read on a telephone too.
type chart struct {
	ID, Name, Desc string
	Rows, Columns  []tick
	Cut            bool  // the axis of loads does not begin at 0
	Asked          *tick // the share of time over the threshold that is allowed
	Lines          []line
	LeftOut        string
}

// Where the axes of a chart lie; what is right of them is for labels.
const (
	plotLeft, plotRight = 58.0, 342.0
	plotTop, plotBottom = 44.0, 312.0
	labelLeft           = 360.0
	labelGap            = 16.0
)

// What more of than can be told apart is left out.
const (
	mostLines  = 16
	mostPoints = 60
	labelFits  = 14 // letters
)

// line is the curve of one policy, or its one point.
type line struct {
	look
	Name   string // beside it
	Path   string
	Marks  []mark
	LabelY float64
	Leader string // from its end to its name
	end    mark
	said   string
}

// mark is one setting.
type mark struct {
	X, Y    float64
	Title   string
	Default bool
}

// look tells a line from others without colour: by dashes and by the shape of
// its marks.
type look struct {
	Class string // of the style: ours, oracle or rival, and the hue and the dashes
	Shape string // path around 0
}

// looksOf gives each policy the same look in every scenario.
func looksOf(r simulate.Result) map[string]look {
	all := map[string]look{}
	rivals, oracles := 0, 0
	for _, s := range r.Scenarios {
		for _, p := range ordered(s) {
			if _, there := all[p.Name]; there {
				continue
			}
			switch p.Role {
			case simulate.RoleOurs:
				all[p.Name] = look{"ours", shapes()[0]}
			case simulate.RoleOracle:
				all[p.Name] = look{fmt.Sprintf("oracle d%d", oracles%2+1), shapes()[1+oracles%2]}
				oracles++
			default:
				all[p.Name] = look{fmt.Sprintf("rival h%d d%d", rivals%6, rivals%5), shapes()[1+rivals%(len(shapes())-1)]}
				rivals++
			}
		}
	}
	return all
}

// shapes of marks: that of ours is the first, and the only one that is round.
func shapes() []string {
	return []string{
		"M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z", // circle
		"M-4-4H4V4H-4Z",                        // square
		"M0-5 5 4-5 4Z",                        // triangle
		"M0-5.5 5.5 0 0 5.5-5.5 0Z",            // diamond
		"M0 5 5-4-5-4Z",                        // triangle on its head
		"M-1.5-5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5Z", // plus
		"M-5-2 0-6 5-2 3 4-3 4Z",                            // pentagon
		"M-6-2.5H6V2.5H-6Z",                                 // bar
	}
}

// chartOf is false where no policy has a curve.
func chartOf(id string, s simulate.Scenario, looks map[string]look) (chart, bool) {
	all := drawn(s)
	if !slices.ContainsFunc(all, func(p simulate.Policy) bool { return len(p.Curve) > 1 }) {
		return chart{}, false
	}
	c := chart{ID: id, Name: plain(s.Name)}
	if len(all) > mostLines {
		c.LeftOut = fmt.Sprintf("Of %d policies the first %d are drawn.", len(all), mostLines)
		all = all[:mostLines]
	}
	allowed := allowedOver(s)
	x, y := axes(all, allowed)
	c.Rows, c.Columns, c.Cut = y.marks(), x.marks(), x.low > 0
	if allowed > 0 {
		c.Asked = &tick{y.at(allowed), exact(allowed) + " allowed"}
	}
	for _, p := range all {
		c.Lines = append(c.Lines, lineOf(p, looks[p.Name], x, y))
	}
	c.label()
	c.Desc = describe(c.Lines)
	slices.Reverse(c.Lines) // ours is drawn last, over the others
	return c, true
}

// allowedOver is the share of time over the threshold that the goal allows.
func allowedOver(s simulate.Scenario) float64 {
	for _, g := range s.Goals() {
		if g.Name == simulate.GoalOver {
			return g.Limit
		}
	}
	return 0
}

// drawn are the policies with something to draw, each with the points that can
// be; without a curve it is where the policy is.
func drawn(s simulate.Scenario) []simulate.Policy {
	var all []simulate.Policy
	for _, p := range ordered(s) {
		if len(p.Curve) == 0 {
			p.Curve = simulate.Curve{{Load: p.Load, OverThreshold: p.OverThreshold, Default: true}}
		}
		p.Curve = slices.DeleteFunc(slices.Clone(p.Curve), func(q simulate.Point) bool {
			return !q.Drawable() || q.Load > mostLoad || q.OverThreshold > 1
		})
		p.Curve = p.Curve[:min(len(p.Curve), mostPoints)]
		slices.SortStableFunc(p.Curve, func(a, b simulate.Point) int { return cmp.Compare(a.Knob, b.Knob) })
		if len(p.Curve) > 0 {
			all = append(all, p)
		}
	}
	return all
}

func axes(all []simulate.Policy, allowed float64) (loads, shares) {
	low, high, most := all[0].Curve[0].Load, all[0].Curve[0].Load, allowed
	for _, p := range all {
		for _, q := range p.Curve {
			low, high, most = min(low, q.Load), max(high, q.Load), max(most, q.OverThreshold)
		}
	}
	return loadsOver(low, high), sharesUpTo(most)
}

func lineOf(p simulate.Policy, looks look, x loads, y shares) line {
	l := line{look: looks, Name: short(p.Name, labelFits)}
	var path pen
	for _, q := range p.Curve {
		m := mark{x.at(q.Load), y.at(q.OverThreshold), point(p, q), q.Default}
		path.to(m.X, m.Y)
		l.Marks = append(l.Marks, m)
		if len(l.Marks) == 1 || m.X > l.end.X {
			l.end = m
		}
	}
	if len(p.Curve) > 1 {
		l.Path = path.String()
	}
	l.said = said(p)
	return l
}

// point says a mark.
func point(p simulate.Policy, q simulate.Point) string {
	text := fmt.Sprintf("%s: load %s, over %s", title(p), percent(q.Load), percent(q.OverThreshold))
	if len(p.Curve) > 1 && finite(q.Knob) {
		text += ", setting " + fmt.Sprintf("%.4g", q.Knob)
	}
	if q.Default {
		text += ", its own setting"
	}
	return text
}

// said is a line for those who do not see it.
func said(p simulate.Policy) string {
	first, last := p.Curve[0], p.Curve[len(p.Curve)-1]
	text := fmt.Sprintf("%s: %s at %s", title(p), percent(first.Load), percent(first.OverThreshold))
	if len(p.Curve) > 1 {
		text += fmt.Sprintf(", to %s at %s", percent(last.Load), percent(last.OverThreshold))
	}
	for _, q := range p.Curve {
		if q.Default && len(p.Curve) > 1 {
			text += fmt.Sprintf(", by its own setting %s at %s", percent(q.Load), percent(q.OverThreshold))
		}
	}
	return text + "."
}

func describe(all []line) string {
	words := []string{"Mean load carried, and the share of time over the threshold at which it is."}
	for _, l := range all {
		words = append(words, l.said)
	}
	return strings.Join(words, " ")
}

// label puts the names to the right of the plot, in the order of the lines' ends
// and so far from one another that each can be read.
func (c *chart) label() {
	order := make([]*line, len(c.Lines))
	for i := range c.Lines {
		order[i] = &c.Lines[i]
	}
	slices.SortStableFunc(order, func(a, b *line) int {
		return cmp.Or(cmp.Compare(a.end.Y, b.end.Y), -cmp.Compare(a.end.X, b.end.X))
	})
	free := plotTop
	for _, l := range order {
		l.LabelY = max(l.end.Y, free)
		free = l.LabelY + labelGap
	}
	free = plotBottom
	for _, l := range slices.Backward(order) {
		l.LabelY = tenth(min(l.LabelY, free))
		free = l.LabelY - labelGap
		var path pen
		path.to(l.end.X+6, l.end.Y)
		path.to(labelLeft-12, l.LabelY)
		path.to(labelLeft-4, l.LabelY)
		l.Leader = path.String()
	}
}
