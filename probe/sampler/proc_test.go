package sampler

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const line = "4 (a (b) c) S 1 4 4 0 -1 4194560 1 2 3 4 100 50 30 20 20 0 1 0 5 1000 2 18446744073709551615"

func TestParseStat(t *testing.T) {
	p, err := parseStat(line)
	if err != nil {
		t.Fatal(err)
	}
	if p.pid != 4 || p.parent != 1 || p.group != 4 || p.cpu != 2 || p.memory != 2*float64(os.Getpagesize()) {
		t.Errorf("got %+v", p)
	}
	for _, bad := range []string{"", "4", "4 (a", "x (a) S 1", "4 (a) S 1 2", strings.Replace(line, "100", "-1", 1)} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add(line)
	f.Add("1 () R 0")
	f.Fuzz(func(t *testing.T, line string) {
		p, err := parseStat(line)
		if err == nil && (p.cpu < 0 || p.memory < 0) {
			t.Errorf("%q gives %+v", line, p)
		}
	})
}

// TestATreeHoldsItsGrandchildrenAndNobodyElse has a fake proc file system.
func TestATreeHoldsItsGrandchildrenAndNobodyElse(t *testing.T) {
	root := t.TempDir()
	add := func(pid, parent, group, cpu string) {
		dir := filepath.Join(root, pid)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		text := pid + " (x) S " + parent + " " + group + " 4 0 -1 0 0 0 0 0 " + cpu + " 0 0 0 20 0 1 0 5 1000 1 0"
		if err := os.WriteFile(filepath.Join(dir, "stat"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	add("10", "1", "10", "100")
	add("11", "10", "10", "200")
	add("12", "11", "12", "400") // a group of its own, but a descendant
	add("13", "1", "10", "800")  // its parent is gone, its group is not
	add("20", "1", "20", "9900")
	all, err := processTable(root)
	if err != nil {
		t.Fatal(err)
	}
	use, ok := all.treeOf(10)
	if !ok || use.cpu != 15 {
		t.Errorf("tree of 10 is %+v, %v; want 15 s", use, ok)
	}
	if _, ok := all.treeOf(99); ok {
		t.Error("a process that is not there has a tree")
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
	if len(first.Sessions) != 1 || first.Sessions[0].CPU != nil {
		t.Errorf("the first sample knows a session's CPU: %+v", first.Sessions)
	}
	all, err := processTable("/proc")
	if err != nil {
		t.Fatal(err)
	}
	use, _ := all.treeOf(child.Process.Pid)
	_ = in.Close()
	_ = child.Wait()
	said := (child.ProcessState.UserTime() + child.ProcessState.SystemTime()).Seconds()
	if use.cpu < said-0.1 || use.cpu > said+0.05 || use.cpu == 0 {
		t.Errorf("read %.2f s, the system says %.2f s", use.cpu, said)
	}
}
