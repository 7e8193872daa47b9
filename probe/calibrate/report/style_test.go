package report

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// luminance is that of a colour, as WCAG 2 defines it.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	if len(colour) == 4 { // #abc is #aabbcc
		colour = "#" + strings.Repeat(colour[1:2], 2) + strings.Repeat(colour[2:3], 2) + strings.Repeat(colour[3:4], 2)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		x := float64(v) / 255
		if x <= 0.04045 {
			sum += weight * x / 12.92
		} else {
			sum += weight * math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	return sum
}

func TestColoursStandOut(t *testing.T) {
	style, err := pages.ReadFile("style.html")
	if err != nil {
		t.Fatal(err)
	}
	themes := regexp.MustCompile(`:root \{[^}]*--paper: #[^}]*\}`).FindAllString(string(style), -1)
	if len(themes) != 2 {
		t.Fatalf("%d themes, not light and dark", len(themes))
	}
	for _, theme := range themes {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--(\w+): (#[0-9a-f]+)`).FindAllStringSubmatch(theme, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, name := range []string{"ink", "soft", "line", "limit"} {
			high, low := max(colours[name], colours["paper"]), min(colours[name], colours["paper"])
			if ratio := (high + 0.05) / (low + 0.05); ratio < 4.5 {
				t.Errorf("%s stands out by %.1f: %s", name, ratio, theme)
			}
		}
	}
}

// TestDarkIsForScreensOnly keeps paper white.
func TestDarkIsForScreensOnly(t *testing.T) {
	style, err := pages.ReadFile("style.html")
	if err != nil {
		t.Fatal(err)
	}
	text := string(style)
	if strings.Count(text, "prefers-color-scheme") != strings.Count(text, "@media screen and (prefers-color-scheme: dark)") {
		t.Error("a dark page would be printed dark")
	}
	for _, rule := range []string{"@media print", "break-inside: avoid", "overflow-x: auto", "forced-colors"} {
		if !strings.Contains(text, rule) {
			t.Errorf("no %s", rule)
		}
	}
}
