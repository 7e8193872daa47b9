//go:build linux && cgo

package nvml

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv("NVML_TEST_CHILD") != "" {
		if err := Child(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// stub is a driver's library of ours, which the real go-nvml loads.
type stub struct {
	testing.TB
	dir, script string
	log         syncBuffer
}

func newStub(t testing.TB, flags ...string) *stub {
	t.Helper()
	s := &stub{TB: t, dir: t.TempDir()}
	s.script = filepath.Join(s.dir, "script")
	s.build(flags...)
	s.says("gpus 1")
	return s
}

func (s *stub) build(flags ...string) {
	s.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		s.Fatal("gcc is not installed: `make deps` installs it")
	}
	args := append([]string{"-shared", "-fPIC", "-Wall", "-Werror", "-o", filepath.Join(s.dir, "libnvidia-ml.so.1"), "testdata/stub.c"}, flags...)
	if out, err := exec.CommandContext(s.Context(), gcc, args...).CombinedOutput(); err != nil { //nolint:gosec // fixed words
		s.Fatalf("%v: %s", err, out)
	}
}

// says replaces the script, at once.
func (s *stub) says(lines ...string) {
	s.Helper()
	next := s.script + ".next"
	if err := os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		s.Fatal(err)
	}
	if err := os.Rename(next, s.script); err != nil {
		s.Fatal(err)
	}
}

// reader reads with a real child that loads the library.
func (s *stub) reader() *Reader {
	s.Helper()
	self, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	env := append(Environment(), "NVML_TEST_CHILD=1", "LD_LIBRARY_PATH="+s.dir, "NVML_STUB="+s.script)
	return New(Options{
		Command: []string{self}, Env: env, Period: 10 * time.Millisecond, Deadline: 700 * time.Millisecond,
		Again: 20 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
}

// run runs the reader until the test ends.
func (s *stub) run() *Reader {
	s.Helper()
	r := s.reader()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.Run(ctx); err != nil {
			s.Error(err)
		}
	})
	s.Cleanup(func() { cancel(); running.Wait() })
	return r
}

// until waits for a reading.
func (s *stub) until(what string, holds func() bool) {
	s.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			s.Fatalf("waited in vain: %s\n%s", what, s.log.String())
		}
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// util is the first GPU's, in percent; -1 is unknown.
func util(r *Reader, gpu int) int {
	l := r.Latest()
	if gpu >= len(l.Samples) || l.Samples[gpu].Util == nil {
		return -1
	}
	return int(*l.Samples[gpu].Util*100 + 0.5)
}

func TestValues(t *testing.T) {
	s := newStub(t)
	s.says("gpus 2", "d0.util 40", "d0.encoder 25", "d0.sessions 3", "d0.used 2e9", "d0.total 24e9",
		"d0.process 4711", "d0.process.util 20", "d0.process.encoder 8", "d0.process.used 5e8", "d1.util 70", "d0.throttle 1", "d1.throttle 0x40")
	r := s.run()
	s.until("both GPUs are read", func() bool { return util(r, 0) == 40 && util(r, 1) == 70 })
	gpus, l := r.GPUs(), r.Latest()
	if l.Throttled[0] != "" || l.Throttled[1] != "heat" || r.Driver() != "999.1" {
		t.Errorf("throttled %q (one only idles), driver %q", l.Throttled, r.Driver())
	}
	if len(gpus) != 2 || gpus[0].UUID != "GPU-0" || gpus[0].Name != "Scripted 0" || gpus[0].VRAMBytes != 24e9 || gpus[1].VRAMBytes != 16e9 {
		t.Errorf("GPUs %+v", gpus)
	}
	x := l.Samples[0]
	if *x.Encoder != 0.25 || *x.EncoderSessions != 3 || *x.VRAM != 2e9 {
		t.Errorf("encoder %v, sessions %v, VRAM %v", *x.Encoder, *x.EncoderSessions, *x.VRAM)
	}
	p := l.Processes[0][4711]
	if !l.PerProcess[0] || p.Util == nil || *p.Util != 0.25 || *p.Encoder != 0.08 || *p.VRAM != 5e8 {
		t.Errorf("process %+v: want the mean of its two samples", p)
	}
	if idle := l.Processes[0][4712]; idle.Util == nil || *idle.Util != 0 || idle.VRAM != nil {
		t.Errorf("a process that did nothing, and whose memory is not told: %+v", idle)
	}
	if !l.PerProcess[1] || len(l.Processes[1]) != 0 {
		t.Errorf("a GPU without processes: %+v", l.Processes[1])
	}
}

