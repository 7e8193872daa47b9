package sampler

import (
	"context"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

const line = "4 (a (b) c) S 1 4 4 0 -1 4194560 1 2 3 4 100 50 30 20 20 0 1 0 5 1000 2 18446744073709551615"

const pageSize = 4096

func TestParseStat(t *testing.T) {
	p, err := parseStat([]byte(line), pageSize)
	if err != nil {
		t.Fatal(err)
	}
	if p != (proc{pid: 4, parent: 1, group: 4, start: 5, cpu: 2, memory: 2 * pageSize}) {
		t.Errorf("got %+v", p)
	}
	for _, bad := range []string{
		"", "4", "4 (a", "x (a) S 1", "4 (a) S 1 2", ") S (", strings.Replace(line, "100", "-1", 1),
		strings.Replace(line, "S 1 4", "S 1 99999999999", 1), strings.Replace(line, " 100 ", " 99999999999999999999 ", 1),
	} {
		if got, err := parseStat([]byte(bad), pageSize); err == nil {
			t.Errorf("%q gives %+v", bad, got)
		}
	}
}

// FuzzParseStat: whatever a process calls itself, its figures are its own.
func FuzzParseStat(f *testing.F) {
	f.Add(line, "sh")
	f.Add("1 () R 0", "a) S 1 1 (")
	f.Fuzz(func(t *testing.T, text, name string) {
		if p, err := parseStat([]byte(text), pageSize); err == nil && (!(p.cpu >= 0) || !(p.memory >= 0) || p.pid < 0 || p.parent < 0) {
			t.Errorf("%q gives %+v", text, p)
		}
		named := strings.Replace(line, "(a (b) c)", "("+name+")", 1)
		if p, err := parseStat([]byte(named), pageSize); err != nil || p.cpu != 2 || p.parent != 1 {
			t.Errorf("%q gives %+v, %v", named, p, err)
		}
	})
}

// stat is a line of the process table: a process that used so many hundredths
// of a second, and holds one page.
func stat(pid, parent, group, start, cpu int) string {
	text := []string{strconv.Itoa(pid), "(x)", "S"}
	for _, n := range []int{parent, group, 4, 0, -1, 0, 0, 0, 0, 0, cpu, 0, 0, 0, 20, 0, 1, 0, start, 1000, 1, 0} {
		text = append(text, strconv.Itoa(n))
	}
	return strings.Join(text, " ")
}

// forest gives the trees of sessions whose first processes are 10 and 20.
func forest(t *testing.T, last reading, lines ...string) reading {
	t.Helper()
	now := reading{processes: map[int]proc{}}
	for _, line := range lines {
		p, err := parseStat([]byte(line), pageSize)
		if err != nil {
			t.Fatal(err)
		}
		now.processes[p.pid] = p
	}
	now.trees = treesOf(now.processes, []Session{{ID: "a", RootPID: 10}, {ID: "b", RootPID: 20}, {ID: "c"}, {ID: "d", RootPID: 99}}, last)
	return now
}

func TestATreeHoldsItsGrandchildrenAndNobodyElse(t *testing.T) {
	got := forest(t, reading{},
		stat(10, 1, 10, 5, 100),
		stat(11, 10, 10, 5, 200),
		stat(12, 11, 12, 5, 400), // a group of its own, but a descendant
		stat(13, 1, 10, 5, 800),  // its parent is gone, its group is not
		stat(20, 1, 20, 5, 9900),
		stat(30, 31, 30, 5, 7), stat(31, 30, 31, 5, 7), // a circle, read as they came and went
	)
	if a := got.trees["a"]; a.cpu != 15 || a.memory != 4*pageSize || len(a.pids) != 4 {
		t.Errorf("the tree of a is %+v; want 15 s in 4 processes", a)
	}
	if b := got.trees["b"]; b.cpu != 99 || len(got.trees) != 2 {
		t.Errorf("got %+v", got.trees)
	}
}

// TestATreeKeepsWhoLeavesIt: a daemon has left its group, and its parent is gone.
func TestATreeKeepsWhoLeavesIt(t *testing.T) {
	first := forest(t, reading{}, stat(10, 1, 10, 5, 100), stat(11, 10, 11, 6, 200))
	second := forest(t, first, stat(10, 1, 10, 5, 100), stat(11, 1, 11, 6, 300), stat(12, 11, 12, 8, 50))
	if a := second.trees["a"]; a.cpu != 4.5 {
		t.Errorf("the tree is %+v; want 4.5 s", a)
	}
	reused := forest(t, second, stat(10, 1, 10, 5, 100), stat(11, 1, 11, 900, 77))
	if a := reused.trees["a"]; a.cpu != 1 {
		t.Errorf("a number given again is counted: %+v", a)
	}
	anew := forest(t, second, stat(10, 1, 10, 901, 3), stat(11, 1, 11, 6, 300))
	if a := anew.trees["a"]; a.cpu != 0.03 || a.same(second.trees["a"]) {
		t.Errorf("another first process took over: %+v", a)
	}
}

// TestRealTree compares what is read with what a child says of itself.
func TestRealTree(t *testing.T) {
	child := exec.CommandContext(t.Context(), "sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; (i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done); times; read x")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 200)
	if _, err := out.Read(buffer); err != nil { // it has done its work
		t.Fatal(err)
	}
	s, err := New(context.Background(), Options{
		Share: 1, Period: time.Second, Log: slog.New(slog.DiscardHandler),
		Sessions: func() []Session { return []Session{{ID: "s", RootPID: child.Process.Pid}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	first := s.Read(t.Context())
	if len(first.Sessions) != 1 || first.Sessions[0].CPU != nil || *first.Sessions[0].Memory < float64(os.Getpagesize()) {
		t.Errorf("the first sample has %+v", first.Sessions)
	}
	use := s.last.trees["s"]
	_ = in.Close()
	_ = child.Wait()
	said := (child.ProcessState.UserTime() + child.ProcessState.SystemTime()).Seconds()
	if math.Abs(use.cpu-said) > 0.1 || use.cpu == 0 {
		t.Errorf("read %.2f s, the system says %.2f s", use.cpu, said)
	}
}
