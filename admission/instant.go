package admission

import (
	"math"
	"time"
)

// instant is a moment as nanoseconds since 1970 in UTC; 0 is none. It is half
// the size of a time.Time, has no zone and no monotonic part, and so is equal
// before and after the journal.
type instant int64

const maxInstant = instant(math.MaxInt64)

// toInstant turns a time into an instant. Times outside of 1970 to 2262 are
// moved to the nearer end, since they cannot be told in nanoseconds.
func toInstant(t time.Time) instant {
	switch {
	case t.IsZero():
		return 0
	case t.Year() < 1970:
		return 1
	case t.Year() > 2261:
		return maxInstant
	}
	return max(1, instant(t.UnixNano()))
}

// time is the instant in UTC; the zero time for none.
func (i instant) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}

// add moves the instant, stopping at both ends instead of wrapping.
func (i instant) add(d time.Duration) instant {
	switch {
	case d > 0 && i > maxInstant-instant(d):
		return maxInstant
	case d < 0 && i < 1-instant(d):
		return 1
	}
	return i + instant(d)
}

// sub is the time from j to i.
func (i instant) sub(j instant) time.Duration { return time.Duration(i - j) }

// limit is i + d, or none where a zero d means no limit.
func (i instant) limit(d time.Duration) instant {
	if d <= 0 {
		return 0
	}
	return i.add(d)
}
