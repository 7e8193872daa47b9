package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/server/simulate"
	"pgregory.net/rapid"
)

// tester is what *testing.T and *rapid.T have in common here.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func write(t tester, r simulate.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

// allowedNames are the attributes that a page and its drawings have; none of them
// loads anything.
var allowedNames = regexp.MustCompile(`^(lang|charset|name|content|http-equiv|class|role|scope|tabindex|id|viewBox|width|height|dx|dy|text-anchor|aria-label|aria-labelledby|xmlns)$`)

// places are what a drawing may be written with: small numbers and commands.
var places = regexp.MustCompile(`^(?:translate\()?(?:[MLHVZahlmv ]|-?\d{1,3}(?:\.\d{1,2})?|-?\.\d{1,2})*\)?$`)

// sound checks what holds for any page or drawing: it is well-formed, refers to
// nothing outside, and draws only numbers. It gives back its text.
func sound(t tester, page string) string {
	t.Helper()
	var text strings.Builder
	for d := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			soundElement(t, x)
		case xml.CharData:
			text.Write(x)
		}
	}
	return strings.ReplaceAll(text.String(), "\u00a0", " ")
}

func soundElement(t tester, x xml.StartElement) {
	t.Helper()
	switch x.Name.Local {
	case "script", "link", "img", "image", "iframe", "object", "embed", "use", "base", "form":
		t.Errorf("the page has an element %s", x.Name.Local)
	}
	for _, a := range x.Attr {
		switch a.Name.Local {
		case "d", "x", "y", "transform":
			if !places.MatchString(a.Value) {
				t.Errorf("%s is drawn at %q", x.Name.Local, a.Value)
			}
		case "href":
			if !regexp.MustCompile(`^#s\d+$`).MatchString(a.Value) {
				t.Errorf("a link leads to %q", a.Value)
			}
		default:
			if !allowedNames.MatchString(a.Name.Local) {
				t.Errorf("%s has an attribute %s", x.Name.Local, a.Name.Local)
			}
		}
	}
}

func TestTheReportSaysIt(t *testing.T) {
	page := write(t, sample())
	text := sound(t, page)
	for _, words := range []string{
		"The rule in simulation: standard", "The rule reaches all its goals in 2 of 4 scenarios.",
		"slow-samples: load of O2 94.8 % (asked: at least 95 %).", "heavy-tails: load of O2 93.8 % (asked: at least 95 %); time over the threshold 1.4 % (asked: at most 1 %).",
		"A link is shared: 300 people within a minute. Samples come every 1 s. The threshold is 85.0 %.",
		"Rendergaterendergate", "o1, an oracle", "81.2 % to 81.8 %", "1 % allowed", "2 % allowed", "Measured sum",
		"1.08 times the least that is possible for known rates", "0.64 times that of the best rolling average", "0.88 times that of littles-law",
		"31 and more", "4 to 10", "Jamin, Danzig, Shenker, Zhang 1997", "v0.9.0-12-gabc", "20, the first of them 1", "12 min 34 s", "12345 times real time",
		"missed, within the noise", "does not apply",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("the report does not say %q", words)
		}
	}
	if strings.Contains(page, "//") {
		t.Error("something outside is named")
	}
}

func TestOursIsFirstAndOraclesLast(t *testing.T) {
	var roles []string
	for _, x := range rows(sample().Scenarios[0]) {
		roles = append(roles, x.Name)
	}
	if got := strings.Join(roles, " "); got != "rendergate last-sample ewma measured-sum hoeffding fixed-seats o1 o2" {
		t.Error(got)
	}
}

func TestTablesCanBeReadOut(t *testing.T) {
	page := write(t, sample())
	tables := regexp.MustCompile(`(?s)<table.*?</table>`).FindAllString(page, -1)
	if len(tables) != 1+4*2 {
		t.Errorf("%d tables", len(tables))
	}
	for _, table := range tables {
		if strings.Count(table, "<caption>") != 1 {
			t.Error("a table without a caption")
		}
		columns := strings.Count(table, `<th scope="col">`)
		for _, r := range regexp.MustCompile(`(?s)<tr[^>]*><th scope="row">.*?</tr>`).FindAllString(table, -1) {
			if n := strings.Count(r, "<td") + 1; n != columns {
				t.Errorf("%d cells below %d headings: %s", n, columns, r)
			}
		}
	}
	if n := strings.Count(page, `<div class="scroll" tabindex="0" role="region" aria-label="`); n != len(tables) {
		t.Errorf("%d of %d tables scroll by keyboard", n, len(tables))
	}
}

