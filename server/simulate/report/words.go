package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/rendergate/rendergate/server/simulate"
)

// unknown stands for a number that is not finite.
const unknown = "not known"

func finite(all ...float64) bool {
	return !slices.ContainsFunc(all, func(x float64) bool { return !(math.Abs(x) < absurd) })
}

// absurd is so large that sums and squares of a chart would not be finite.
const absurd = 1e100

// decimal writes a number with so many digits after the point; very large ones
// as powers of ten.
func decimal(x float64, digits int) string {
	switch {
	case !finite(x):
		return unknown
	case math.Abs(x) >= 1e6:
		return fmt.Sprintf("%.3g", x)
	}
	scale := math.Pow(10, float64(digits))
	return fmt.Sprintf("%.*f", digits, math.Round(x*scale)/scale+0) // -0 + 0 is 0
}

// percent writes a share. Small ones have a digit more; what is more than
// nothing is never written as nothing, since some goals allow none.
func percent(x float64) string {
	const sign = "\u00a0%" // a line does not break before it
	switch small := math.Abs(x); {
	case !finite(x):
		return unknown
	case x == 0:
		return "0" + sign
	case small < 0.00005:
		return "<\u00a00.01" + sign
	case small < 0.01:
		return decimal(100*x, 2) + sign
	}
	return decimal(100*x, 1) + sign
}

// exact writes a share that was chosen, not measured.
func exact(x float64) string { return fmt.Sprintf("%.4g\u00a0%%", 100*x) }

// span writes seconds: "2 min 5 s"; that it is not known where they make no
// sense.
func span(s float64) string {
	switch {
	case !finite(s) || s < 0 || s > 1e9:
		return unknown
	case s == math.Trunc(s) && s < 60:
		return decimal(s, 0) + "\u00a0s"
	case s < 10:
		return decimal(s, 1) + "\u00a0s"
	}
	n := int(math.Round(s))
	switch {
	case n < 60:
		return fmt.Sprintf("%d\u00a0s", n)
	case n < 3600:
		return fmt.Sprintf("%d\u00a0min\u00a0%d\u00a0s", n/60, n%60)
	}
	return fmt.Sprintf("%d\u00a0h\u00a0%d\u00a0min", n/3600, n%3600/60)
}

// mostLetters of one name or text are shown.
const mostLetters = 2000

// plain makes a text from elsewhere fit for a page: one line, no controls, none
// that turn the direction of what follows.
func plain(s string) string {
	if letters := []rune(s); len(letters) > mostLetters {
		s = string(letters[:mostLetters]) + "…"
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n', c == '\r', c == '\t':
			return ' '
		case unicode.IsControl(c), unicode.Is(unicode.Bidi_Control, c), c == 0xFFFE, c == 0xFFFF:
			return unicode.ReplacementChar
		}
		return c
	}, s)
}

// short is a name that fits beside a line.
func short(s string, most int) string {
	if letters := []rune(plain(s)); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return plain(s)
}

// title is what people call a policy.
func title(p simulate.Policy) string {
	if p.Title == "" {
		return plain(p.Name)
	}
	return plain(p.Title)
}

// sentence makes one of a note.
func sentence(note string) string {
	if note == "" {
		return ""
	}
	letters := []rune(plain(note))
	letters[0] = unicode.ToUpper(letters[0])
	return string(letters) + "."
}