func TestWhatIsNotSupportedIsUnknown(t *testing.T) {
	s := newStub(t)
	s.says("gpus 1", "d0.util 40", "d0.encoder.code 3", "d0.stats.code 3", "d0.processes.code 3", "d0.running.code 3", "d0.name.code 3")
	r := s.run()
	s.until("the GPU is read", func() bool { return util(r, 0) == 40 })
	l := r.Latest()
	if x := l.Samples[0]; x.Encoder != nil || x.EncoderSessions != nil || x.VRAM == nil || l.PerProcess[0] {
		t.Errorf("got %+v, per process %v", x, l.PerProcess[0])
	}
}

// TestAnOlderDriver lacks whole functions: calling one would end the child.
func TestAnOlderDriver(t *testing.T) {
	s := newStub(t, "-DOLD")
	s.says("gpus 1", "d0.util 30", "d0.process 4711")
	r := s.run()
	s.until("the GPU is read", func() bool { return util(r, 0) == 30 })
	l := r.Latest()
	if x := l.Samples[0]; x.Encoder != nil || x.EncoderSessions != nil || l.PerProcess[0] {
		t.Errorf("got %+v", x)
	}
	if p := l.Processes[0][4711]; p.Util != nil || p.VRAM == nil {
		t.Errorf("process %+v", p)
	}
}

func TestADividedGPUHasNoUtilisation(t *testing.T) {
	s := newStub(t)
	s.says("gpus 2", "d0.mig 1", "d0.util 50", "d0.used 3e9", "d1.util 20")
	r := s.run()
	s.until("the other is read", func() bool { return util(r, 1) == 20 })
	if x := r.Latest().Samples[0]; x.Util != nil || x.Encoder != nil || x.VRAM == nil || *x.VRAM != 3e9 {
		t.Errorf("got %+v", x)
	}
}

// TestAGPUThatIsLost keeps its place, with unknown values; the others go on.
func TestAGPUThatIsLost(t *testing.T) {
	s := newStub(t)
	s.says("gpus 2", "d0.util 10", "d1.util 20")
	r := s.run()
	s.until("both are read", func() bool { return util(r, 0) == 10 && util(r, 1) == 20 })
	s.says("gpus 2", "d0.lost 1", "d1.util 30")
	s.until("one is lost", func() bool { return util(r, 0) == -1 && util(r, 1) == 30 })
	s.says("gpus 1", "first 1", "d1.util 40") // the driver was loaded anew and lists only the other, first
	r2 := s.run()
	s.until("another child sees one GPU", func() bool { return util(r2, 0) == 40 && len(r2.GPUs()) == 1 })
	if gpus := r.GPUs(); len(gpus) != 2 || gpus[1].UUID != "GPU-1" {
		t.Errorf("GPUs %+v", gpus)
	}
	s.says("gpus 2", "d0.util 11", "d1.util 21")
	s.until("it is back in its old place", func() bool { return util(r, 0) == 11 && util(r, 1) == 21 })
}

func TestACrash(t *testing.T) {
	s := newStub(t)
	s.says("gpus 1", "d0.util 10")
	r := s.run()
	s.until("it is read", func() bool { return util(r, 0) == 10 })
	s.says("gpus 1", "crash 1")
	s.until("it is unknown", func() bool { return util(r, 0) == -1 })
	s.says("gpus 1", "d0.util 12")
	s.until("it is read again", func() bool { return util(r, 0) == 12 })
	if !strings.Contains(s.log.String(), "started again") {
		t.Errorf("the log says\n%s", s.log.String())
	}
}

func TestAHang(t *testing.T) {
	s := newStub(t)
	s.says("gpus 1", "d0.util 10")
	r := s.run()
	s.until("it is read", func() bool { return util(r, 0) == 10 })
	s.says("gpus 1", "hang 1")
	s.until("it is unknown", func() bool { return util(r, 0) == -1 })
	s.until("the child was ended", func() bool { return strings.Contains(s.log.String(), "did not answer") })
	s.says("gpus 1", "d0.util 12")
	s.until("it is read again", func() bool { return util(r, 0) == 12 })
}

