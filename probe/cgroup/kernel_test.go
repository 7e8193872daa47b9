package cgroup

import (
	"errors"
	"path"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseMax(t *testing.T) {
	for text, want := range map[string]float64{"150000 100000": 1.5, "50000 100000\n": 0.5, "1000 1000000": 0.001} {
		if got, err := parseMax(text); err != nil || got != want {
			t.Errorf("%q gives %v, %v; want %v", text, got, err, want)
		}
	}
	if _, err := parseMax("max 100000"); !errors.Is(err, errUnlimited) {
		t.Errorf("max gives %v", err)
	}
	for _, bad := range []string{"", "max", "1", "0 100", "100 0", "-5 100", "x 100", "1 2 3", "1e5 100"} {
		if got, err := parseMax(bad); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}

func TestUnescape(t *testing.T) {
	for text, want := range map[string]string{
		`/a\040b`: "/a b", `/a\134b`: `/a\b`, `/a\04`: `/a\04`, `\999`: `\999`, "/plain": "/plain", `\`: `\`,
	} {
		if got := unescape(text); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

func TestCountCPUs(t *testing.T) {
	for list, want := range map[string]int{"0": 1, "0-3": 4, "0-3,8,10-11\n": 7} {
		if got, err := countCPUs(list); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", list, got, err, want)
		}
	}
	for _, bad := range []string{"", "a", "3-1", "1-", "-1", "1,,2", "99999999", "2,1", "0-3,3"} {
		if n, err := countCPUs(bad); err == nil {
			t.Errorf("%q gives %d", bad, n)
		}
	}
}

// TestCPULists: a set of cores, written as the kernel does, is counted right.
func TestCPULists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var parts []string
		want, at := 0, 0
		for range rapid.IntRange(1, 12).Draw(t, "runs") {
			from := at + rapid.IntRange(0, 100).Draw(t, "gap")
			n := rapid.IntRange(1, 40).Draw(t, "length")
			if want, at = want+n, from+n; n == 1 {
				parts = append(parts, strconv.Itoa(from))
			} else {
				parts = append(parts, strconv.Itoa(from)+"-"+strconv.Itoa(at-1))
			}
		}
		if got, err := countCPUs(strings.Join(parts, ",")); err != nil || got != want {
			t.Fatalf("%v: %d, %v; want %d", parts, got, err, want)
		}
	})
}

func FuzzCountCPUs(f *testing.F) {
	for _, seed := range []string{"0-3,8", "", "0", "5-4", "0-65535", "0-65536", "1,1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		if n, err := countCPUs(list); err == nil && (n < 1 || n > 1<<16) {
			t.Errorf("%q gives %d cores", list, n)
		}
	})
}

func FuzzMax(f *testing.F) {
	for _, seed := range []string{"max 100000", "150000 100000", "", "0 0", "18446744073709551615 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := parseMax(text); err == nil && !(n > 0 && n < 1e20) {
			t.Errorf("%q gives %v cores", text, n)
		}
		if n, err := parseLimit(text); err == nil && !(n >= 0 && n < unlimited) {
			t.Errorf("%q gives %v bytes", text, n)
		}
	})
}

// FuzzStat is cpu.stat and memory.stat: a value found is one that stands there.
func FuzzStat(f *testing.F) {
	f.Add(v2()["sys/fs/cgroup/pods/one/cpu.stat"], "usage_usec")
	f.Add(v1()["sys/fs/cgroup/memory/memory.stat"], "total_inactive_file")
	f.Add("a 1\na 2", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		if n, err := field(text, name); err == nil && !strings.Contains(text, strconv.FormatUint(n, 10)) {
			t.Errorf("%q of %q gives %d", name, text, n)
		}
	})
}

// FuzzPlaces is /proc/self/cgroup and mountinfo: whatever they say, a group's
// folder is where its tree is mounted, or below.
func FuzzPlaces(f *testing.F) {
	for _, tree := range []map[string]string{v1(), v2(), hybrid()} {
		f.Add(tree["proc/self/cgroup"], tree["proc/self/mountinfo"])
	}
	f.Add("0::/../x\n", "31 1 0:27 /a\\040b /c\\040d rw - cgroup2 cgroup2 rw\n")
	f.Fuzz(func(t *testing.T, groups, mounts string) {
		found := finder{groups: parseGroups(groups), mounts: parseMounts(mounts)}
		for _, controller := range []string{"cpu", "cpuacct", "memory", "cpuset", ""} {
			p := found.place(controller)
			if p.dir == "" {
				continue
			}
			top := strings.TrimSuffix(path.Clean(p.top), "/")
			if dir := path.Clean(p.dir); dir != path.Clean(p.top) && !strings.HasPrefix(dir, top+"/") {
				t.Errorf("%q is not below %q", p.dir, p.top)
			}
			if levels := p.levels(); levels[0] != p.dir {
				t.Errorf("the levels of %+v are %v", p, levels)
			}
		}
	})
}
