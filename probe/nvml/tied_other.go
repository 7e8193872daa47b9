//go:build !linux

package nvml

import "os/exec"

// startTied starts a child. It ends when its standard input does.
func startTied(command *exec.Cmd) (started, ended chan error) {
	started, ended = make(chan error, 1), make(chan error, 1)
	go func() {
		err := command.Start()
		started <- err
		if err == nil {
			ended <- command.Wait()
		}
	}()
	return started, ended
}
