package sampler

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
)

const second = time.Second

// machine is one of four cores and 8 GiB, whose probe runs in a container of
// one and a half cores and 4 GB.
func machine() map[string]string {
	return map[string]string{
		"proc/cpuinfo":                          strings.Repeat("processor\t: 0\n\n", 4),
		"proc/stat":                             "cpu  1000 0 500 9000 0 0 0 100 50 0\n" + strings.Repeat("cpu0 0 0 0 0 0 0 0 0 0 0\n", 4),
		"proc/meminfo":                          "MemTotal: 8388608 kB\nMemFree: 1000 kB\nMemAvailable: 6291456 kB\n",
		"proc/net/dev":                          netDev(1000, 5000),
		"proc/net/route":                        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t01\t3\t0\t0\t0\t00000000\n",
		"proc/net/ipv6_route":                   "",
		"proc/self/cgroup":                      "0::/pods/one\n",
		"proc/self/mountinfo":                   "31 1 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"sys/fs/cgroup/pods/one/cpu.max":        "150000 100000\n",
		"sys/fs/cgroup/pods/one/cpu.stat":       "usage_usec 2500000\n",
		"sys/fs/cgroup/pods/one/memory.max":     "4000000000\n",
		"sys/fs/cgroup/pods/one/memory.current": "1000000000\n",
	}
}

// netDev has sent so many bytes over eth0, and others over docker0.
func netDev(eth, docker int) string {
	const row = "%s: 7 0 0 0 0 0 0 0 %d 0 0 0 0 0 0 0\n"
	return "a\nb\n" + fmt.Sprintf(row, "lo", 99*eth) + fmt.Sprintf(row, "eth0", eth) + fmt.Sprintf(row, "docker0", docker)
}

// fake is a machine of files, and a sampler of it.
type fake struct {
	t    *testing.T
	root string
	log  bytes.Buffer
	*Sampler
}

func newFake(t *testing.T, o Options, change ...string) *fake {
	t.Helper()
	f := &fake{t: t, root: t.TempDir()}
	for name, text := range machine() {
		f.put(name, text)
	}
	for i := 0; i < len(change); i += 2 {
		f.put(change[i], change[i+1])
	}
	o.Root, o.Period, o.Log = f.root, second, slog.New(slog.NewTextHandler(&f.log, nil))
	if o.Sessions == nil {
		o.Sessions = func() []Session { return nil }
	}
	var err error
	if f.Sampler, err = New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return f
}

// put writes a file; no text removes it.
func (f *fake) put(name, text string) {
	f.t.Helper()
	file := filepath.Join(f.root, name)
	if text == "" {
		if err := os.RemoveAll(file); err != nil {
			f.t.Fatal(err)
		}
		return
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) is(what string, got wire.Reading, want float64) {
	f.t.Helper()
	switch {
	case want == unknown && got != nil:
		f.t.Errorf("%s is %v, want it unknown", what, *got)
	case want != unknown && got == nil:
		f.t.Errorf("%s is unknown, want %v", what, want)
	case want != unknown && math.Abs(*got-want) > 1e-9:
		f.t.Errorf("%s is %v, want %v", what, *got, want)
	}
}

// unknown is what a figure is wanted to be.
const unknown = -1

// next reads again, a second later.
func (f *fake) next() wire.Sample {
	time.Sleep(second) // in a bubble: no time passes
	return f.Read(f.t.Context())
}

const unbound = "sys/fs/cgroup/pods/one/cpu.max"

// TestTheMachine: of four cores 360 hundredths of a second were idle, waiting for
// a disk included. What ticks counted as busy says nothing.
func TestTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, Options{}, unbound, "", "sys/fs/cgroup/pods/one/memory.max", "max")
		if f.Cores() != 4 || f.MemoryBytes() != 8<<30 || f.Share() != "" {
			t.Errorf("%v cores, %v bytes, %q", f.Cores(), f.MemoryBytes(), f.Share())
		}
		first := f.Read(t.Context())
		f.is("the first CPU", first.CPU, unknown)
		f.is("the first egress", first.EgressBps, unknown)
		f.is("the first memory", first.Memory, 2<<30)
		f.put("proc/stat", "cpu  1000 0 510 9300 60 0 0 110 60 0\n")
		f.put("proc/net/dev", netDev(2000, 5000))
		x := f.next()
		f.is("CPU", x.CPU, 0.4/4)
		f.is("egress", x.EgressBps, 8000)
		f.is("window", &x.WindowMS, 1000)
		f.put("proc/stat", "cpu  1000 0 510 9702 60 0 0 110 60 0\n")
		f.is("CPU that idled a tick more than there was", f.next().CPU, 0)
		f.put("proc/stat", "cpu  1000 0 510 9000 60 0 0 110 60 0\n")
		f.is("CPU of a counter that fell", f.next().CPU, unknown)
	})
}

