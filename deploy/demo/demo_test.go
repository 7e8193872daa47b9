package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	probe "github.com/rendergate/rendergate/probe/config"
	"github.com/rendergate/rendergate/server/config"
)

// options are those of a demo that need not measure its app.
func options(t *testing.T) Options {
	t.Helper()
	o := Options{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), Program: os.Args[0], Uplink: "100 Mbit/s",
		Log: slog.New(slog.DiscardHandler), Out: &bytes.Buffer{}, Err: &bytes.Buffer{},
	}
	folder := filepath.Join(o.DataDir, "demo")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	err := config.WriteProfile(filepath.Join(folder, "showroom.profile.yaml"), admission.Profile{App: App, Cost: admission.Cost{CPUCores: 0.2}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestTheConfigsLoad: what the demo writes, service and probe read.
func TestTheConfigsLoad(t *testing.T) {
	o := options(t)
	o.Seats, o.Share = 3, 1
	d, err := newDemo(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	service, err := config.Load(d.file("service.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	policy := service.Pools[Pool].Policy()
	if policy.Uplink.BudgetBps != 100e6 || policy.Apps[App].Seats != 3 || policy.Apps[App].Cost.CPUCores != 0.2 {
		t.Errorf("policy %+v", policy)
	}
	p, err := probe.Load(d.file("probe.yaml"), probe.Flags{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Host != Host || p.Pool != Pool || p.Scope.Cores != 1 || p.Server != service.PublicURL {
		t.Errorf("probe %+v", p)
	}
	for _, name := range []string{"service.yaml", "probe.yaml", "host-token", "state.json"} {
		info, err := os.Stat(d.file(name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want it for its owner alone", name, info.Mode(), err)
		}
	}
}

// TestItGoesOnWhereItWas: the same gate and the same token, so that links to
// sessions stay good.
func TestItGoesOnWhereItWas(t *testing.T) {
	o := options(t)
	first, err := newDemo(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(first.file("host-token"))
	if err != nil {
		t.Fatal(err)
	}
	second := &demo{o: first.o, folder: first.folder}
	if err := second.choosePorts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.writeConfigs(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(first.file("host-token"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the token changed (%v)", err)
	}
	if first.state.GatePort != second.state.GatePort {
		t.Errorf("the gate was at port %d, and is at %d", first.state.GatePort, second.state.GatePort)
	}
}

func TestDemosThatCannotBe(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for says, change := range map[string]func(*Options){
		taken.Addr().String():     func(o *Options) { o.Listen = taken.Addr().String() },
		"want an address such as": func(o *Options) { o.Listen = "8080" },
		"want a number":           func(o *Options) { o.Listen = "127.0.0.1:http-ish" },
		"share is -1":             func(o *Options) { o.Share = -1 },
		"share is 1e+06":          func(o *Options) { o.Share = 1e6 },
		"seats is -1":             func(o *Options) { o.Seats = -1 },
		"uplink: want a rate":     func(o *Options) { o.Uplink = "fast" },
		`got "8 Mbit/s, when_fu`:  func(o *Options) { o.Uplink = "8 Mbit/s, when_full: allow" },
		"never negative":          func(o *Options) { o.Uplink = "-8 Mbit/s" },
		"carries not even one":    func(o *Options) { o.Uplink = "1 Mbit/s" },
		"share is NaN":            func(o *Options) { o.Share = math.NaN() },
		"seats is 10001":          func(o *Options) { o.Seats = 10_001 },
		"not a directory":         func(o *Options) { o.Record = os.Args[0] },
		"127.0.0.1:99999":         func(o *Options) { o.Listen = "127.0.0.1:99999" },
	} {
		t.Run(says, func(t *testing.T) {
			o := options(t)
			change(&o)
			_, err := newDemo(t.Context(), o)
			var usage *UsageError
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want a usage error with %q", err, says)
			}
		})
	}
}

// TestBothAreRecorded, each into files of its own in the one folder.
func TestBothAreRecorded(t *testing.T) {
	o := options(t)
	o.Record = filepath.Join(t.TempDir(), "new")
	d, err := newDemo(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*child{d.server, d.probe} {
		if args := strings.Join(c.args, " "); !strings.HasSuffix(args, "--record "+o.Record) {
			t.Errorf("it is started with %s", args)
		}
	}
	if info, err := os.Stat(o.Record); err != nil || !info.IsDir() {
		t.Errorf("the folder: %v, %v", info, err)
	}
}

func TestAFolderBelongsToOneDemo(t *testing.T) {
	o := options(t)
	if _, err := newDemo(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	_, err := newDemo(t.Context(), o)
	var usage *UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), o.DataDir) {
		t.Errorf("a second demo on the folder: %v, want a usage error that names it", err)
	}
}

func TestTheLineForMachines(t *testing.T) {
	var out bytes.Buffer
	d := &demo{o: Options{JSON: true, Out: &out}}
	if err := d.print(ready{URL: "u", AdminURL: "a", Pool: "p", Operator: "o", Password: "w", APIToken: "t", ServerPID: 1, ProbePID: 2}); err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Fatalf("%q: %v", out.String(), err)
	}
	for _, name := range []string{"url", "admin_url", "pool", "operator", "password", "api_token", "server_pid", "probe_pid"} {
		if line[name] == nil {
			t.Errorf("no %q in %s", name, out.String())
		}
	}
}

// TestPublicHost: a browser elsewhere cannot open 0.0.0.0.
func TestPublicHost(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for listen, want := range map[string][2]string{
		"127.0.0.1:80":   {"http://127.0.0.1:80", "http://127.0.0.1:80"},
		"0.0.0.0:80":     {"http://" + name + ":80", "http://127.0.0.1:80"},
		":80":            {"http://" + name + ":80", "http://127.0.0.1:80"},
		"[::1]:80":       {"http://[::1]:80", "http://[::1]:80"},
		"gate.example:9": {"http://gate.example:9", "http://gate.example:9"},
	} {
		d := &demo{o: Options{Listen: listen}}
		if d.url() != want[0] || d.local() != want[1] {
			t.Errorf("%s: %s and %s, want %v", listen, d.url(), d.local(), want)
		}
	}
}

// TestAChildIsStartedAgain, more and more slowly, until the demo ends.
func TestAChildIsStartedAgain(t *testing.T) {
	var log lines
	c := newChild(Options{Program: "false", Err: &bytes.Buffer{}, Log: slog.New(slog.NewTextHandler(&log, nil))}, "probe")
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.run(ctx); err != nil {
			t.Error(err)
		}
	})
	for deadline := time.After(10 * time.Second); log.count("started again") < 3; {
		select {
		case <-deadline:
			t.Fatalf("it was started %d times", log.count("started again"))
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	running.Wait()
	for _, in := range []string{"in=200ms", "in=400ms", "in=800ms"} {
		if log.count(in) != 1 {
			t.Errorf("%s stands %d times in the log", in, log.count(in))
		}
	}
	if c.pid() != 0 {
		t.Error("it has a pid after its end")
	}
}

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), s)
}
