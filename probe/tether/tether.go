// Package tether starts child processes that end with this one.
package tether

import (
	"os/exec"
	"syscall"
)

// Process is a child on its way. Started gives one value: whether it began. If
// it did, Ended gives one too: how it ended.
type Process struct {
	Started <-chan error
	Ended   <-chan error
}

// Start starts a command that dies with this process, however that dies, where
// the system can see to it (Linux); elsewhere it must notice by itself, as by
// the end of its standard input. What SysProcAttr says besides is kept.
func Start(command *exec.Cmd) Process {
	started, ended := make(chan error, 1), make(chan error, 1)
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	go func() {
		defer tie(command.SysProcAttr)()
		err := command.Start()
		started <- err
		if err == nil {
			ended <- command.Wait()
		}
	}()
	return Process{Started: started, Ended: ended}
}
