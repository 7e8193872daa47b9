package demo

import (
	"context"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/rendergate/rendergate/probe/tether"
)

// How children are started again and ended.
const (
	restartFirst = 200 * time.Millisecond
	restartMost  = 5 * time.Second
	livedLong    = 2 * time.Second // after so long a death is not a start that failed
	endTimeout   = 15 * time.Second
)

// child is a process that is started again when it dies.
type child struct {
	o    Options
	args []string
	done chan struct{}
	mu   sync.Mutex
	now  int // its pid; 0 while it does not run
}

func newChild(o Options, args ...string) *child {
	return &child{o: o, args: args, done: make(chan struct{})}
}

func (c *child) pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *child) setPID(pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = pid
}

// run keeps the child running until ctx ends, then ends it.
func (c *child) run(ctx context.Context) error {
	defer close(c.done)
	pause := restartFirst
	for ctx.Err() == nil {
		began := time.Now()
		err := c.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > livedLong {
			pause = restartFirst
		}
		c.o.Log.Warn("a part of the demo ended and is started again", "part", c.args[0], "err", err, "in", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, restartMost)
	}
	return nil
}

// once runs the child until it ends; when ctx ends it is asked to, then made to.
func (c *child) once(ctx context.Context) error {
	command := exec.CommandContext(ctx, c.o.Program, c.args...) //nolint:gosec // our own program
	command.Stdout, command.Stderr = c.o.Err, c.o.Err
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = endTimeout
	process := tether.Start(command)
	if err := <-process.Started; err != nil {
		return err
	}
	c.setPID(command.Process.Pid)
	defer c.setPID(0)
	return <-process.Ended
}
