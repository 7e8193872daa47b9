package sampler

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
)

const throttledEnv = "SAMPLER_THROTTLED"

// throttle makes cgroups that allow half a core, by version 1 or 2, whichever
// can be had here. It gives the folders that a process has to enter.
func throttle(t *testing.T) []string {
	name := "sampler-test-" + strconv.Itoa(os.Getpid())
	for _, try := range []struct{ limits map[string]string }{
		{map[string]string{"/sys/fs/cgroup/" + name: "cpu.max=50000 100000"}},
		{map[string]string{"/sys/fs/cgroup/cpu/" + name: "cpu.cfs_quota_us=50000", "/sys/fs/cgroup/cpuacct/" + name: ""}},
		{map[string]string{"/sys/fs/cgroup/cpu,cpuacct/" + name: "cpu.cfs_quota_us=50000"}},
	} {
		var folders []string
		var failed error
		for folder, limit := range try.limits {
			if err := os.Mkdir(folder, 0o755); err != nil { //nolint:gosec // as the kernel makes them
				failed = err
				continue
			}
			t.Cleanup(func() { _ = os.Remove(folder) })
			folders = append(folders, folder)
			if _, err := os.Stat(filepath.Join(folder, "cgroup.procs")); err != nil {
				failed = err // an ordinary folder
				continue
			}
			if file, text, found := strings.Cut(limit, "="); found {
				failed = errors.Join(failed, os.WriteFile(filepath.Join(folder, file), []byte(text), 0)) //nolint:gosec // of the kernel
			}
		}
		if failed == nil {
			return folders
		}
	}
	t.Skip("no cgroup with a quota can be made here")
	return nil
}

// TestThrottled: a process that may use half a core, and does, is told that
// the host is half a core and full, with scope machine too. The machine's own
// figures would say that there is room.
func TestThrottled(t *testing.T) {
	var script strings.Builder
	for _, folder := range throttle(t) {
		script.WriteString("echo $$ > " + folder + "/cgroup.procs && ")
	}
	child := exec.CommandContext(t.Context(), "sh", "-c", script.String()+`exec "$0" -test.run '^TestBeThrottled$' -test.v`, os.Args[0])
	child.Env = append(os.Environ(), throttledEnv+"=1")
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, text, found := strings.Cut(string(out), throttledEnv)
	text, _, _ = strings.Cut(text, "\n")
	var got struct{ Cores, CPU float64 }
	if err := json.Unmarshal([]byte(text), &got); !found || err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got.Cores != 0.5 || got.CPU < 0.6 || got.CPU > 1.4 { // the kernel's own slack is a period at each end
		t.Errorf("got %+v, want half a core, in full use", got)
	}
}

// TestBeThrottled is the process that is.
func TestBeThrottled(t *testing.T) {
	if os.Getenv(throttledEnv) == "" {
		t.Skip("it is started by TestThrottled")
	}
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil { // it uses all it gets
		}
	}()
	s, err := New(ctx, Options{Period: 600 * time.Millisecond, Log: slog.New(slog.DiscardHandler), Sessions: func() []Session { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Run(ctx, func(x wire.Sample) {
		stop()
		if x.CPU == nil {
			t.Error("the CPU is unknown")
			return
		}
		text, err := json.Marshal(map[string]float64{"Cores": s.Cores(), "CPU": *x.CPU})
		if err != nil {
			t.Error(err)
		}
		_, _ = os.Stdout.WriteString(throttledEnv + string(text) + "\n")
	})
	if err != nil {
		t.Error(err)
	}
}
