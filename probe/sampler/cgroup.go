package sampler

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// cgroup is where the kernel accounts for this process, version 1 or 2. In
// version 1 each controller has a tree of its own.
type cgroup struct {
	v2                  bool
	root                string // of the file system, for tests
	cpu, memory, cpuset string // folders; empty: that controller is not there
	top                 map[string]string
}

var errNoCgroup = errors.New("this process is in no cgroup that can be read")

// mount is a line of /proc/self/mountinfo: what is mounted, from where in its
// own tree, and with which controllers (version 1).
type mount struct {
	at, from    string
	v2          bool
	controllers []string
}

// ownCgroup finds this process's cgroup from /proc/self/cgroup and where the
// trees are mounted.
func ownCgroup(root string) (*cgroup, error) {
	groups, err := os.ReadFile(filepath.Join("/", root, "proc/self/cgroup"))
	if err != nil {
		return nil, errNoCgroup
	}
	info, err := os.ReadFile(filepath.Join("/", root, "proc/self/mountinfo"))
	if err != nil {
		return nil, errNoCgroup
	}
	mounts := parseMounts(string(info))
	c := &cgroup{root: root, top: map[string]string{}}
	for controller, group := range parseCgroups(string(groups)) {
		for _, m := range mounts {
			if m.holds(controller) {
				c.set(controller, m, group)
			}
		}
	}
	if c.cpu == "" {
		return nil, errNoCgroup
	}
	if _, err := c.usage(); err != nil {
		return nil, err
	}
	return c, nil
}

// set notes where a controller accounts for this process. A group that lies
// outside what is mounted, as in a container that sees only its own part, is
// the mount's own folder.
func (c *cgroup) set(controller string, m mount, group string) {
	below, inside := strings.CutPrefix(group, strings.TrimSuffix(m.from, "/"))
	if !inside || strings.Contains(group, "..") {
		below = ""
	}
	folder := path.Join(m.at, below)
	c.top[folder] = m.at
	switch controller {
	case "": // version 2: one tree for all
		c.v2, c.cpu, c.memory, c.cpuset = true, folder, folder, folder
	case "cpuacct":
		c.cpu = folder
	case "memory":
		c.memory = folder
	case "cpuset":
		c.cpuset = folder
	}
}

func (m mount) holds(controller string) bool {
	if controller == "" || m.v2 {
		return controller == "" && m.v2
	}
	for _, c := range m.controllers {
		if c == controller {
			return true
		}
	}
	return false
}

// parseCgroups reads /proc/self/cgroup: by controller, the group's path; the
// empty controller is version 2 (cgroups(7)). Where a version 1 tree accounts
// for the CPU, version 2 does not.
func parseCgroups(text string) map[string]string {
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
	if _, v1 := groups["cpuacct"]; v1 {
		delete(groups, "")
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
		switch right[0] {
		case "cgroup2":
			mounts = append(mounts, mount{at: left[4], from: left[3], v2: true})
		case "cgroup":
			mounts = append(mounts, mount{at: left[4], from: left[3], controllers: strings.Split(right[2], ",")})
		}
	}
	return mounts
}

// read reads a file of a folder; the folder is a path of the mounted tree.
func (c *cgroup) read(folder, name string) (string, error) {
	data, err := os.ReadFile(filepath.Join("/", c.root, folder, name))
	return strings.TrimSpace(string(data)), err
}

// usage is the CPU time so far, in seconds.
func (c *cgroup) usage() (float64, error) {
	if c.v2 {
		text, err := c.read(c.cpu, "cpu.stat")
		if err != nil {
			return 0, err
		}
		return fieldOf(text, "usage_usec", 1e-6)
	}
	text, err := c.read(c.cpu, "cpuacct.usage")
	if err != nil {
		return 0, err
	}
	return number(text, 1e-9)
}

// memoryUsed is the memory in use, in bytes, without what the kernel would give
// back first (inactive file pages).
func (c *cgroup) memoryUsed() (float64, error) {
	name, cold := "memory.current", "inactive_file"
	if !c.v2 {
		name, cold = "memory.usage_in_bytes", "total_inactive_file"
	}
	text, err := c.read(c.memory, name)
	if err != nil {
		return 0, err
	}
	used, err := number(text, 1)
	if err != nil {
		return 0, err
	}
	if stat, err := c.read(c.memory, "memory.stat"); err == nil {
		if file, err := fieldOf(stat, cold, 1); err == nil {
			used = max(0, used-file)
		}
	}
	return used, nil
}