// TestTheCgroupIsTheHost whatever the machine does.
func TestTheCgroupIsTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, Options{Cgroup: true}, "proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 1 kB\n")
		if f.Cores() != 1.5 || f.MemoryBytes() != 4e9 || !strings.Contains(f.Share(), "1.5 of this machine's 4") {
			t.Errorf("%v cores, %v bytes, %q", f.Cores(), f.MemoryBytes(), f.Share())
		}
		if !strings.Contains(f.log.String(), "scope=cgroup cores=1.5 of=4") {
			t.Errorf("the log says %s", &f.log)
		}
		f.is("the first CPU", f.Read(t.Context()).CPU, unknown)
		f.put("proc/stat", "cpu  9999 0 510 9000 0 0 0 110 60 0\n")
		f.put("sys/fs/cgroup/pods/one/cpu.stat", "usage_usec 2800000\n")
		x := f.next()
		f.is("CPU", x.CPU, 0.2)
		f.is("memory", x.Memory, 1e9)
		f.put("sys/fs/cgroup/pods/one/cpu.stat", "usage_usec 100\n") // it was made anew
		f.is("CPU of a counter that fell", f.next().CPU, unknown)
		f.put("sys/fs/cgroup/pods/one/cpu.stat", "")
		f.put("sys/fs/cgroup/pods/one/memory.current", "")
		x = f.next()
		f.is("CPU of nothing", x.CPU, unknown)
		f.is("memory of nothing", x.Memory, unknown)
		f.next()
		if n := strings.Count(f.log.String(), "unknown"); n != 2 {
			t.Errorf("said %d times that two things are unknown:\n%s", n, &f.log)
		}
		f.put("sys/fs/cgroup/pods/one/cpu.stat", "usage_usec 100\n")
		f.is("CPU after a gap", f.next().CPU, unknown)
		f.is("CPU again", f.next().CPU, 0)
	})
}

// TestAContainersQuotaBinds with scope machine, too; and where the machine is
// busier than the container, that is what there is no more of.
func TestAContainersQuotaBinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, Options{})
		if f.Cores() != 1.5 || !strings.Contains(f.log.String(), "scope=machine cores=1.5 of=4") {
			t.Fatalf("%v cores; %s", f.Cores(), &f.log)
		}
		f.Read(t.Context())
		f.put("sys/fs/cgroup/pods/one/cpu.stat", "usage_usec 4000000\n")
		f.put("proc/stat", "cpu  1000 0 500 9400 0 0 0 100 50 0\n")
		x := f.next()
		f.is("CPU with the quota used up", x.CPU, 1)
		f.is("memory", x.Memory, 1e9)
		f.put("proc/stat", "cpu  1360 0 500 9440 0 0 0 100 50 0\n")
		f.put("proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 1000000 kB\n")
		x = f.next()
		f.is("CPU with the machine used up", x.CPU, 0.9)
		f.is("memory with the machine's used up", x.Memory, 4e9-1000000*1024)
	})
}

// TestWhatIsBesideCounts against a quota that both share.
func TestWhatIsBesideCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, Options{Cgroup: true}, unbound, "",
			"sys/fs/cgroup/pods/cpu.max", "200000 100000", "sys/fs/cgroup/pods/cpu.stat", "usage_usec 1000000")
		f.Read(t.Context())
		f.put("sys/fs/cgroup/pods/cpu.stat", "usage_usec 2800000")
		f.is("CPU", f.next().CPU, 0.9)
	})
}

// TestAQuotaBeyondTheMachine bounds nothing.
func TestAQuotaBeyondTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, Options{Cgroup: true}, unbound, "900000 100000")
		f.Read(t.Context())
		f.put("sys/fs/cgroup/pods/one/cpu.stat", "usage_usec 5500000")
		if x := f.next(); f.Cores() != 4 {
			t.Errorf("%v cores", f.Cores())
		} else {
			f.is("CPU", x.CPU, 0.75)
		}
	})
}

