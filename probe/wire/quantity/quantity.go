// Package quantity holds the values with units that config files of both ends
// use. Each parses itself from the text an operator writes, prints itself in the
// same form, and says what would be right when it cannot be read:
//
//	Duration  30m, 1h30m, 90s, 250ms, 2d
//	Rate      8 Mbit/s, 1 Gbit/s
//	Bytes     24 GiB, 512 MB
//	Share     85%, 0.85
//
// A bare 0 is allowed for each, since zero needs no unit; what zero means is the
// key's own affair. None is ever negative, infinite or not a number.
package quantity

import (
	"fmt"
	"strconv"
	"strings"
)

// unit is a name and how many of the base unit it stands for.
type unit struct {
	name   string
	factor float64
}

// scale is a kind of quantity: its units from the largest to the base unit, and
// the words of its errors.
type scale struct {
	noun    string // "a rate"
	example string
	units   []unit
	most    float64 // in the base unit
	mostSay string
}

// parse reads "NUMBER UNIT", the space optional; a bare number only if it is 0.
func (s scale) parse(text string) (float64, error) {
	digits := numberLen(text)
	number, err := strconv.ParseFloat(text[:digits], 64)
	name := strings.TrimLeft(text[digits:], " ")
	if err != nil {
		return 0, s.wrong(text)
	}
	if name == "" && number == 0 {
		return 0, nil
	}
	for _, u := range s.units {
		if u.name == name {
			return s.bounded(number*u.factor, text)
		}
	}
	return 0, s.wrongUnit(text, name)
}

// bounded refuses what no machine has: a slip of the unit, most likely.
func (s scale) bounded(v float64, text string) (float64, error) {
	if v > s.most {
		return 0, fmt.Errorf("want at most %s, got %q", s.mostSay, text)
	}
	return v, nil
}

func (s scale) wrong(text string) error {
	if strings.HasPrefix(strings.TrimSpace(text), "-") {
		return fmt.Errorf("want %s such as %q, which is never negative, got %q", s.noun, s.example, text)
	}
	return fmt.Errorf("want %s such as %q, got %q", s.noun, s.example, text)
}

func (s scale) wrongUnit(text, name string) error {
	if name == "" {
		return fmt.Errorf("want %s with its unit, such as %q, got %q", s.noun, s.example, text)
	}
	return fmt.Errorf("want %s such as %q, got %q: the units are %s", s.noun, s.example, text, s.unitNames())
}

func (s scale) unitNames() string {
	names := make([]string, len(s.units))
	for i, u := range s.units {
		names[len(s.units)-1-i] = u.name
	}
	return strings.Join(names, ", ")
}

// format prints v in the largest unit in which it reads back as exactly v.
func (s scale) format(v float64) string {
	if v == 0 {
		return "0"
	}
	for _, u := range s.units {
		number := strconv.FormatFloat(v/u.factor, 'f', -1, 64)
		if back, err := strconv.ParseFloat(number, 64); v >= u.factor && err == nil && back*u.factor == v {
			return number + " " + u.name
		}
	}
	base := s.units[len(s.units)-1]
	return strconv.FormatFloat(v/base.factor, 'f', -1, 64) + " " + base.name
}

// numberLen is how much of the text is a plain decimal number: digits and at
// most one point, no sign, no exponent, nothing that only a computer writes.
func numberLen(text string) int {
	points := 0
	for i, c := range []byte(text) {
		switch {
		case c >= '0' && c <= '9':
		case c == '.' && points == 0:
			points++
		default:
			return i
		}
	}
	return len(text)
}
