package quantity

import (
	"encoding"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is 0 to ten years, with the resolution of [time.Duration].
type Duration time.Duration

const (
	day          = 24 * time.Hour
	mostDuration = 3650 * day
)

// ParseDuration reads a duration such as "30m", "1h30m", "250ms" or "2d".
func ParseDuration(text string) (Duration, error) {
	if text == "0" {
		return 0, nil
	}
	days, rest, err := cutDays(text)
	if err != nil || text == "" || strings.HasPrefix(text, "+") {
		return 0, wrongDuration(text)
	}
	d := time.Duration(0)
	if rest != "" {
		if d, err = time.ParseDuration(rest); err != nil {
			return 0, wrongDuration(text)
		}
	}
	switch {
	case d < 0:
		return 0, wrongDuration(text)
	case days > 3650 || d > mostDuration || time.Duration(days)*day+d > mostDuration:
		return 0, fmt.Errorf("want at most 3650d (ten years), got %q", text)
	}
	return Duration(time.Duration(days)*day + d), nil
}

// cutDays takes whole days off the front; [time.ParseDuration] knows none.
func cutDays(text string) (days int, rest string, err error) {
	front, rest, found := strings.Cut(text, "d")
	if !found {
		return 0, text, nil
	}
	if numberLen(front) != len(front) || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+") {
		return 0, "", errors.New("not days")
	}
	days, err = strconv.Atoi(front)
	return days, rest, err
}

func wrongDuration(text string) error {
	switch {
	case text != "" && numberLen(text) == len(text):
		return fmt.Errorf(`want a duration with its unit, such as "30s" or "1h30m", got %q`, text)
	case strings.HasPrefix(text, "-"):
		return fmt.Errorf(`want a duration such as "30s" or "1h30m", which is never negative, got %q`, text)
	}
	return fmt.Errorf(`want a duration such as "30s" or "1h30m", got %q: the units are ms, s, m, h, d`, text)
}

// String gives the duration as a config file would: "30m", not "30m0s".
func (d Duration) String() string {
	if d == 0 {
		return "0"
	}
	t := time.Duration(d)
	if t%day == 0 {
		return strconv.Itoa(int(t/day)) + "d"
	}
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Std is the duration for the standard library.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// UnmarshalText reads what [ParseDuration] does.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

// UnmarshalYAML reads what [ParseDuration] does, for goccy/go-yaml.
func (d *Duration) UnmarshalYAML(decode func(any) error) error { return fromYAML(d, decode) }

// MarshalText gives [Duration.String].
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// fromYAML gives a scalar's text to the value; what is no scalar is refused.
func fromYAML(into encoding.TextUnmarshaler, decode func(any) error) error {
	var text string
	if err := decode(&text); err != nil {
		return err
	}
	return into.UnmarshalText([]byte(text))
}