func TestADriverThatComesLate(t *testing.T) {
	s := newStub(t)
	library := filepath.Join(s.dir, "libnvidia-ml.so.1")
	if err := os.Remove(library); err != nil {
		t.Fatal(err)
	}
	r := s.run()
	s.until("it is said that there is none", func() bool { return strings.Contains(s.log.String(), "no NVIDIA driver is installed") })
	if len(r.GPUs()) != 0 || len(r.Latest().Samples) != 0 {
		t.Errorf("GPUs %+v without a driver", r.GPUs())
	}
	s.says("gpus 1", "d0.util 33")
	s.build()
	s.until("it is read", func() bool { return util(r, 0) == 33 })
	if n := strings.Count(s.log.String(), "no NVIDIA driver is installed"); n != 1 {
		t.Errorf("it was said %d times that there is no driver", n)
	}
}

func TestADriverThatDoesNotStart(t *testing.T) {
	for code, want := range map[int]string{18: "differ in version", 9: "not loaded", 4: "does not let", 999: "NVML error 999"} {
		s := newStub(t)
		s.says(fmt.Sprintf("init %d", code))
		r := s.reader()
		r.Look(t.Context())
		if !strings.Contains(s.log.String(), want) || len(r.GPUs()) != 0 {
			t.Errorf("code %d: the log says\n%s", code, s.log.String())
		}
	}
}

// TestLook finds the GPUs for the first word to the service, and no values.
func TestLook(t *testing.T) {
	s := newStub(t)
	s.says("gpus 3", "d2.util 99")
	r := s.reader()
	r.Look(t.Context())
	if len(r.GPUs()) != 3 || util(r, 2) != -1 || len(r.Latest().Samples) != 3 {
		t.Errorf("GPUs %+v, reading %+v", r.GPUs(), r.Latest())
	}
}

// TestTheFirstReadingsAreDropped: a GPU that was asleep reads as busy.
func TestTheFirstReadingsAreDropped(t *testing.T) {
	r := New(Options{Command: []string{"none"}, Log: slog.New(slog.DiscardHandler)})
	r.take(Frame{Devices: []Device{{UUID: "a", Util: number(1)}}}, false)
	if util(r, 0) != -1 || len(r.GPUs()) != 1 {
		t.Error("a first reading counts")
	}
	r.take(Frame{Devices: []Device{{UUID: "a", Util: number(0.5)}}}, true)
	if util(r, 0) != 50 {
		t.Error("a later one does not")
	}
}

func TestAChildThatTalksNonsense(t *testing.T) {
	for name, command := range map[string][]string{
		"no JSON":       {"sh", "-c", "while read x; do echo nonsense; done"},
		"endless":       {"sh", "-c", "cat /dev/zero"},
		"absurd":        {"sh", "-c", `while read x; do echo '{"devices":[{"uuid":"a","util":7}]}'; done`},
		"ends":          {"true"},
		"does not exit": {"sh", "-c", "trap '' TERM; while :; do sleep 1; done"},
		"is not there":  {"/nowhere/reader"},
	} {
		t.Run(name, func(t *testing.T) {
			var log syncBuffer
			r := New(Options{Command: command, Deadline: 300 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
			r.Look(t.Context())
			if len(r.GPUs()) != 0 || !strings.Contains(log.String(), "could not be looked at") {
				t.Errorf("GPUs %+v, log\n%s", r.GPUs(), log.String())
			}
		})
	}
}

func FuzzParseFrame(f *testing.F) {
	f.Add([]byte(`{"devices":[{"uuid":"a","util":0.5,"processes":[{"pid":1,"util":0.1}]}]}`))
	f.Add([]byte(`{"error":"none","devices":[]}`))
	f.Add([]byte(`{"devices":[{"uuid":"a","vram_bytes":-1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := ParseFrame(data)
		if err != nil {
			return
		}
		for _, d := range frame.Devices {
			if d.UUID == "" || (d.Util != nil && !(*d.Util >= 0 && *d.Util <= mostShare)) || (d.VRAM != nil && !(*d.VRAM >= 0)) {
				t.Errorf("%s gives %+v", data, d)
			}
		}
	})
}
