package launcher

import (
	"bufio"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// An orphan that nobody knows of, of a session long gone or of none, does not
// stay in the process table.
func TestOrphansAreReaped(t *testing.T) {
	s := newSystem(Options{Cgroup: "none", Log: slog.New(slog.DiscardHandler)})
	s.age = 20 * time.Millisecond
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); s.reap(stop) }()
	// The shell is reaped by its Wait; what it leaves behind comes to us.
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sh -c 'read line' <&3 & echo $!")
	hold, let, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{hold}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	orphan, err := strconv.Atoi(lines.Text())
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if p, ok := readProc(orphan); !ok || p.parent != os.Getpid() {
		t.Fatalf("the orphan is not ours: %+v, %v", p, ok)
	}
	for _, f := range []*os.File{let, hold} {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(15 * time.Second); ; <-tick.C {
		if _, there := readProc(orphan); !there {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the orphan is still there")
		}
	}
	close(stop)
	<-done
}

// FuzzStat checks that a line of the process table is read whatever name the
// process has given itself.
func FuzzStat(f *testing.F) {
	f.Add("sh", 1)
	f.Add("a) R 9 9 9 (", 2)
	f.Add("", 3)
	f.Fuzz(func(t *testing.T, name string, parent int) {
		line := "7 (" + name + ") S " + strconv.Itoa(parent) + " 11 12 0 -1 1 2 3 4 5 6 7 8 9 20 0 1 0 987 0 0"
		p, ok := parseStat(7, line)
		if !ok || p != (proc{pid: 7, parent: parent, group: 11, session: 12, state: 'S', start: 987}) {
			t.Fatalf("%q: %+v, %v", line, p, ok)
		}
		parseStat(7, name) // whatever it is, it does not panic
	})
}