// cores is how many cores the group may use: the tightest quota up the tree, and
// the cores it is pinned to. Without a limit it is infinite.
func (c *cgroup) cores() float64 {
	least := math.Inf(1)
	c.upwards(c.cpu, func(folder string) {
		if quota, ok := c.quota(folder); ok {
			least = min(least, quota)
		}
	})
	for _, name := range []string{"cpuset.cpus.effective", "cpuset.effective_cpus"} {
		if text, err := c.read(c.cpuset, name); err == nil && c.cpuset != "" {
			if n, err := countCPUs(text); err == nil && n > 0 {
				least = min(least, float64(n))
			}
		}
	}
	return least
}

func (c *cgroup) quota(folder string) (float64, bool) {
	var quota, period string
	if c.v2 {
		text, err := c.read(folder, "cpu.max")
		fields := strings.Fields(text)
		if err != nil || len(fields) != 2 {
			return 0, false
		}
		quota, period = fields[0], fields[1]
	} else {
		var errQuota, errPeriod error
		quota, errQuota = c.read(folder, "cpu.cfs_quota_us")
		period, errPeriod = c.read(folder, "cpu.cfs_period_us")
		if errQuota != nil || errPeriod != nil {
			return 0, false
		}
	}
	q, errQuota := number(quota, 1)
	p, errPeriod := number(period, 1)
	if errQuota != nil || errPeriod != nil || q <= 0 || p <= 0 {
		return 0, false // "max", or -1
	}
	return q / p, true
}

// unlimited is more memory than any machine has; version 1 writes such a number
// for none.
const unlimited = 1 << 60

// memoryLimit is the tightest limit up the tree, 0 for none.
func (c *cgroup) memoryLimit() float64 {
	name := "memory.max"
	if !c.v2 {
		name = "memory.limit_in_bytes"
	}
	least := 0.0
	c.upwards(c.memory, func(folder string) {
		text, err := c.read(folder, name)
		if err != nil {
			return
		}
		if limit, err := number(text, 1); err == nil && limit > 0 && limit < unlimited && (least == 0 || limit < least) {
			least = limit
		}
	})
	return least
}

// upwards calls f for the folder and those above it, up to the mount.
func (c *cgroup) upwards(folder string, f func(folder string)) {
	if folder == "" {
		return
	}
	top := c.top[folder]
	for at := folder; ; at = path.Dir(at) {
		f(at)
		if at == top || at == "/" || at == "." {
			return
		}
	}
}

// inCgroup reads a session's own cgroup (version 2) over what its tree said. It
// knows of processes that have ended unseen, too.
func inCgroup(folder string, use tree) tree {
	c := &cgroup{v2: true, cpu: folder, memory: folder}
	cpu, err := c.usage()
	if err != nil {
		return use
	}
	use.cpu, use.cgroup = cpu, folder
	if memory, err := c.memoryUsed(); err == nil {
		use.memory = memory
	}
	return use
}

// fieldOf finds a line "name value".
func fieldOf(text, name string, factor float64) (float64, error) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if value, found := strings.CutPrefix(lines.Text(), name+" "); found {
			return number(value, factor)
		}
	}
	return 0, fmt.Errorf("no line %q", name)
}

// number reads a whole number that is not negative.
func number(text string, factor float64) (float64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("want a number, got %q", text)
	}
	return float64(n) * factor, nil
}

// countCPUs counts the cores of a list such as "0-3,8,10-11" (cpuset(7)).
func countCPUs(list string) (int, error) {
	count := 0
	for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, errA := strconv.ParseUint(from, 10, 16)
		b, errB := strconv.ParseUint(to, 10, 16)
		if errA != nil || errB != nil || a > b {
			return 0, fmt.Errorf("want a list of cores such as 0-3,8, got %q", list)
		}
		count += int(b-a) + 1 //nolint:gosec // at most 65536
	}
	return count, nil
}
