package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/server/simulate"
)

const unfilled = `# The rule

<!-- figures: summary -->
stale words
<!-- /figures -->
Between | stays.
<!-- figures: scenarios --><!-- /figures -->

<!--figures:forecast-->
<!-- /figures -->
End.
`

func TestFill(t *testing.T) {
	page, err := Fill([]byte(unfilled), sample())
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, piece := range []string{
		"# The rule\n\n<!-- figures: summary -->\n| scenario | samples | load of O2 (at least 95 %) |",
		"\n| steady | 1 s | 96.8 % | 92.3 % | 0.62 % | 0 % | 1.2 % | 0 | beyond |\n",
		"\n| slow-samples | 30 s | **94.8 %, missed** | 90.3 % (not asked) | 1.4 % | 0 % (not asked) | 2.0 % | 0 | beyond |\n",
		"|\n\n<!-- /figures -->\nBetween | stays.\n<!-- figures: scenarios -->\n| scenario | rule | load |",
		"\n| steady | **Rendergate** | 81.5 % | 96.8 % | 92.3 % | 0.62 % | 0 % | 1.2 % | 0 % | 42 s | 3 min 7 s | 8.3 % |\n|  | Hoeffding bound | 74.0 % |",
		"\n|  | Measured sum | 79.0 % | 94.0 % | 89.8 % | 1.3 % |", // 2 % are allowed there
		"<!--figures:forecast-->\n| scenario | forecasts |",
		"\n| steady | 18211 | 1.3 % | 51.2 % | 90.7 % | 1.08 | 0.64 | 0.88 (littles-law) | 2.1 % |\n",
		"\n<!-- /figures -->\nEnd.\n",
	} {
		if !strings.Contains(text, piece) {
			t.Errorf("the page lacks %q", piece)
		}
	}
	if strings.Contains(text, "stale words") {
		t.Error("the old figures are still there")
	}
}

func TestAPageWithoutFiguresStays(t *testing.T) {
	for _, page := range []string{"", "# Nothing\n", "<!-- about figures: none -->"} {
		if got, err := Fill([]byte(page), sample()); err != nil || !bytes.Equal(got, []byte(page)) {
			t.Errorf("%q became %q, %v", page, got, err)
		}
	}
}

func TestWrongMarkersAreErrors(t *testing.T) {
	for page, want := range map[string]string{
		"\n<!-- figures: overview --><!-- /figures -->":                                    `line 2: figures "overview" are unknown; there are forecast, scenarios, summary`,
		"<!-- figures -->\n<!-- /figures -->":                                              `line 1: figures "" are unknown`,
		"a\nb\n<!-- figures: summary -->\n":                                                "line 3: figures are not closed",
		"<!-- figures: summary -->\n<!-- figures: forecast -->\n<!-- /figures -->":         "line 1: figures are not closed",
		"<!-- figures: summary --><!-- /figures -->\nx\n<!-- /figures -->":                 "line 3: figures are closed that were not opened",
		"<!-- /figures --><!-- figures: summary -->":                                       "line 1: figures are closed that were not opened",
		"\n\n<!-- figures: summary -->\n<!-- /figures -->\n<!-- figures:nothing --> x\n\n": "line 5: figures \"nothing\" are unknown",
	} {
		got, err := Fill([]byte(page), sample())
		if err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%q: %v", page, err)
		}
	}
}

func TestNamesStayInTheirCells(t *testing.T) {
	page, err := Fill([]byte(unfilled), renamed(sample(), hostile))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(page), "<script") || strings.Count(string(page), "<!-- /figures -->") != 3 {
		t.Error("a name is more than a name")
	}
}

func TestTheBestRival(t *testing.T) {
	rival := func(name string, load, over float64) simulate.Policy {
		return simulate.Policy{Name: name, Load: load, OverThreshold: over}
	}
	for _, c := range []struct {
		want   string
		rivals []simulate.Policy
	}{
		{"", nil},
		{"most", []simulate.Policy{rival("less", 0.6, 0), rival("most", 0.7, 0.01), rival("over", 0.9, 0.011)}},
		{"least over", []simulate.Policy{rival("over", 0.9, 0.5), rival("least over", 0.8, 0.02)}},
		{"first", []simulate.Policy{rival("first", 0.7, 0.001), rival("second", 0.7, 0)}},
	} {
		s := simulate.Scenario{SamplePeriodS: 1, Policies: append(c.rivals, simulate.Policy{Name: "o1", Role: simulate.RoleOracle, Load: 1})}
		if best, there := bestRival(s); best.Name != c.want || there != (c.want != "") {
			t.Errorf("%q, not %q", best.Name, c.want)
		}
	}
}

func TestCurvesHaveAFileEach(t *testing.T) {
	r := sample()
	r.Scenarios[1].Name, r.Scenarios[2].Name, r.Scenarios[3].Name = "../../Etc/x y", "steady", "…"
	files, err := Curves(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"steady.svg", "etc-x-y.svg", "steady-2.svg", "scenario.svg"} {
		if files[name] == nil {
			t.Errorf("no %s", name)
			continue
		}
		text := sound(t, string(files[name]))
		for _, words := range []string{"rendergate", "mean load carried", "allowed", "Rendergate: 68.0 % at 0 %"} {
			if !strings.Contains(text, words) {
				t.Errorf("%s does not say %q", name, words)
			}
		}
	}
	if len(files) != 4 {
		t.Errorf("%d files", len(files))
	}
}
