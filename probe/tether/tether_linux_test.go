package tether

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestMain is a parent, too: it starts a child that sleeps, says its number, and
// waits to be killed.
func TestMain(m *testing.M) {
	if os.Getenv("TETHER_TEST_PARENT") == "" {
		os.Exit(m.Run())
	}
	command := exec.Command("sleep", "1000") //nolint:noctx // it ends with this process: that is the test
	if err := <-Start(command).Started; err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(command.Process.Pid)
	select {}
}

// TestAChildDiesWithItsParent, though that is killed.
func TestAChildDiesWithItsParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.CommandContext(t.Context(), self) //nolint:gosec // this test
	parent.Env = append(os.Environ(), "TETHER_TEST_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line := bufio.NewScanner(out)
	line.Scan()
	child, err := strconv.Atoi(line.Text())
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	for deadline := time.After(10 * time.Second); alive(child); {
		select {
		case <-deadline:
			t.Fatal("the child lives on")
		case <-time.After(time.Millisecond):
		}
	}
}

// alive says whether a process runs; one that nobody has waited for yet does not.
func alive(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && syscall.Kill(pid, 0) == nil && !isZombie(string(data))
}

func isZombie(stat string) bool {
	for i := len(stat) - 1; i > 0; i-- {
		if stat[i] == ')' {
			return i+2 < len(stat) && stat[i+2] == 'Z'
		}
	}
	return false
}

func TestWhatCannotStart(t *testing.T) {
	if err := <-Start(exec.CommandContext(t.Context(), "/nowhere/program")).Started; err == nil {
		t.Error("it started")
	}
	p := Start(exec.CommandContext(t.Context(), "false"))
	if err := <-p.Started; err != nil {
		t.Fatal(err)
	}
	if err := <-p.Ended; err == nil {
		t.Error("it ended well")
	}
}
