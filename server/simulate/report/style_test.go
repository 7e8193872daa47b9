package report

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// contrast is that of two colours, #abc or #aabbcc, as WCAG 2 defines it.
func contrast(t *testing.T, a, b string) float64 {
	high, low := luminance(t, a), luminance(t, b)
	return (max(high, low) + 0.05) / (min(high, low) + 0.05)
}

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
		if x := float64(v) / 255; x <= 0.04045 {
			sum += weight * x / 12.92
		} else {
			sum += weight * math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	return sum
}

func style(t *testing.T, file string) string {
	t.Helper()
	text, err := pages.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestColoursStandOut(t *testing.T) {
	themes := regexp.MustCompile(`:root \{[^}]*--paper: #[^}]*\}`).FindAllString(style(t, "style.html"), -1)
	if len(themes) != 2 {
		t.Fatalf("%d themes, not light and dark", len(themes))
	}
	names := []string{"ink", "soft", "line", "limit"}
	for i := range 6 {
		names = append(names, fmt.Sprintf("hue%d", i))
	}
	for _, theme := range themes {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--(\w+): (#[0-9a-f]+)`).FindAllStringSubmatch(theme, -1) {
			colours[m[1]] = m[2]
		}
		for _, name := range names {
			if ratio := contrast(t, colours[name], colours["paper"]); ratio < 4.5 {
				t.Errorf("%s stands out by %.1f: %s", name, ratio, theme)
			}
		}
	}
}

// TestCurvesCanBeReadOnBoth: one colour cannot have 4.5 on white and on GitHub's
// dark paper both; 4.36 is the most there is.
func TestCurvesCanBeReadOnBoth(t *testing.T) {
	colours := regexp.MustCompile(`#[0-9a-f]{6}`).FindAllString(style(t, "curves.html"), -1)
	if len(colours) < 20 {
		t.Fatalf("%d colours", len(colours))
	}
	for _, c := range colours {
		for _, paper := range []string{"#ffffff", "#0d1117"} {
			if ratio := contrast(t, c, paper); ratio < 4.3 {
				t.Errorf("%s stands out by %.2f on %s", c, ratio, paper)
			}
		}
	}
}

// TestDarkIsForScreensOnly keeps paper white.
func TestDarkIsForScreensOnly(t *testing.T) {
	text := style(t, "style.html")
	if strings.Count(text, "prefers-color-scheme") != strings.Count(text, "@media screen and (prefers-color-scheme: dark)") {
		t.Error("a dark page would be printed dark")
	}
	for _, rule := range []string{"@media print", "break-inside: avoid", "overflow-x: auto", "forced-colors"} {
		if !strings.Contains(text, rule) {
			t.Errorf("no %s", rule)
		}
	}
}
