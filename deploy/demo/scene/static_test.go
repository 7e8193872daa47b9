package scene

import (
	"regexp"
	"slices"
	"testing"
)

// TestBothLanguages holds the page's words to the same keys.
func TestBothLanguages(t *testing.T) {
	data, err := static.ReadFile("static/words.js")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?s)const (en|zh) = \{\n(.*?)\n\};`).FindAllStringSubmatch(string(data), -1) {
		for _, k := range regexp.MustCompile(`(?m)^  (\w+):`).FindAllStringSubmatch(m[2], -1) {
			keys[m[1]] = append(keys[m[1]], k[1])
		}
	}
	if len(keys["en"]) == 0 || !slices.Equal(keys["en"], keys["zh"]) {
		t.Errorf("English has %v, Chinese %v", keys["en"], keys["zh"])
	}
	script, err := static.ReadFile("static/scene.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\bsay\.(\w+)`).FindAllStringSubmatch(string(script), -1) {
		if m[1] != "lang" && !slices.Contains(keys["en"], m[1]) {
			t.Errorf("the page says %q, for which there are no words", m[1])
		}
	}
}
