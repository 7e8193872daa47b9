package nvml

import (
	"os/exec"
	"runtime"
	"syscall"
)

// startTied starts a child that dies with this process, however that dies. The
// kernel ties a child to the thread that started it, so that thread waits for
// it.
func startTied(command *exec.Cmd) (started, ended chan error) {
	started, ended = make(chan error, 1), make(chan error, 1)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			ended <- command.Wait()
		}
	}()
	return started, ended
}