func TestDrawingsAreSaidInWords(t *testing.T) {
	page := write(t, sample())
	drawings := regexp.MustCompile(`<svg[^>]*role="img" aria-labelledby="(s\d)t (s\d)d"><title id="s\dt">[^<]+</title><desc id="s\dd">([^<]+)</desc>`).FindAllStringSubmatch(page, -1)
	if len(drawings) != 4 || len(drawings) != strings.Count(page, "<svg") {
		t.Fatalf("%d drawings are described", len(drawings))
	}
	want := "Rendergate: 68.0\u00a0% at 0\u00a0%, to 93.6\u00a0% at 79.4\u00a0%, by its own setting 84.0\u00a0% at 2.5\u00a0%."
	if !strings.Contains(drawings[0][3], want) {
		t.Errorf("%q does not say %q", drawings[0][3], want)
	}
}

func TestNoCurvesAreNoChart(t *testing.T) {
	r := sample()
	for i := range r.Scenarios {
		for j := range r.Scenarios[i].Policies {
			r.Scenarios[i].Policies[j].Curve = nil
		}
		r.Scenarios[i].Forecast = simulate.Forecast{}
	}
	page := write(t, r)
	sound(t, page)
	for _, words := range []string{"<svg", "Loss against load", "Waits foretold"} {
		if strings.Contains(page, words) {
			t.Errorf("there is %q of nothing", words)
		}
	}
	if files, err := Curves(r); len(files) > 0 || err != nil {
		t.Errorf("%d drawings, %v", len(files), err)
	}
}

// hostile are names that would be something else if they were not escaped.
const hostile = "</title></style><script src=\"http://x\">\x00\x1b[2J\xff\u202e'\"--> {{.Set}}\ufffe\n&amp; <!-- /figures --> | `"

// renamed is the result with everything that is text replaced.
func renamed(r simulate.Result, to string) simulate.Result {
	r.Version, r.Set = to, to
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.Name, s.About = to, to
		s.Forecast.PinballOf = map[string]float64{to: 0.5}
		for j := range s.Policies {
			p := &s.Policies[j]
			p.Name, p.Title, p.Source = to, to, to
		}
		s.Policies[0].Role = simulate.Role(to)
	}
	return r
}

func TestNamesAreText(t *testing.T) {
	text := sound(t, write(t, renamed(sample(), hostile)))
	if want := "The rule in simulation: </title></style><script src=\"http://x\">\ufffd\ufffd[2J\ufffd\ufffd'\"--> {{.Set}}\ufffd &amp; <!-- /figures --> | `"; !strings.Contains(text, want) {
		t.Errorf("the name is not what it was: %.200q", text)
	}
}

// spoilt is the result with all of its numbers replaced.
func spoilt(v float64) simulate.Result {
	r := sample()
	r.Speed, r.TookS = v, v
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.SamplePeriodS, s.Threshold = v, v
		s.Forecast = simulate.Forecast{
			Quotes: 1, Unknown: v, CoverageP50: v, CoverageP90: v, WAPEOfFloor: v, MSEOfRolling: v, Reversals: v,
			PinballOf: map[string]float64{"a": v, "b": v}, Buckets: []simulate.Bucket{{CoverageP50: v, CoverageP90: v}},
		}
		for j := range s.Policies {
			spoil(&s.Policies[j], v)
		}
	}
	return r
}

