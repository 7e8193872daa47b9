package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// unknown stands for a number that is not finite.
const unknown = "not known"

func finite(all ...float64) bool {
	return !slices.ContainsFunc(all, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
}

// decimal writes a number with so many digits after the point; very large ones
// as powers of ten, since a result may hold any.
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

// percent writes a fraction; small ones with a digit more.
func percent(x float64) string {
	if !finite(x) {
		return unknown
	}
	digits := 1
	if math.Abs(x) < 0.01 && x != 0 {
		digits = 2
	}
	return decimal(100*x, digits) + "\u00a0%" // a line does not break before the sign
}

// amount writes x in the unit of the kind; nothing where a share says it all.
func amount(kind string, x float64) string {
	if !finite(x) {
		return ""
	}
	switch kind {
	case calibration.CPU:
		return decimal(x, 2) + " cores"
	case calibration.Memory, calibration.VRAM:
		return decimal(x/(1<<30), 2) + " GiB"
	case calibration.Uplink:
		return decimal(x/1e6, 1) + " Mbit/s"
	case calibration.EncoderSessions:
		return decimal(x, 1) + " sessions"
	}
	return ""
}

// capacity is what the whole resource is.
func capacity(kind string, x float64) string {
	if !finite(x) || x <= 0 {
		return unknown
	}
	switch kind {
	case calibration.GPULoad:
		return plural(x, "GPU")
	case calibration.Encoder:
		return plural(x, "encoder")
	case calibration.EncoderSessions:
		return plural(x, "session")
	case calibration.CPU:
		return plural(x, "core")
	}
	if text := amount(kind, x); text != "" {
		return short.Replace(text)
	}
	return decimal(x, 2)
}

// short leaves out digits that say nothing.
var short = strings.NewReplacer(".00 ", " ", ".0 ", " ")

// plural counts things, with digits only where it is not a whole number.
func plural(x float64, what string) string {
	digits := 2
	if x == math.Trunc(x) {
		digits = 0
	}
	if x == 1 {
		return "1 " + what
	}
	return decimal(x, digits) + " " + what + "s"
}

func copies(n int) string {
	if n == 1 {
		return "1 copy"
	}
	if n == 2 {
		return "2 copies"
	}
	return fmt.Sprintf("%d copies", n)
}

// span writes seconds: "2 min 5 s"; nothing where they make no sense.
func span(s float64) string {
	if !finite(s) || s < 0 || s > 1e9 {
		return ""
	}
	if s < 10 {
		return decimal(s, 1) + " s"
	}
	n := int(math.Round(s))
	if n < 60 {
		return fmt.Sprintf("%d s", n)
	}
	if n < 3600 {
		return fmt.Sprintf("%d min %d s", n/60, n%60)
	}
	return fmt.Sprintf("%d h %d min", n/3600, n%3600/60)
}

// mostLetters of one name or message are shown.
const mostLetters = 4000

// plain makes a text from elsewhere fit for a page: one line, no controls, none
// that turn the direction of what follows.
func plain(s string) string {
	n := 0
	s = strings.Map(func(c rune) rune {
		if n++; n > mostLetters {
			return -1
		}
		switch {
		case c == '\n', c == '\r', c == '\t':
			return ' '
		case unicode.IsControl(c), unicode.Is(unicode.Bidi_Control, c), c == 0xFFFE, c == 0xFFFF:
			return unicode.ReplacementChar
		}
		return c
	}, s)
	if n > mostLetters {
		s += "…"
	}
	return s
}

// called is what people call a kind of resource.
func called(kind string) string {
	switch kind {
	case calibration.CPU:
		return "CPU"
	case calibration.GPULoad:
		return "GPU load"
	case calibration.VRAM:
		return "VRAM"
	case calibration.EncoderSessions:
		return "encoder sessions"
	}
	return plain(kind)
}

// name is that of a resource, with its GPU where it is of one.
func name(kind string, gpu int) string {
	if gpu < 0 {
		return called(kind)
	}
	return fmt.Sprintf("%s of GPU\u00a0%d", called(kind), gpu)
}
