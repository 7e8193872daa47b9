package quantity

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Share is a fraction: 0.85 is 85 %. It is 0 to 100 (10,000 %); where more than
// 1 makes no sense, the key says so.
type Share float64

const mostShare = 100

// ParseShare reads "85%", "85 %" or 0.85. A bare number above 1 is refused,
// since it is a percentage whose sign was forgotten.
func ParseShare(text string) (Share, error) {
	number, percent := strings.CutSuffix(text, "%")
	number = strings.TrimRight(number, " ")
	if numberLen(number) != len(number) {
		return 0, wrongShare(text)
	}
	v, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil:
		return 0, wrongShare(text)
	case percent:
		v /= 100
	case v > 1:
		return 0, fmt.Errorf(`want a share such as "85%%" or 0.85, got %q: write "%s%%"`, text, text)
	}
	if v > mostShare {
		return 0, fmt.Errorf("want at most 10000%%, got %q", text)
	}
	return Share(v), nil
}

func wrongShare(text string) error {
	if strings.HasPrefix(strings.TrimSpace(text), "-") {
		return fmt.Errorf(`want a share such as "85%%" or 0.85, which is never negative, got %q`, text)
	}
	return fmt.Errorf(`want a share such as "85%%" or 0.85, got %q`, text)
}

// String gives the share as a short percentage if that reads back the same, else
// as a plain fraction.
func (s Share) String() string {
	percent, best := float64(s)*100, ""
	// Rounding can leave the product one step beside the number that divides back.
	for _, p := range []float64{percent, math.Nextafter(percent, 0), math.Nextafter(percent, math.Inf(1))} {
		text := strconv.FormatFloat(p, 'f', -1, 64)
		if p/100 == float64(s) && (len(text) <= 8 || s > 1) && (best == "" || len(text) < len(best)) {
			best = text
		}
	}
	if best != "" {
		return best + "%"
	}
	return strconv.FormatFloat(float64(s), 'f', -1, 64)
}

// Fraction is the share as a number, 0.85 for 85 %.
func (s Share) Fraction() float64 { return float64(s) }

// UnmarshalText reads what [ParseShare] does.
func (s *Share) UnmarshalText(text []byte) (err error) {
	*s, err = ParseShare(string(text))
	return err
}

// UnmarshalYAML reads what [ParseShare] does, for goccy/go-yaml.
func (s *Share) UnmarshalYAML(decode func(any) error) error { return fromYAML(s, decode) }

// MarshalText gives [Share.String].
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
