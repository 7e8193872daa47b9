//go:build !linux

package launcher

import (
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"time"
)

// Variables that mark the processes of sessions.
const (
	markSession = "RENDERGATE_SESSION"
	markProbe   = "RENDERGATE_PROBE"
)

// system is what the launcher needs of the operating system: here, nothing
// beyond what os/exec does. Job objects on Windows are to come.
type system struct{ mark string }

func newSystem(Options) *system                    { return &system{mark: "here"} }
func (*system) open() error                        { return nil }
func (*system) close()                             {}
func (*system) cgroup() string                     { return "" }
func (*system) reap(stop <-chan struct{})          { <-stop }
func (*system) prepare(c *exec.Cmd, _ Order) group { return group{cmd: c, gone: make(chan struct{})} }

// group is a session's command; what it starts is not ended with it.
type group struct {
	cmd  *exec.Cmd
	gone chan struct{}
}

func (g *group) start() error { return g.cmd.Start() }
func (*group) started(error)  {}
func (*group) dir() string    { return "" }
func (*group) left() bool     { return false }

func (g *group) await() {
	defer close(g.gone)
	_ = g.cmd.Wait() // its state is read from the command
}

func (g *group) end(_ time.Duration, log *slog.Logger) {
	if err := g.cmd.Process.Kill(); err != nil {
		log.Debug("kill", "err", err)
	}
	<-g.gone
}

// Guard has nothing to do on this system.
func Guard(io.Reader, []string) error { return errors.New("the guard is for Linux only") }
