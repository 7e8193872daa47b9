package demo

import (
	"os/exec"
	"runtime"
	"syscall"
)

// startTied starts a child that dies with this process, however that dies. The
// kernel ties a child to the thread that started it, so that thread waits for
// it; a process group of its own keeps Ctrl-C for us, who end things in order.
func startTied(command *exec.Cmd) tied {
	t := tied{started: make(chan error, 1), ended: make(chan error, 1)}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		t.started <- err
		if err == nil {
			t.ended <- command.Wait()
		}
	}()
	return t
}
