//go:build linux

package launcher_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/launcher"
)

func tmpl(t testing.TB, text string) launcher.Template {
	t.Helper()
	got, err := launcher.ParseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func command(t testing.TB, args ...string) []launcher.Template {
	list := []launcher.Template{tmpl(t, os.Args[0]), tmpl(t, "app")}
	for _, a := range args {
		list = append(list, tmpl(t, a))
	}
	return list
}

// syncBuffer takes the log of many goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}
func (s *syncBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// bench is a running launcher and what it told.
type bench struct {
	*launcher.Launcher
	changes chan launcher.Change
	log     *syncBuffer
	stop    func()
}

func start(t *testing.T, o launcher.Options) *bench {
	t.Helper()
	b := &bench{changes: make(chan launcher.Change, 100), log: &syncBuffer{}}
	o.Notify = func(c launcher.Change) { b.changes <- c }
	o.Log = slog.New(slog.NewTextHandler(io.MultiWriter(b.log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
	if o.Ports == (launcher.PortRange{}) {
		o.Ports = launcher.PortRange{From: 21000, To: 21999}
	}
	var err error
	if b.Launcher, err = launcher.New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(b.stop)
	return b
}

// next waits for the next change and checks its state.
func (b *bench) next(t *testing.T, want launcher.State) launcher.Change {
	t.Helper()
	select {
	case c := <-b.changes:
		if c.State != want {
			t.Fatalf("got %+v, want state %s", c, want)
		}
		return c
	case <-time.After(20 * time.Second):
		t.Fatalf("no change within 20 s; want %s", want)
		panic("not reached")
	}
}

func serveApp(t *testing.T, kind string) launcher.App {
	return launcher.App{
		Name: "a", Command: command(t, kind, "{{.Port}}"), Upstream: tmpl(t, "http://127.0.0.1:{{.Port}}"),
		StopTimeout: 300 * time.Millisecond,
	}
}

func TestReadyRunsAndEnds(t *testing.T) {
	app := serveApp(t, "serve")
	app.Publish = tmpl(t, "ws://127.0.0.1:{{.Port}}/publish")
	b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": app}})
	if err := b.Start(launcher.Order{Session: "s1", App: "a", GPU: -1, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	b.next(t, launcher.StateStarting)
	b.next(t, launcher.StateReady)
	r, ok := b.Session("s1")
	if !ok || r.State != launcher.StateReady || r.RootPID == 0 || r.Upstream.Host != fmt.Sprintf("127.0.0.1:%d", r.Port) ||
		r.Publish != fmt.Sprintf("ws://127.0.0.1:%d/publish", r.Port) {
		t.Fatalf("running: %+v", r)
	}
	if err := b.Start(launcher.Order{Session: "s1", App: "a", GPU: -1, Attempt: 1}); err != nil {
		t.Fatalf("the same start again: %v", err)
	}
	if !b.Stop("s1", "left") {
		t.Fatal("nothing to stop")
	}
	if c := b.next(t, launcher.StateEnded); c.Reason != "left" || c.Attempt != 1 {
		t.Fatalf("ended: %+v", c)
	}
	if b.Stop("s1", "left") || len(b.Running()) != 0 {
		t.Fatalf("still there: %+v", b.Running())
	}
	if err := b.Start(launcher.Order{Session: "s1", App: "a", GPU: -1, Attempt: 1}); !errors.Is(err, launcher.ErrEnded) {
		t.Fatalf("an attempt that has ended: %v, want ErrEnded", err)
	}
}

func TestReadyKinds(t *testing.T) {
	cases := map[string]struct {
		command []string
		ready   launcher.Ready
		reason  string // of its end; empty: it gets ready
	}{
		"tcp":     {[]string{"serve", "{{.Port}}"}, launcher.Ready{TCP: tmpl(t, "127.0.0.1:{{.Port}}")}, ""},
		"http":    {[]string{"serve", "{{.Port}}"}, launcher.Ready{HTTP: tmpl(t, "http://127.0.0.1:{{.Port}}/")}, ""},
		"line":    {[]string{"talk"}, launcher.Ready{Line: regexp.MustCompile(`^server READY`)}, ""},
		"after":   {[]string{"silent"}, launcher.Ready{After: 10 * time.Millisecond}, ""},
		"never":   {[]string{"silent"}, launcher.Ready{TCP: tmpl(t, "127.0.0.1:{{.Port}}"), Timeout: 200 * time.Millisecond}, "not ready within 200ms"},
		"noline":  {[]string{"silent"}, launcher.Ready{Line: regexp.MustCompile("x"), Timeout: 200 * time.Millisecond}, "no line of output matches"},
		"crash":   {[]string{"crash"}, launcher.Ready{TCP: tmpl(t, "127.0.0.1:{{.Port}}")}, "exit status 3"},
		"nothing": {nil, launcher.Ready{}, "could not be started"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			app := launcher.App{Name: "a", Command: command(t, c.command...), Ready: c.ready, StopTimeout: 200 * time.Millisecond}
			if c.command == nil {
				app.Command = []launcher.Template{tmpl(t, "/no/such/program")}
			}
			b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": app}})
			if err := b.Start(launcher.Order{Session: "s", App: "a", GPU: -1, Attempt: 1}); err != nil {
				t.Fatal(err)
			}
			if c.command != nil {
				b.next(t, launcher.StateStarting)
			}
			if c.reason == "" {
				b.next(t, launcher.StateReady)
				return
			}
			if got := b.next(t, launcher.StateEnded).Reason; !strings.Contains(got, c.reason) {
				t.Fatalf("reason %q, want %q in it", got, c.reason)
			}
		})
	}
}

func TestAHigherAttemptReplaces(t *testing.T) {
	b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": serveApp(t, "serve")}})
	order := launcher.Order{Session: "s", App: "a", GPU: -1, Attempt: 1}
	if err := b.Start(order); err != nil {
		t.Fatal(err)
	}
	b.next(t, launcher.StateStarting)
	b.next(t, launcher.StateReady)
	first, _ := b.Session("s")
	order.Attempt = 2
	if err := b.Start(order); err != nil {
		t.Fatal(err)
	}
	// No word of the first one's end, which would end the second for the pool.
	if c := b.next(t, launcher.StateStarting); c.Attempt != 2 {
		t.Fatalf("got %+v", c)
	}
	b.next(t, launcher.StateReady)
	if second, _ := b.Session("s"); second.RootPID == first.RootPID || second.Attempt != 2 {
		t.Fatalf("first %+v, second %+v", first, second)
	}
}

func TestBadOrders(t *testing.T) {
	b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": serveApp(t, "serve")}})
	for _, o := range []launcher.Order{
		{Session: "s", App: "b"}, {Session: "", App: "a"}, {Session: "../s", App: "a"}, {Session: "a..b", App: "a"},
		{Session: "a/b", App: "a"}, {Session: ".s", App: "a"}, {Session: "a b", App: "a"}, {Session: strings.Repeat("s", 200), App: "a"},
	} {
		o.Attempt = 1
		if err := b.Start(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	if len(b.Running()) != 0 {
		t.Errorf("running: %+v", b.Running())
	}
}

func TestStoppingEndsAll(t *testing.T) {
	b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": serveApp(t, "serve")}})
	for _, id := range []string{"s1", "s2", "s3"} {
		if err := b.Start(launcher.Order{Session: id, App: "a", GPU: -1, Attempt: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // whatever state each has reached by then
		<-b.changes
	}
	b.stop()
	ended := 0
	for len(b.changes) > 0 {
		if (<-b.changes).State == launcher.StateEnded {
			ended++
		}
	}
	if ended != 3 || len(b.Running()) != 0 {
		t.Fatalf("%d ended, running %+v", ended, b.Running())
	}
	if err := b.Start(launcher.Order{Session: "s4", App: "a", Attempt: 1}); !errors.Is(err, launcher.ErrClosing) {
		t.Fatalf("start while closing: %v", err)
	}
}

func TestEnvironmentAndFolder(t *testing.T) {
	t.Setenv("RENDERGATE_HOST_TOKEN", "secret")
	dir := t.TempDir()
	app := launcher.App{
		Name: "a", Dir: tmpl(t, dir), StopTimeout: 100 * time.Millisecond, Ready: launcher.Ready{Line: regexp.MustCompile("^dir=")},
		Command: command(t, "env", "RENDERGATE_HOST_TOKEN", "CUDA_VISIBLE_DEVICES", "RENDERGATE_SESSION", "MINE", "HOME"),
		Env:     []launcher.EnvVar{{Name: "MINE", Value: tmpl(t, "{{.Dir}} {{.BitrateBps}}")}, {Name: "HOME", Value: tmpl(t, "/mine")}},
	}
	b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": app}})
	if err := b.Start(launcher.Order{Session: "s", App: "a", GPU: 1, BitrateBps: 8e6, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	b.next(t, launcher.StateStarting)
	b.next(t, launcher.StateReady)
	for _, want := range []string{
		`line="RENDERGATE_HOST_TOKEN="`, `line="CUDA_VISIBLE_DEVICES=1"`, `line="RENDERGATE_SESSION=s"`,
		`line="MINE=` + dir + ` 8000000"`, `line="HOME=/mine"`, `line="dir=` + dir + `"`,
	} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("no %s in the log", want)
		}
	}
}

func TestARelativeProgramIsInItsFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("srv", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("srv/run.sh", []byte("#!/bin/sh\necho in $PWD\nexec sleep 600\n"), 0o700); err != nil { // a program
		t.Fatal(err)
	}
	app := launcher.App{
		Name: "a", Dir: tmpl(t, "srv"), Command: []launcher.Template{tmpl(t, "./run.sh")}, StopTimeout: time.Second,
		Ready: launcher.Ready{Line: regexp.MustCompile("^in .*/srv$"), Timeout: 10 * time.Second},
	}
	b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": app}})
	if err := b.Start(launcher.Order{Session: "s", App: "a", GPU: -1, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	b.next(t, launcher.StateStarting)
	b.next(t, launcher.StateReady)
}

func TestOutputIsBounded(t *testing.T) {
	app := launcher.App{
		Name: "a", Command: command(t, "talk"), StopTimeout: 100 * time.Millisecond,
		Ready: launcher.Ready{Line: regexp.MustCompile("READY")},
	}
	b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": app}})
	if err := b.Start(launcher.Order{Session: "s", App: "a", GPU: -1, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	b.next(t, launcher.StateStarting)
	b.next(t, launcher.StateReady)
	lines := strings.Split(b.log.String(), "\n")
	kept := 0
	for _, l := range lines {
		if len(l) > 3<<10 {
			t.Errorf("a line of %d bytes in the log", len(l))
		}
		if strings.Contains(l, "msg=output") {
			kept++
		}
	}
	if kept < 100 || kept > 400 {
		t.Errorf("%d lines kept of 2002, want about 200", kept)
	}
}

// TestCopiesAreNumbered: each has the lowest number that no other has, unless it
// was told one.
func TestCopiesAreNumbered(t *testing.T) {
	heard := make(chan string, 100)
	app := launcher.App{
		Name: "a", Command: command(t, "env", "COPY"), Env: []launcher.EnvVar{{Name: "COPY", Value: tmpl(t, "{{.Copy}}")}},
		Ready: launcher.Ready{Line: regexp.MustCompile("^dir=")}, StopTimeout: time.Millisecond,
	}
	b := start(t, launcher.Options{
		Apps: map[string]launcher.App{"a": app},
		Output: func(session, line string) {
			if strings.HasPrefix(line, "COPY=") {
				heard <- session + " " + line
			}
		},
	})
	for _, c := range []struct {
		session, stop string
		copy          int
		want          string
	}{
		{"s1", "", 0, "s1 COPY=1"}, {"s2", "", 0, "s2 COPY=2"}, {"s3", "s1", 0, "s3 COPY=3"}, {"s4", "", 0, "s4 COPY=1"}, {"s5", "", 9, "s5 COPY=9"},
	} {
		if err := b.Start(launcher.Order{Session: c.session, App: "a", Copy: c.copy, GPU: -1, Attempt: 1}); err != nil {
			t.Fatal(err)
		}
		b.next(t, launcher.StateStarting)
		b.next(t, launcher.StateReady)
		if got := <-heard; got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if c.stop != "" {
			b.Stop(c.stop, "left")
			b.next(t, launcher.StateEnded)
		}
	}
}

// TestADaemonIsToldOf: what it left in the background ends with it.
func TestADaemonIsToldOf(t *testing.T) {
	b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": {
		Name: "a", Command: command(t, "daemon"), Ready: launcher.Ready{After: time.Minute}, StopTimeout: time.Millisecond,
	}}})
	session := fmt.Sprintf("daemon-%d", os.Getpid())
	if err := b.Start(launcher.Order{Session: session, App: "a", GPU: -1, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	b.next(t, launcher.StateStarting)
	if c := b.next(t, launcher.StateEnded); !strings.Contains(c.Reason, "background") {
		t.Errorf("reason %q", c.Reason)
	}
	if n := living(session); n != 0 {
		t.Errorf("%d processes left", n)
	}
}

func TestPortsAreFreeAndNotLentTwice(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // a test's own
	_, text, _ := net.SplitHostPort(l.Addr().String())
	taken, _ := strconv.Atoi(text)
	app := launcher.App{Name: "a", Command: command(t, "silent"), Ready: launcher.Ready{After: 1}, StopTimeout: time.Millisecond}
	b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": app}, Ports: launcher.PortRange{From: taken, To: taken + 3}})
	seen := map[int]bool{taken: true}
	for _, id := range []string{"s1", "s2", "s3"} {
		if err := b.Start(launcher.Order{Session: id, App: "a", GPU: -1, Attempt: 1}); err != nil {
			t.Fatal(err)
		}
		if c := <-b.changes; c.State == launcher.StateEnded {
			t.Skipf("the ports above %d are in use: %s", taken, c.Reason)
		}
		b.next(t, launcher.StateReady)
		r, _ := b.Session(id)
		if seen[r.Port] {
			t.Fatalf("port %d was taken", r.Port)
		}
		seen[r.Port] = true
	}
	if err := b.Start(launcher.Order{Session: "s4", App: "a", GPU: -1, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	if c := b.next(t, launcher.StateEnded); !strings.Contains(c.Reason, "ports free") {
		t.Fatalf("reason %q", c.Reason)
	}
}
