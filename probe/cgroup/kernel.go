package cgroup

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// mount is a line of /proc/self/mountinfo: what is mounted, from where in its
// own tree, and with which controllers (version 1).
type mount struct {
	at, from    string
	v2          bool
	controllers []string
}

func (m mount) holds(controller string) bool { return slices.Contains(m.controllers, controller) }

// parseGroups reads /proc/self/cgroup: by controller, the group's path; the
// empty controller is version 2 (cgroups(7)).
func parseGroups(text string) map[string]string {
	groups := map[string]string{}
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		if len(fields) != 3 || !strings.HasPrefix(fields[2], "/") {
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			groups[controller] = fields[2]
		}
	}
	return groups
}

// parseMounts reads the cgroup mounts of /proc/self/mountinfo (proc(5)).
func parseMounts(text string) []mount {
	var mounts []mount
	for line := range strings.Lines(text) {
		before, after, found := strings.Cut(strings.TrimSpace(line), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !found || len(left) < 5 || len(right) < 3 {
			continue
		}
		m := mount{at: path.Clean(unescape(left[4])), from: path.Clean(unescape(left[3]))}
		if !strings.HasPrefix(m.at, "/") || !strings.HasPrefix(m.from, "/") {
			continue
		}
		switch right[0] {
		case "cgroup2":
			m.v2 = true
		case "cgroup":
			m.controllers = strings.Split(right[2], ",")
		default:
			continue
		}
		mounts = append(mounts, m)
	}
	return mounts
}

// unescape undoes \040 and its like, by which the kernel writes spaces, tabs,
// line ends and backslashes in paths.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// field finds a line "name value", as in cpu.stat and memory.stat.
func field(text, name string) (uint64, error) {
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return number(value)
		}
	}
	return 0, fmt.Errorf("no line %q", name)
}

// number reads a whole number that is not negative.
func number(text string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("want a number, got %.40q", text)
	}
	return n, nil
}

// errUnlimited says that a limit is not set.
var errUnlimited = errors.New("no limit")

// parseMax reads cpu.max: the quota, or max, and the period, both in
// microseconds. It gives cores.
func parseMax(text string) (float64, error) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return 0, fmt.Errorf("want a quota and a period, got %.40q", text)
	}
	return cores(fields[0], fields[1])
}

// cores is quota over period. The quota is max or -1 where there is none.
func cores(quota, period string) (float64, error) {
	quota = strings.TrimSpace(quota)
	if quota == "max" || quota == "-1" {
		return 0, errUnlimited
	}
	q, err := number(quota)
	if err != nil {
		return 0, err
	}
	p, err := number(period)
	if err != nil {
		return 0, err
	}
	if q == 0 || p == 0 {
		return 0, fmt.Errorf("want a quota and a period above 0, got %d and %d", q, p)
	}
	return float64(q) / float64(p), nil
}

// unlimited is more memory than any machine has; version 1 writes such a number
// for none.
const unlimited = 1 << 60

// parseLimit reads a limit of memory, in bytes.
func parseLimit(text string) (float64, error) {
	if strings.TrimSpace(text) == "max" {
		return 0, errUnlimited
	}
	n, err := number(text)
	if err == nil && n >= unlimited {
		return 0, errUnlimited
	}
	return float64(n), err
}

// countCPUs counts the cores of a list such as "0-3,8,10-11" (cpuset(7)), which
// the kernel writes in rising order.
func countCPUs(list string) (int, error) {
	count, next := 0, uint64(0)
	for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, errA := strconv.ParseUint(from, 10, 16)
		b, errB := strconv.ParseUint(to, 10, 16)
		if errA != nil || errB != nil || a > b || a < next {
			return 0, fmt.Errorf("want a rising list of cores such as 0-3,8, got %.40q", list)
		}
		count, next = count+int(b-a)+1, b+1 //nolint:gosec // at most 65536
	}
	return count, nil
}
