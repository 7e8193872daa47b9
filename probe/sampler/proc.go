package sampler

import (
	"bytes"
	"errors"
	"math"
)

// proc is one process.
type proc struct {
	pid, parent, group int
	start              uint64  // in ticks since boot: tells two uses of a number apart
	cpu                float64 // seconds, of reaped children too
	memory             float64 // bytes
}

var errStat = errors.New("not a line of /proc/PID/stat")

// ticks is the kernel's USER_HZ, which is 100 on every architecture Go runs on.
const ticks = 100

// Fields of /proc/PID/stat behind the name, as proc(5) numbers them, less 3.
const (
	fieldParent = 1
	fieldGroup  = 2
	fieldUser   = 11
	fieldChild  = 14 // stime of reaped children, the last of four
	fieldStart  = 19
	fieldRSS    = 21
	fieldCount  = 22
)

// parseStat reads a line of /proc/PID/stat. The name may hold anything, also
// spaces and brackets, so the fields begin behind its last bracket.
func parseStat(line []byte, pageSize float64) (proc, error) {
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return proc{}, errStat
	}
	pid, ok := whole(bytes.TrimSpace(line[:open]))
	if !ok {
		return proc{}, errStat
	}
	var values [fieldCount]uint64
	rest := bytes.TrimLeft(line[end+1:], " ")
	for i := range fieldCount {
		if len(rest) == 0 {
			return proc{}, errStat
		}
		word := rest
		if at := bytes.IndexByte(rest, ' '); at >= 0 {
			word, rest = rest[:at], rest[at+1:]
		} else {
			rest = nil
		}
		if !wanted(i) {
			continue
		}
		if values[i], ok = whole(bytes.TrimSpace(word)); !ok {
			return proc{}, errStat
		}
	}
	return procOf(pid, &values, pageSize)
}

func wanted(i int) bool {
	return i == fieldParent || i == fieldGroup || i >= fieldUser && i <= fieldChild || i == fieldStart || i == fieldRSS
}

func procOf(pid uint64, values *[fieldCount]uint64, pageSize float64) (proc, error) {
	if max(pid, values[fieldParent], values[fieldGroup]) > math.MaxInt32 {
		return proc{}, errStat
	}
	p := proc{
		pid: int(pid), parent: int(values[fieldParent]), group: int(values[fieldGroup]), //nolint:gosec // just bounded
		start: values[fieldStart], memory: float64(values[fieldRSS]) * pageSize,
	}
	for i := fieldUser; i <= fieldChild; i++ {
		p.cpu += float64(values[i]) / ticks
	}
	return p, nil
}

// whole reads a number that is not negative.
func whole(text []byte) (uint64, bool) {
	if len(text) == 0 || len(text) > 19 { // 19 digits do not overflow
		return 0, false
	}
	n := uint64(0)
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, true
}
