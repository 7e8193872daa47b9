package cgroup

import (
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files writes a tree of files and gives its root.
func files(t *testing.T, all map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range all {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// v2 is a container of one and a half cores within a slice of four, as version
// 2 shows it.
func v2() map[string]string {
	return map[string]string{
		"proc/self/cgroup":                             "0::/pods/one\n",
		"proc/self/mountinfo":                          "31 1 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n29 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
		"sys/fs/cgroup/cpu.stat":                       "usage_usec 99000000\n",
		"sys/fs/cgroup/cpuset.cpus.effective":          "0-7\n",
		"sys/fs/cgroup/cgroup.procs":                   "",
		"sys/fs/cgroup/pods/cgroup.procs":              "",
		"sys/fs/cgroup/pods/cpu.max":                   "400000 100000\n",
		"sys/fs/cgroup/pods/cpu.stat":                  "usage_usec 9000000\n",
		"sys/fs/cgroup/pods/cpuset.cpus.effective":     "0-5\n",
		"sys/fs/cgroup/pods/memory.max":                "4000000000\n",
		"sys/fs/cgroup/pods/memory.current":            "3500000000\n",
		"sys/fs/cgroup/pods/one/cgroup.procs":          "",
		"sys/fs/cgroup/pods/one/cpu.max":               "150000 100000\n",
		"sys/fs/cgroup/pods/one/cpu.stat":              "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_throttled 3\n",
		"sys/fs/cgroup/pods/one/memory.current":        "1500000000\n",
		"sys/fs/cgroup/pods/one/memory.stat":           "anon 900000000\nfile 600000000\ninactive_file 500000000\n",
		"sys/fs/cgroup/pods/one/memory.max":            "max\n",
		"sys/fs/cgroup/pods/one/cpuset.cpus.effective": "0-1\n",
	}
}

// v1 is the same as version 1 shows it, in a container that sees only its part.
// A quota and what was used stand in trees of their own.
func v1() map[string]string {
	const from = "/docker/abc"
	return map[string]string{
		"proc/self/cgroup": "5:cpuset:/docker/abc\n4:memory:/docker/abc\n3:cpu:/docker/abc\n2:cpuacct:/docker/abc\n0::/docker/abc\n",
		"proc/self/mountinfo": "40 1 0:30 " + from + " /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n" +
			"44 1 0:34 " + from + " /sys/fs/cgroup/cpuacct ro - cgroup cgroup rw,cpuacct\n" +
			"41 1 0:31 " + from + " /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n" +
			"42 1 0:32 " + from + " /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n" +
			"43 1 0:33 " + from + " /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw\n",
		"sys/fs/cgroup/cpuacct/cpuacct.usage":        "2500000000\n",
		"sys/fs/cgroup/cpu/cpu.cfs_quota_us":         "150000\n",
		"sys/fs/cgroup/cpu/cpu.cfs_period_us":        "100000\n",
		"sys/fs/cgroup/memory/memory.usage_in_bytes": "1500000000\n",
		"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		"sys/fs/cgroup/memory/memory.stat":           "cache 1\nhierarchical_memory_limit 4000000000\ntotal_inactive_file 500000000\n",
		"sys/fs/cgroup/cpuset/cpuset.effective_cpus": "0-1\n",
	}
}

// hybrid has version 2 for the CPU, and version 1 for the memory.
func hybrid() map[string]string {
	tree := v2()
	for name, text := range v1() {
		if strings.Contains(name, "/memory/") {
			tree[name] = text
		}
	}
	tree["proc/self/cgroup"] = "4:memory:/\n1:name=systemd:/\n0::/pods/one\n"
	tree["proc/self/mountinfo"] += "41 1 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	return tree
}

func own(t *testing.T, tree map[string]string) *Group {
	t.Helper()
	g, err := Own(files(t, tree))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestOwn(t *testing.T) {
	for name, tt := range map[string]struct {
		tree map[string]string
		dir  string
		free float64
	}{
		"version 2": {v2(), "/sys/fs/cgroup/pods/one", 5e8}, // of the slice's limit
		"version 1": {v1(), "/sys/fs/cgroup/cpuacct", 3e9},
		"hybrid":    {hybrid(), "/sys/fs/cgroup/pods/one", 3e9},
	} {
		t.Run(name, func(t *testing.T) {
			g := own(t, tt.tree)
			if g.Dir() != tt.dir {
				t.Errorf("in %s, want %s", g.Dir(), tt.dir)
			}
			levels := g.Levels()
			if levels[0].Cores != 1.5 {
				t.Errorf("%v, want 1.5 cores", levels)
			}
			if used, err := g.Used(levels[0]); err != nil || math.Abs(used-2.5) > 1e-9 {
				t.Errorf("used %v s (%v), want 2.5", used, err)
			}
			if used, err := g.MemoryUsed(); err != nil || used != 1e9 {
				t.Errorf("%v bytes used (%v), want 1e9", used, err)
			}
			if limit := g.MemoryLimit(); limit != 4e9 {
				t.Errorf("a limit of %v bytes, want 4e9", limit)
			}
			if free, err := g.MemoryFree(); err != nil || free != tt.free {
				t.Errorf("%v bytes free (%v), want %v", free, err, tt.free)
			}
		})
	}
}

// TestLevels: what is beside the group counts against the quota above it.
func TestLevels(t *testing.T) {
	g := own(t, v2())
	levels := g.Levels()
	if len(levels) != 2 || levels[1] != (Level{Dir: "/sys/fs/cgroup/pods", Cores: 4}) {
		t.Fatalf("got %v", levels)
	}
	if used, err := g.Used(levels[1]); err != nil || used != 9 {
		t.Errorf("used %v s (%v), want 9", used, err)
	}
}

// TestQuotaAboveInVersion1: trees of one shape are read together; where the
// other tree has no such folder, the group's own account stands in.
func TestQuotaAboveInVersion1(t *testing.T) {
	tree := map[string]string{
		"proc/self/cgroup": "3:cpu:/a/b\n2:cpuacct:/a/b\n",
		"proc/self/mountinfo": "40 1 0:30 / /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n" +
			"44 1 0:34 / /sys/fs/cgroup/cpuacct ro - cgroup cgroup rw,cpuacct\n",
		"sys/fs/cgroup/cpuacct/a/cpuacct.usage":   "7000000000\n",
		"sys/fs/cgroup/cpuacct/a/b/cpuacct.usage": "2000000000\n",
		"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us":    "200000\n",
		"sys/fs/cgroup/cpu/a/cpu.cfs_period_us":   "100000\n",
		"sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us":  "-1\n",
		"sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us": "100000\n",
	}
	g := own(t, tree)
	if levels := g.Levels(); len(levels) != 2 || levels[1].Cores != 2 || !strings.HasSuffix(levels[1].Dir, "cpuacct/a") {
		t.Errorf("got %v", levels)
	}
	tree["proc/self/cgroup"] = "3:cpu:/a/b\n2:cpuacct:/\n"
	tree["sys/fs/cgroup/cpuacct/cpuacct.usage"] = "1\n"
	if levels := own(t, tree).Levels(); len(levels) != 1 || levels[0].Cores != 2 {
		t.Errorf("got %v", levels)
	}
}

func TestGroupsThatSayLess(t *testing.T) {
	const one = "sys/fs/cgroup/pods/one/"
	for name, tt := range map[string]struct {
		set   map[string]string // empty: removed
		cores float64
	}{
		"no quota":                  {map[string]string{one + "cpu.max": "max 100000\n"}, 2},
		"nonsense for a quota":      {map[string]string{one + "cpu.max": "much\n"}, 2},
		"the controller is off":     {map[string]string{one + "cpuset.cpus.effective": "", one + "cpu.max": "900000 100000\n"}, 6},
		"nonsense for a cpuset":     {map[string]string{one + "cpuset.cpus.effective": "all\n", one + "cpu.max": "max 100000"}, 6},
		"seen from outside its own": {map[string]string{"proc/self/cgroup": "0::/../other\n", "sys/fs/cgroup/cpu.max": "300000 100000\n"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			tree := v2()
			maps.Copy(tree, tt.set)
			maps.DeleteFunc(tree, func(_, text string) bool { return text == "" })
			if got := own(t, tree).Levels()[0].Cores; got != tt.cores {
				t.Errorf("%v cores, want %v", got, tt.cores)
			}
		})
	}
	tree := v2()
	maps.DeleteFunc(tree, func(name, _ string) bool {
		return strings.HasSuffix(name, "cpu.max") || strings.Contains(name, "cpuset") || strings.HasSuffix(name, "memory.max")
	})
	g := own(t, tree)
	if free, err := g.MemoryFree(); !math.IsInf(free, 1) || err != nil || g.MemoryLimit() != 0 || !math.IsInf(g.Levels()[0].Cores, 1) {
		t.Errorf("no limits give %v bytes free (%v), %v", free, err, g.Levels())
	}
}

func TestMemory(t *testing.T) {
	const one, v1memory = "sys/fs/cgroup/pods/one/", "sys/fs/cgroup/memory/"
	tree := v2()
	tree[one+"memory.max"] = "1200000000"
	if free, err := own(t, tree).MemoryFree(); err != nil || free != 2e8 {
		t.Errorf("%v bytes free within two limits (%v), want 2e8", free, err)
	}
	tree[one+"memory.stat"] = "inactive_file 9900000000"
	if used, err := own(t, tree).MemoryUsed(); err != nil || used != 0 {
		t.Errorf("%v bytes used (%v), want 0", used, err)
	}
	tree = v1()
	tree[v1memory+"memory.stat"] = ""
	if limit := own(t, tree).MemoryLimit(); limit != 0 {
		t.Errorf("version 1's word for none is a limit of %v bytes", limit)
	}
}

// TestMountsOfOthers: a folder whose name begins as ours does is not above us.
func TestMountsOfOthers(t *testing.T) {
	tree := v2()
	tree["proc/self/mountinfo"] = "30 1 0:27 /pods/on /mnt/other rw - cgroup2 cgroup2 rw\n" + tree["proc/self/mountinfo"]
	if dir := own(t, tree).Dir(); dir != "/sys/fs/cgroup/pods/one" {
		t.Errorf("in %s", dir)
	}
}

func TestNoGroup(t *testing.T) {
	const mounted = "31 1 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	for name, tree := range map[string]map[string]string{
		"nothing at all": {},
		"no mounts file": {"proc/self/cgroup": "0::/\n"},
		"no mount":       {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": ""},
		"no group":       {"proc/self/cgroup": "", "proc/self/mountinfo": mounted},
		"no usage":       {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": mounted},
	} {
		if _, err := Own(files(t, tree)); !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if dir, err := OwnFolder(files(t, v1())); err != nil || dir != "/sys/fs/cgroup/unified" {
		t.Errorf("the folder is %q, %v", dir, err)
	}
	if _, err := OwnFolder(files(t, map[string]string{"proc/self/cgroup": "1:cpu:/\n", "proc/self/mountinfo": ""})); err == nil {
		t.Error("a folder without a mount")
	}
}

// TestAFolder is read by itself, or with those above it.
func TestAFolder(t *testing.T) {
	root := files(t, v2())
	if levels := At(root, "/sys/fs/cgroup/pods/one").Levels(); len(levels) != 1 {
		t.Errorf("by itself: %v", levels)
	}
	g, err := Below(root, "/sys/fs/cgroup/pods/one")
	if err != nil {
		t.Fatal(err)
	}
	if levels := g.Levels(); len(levels) != 2 || g.MemoryLimit() != 4e9 {
		t.Errorf("with those above it: %v", levels)
	}
}

// TestThisSystem reads what is really there, whatever it is.
func TestThisSystem(t *testing.T) {
	g, err := Own("")
	if errors.Is(err, ErrNone) {
		t.Skip("no cgroup here")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range g.Levels() {
		if used, err := g.Used(level); err != nil || !(used >= 0) || !(level.Cores > 0) {
			t.Errorf("%+v used %v s, %v", level, used, err)
		}
	}
}

func TestFoldersOfVersion1(t *testing.T) {
	tree := v1()
	tree["proc/self/mountinfo"] = strings.ReplaceAll(tree["proc/self/mountinfo"], "cgroup2", "other")
	root := files(t, tree)
	dir, err := OwnFolder(root)
	if err != nil || dir != "/sys/fs/cgroup/cpuacct" {
		t.Errorf("the folder is %q, %v", dir, err)
	}
	g := At(root, dir)
	if used, err := g.Used(Level{Dir: dir}); err != nil || used != 2.5 {
		t.Errorf("used %v s, %v", used, err)
	}
	if used, err := g.MemoryUsed(); err == nil {
		t.Errorf("%v bytes used, and nothing counts them", used)
	}
	if g, err := Below(root, dir); err != nil || g.MemoryLimit() != 4e9 {
		t.Errorf("below it: %+v, %v", g, err)
	}
	if g, err := Below(root, "/none"); err == nil {
		t.Errorf("below nothing: %+v", g)
	}
	if dir, err := OwnAccount(files(t, v2())); err == nil {
		t.Errorf("version 2 has an account of version 1 at %q", dir)
	}
}
