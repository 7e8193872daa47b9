//go:build !linux

package demo

import "os/exec"

// startTied starts a child. Only Linux ends it if this process is killed.
func startTied(command *exec.Cmd) tied {
	t := tied{started: make(chan error, 1), ended: make(chan error, 1)}
	err := command.Start()
	t.started <- err
	if err == nil {
		go func() { t.ended <- command.Wait() }()
	}
	return t
}