func spoil(p *simulate.Policy, v float64) {
	p.Load, p.LoadOfO1, p.LoadOfO2, p.OverThreshold, p.OverFull, p.OverFullByAdmission = v, v, v, v, v, v
	p.DepthMost, p.DepthMean, p.OvershootP95S, p.FalseRefusals, p.ForeseenRefusals, p.IdleWhileWaiting = v, v, v, v, v, v
	p.WaitP50S, p.WaitP90S, p.WaitP95S, p.WaitP99S, p.GaveUp, p.FlipsPerHour, p.OffersWasted = v, v, v, v, v, v, v
	p.Intervals = map[string]simulate.Range{"load": {Mean: v, Low: v, High: v}, "over_threshold": {Mean: v, Low: v, High: v}}
	for k := range p.Curve {
		if k%2 == 0 {
			p.Curve[k] = simulate.Point{Knob: v, Load: v, OverThreshold: v, Default: true}
		}
	}
}

func TestNoNumbersAreToldAsUnknown(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e300, 5e-324, -3, mostLoad, 1} {
		everySound(t, spoilt(v))
	}
	everySound(t, simulate.Result{})
	everySound(t, simulate.Result{Scenarios: []simulate.Scenario{{}, {Policies: []simulate.Policy{{Curve: make(simulate.Curve, 3)}}}}})
}

// everySound makes everything that can be made of a result.
func everySound(t tester, r simulate.Result) {
	t.Helper()
	if text := sound(t, write(t, r)); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Errorf("the page shows what is no number")
	}
	files, err := Curves(r)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for name, file := range files {
		sound(t, string(file))
		if !regexp.MustCompile(`^[a-z0-9-]+\.svg$`).MatchString(name) {
			t.Errorf("a file is called %q", name)
		}
	}
	filled, err := Fill([]byte(unfilled), r)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if again, err := Fill(filled, r); err != nil || !bytes.Equal(again, filled) {
		t.Errorf("filled again it is another page: %v", err)
	}
	if words := string(filled); strings.Contains(words, "NaN") || strings.Contains(words, "Inf") {
		t.Errorf("the tables show what is no number")
	}
}

func results() *rapid.Generator[simulate.Result] {
	number := rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 1, math.NaN(), math.Inf(1), math.Inf(-1), 1e-9}))
	return rapid.Custom(func(t *rapid.T) simulate.Result {
		r := sample()
		r.Scenarios = r.Scenarios[:1]
		for i := range r.Scenarios {
			s := &r.Scenarios[i]
			s.Policies = s.Policies[:5]
			s.SamplePeriodS = number.Draw(t, "period")
			for j := range s.Policies {
				p := &s.Policies[j]
				p.Role = rapid.SampledFrom([]simulate.Role{simulate.RoleOurs, simulate.RoleRival, simulate.RoleOracle, "", "x"}).Draw(t, "role")
				p.Curve = p.Curve[:rapid.IntRange(0, len(p.Curve)).Draw(t, "points")]
				for k := range p.Curve {
					p.Curve[k] = simulate.Point{Knob: number.Draw(t, "knob"), Load: number.Draw(t, "load"), OverThreshold: number.Draw(t, "over")}
				}
				p.OverThreshold, p.LoadOfO2 = number.Draw(t, "share"), number.Draw(t, "of o2")
			}
		}
		if rapid.Bool().Draw(t, "renamed") {
			r = renamed(r, rapid.OneOf(rapid.String(), rapid.Just(hostile)).Draw(t, "name"))
		}
		return r
	})
}

func TestAnyResultIsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { everySound(t, results().Draw(t, "result")) })
}

func TestMuchStaysReadable(t *testing.T) {
	r := sample()
	for range 300 {
		r.Scenarios = append(r.Scenarios, r.Scenarios[1])
	}
	s := &r.Scenarios[0]
	for range 300 {
		s.Policies = append(s.Policies, s.Policies[2])
	}
	s.Policies[0].Curve = make(simulate.Curve, 10_000)
	page := write(t, r)
	text := sound(t, page)
	for _, words := range []string{"Of 304 scenarios the first 200 are shown.", "Of 308 policies the first 16 are drawn."} {
		if !strings.Contains(text, words) {
			t.Errorf("it does not say %q", words)
		}
	}
	if len(page) > 8<<20 {
		t.Errorf("the page has %d MiB", len(page)>>20)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestAFullDiskIsTold(t *testing.T) {
	if err := Write(full{}, sample()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v", err)
	}
}