// TestAStatedFolder is where the sessions run, away from the probe.
func TestAStatedFolder(t *testing.T) {
	f := newFake(t, Options{Cgroup: true, Folder: "/sys/fs/cgroup/render"},
		"sys/fs/cgroup/render/cpu.max", "250000 100000", "sys/fs/cgroup/render/cpu.stat", "usage_usec 1")
	if f.Cores() != 2.5 {
		t.Errorf("%v cores", f.Cores())
	}
	_, err := New(t.Context(), Options{
		Cgroup: true, Folder: "/none", Root: f.root, Period: second, Log: slog.New(slog.DiscardHandler), Sessions: f.o.Sessions,
	})
	if err == nil || !strings.Contains(err.Error(), "scope.kind is cgroup") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestASessionsOwnCgroup is read over its tree; memory, too, where it is there.
func TestASessionsOwnCgroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const folder = "sys/fs/cgroup/pods/one/s"
		session := Session{ID: "s", RootPID: 10, Cgroup: "/" + folder, GPU: -1}
		f := newFake(t, Options{Share: 2, Sessions: func() []Session { return []Session{session} }},
			"proc/10/stat", stat(10, 1, 10, 5, 30), folder+"/cpu.stat", "usage_usec 700000",
			folder+"/memory.current", "300", folder+"/memory.stat", "inactive_file 100")
		f.is("memory", f.Read(t.Context()).Sessions[0].Memory, 200)
		f.put(folder+"/cpu.stat", "usage_usec 1100000")
		f.put(folder+"/memory.current", "")
		x := f.next()
		f.is("CPU", x.Sessions[0].CPU, 0.2)
		f.is("the share's CPU", x.CPU, 0.2)
		f.is("memory of the tree", x.Sessions[0].Memory, float64(os.Getpagesize()))
		session.Cgroup = "" // another source: nothing to compare with
		f.put("proc/10/stat", stat(10, 1, 10, 5, 500))
		x = f.next()
		f.is("CPU of two sources", x.Sessions[0].CPU, unknown)
		f.is("the share's CPU", x.CPU, unknown)
		f.put("proc/10/stat", stat(10, 1, 10, 5, 540))
		f.is("CPU of the tree", f.next().CPU, 0.2)
		f.put("proc/10/stat", stat(10, 1, 10, 5, 530)) // it lost what a child had used
		f.is("CPU of a tree that lost some", f.next().CPU, unknown)
		f.put("proc/10/stat", stat(10, 1, 10, 99, 5)) // the number was given again
		f.is("CPU of another process", f.next().Sessions[0].CPU, unknown)
	})
}

// TestAShareOfNothing is idle, but unknown where nothing can be told.
func TestAShareOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, Options{Share: 9})
		if f.Cores() != 9 || f.MemoryBytes() != 8<<30 || !strings.Contains(f.log.String(), "more than there is") {
			t.Errorf("%v cores, %v bytes: %s", f.Cores(), f.MemoryBytes(), &f.log)
		}
		f.is("the first CPU", f.Read(t.Context()).CPU, unknown)
		f.is("CPU", f.next().CPU, 0)
		if err := os.Rename(filepath.Join(f.root, "proc"), filepath.Join(f.root, "gone")); err != nil {
			t.Fatal(err)
		}
		x := f.next()
		f.is("CPU without processes", x.CPU, unknown)
		f.is("memory without processes", x.Memory, unknown)
		f.is("egress without counters", x.EgressBps, unknown)
	})
}

// TestALongWindowSaysNothing: the machine stood still.
func TestALongWindowSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, Options{})
		f.Read(t.Context())
		time.Sleep(time.Minute)
		x := f.Read(t.Context())
		f.is("CPU", x.CPU, unknown)
		f.is("egress", x.EgressBps, unknown)
		f.is("window", &x.WindowMS, 0)
		f.is("CPU then, of a machine whose idle time stands still", f.next().CPU, 1)
	})
}

// TestRun gives a sample a period; the first has something to compare with.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, Options{})
		ctx, stop := context.WithCancel(t.Context())
		n := 0
		err := f.Run(ctx, func(x wire.Sample) {
			f.is("CPU of a machine whose idle time stands still", x.CPU, 1)
			if n++; n == 3 {
				stop()
			}
		})
		if err != nil || n != 3 {
			t.Errorf("%d samples, %v", n, err)
		}
	})
}

// TestThisMachine reads what is really there, whatever it is.
func TestThisMachine(t *testing.T) {
	for _, o := range []Options{{}, {Cgroup: true}, {Share: 1}} {
		o.Log, o.Period, o.Sessions = slog.New(slog.DiscardHandler), time.Minute, func() []Session { return nil }
		s, err := New(t.Context(), o)
		if err != nil {
			if o.Cgroup && strings.Contains(err.Error(), "scope.kind") {
				continue // none here
			}
			t.Fatal(err)
		}
		s.Read(t.Context())
		x := s.Read(t.Context())
		if s.Cores() <= 0 || x.Memory == nil || (o.Share == 0 && *x.Memory <= 0) || (x.CPU != nil && !(*x.CPU >= 0)) {
			t.Errorf("%+v: %v cores, %+v", o.Cgroup, s.Cores(), x)
		}
	}
}

func TestValue(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		if v := value(bad); v != nil {
			t.Errorf("%v is a reading of %v", bad, *v)
		}
	}
	if v := value(0); v == nil || *v != 0 {
		t.Errorf("0 is %v", v)
	}
}
