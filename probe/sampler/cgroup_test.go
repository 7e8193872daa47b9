package sampler

import (
	"context"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// files writes a tree of files and gives its root.
func files(t *testing.T, all map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range all {
		put(t, root, name, text)
	}
	return root
}

func put(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// v2 is a container of one and a half cores within a slice of four, as cgroup
// v2 shows it.
func v2() map[string]string {
	return map[string]string{
		"proc/self/cgroup":                                   "0::/pods/one\n",
		"proc/self/mountinfo":                                "31 1 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n29 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
		"sys/fs/cgroup/pods/cpu.max":                         "400000 100000\n",
		"sys/fs/cgroup/pods/memory.max":                      "4000000000\n",
		"sys/fs/cgroup/pods/one/cpu.max":                     "150000 100000\n",
		"sys/fs/cgroup/pods/one/cpu.stat":                    "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_throttled 3\n",
		"sys/fs/cgroup/pods/one/memory.current":              "1500000000\n",
		"sys/fs/cgroup/pods/one/memory.stat":                 "anon 900000000\nfile 600000000\ninactive_file 500000000\n",
		"sys/fs/cgroup/pods/one/memory.max":                  "max\n",
		"sys/fs/cgroup/pods/one/cpuset.cpus.effective":       "0-1\n",
		"sys/fs/cgroup/pods/one/session/cpu.stat":            "usage_usec 700000\n",
		"sys/fs/cgroup/pods/one/session/memory.current":      "300\n",
		"sys/fs/cgroup/pods/one/session/memory.stat":         "inactive_file 100\n",
		"sys/fs/cgroup/pods/one/session/cgroup.procs":        "10\n",
		"sys/fs/cgroup/pods/one/session/deeper/cgroup.procs": "11\n",
	}
}

// v1 is the same as version 1 shows it, in a container that sees only its part.
func v1() map[string]string {
	return map[string]string{
		"proc/self/cgroup": "5:cpuset:/docker/abc\n4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/docker/abc\n",
		"proc/self/mountinfo": "40 1 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n" +
			"41 1 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n" +
			"42 1 0:32 /docker/abc /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n" +
			"43 1 0:33 /docker/abc /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw\n",
		"sys/fs/cgroup/cpu,cpuacct/cpuacct.usage":     "2500000000\n",
		"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":  "150000\n",
		"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
		"sys/fs/cgroup/memory/memory.usage_in_bytes":  "1500000000\n",
		"sys/fs/cgroup/memory/memory.limit_in_bytes":  "4000000000\n",
		"sys/fs/cgroup/memory/memory.stat":            "cache 1\ntotal_inactive_file 500000000\n",
		"sys/fs/cgroup/cpuset/cpuset.effective_cpus":  "0-1\n",
	}
}

func TestOwnCgroup(t *testing.T) {
	for name, tree := range map[string]map[string]string{"version 2": v2(), "version 1": v1()} {
		t.Run(name, func(t *testing.T) {
			c, err := ownCgroup(files(t, tree))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.cores(); got != 1.5 {
				t.Errorf("%v cores, want 1.5", got)
			}
			if got := c.memoryLimit(); got != 4e9 {
				t.Errorf("a limit of %v bytes, want 4e9", got)
			}
			if got, err := c.usage(); err != nil || math.Abs(got-2.5) > 1e-9 {
				t.Errorf("used %v s (%v), want 2.5", got, err)
			}
			if got, err := c.memoryUsed(); err != nil || got != 1e9 {
				t.Errorf("%v bytes used (%v), want 1e9", got, err)
			}
		})
	}
}

func TestCgroupsThatSayLess(t *testing.T) {
	for name, change := range map[string]func(map[string]string){
		"no quota": func(m map[string]string) { m["sys/fs/cgroup/pods/one/cpu.max"] = "max 100000\n" },
		"no quota anywhere": func(m map[string]string) {
			delete(m, "sys/fs/cgroup/pods/one/cpu.max")
			delete(m, "sys/fs/cgroup/pods/cpu.max")
		},
		"neither, no cpuset": func(m map[string]string) { clearLimits(m) },
	} {
		t.Run(name, func(t *testing.T) {
			m := v2()
			change(m)
			c, err := ownCgroup(files(t, m))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]float64{"no quota": 2, "no quota anywhere": 2, "neither, no cpuset": math.Inf(1)}[name]
			if got := c.cores(); got != want {
				t.Errorf("%v cores, want %v", got, want)
			}
		})
	}
	for name, tree := range map[string]map[string]string{
		"nothing at all": {}, "no mount": {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": ""},
		"no usage": {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": "31 1 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"},
	} {
		if _, err := ownCgroup(files(t, tree)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func clearLimits(m map[string]string) {
	for name := range m {
		if strings.HasSuffix(name, "cpu.max") || strings.Contains(name, "cpuset") {
			delete(m, name)
		}
	}
}

func sampled(t *testing.T, o Options) *Sampler {
	t.Helper()
	o.Log, o.Period = slog.New(slog.DiscardHandler), time.Hour
	if o.Sessions == nil {
		o.Sessions = func() []Session { return nil }
	}
	s, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTheCgroupIsTheHost reads twice; between them it used 0.3 s.
func TestTheCgroupIsTheHost(t *testing.T) {
	root := files(t, v2())
	s := sampled(t, Options{Cgroup: true, Root: root})
	if s.Cores() != 1.5 || s.MemoryBytes() != 4e9 {
		t.Errorf("%v cores, %v bytes", s.Cores(), s.MemoryBytes())
	}
	if first := s.Read(t.Context()); first.CPU != nil || first.Memory == nil || *first.Memory != 1e9 {
		t.Errorf("at first %+v", first)
	}
	s.last.at = s.last.at.Add(-time.Second)
	put(t, root, "sys/fs/cgroup/pods/one/cpu.stat", "usage_usec 2800000\n")
	second := s.Read(t.Context())
	if second.CPU == nil || math.Abs(*second.CPU-0.2) > 0.02 {
		t.Errorf("the load is %v, want 0.3 of 1.5 core seconds", second.CPU)
	}
	put(t, root, "sys/fs/cgroup/pods/one/cpu.stat", "usage_usec 100\n") // it was made anew
	if third := s.Read(t.Context()); third.CPU != nil {
		t.Errorf("a counter that fell gives %v", *third.CPU)
	}
}

// TestAContainersQuotaBinds: with scope machine, too.
func TestAContainersQuotaBinds(t *testing.T) {
	tree := v2()
	tree["sys/fs/cgroup/pods/one/cpu.max"] = "10000 100000\n"
	root := files(t, tree)
	s := sampled(t, Options{Root: root})
	if s.Cores() != 0.1 {
		t.Fatalf("%v cores, want the quota of 0.1", s.Cores())
	}
	s.Read(t.Context())
	s.last.at = s.last.at.Add(-time.Second)
	put(t, root, "sys/fs/cgroup/pods/one/cpu.stat", "usage_usec 2600000\n")
	if x := s.Read(t.Context()); x.CPU == nil || *x.CPU < 0.9 {
		t.Errorf("the load is %v, and the quota is used up", x.CPU)
	}
}

func TestASessionsOwnCgroup(t *testing.T) {
	root := files(t, v2())
	for name, text := range map[string]string{
		"proc/10/stat": "10 (x) S 1 10 4 0 -1 0 0 0 0 0 30 0 0 0 20 0 1 0 5 1000 1 0",
	} {
		put(t, root, name, text)
	}
	folder := filepath.Join(root, "sys/fs/cgroup/pods/one/session")
	session := Session{ID: "s", RootPID: 10, Cgroup: folder, GPU: -1}
	s := sampled(t, Options{Share: 1, Root: root, Sessions: func() []Session { return []Session{session} }})
	first := s.Read(t.Context())
	if len(first.Sessions) != 1 || *first.Sessions[0].Memory != 200 {
		t.Fatalf("at first %+v", first.Sessions)
	}
	s.last.at = s.last.at.Add(-time.Second)
	put(t, root, "sys/fs/cgroup/pods/one/session/cpu.stat", "usage_usec 900000\n")
	if x := s.Read(t.Context()).Sessions[0]; x.CPU == nil || math.Abs(*x.CPU-0.2) > 0.02 {
		t.Errorf("the session used %v, want 0.2", x.CPU)
	}
	session.Cgroup = "" // another source: nothing to compare with
	if x := s.Read(t.Context()).Sessions[0]; x.CPU != nil {
		t.Errorf("two sources were compared: %v", *x.CPU)
	}
}

// TestALongWindowSaysNothing: the machine was asleep.
func TestALongWindowSaysNothing(t *testing.T) {
	s := sampled(t, Options{})
	s.Read(t.Context())
	s.o.Period = time.Second
	s.last.at = s.last.at.Add(-time.Minute)
	if x := s.Read(t.Context()); x.CPU != nil || x.EgressBps != nil || x.WindowMS != 0 {
		t.Errorf("got %+v", x)
	}
}

// TestThisMachine reads what is really there, whatever it is.
func TestThisMachine(t *testing.T) {
	for _, o := range []Options{{}, {Cgroup: true}} {
		o.Log, o.Period, o.Sessions = slog.New(slog.DiscardHandler), time.Minute, func() []Session { return nil }
		s, err := New(context.Background(), o)
		if err != nil {
			if o.Cgroup && strings.Contains(err.Error(), "scope.kind") {
				continue // none here
			}
			t.Fatal(err)
		}
		s.Read(t.Context())
		x := s.Read(t.Context())
		if s.Cores() <= 0 || x.Memory == nil || *x.Memory <= 0 || (x.CPU != nil && !(*x.CPU >= 0)) {
			t.Errorf("%+v: %v cores, %+v", o.Cgroup, s.Cores(), x)
		}
	}
}

func TestCountCPUs(t *testing.T) {
	for list, want := range map[string]int{"0": 1, "0-3": 4, "0-3,8,10-11": 7} {
		if got, err := countCPUs(list); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", list, got, err, want)
		}
	}
	for _, bad := range []string{"", "a", "3-1", "1-", "-1", "1,,2", "99999999"} {
		if n, err := countCPUs(bad); err == nil {
			t.Errorf("%q gives %d", bad, n)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var parts []string
		want := 0
		for range rapid.IntRange(1, 8).Draw(t, "parts") {
			from, n := rapid.IntRange(0, 500).Draw(t, "from"), rapid.IntRange(1, 40).Draw(t, "n")
			want += n
			if n == 1 {
				parts = append(parts, strconv.Itoa(from))
			} else {
				parts = append(parts, strconv.Itoa(from)+"-"+strconv.Itoa(from+n-1))
			}
		}
		if got, err := countCPUs(strings.Join(parts, ",")); err != nil || got != want {
			t.Fatalf("%v: %d, %v; want %d", parts, got, err, want)
		}
	})
}

func FuzzKernelFiles(f *testing.F) {
	tree := v2()
	f.Add(tree["proc/self/cgroup"], tree["proc/self/mountinfo"], tree["sys/fs/cgroup/pods/one/cpu.stat"])
	tree = v1()
	f.Add(tree["proc/self/cgroup"], tree["proc/self/mountinfo"], tree["sys/fs/cgroup/memory/memory.stat"])
	f.Fuzz(func(t *testing.T, groups, mounts, stat string) {
		for controller, group := range parseCgroups(groups) {
			if !strings.HasPrefix(group, "/") {
				t.Errorf("group %q of %q", group, controller)
			}
			for _, m := range parseMounts(mounts) {
				c := &cgroup{top: map[string]string{}}
				c.set(controller, m, group)
				if !strings.HasPrefix(c.cpu, strings.TrimSuffix(filepath.Clean(m.at), "/")) && c.cpu != "" {
					t.Errorf("%q is not below %q", c.cpu, m.at)
				}
			}
		}
		if v, err := fieldOf(stat, "usage_usec", 1e-6); err == nil && !(v >= 0) {
			t.Errorf("%q gives %v", stat, v)
		}
		if n, err := countCPUs(stat); err == nil && n < 1 {
			t.Errorf("%q gives %d cores", stat, n)
		}
	})
}
