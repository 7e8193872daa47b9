package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/server/simulate"
)

// The page of the rule and what it is made of. The result is kept beside the page,
// so that anybody can see that the one follows from the other.
const (
	rulePage   = "../../../admission/RULE.md"
	ruleResult = "../../../admission/docs/result.json"
	ruleCurves = "../../../admission/docs/curves"
)

// TestRulePageFollowsFromItsResult holds admission/RULE.md and its drawings to the
// result that is kept beside them. With RENDERGATE_RULE, a result's file, it writes all of them anew
// (`make rule`).
func TestRulePageFollowsFromItsResult(t *testing.T) {
	anew := os.Getenv("RENDERGATE_RULE")
	data, err := os.ReadFile(cmp.Or(anew, ruleResult)) //nolint:gosec // the path that the developer gave
	if err != nil {
		t.Fatal(err)
	}
	var r simulate.Result
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(rulePage)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Fill(page, r)
	if err != nil {
		t.Fatal(err)
	}
	drawings, err := Curves(r)
	if err != nil {
		t.Fatal(err)
	}
	want = listCurves(t, want, r, drawings)
	if anew != "" {
		var small bytes.Buffer
		if err := json.Compact(&small, data); err != nil {
			t.Fatal(err)
		}
		keep(t, ruleResult, append(small.Bytes(), '\n'))
		keep(t, rulePage, want)
		for name, drawing := range drawings {
			keep(t, filepath.Join(ruleCurves, name), drawing)
		}
		return
	}
	if !bytes.Equal(page, want) {
		t.Errorf("%s is not what %s gives; run `make rule-page`", rulePage, ruleResult)
	}
	for name, drawing := range drawings {
		if there, err := os.ReadFile(filepath.Join(ruleCurves, name)); err != nil || !bytes.Equal(there, drawing) {
			t.Errorf("%s is not what %s gives (%v); run `make rule-page`", name, ruleResult, err)
		}
	}
}

// listCurves puts the drawings between their markers.
func listCurves(t *testing.T, page []byte, r simulate.Result, drawings map[string][]byte) []byte {
	t.Helper()
	const begin, end = "<!-- curves -->\n", "<!-- /curves -->"
	head, rest, found := strings.Cut(string(page), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks %q and %q", rulePage, begin, end)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "These are of the first %d of the %d seeds that the tables are of.\n\n", r.SweepSeeds, r.Seeds)
	for _, name := range slices.Sorted(maps.Keys(drawings)) {
		scenario := strings.TrimSuffix(name, ".svg")
		fmt.Fprintf(&b, "![Loss-load curves in the scenario %s](docs/curves/%s)\n", scenario, name)
	}
	return []byte(head + begin + b.String() + end + tail)
}

func keep(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
