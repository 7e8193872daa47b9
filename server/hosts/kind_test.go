package hosts

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/calibration"
	"github.com/rendergate/rendergate/server/config"
)

// lines is a log that is read while it is written.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

// with are those that contain a text.
func (l *lines) with(text string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.all.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// calibratedPolicy is what a service goes by whose app was calibrated on four
// cores and an L4: one seat, of 0.4 cores and a tenth of the GPU.
func calibratedPolicy(t *testing.T) admission.Policy {
	t.Helper()
	dir := t.TempDir()
	_, err := config.WriteCalibration(filepath.Join(dir, "app.yaml"), calibration.Result{
		App: "app", At: time.Now(), Command: []string{"./app"}, Fits: 1, FitsPerGPU: []int{1}, Binding: calibration.CPU, Confidence: 0.9,
		Machine: calibration.Machine{CPU: "EPYC", Cores: 4, MemoryBytes: 8 << 30, GPUs: []calibration.GPU{{Name: "NVIDIA L4", VRAMBytes: 24 << 30}}},
		Resources: map[string]calibration.Resource{
			calibration.CPU:     {Capacity: 4, PerCopy: 0.1, PerCopyLow: 0.1, PerCopyHigh: 0.1},
			calibration.GPULoad: {Capacity: 1, PerCopy: 0.1, PerCopyLow: 0.1, PerCopyHigh: 0.1},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(file, []byte("pools: {pool: {apps: {app: {profile: app.yaml}}, placement: {max_starting: 9}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return c.Pools["pool"].Policy()
}

// calibratedBench is a bench with that policy and a log.
func calibratedBench(t *testing.T, dir string) (b *bench, log *lines, stop func()) {
	t.Helper()
	log = &lines{}
	b, stop = openBench(t, benchOptions{dir: dir, policy: calibratedPolicy(t), log: slog.New(slog.NewTextHandler(log, nil))})
	return b, log, stop
}

// ofKind connects a host of so many cores and those GPUs, idle.
func (b *bench) ofKind(host string, cores float64, gpus ...string) *probe {
	b.Helper()
	f := hello(host)
	f.Hello.Cores = cores
	for _, name := range gpus {
		f.Hello.GPUs = append(f.Hello.GPUs, wire.GPU{Name: name, VRAMBytes: 24 << 30})
	}
	p := b.dial(host)
	p.send(f)
	p.until("welcome")
	p.sample(func(s *wire.Sample) {
		for range gpus {
			s.GPUs = append(s.GPUs, wire.GPUSample{Util: known(0), Encoder: known(0), EncoderSessions: known(0), VRAM: known(0)})
		}
	})
	p.until("ack")
	return p
}

// seats is what the pool says of the calibrated seats of a host.
func (b *bench) seats(host string) (verdict string) {
	b.Helper()
	err := b.owner.Read(b.Context(), func(now time.Time, p *admission.Pool) {
		for _, x := range p.Explain(now, "app").Items {
			for _, r := range x.Resources {
				if x.Host == host && r.Resource == admission.Seats {
					verdict = r.Verdict
				}
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return verdict
}

// TestAProfileFromAnotherKindOfMachine goes all the way: from a calibration's
// file to the seats that hosts are given, and on after a restart.
func TestAProfileFromAnotherKindOfMachine(t *testing.T) {
	dir := t.TempDir()
	const warning = "another kind of machine"
	b, log, stop := calibratedBench(t, dir)
	b.ofKind("alike", 4, "NVIDIA L4")
	b.until("alike is connected", func() bool { return len(log.with("msg=\"host connected\" host=alike")) == 1 })
	b.ofKind("other", 4, "Tesla T4")
	b.until("other is warned of", func() bool { return len(log.with(warning)) > 0 })
	for _, words := range []string{"level=WARN", "run `rendergate calibrate` here", "host=other", "app=app", `profile_of="4 cores, NVIDIA L4"`, `host_is="4 cores, Tesla T4"`} {
		if found := log.with(warning); !strings.Contains(found[0], words) {
			t.Errorf("no %s in %s", words, found[0])
		}
	}
	if f := append(b.host("alike").Foreign, b.host("other").Foreign...); len(f) != 1 || len(b.host("other").Foreign) != 1 {
		t.Errorf("the hosts' list says %v", f)
	}
	// One seat was calibrated. Elsewhere it is no limit.
	join := func(player string) {
		b.do(admission.Join{Client: player, Secret: "k-" + player, Intent: admission.Play})
	}
	join("ann")
	join("ben")
	b.do(admission.Drain{Host: "other", By: "ops"})
	join("cid")
	join("dan")
	if a, o := len(b.host("alike").Sessions), len(b.host("other").Sessions); a != 1 || o != 2 {
		t.Errorf("%d play on the kind that was calibrated, %d on the other; want 1 and 2", a, o)
	}
	if a, o := b.seats("alike"), b.seats("other"); a != "full" || o != "unlimited" {
		t.Errorf("seats are %q and %q", a, o)
	}
	if found := log.with(warning); len(found) != 1 {
		t.Errorf("warned %d times of one connection: %q", len(found), found)
	}
	stop()

	b, log, stop = calibratedBench(t, dir)
	defer stop()
	b.until("the pool is back", func() bool { return len(b.host("other").Sessions) == 2 })
	if b.seats("alike") == "unlimited" || len(b.host("other").Foreign) != 1 || len(b.host("alike").Foreign) != 0 {
		t.Error("after a restart the kinds are others")
	}
	b.ofKind("other", 4, "Tesla T4")
	b.until("other is warned of again", func() bool { return len(log.with(warning)) == 1 })
	b.ofKind("other", 4.02, "NVIDIA L4") // another GPU was put in
	b.until("the host is of the calibrated kind", func() bool { return len(b.host("other").Foreign) == 0 })
}
