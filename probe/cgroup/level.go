package cgroup

import (
	"errors"
	"math"
	"path"
	"strings"
)

// Level is a group, or one above it, whose CPU time is bounded.
type Level struct {
	Dir   string  // where its CPU time is counted
	Cores float64 // that it may use, by its quota or the cores it is pinned to; infinite for no bound
}

// Levels are the group itself, first, and those above it that have a quota. A
// group may use no more than the tightest; but what those beside it use counts
// against the ones above, so the load is the highest of all.
func (g *Group) Levels() []Level {
	all := []Level{{Dir: g.usage.dir, Cores: g.pinned()}}
	for _, dir := range g.quota.levels() {
		quota, err := g.quotaOf(dir)
		if err != nil {
			continue
		}
		if account := g.account(dir); account == g.usage.dir {
			all[0].Cores = min(all[0].Cores, quota)
		} else {
			all = append(all, Level{Dir: account, Cores: quota})
		}
	}
	return all
}

// account is where the CPU time of a folder with a quota is counted: the same
// folder of the tree that counts it; its own where that has none such.
func (g *Group) account(dir string) string {
	if dir == g.quota.dir {
		return g.usage.dir
	}
	account := path.Join(g.usage.top, strings.TrimPrefix(dir, g.quota.top))
	for _, level := range g.usage.levels() {
		if level == account {
			return account
		}
	}
	return g.usage.dir
}

func (g *Group) quotaOf(dir string) (float64, error) {
	if g.quota.v2 {
		text, err := g.read(dir, "cpu.max")
		if err != nil {
			return 0, err
		}
		return parseMax(text)
	}
	quota, err := g.read(dir, "cpu.cfs_quota_us")
	if err != nil {
		return 0, err
	}
	period, err := g.read(dir, "cpu.cfs_period_us")
	if err != nil {
		return 0, err
	}
	return cores(quota, period)
}

// pinned is how many cores the group may run on. Version 2 has the file only
// where the controller is on; those above then say it.
func (g *Group) pinned() float64 {
	for _, dir := range g.cpus.levels() {
		for _, name := range []string{"cpuset.cpus.effective", "cpuset.effective_cpus"} {
			text, err := g.read(dir, name)
			if err != nil {
				continue
			}
			if n, err := countCPUs(text); err == nil {
				return float64(n)
			}
		}
	}
	return math.Inf(1)
}

// Used is the CPU time that a level has used so far, in seconds.
func (g *Group) Used(l Level) (float64, error) {
	if g.usage.v2 {
		text, err := g.read(l.Dir, "cpu.stat")
		if err != nil {
			return 0, err
		}
		us, err := field(text, "usage_usec")
		return float64(us) / 1e6, err
	}
	text, err := g.read(l.Dir, "cpuacct.usage")
	if err != nil {
		return 0, err
	}
	ns, err := number(text)
	return float64(ns) / 1e9, err
}

// MemoryUsed is the memory that the group itself uses, in bytes, without what
// the kernel would give back first (inactive file pages).
func (g *Group) MemoryUsed() (float64, error) { return g.memoryUsed(g.memory.dir) }

func (g *Group) memoryUsed(dir string) (float64, error) {
	if dir == "" {
		return 0, errors.New("no memory controller")
	}
	name, cold := "memory.current", "inactive_file"
	if !g.memory.v2 {
		name, cold = "memory.usage_in_bytes", "total_inactive_file"
	}
	text, err := g.read(dir, name)
	if err != nil {
		return 0, err
	}
	used, err := number(text)
	if err != nil {
		return 0, err
	}
	if stat, err := g.read(dir, "memory.stat"); err == nil {
		if file, err := field(stat, cold); err == nil {
			used -= min(used, file)
		}
	}
	return float64(used), nil
}

// MemoryLimit is the tightest limit of the group and those above it, in bytes;
// 0 for none.
func (g *Group) MemoryLimit() float64 {
	least := 0.0
	for _, dir := range g.memory.levels() {
		if limit := g.limitOf(dir); limit > 0 && (least == 0 || limit < least) {
			least = limit
		}
	}
	return least
}

// MemoryFree is how much more memory the group may take, in bytes, by the limits
// of itself and of those above it; infinite without limits.
func (g *Group) MemoryFree() (float64, error) {
	free := math.Inf(1)
	for _, dir := range g.memory.levels() {
		limit := g.limitOf(dir)
		if limit == 0 {
			continue
		}
		used, err := g.memoryUsed(dir)
		if err != nil {
			return 0, err
		}
		free = min(free, max(0, limit-used))
	}
	return free, nil
}

// limitOf is a folder's limit, 0 for none. Version 1 tells also of those above
// it that a container does not see.
func (g *Group) limitOf(dir string) float64 {
	name := "memory.max"
	if !g.memory.v2 {
		name = "memory.limit_in_bytes"
	}
	limit := 0.0
	if text, err := g.read(dir, name); err == nil {
		if n, err := parseLimit(text); err == nil {
			limit = n
		}
	}
	if g.memory.v2 {
		return limit
	}
	if stat, err := g.read(dir, "memory.stat"); err == nil {
		if n, err := field(stat, "hierarchical_memory_limit"); err == nil && n < unlimited && (limit == 0 || float64(n) < limit) {
			limit = float64(n)
		}
	}
	return limit
}
