package plan

import (
	"fmt"
	"strconv"
	"strings"
)

// Arrivals is how many players come, an hour. It reads itself from "120/h",
// "2/min" or "0.5/s".
type Arrivals float64

// UnmarshalText reads it.
func (a *Arrivals) UnmarshalText(text []byte) error {
	number, unit, found := strings.Cut(string(text), "/")
	perHour, known := map[string]float64{"s": 3600, "min": 60, "h": 1, "d": 1.0 / 24}[strings.TrimSpace(unit)]
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !found || !known || err != nil || !(n > 0 && n <= 1e7) {
		return fmt.Errorf("want how many come in what time, such as 120/h, 2/min, 0.5/s or 900/d, got %q", text)
	}
	*a = Arrivals(n * perHour)
	return nil
}

// PerHour is the number.
func (a Arrivals) PerHour() float64 { return float64(a) }
