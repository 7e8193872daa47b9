package launcher_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/cgroup"
	"github.com/rendergate/rendergate/probe/launcher"
)

// living counts the processes, zombies left out, that carry the session's mark.
// It reads /proc by itself: the launcher's own eyes are what is tested.
func living(session string) int {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	n := 0
	for _, f := range files {
		env, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(env, []byte("RENDERGATE_SESSION="+session+"\x00")) {
			continue
		}
		n++
	}
	return n
}

// zombies counts dead children of this process.
func zombies() int {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	n := 0
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(raw), ") ")
		var state string
		var parent int
		if _, err := fmt.Sscan(rest, &state, &parent); err == nil && state == "Z" && parent == os.Getpid() {
			n++
		}
	}
	return n
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 15 s: %s", what)
		}
	}
}

// A command that ignores SIGTERM and has left behind descendants in its group
// and in sessions of their own leaves nothing, with and without cgroups.
func TestTheWholeTreeEnds(t *testing.T) {
	for name, folder := range map[string]string{"cgroup": "", "no cgroup": "none", "cgroup of version 1": account()} {
		t.Run(name, func(t *testing.T) {
			session := fmt.Sprintf("tree-%d-%d", os.Getpid(), len(folder))
			b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": serveApp(t, "stubborn")}, Cgroup: folder})
			if err := b.Start(launcher.Order{Session: session, App: "a", GPU: -1, Attempt: 1}); err != nil {
				t.Fatal(err)
			}
			b.next(t, launcher.StateStarting)
			b.next(t, launcher.StateReady)
			until(t, "three living processes", func() bool { return living(session) == 3 })
			r, _ := b.Session(session)
			if folder != "none" && r.Cgroup == "" {
				t.Log("no such cgroup can be written here: this repeats the other case")
			}
			inCgroup(t, r.Cgroup)
			b.Stop(session, "left")
			b.next(t, launcher.StateEnded)
			if n := living(session); n != 0 {
				t.Fatalf("%d processes left", n)
			}
			if n := zombies(); n != 0 {
				t.Fatalf("%d zombies left", n)
			}
			if r.Cgroup != "" {
				if _, err := os.Stat(r.Cgroup); !os.IsNotExist(err) {
					t.Fatalf("the cgroup is left: %v", err)
				}
			}
		})
	}
}

// account is where this process's CPU time is counted by version 1.
func account() string {
	dir, err := cgroup.OwnAccount("")
	if err != nil {
		return "none"
	}
	return dir
}

// inCgroup checks that a session's three processes are in its cgroup, that their
// time is counted there, and that no thread of ours is.
func inCgroup(t *testing.T, folder string) {
	t.Helper()
	if folder == "" {
		return
	}
	procs, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
	if err != nil || len(strings.Fields(string(procs))) != 3 {
		t.Errorf("the cgroup holds %q, %v; want three processes", procs, err)
	}
	if used, err := cgroup.At("", folder).Used(cgroup.Level{Dir: folder}); err != nil || used <= 0 {
		t.Errorf("the cgroup has used %v s, %v", used, err)
	}
	threads, err := filepath.Glob("/proc/self/task/*/cgroup")
	if err != nil || len(threads) == 0 {
		t.Fatalf("our threads: %v, %v", threads, err)
	}
	for _, file := range threads {
		if groups, err := os.ReadFile(file); err == nil && bytes.Contains(groups, []byte("rendergate-")) {
			t.Errorf("%s: %s", file, groups)
		}
	}
}

// A command that dies takes its descendants along.
func TestADeadCommandsTreeEnds(t *testing.T) {
	session := fmt.Sprintf("dead-%d", os.Getpid())
	b := start(t, launcher.Options{Apps: map[string]launcher.App{"a": serveApp(t, "stubborn")}})
	if err := b.Start(launcher.Order{Session: session, App: "a", GPU: -1, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	b.next(t, launcher.StateStarting)
	b.next(t, launcher.StateReady)
	until(t, "three living processes", func() bool { return living(session) == 3 })
	r, _ := b.Session(session)
	if err := syscall.Kill(r.RootPID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if c := b.next(t, launcher.StateEnded); !strings.Contains(c.Reason, "signal: killed") {
		t.Fatalf("reason %q", c.Reason)
	}
	if n := living(session); n != 0 {
		t.Fatalf("%d processes left", n)
	}
}

// probeMain is a probe with one session, as a process of its own.
func probeMain(args []string) {
	parse := func(text string) launcher.Template {
		tm, err := launcher.ParseTemplate(text)
		must(err)
		return tm
	}
	app := launcher.App{Name: "a", Upstream: parse("http://127.0.0.1:{{.Port}}"), Command: []launcher.Template{
		parse(os.Args[0]), parse("app"), parse("stubborn"), parse("{{.Port}}"),
	}}
	o := launcher.Options{
		Apps: map[string]launcher.App{"a": app}, Ports: launcher.PortRange{From: 22000, To: 22999},
		Notify: func(c launcher.Change) { fmt.Println(c.State) }, Log: slog.New(slog.DiscardHandler),
	}
	if args[1] != "alone" {
		o.Guard, o.Scratch = []string{os.Args[0], "guard"}, args[1]
	}
	l, err := launcher.New(o)
	must(err)
	must(l.Start(launcher.Order{Session: args[0], App: "a", GPU: -1, Attempt: 1}))
	must(l.Run(context.Background()))
}

// probe starts a probe with a session and waits until that is ready.
func probe(t *testing.T, session, guarded string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "probe", session, guarded)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "ready" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			until(t, "three living processes", func() bool { return living(session) == 3 })
			return cmd
		}
	}
	t.Fatal("the probe's session did not get ready")
	return nil
}

// kill -9 of the probe ends its sessions, what they have left behind included,
// on disk too.
func TestAKilledProbeLeavesNothing(t *testing.T) {
	session := fmt.Sprintf("killed-%d", os.Getpid())
	scratch := filepath.Join(t.TempDir(), "scratch")
	if err := os.MkdirAll(filepath.Join(scratch, "1"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := probe(t, session, scratch)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	until(t, "no living process", func() bool { return living(session) == 0 })
	until(t, "no folder", func() bool { _, err := os.Stat(scratch); return os.IsNotExist(err) })
}

// Without a guard, the command dies with the probe, and the next probe ends
// what that left.
func TestTheNextProbeSweepsUp(t *testing.T) {
	session := fmt.Sprintf("swept-%d", os.Getpid())
	cmd := probe(t, session, "alone")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the probe was to die")
	}
	until(t, "two living processes", func() bool { return living(session) == 2 })
	start(t, launcher.Options{Apps: map[string]launcher.App{"a": serveApp(t, "serve")}})
	until(t, "no living process", func() bool { return living(session) == 0 })
}
