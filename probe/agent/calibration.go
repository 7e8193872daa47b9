package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rendergate/rendergate/probe/tether"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Limits of a calibration's process.
const (
	maxUpdate       = 4 << 20          // bytes of one line that it prints
	maxComplaint    = 64 << 10         // bytes of its standard error that are kept
	calibrationStop = 30 * time.Second // from the order to end it until it is killed
)

// calibrator runs one calibration at a time, as a process of its own that dies
// with the probe: `rendergate calibrate` with the probe's own config.
type calibrator struct {
	command []string // the order's flags are added
	idle    func() error
	log     *slog.Logger
	updates chan calibration.Update // to the connection
	closed  chan struct{}           // nobody reads updates any more

	mu     sync.Mutex
	id     string // of the one that runs; empty: none does
	end    func()
	active sync.WaitGroup
}

func newCalibrator(command []string, idle func() error, log *slog.Logger) *calibrator {
	return &calibrator{command: command, idle: idle, log: log, updates: make(chan calibration.Update, 1), closed: make(chan struct{})}
}

// order begins a calibration, or ends the one of that id.
func (c *calibrator) order(o *wire.Calibrate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !o.On {
		if c.id == o.ID && c.end != nil {
			c.end()
		}
		return
	}
	if err := c.mayStart(o); err != nil {
		c.active.Go(func() { c.tell(calibration.Update{ID: o.ID, Error: err.Error()}) })
		return
	}
	ctx, end := context.WithCancel(context.Background())
	c.id, c.end = o.ID, end
	c.log.Info("calibrating", "app", o.Order.App, "id", o.ID)
	c.active.Go(func() {
		last := c.run(ctx, o)
		c.mu.Lock()
		c.id, c.end = "", nil
		c.mu.Unlock()
		end()
		c.log.Info("calibration ended", "id", o.ID, "err", last.Error)
		c.tell(last)
	})
}

func (c *calibrator) mayStart(o *wire.Calibrate) error {
	switch {
	case len(c.command) == 0:
		return errors.New("this probe cannot calibrate")
	case c.id != "":
		return errors.New("a calibration runs on this host already")
	}
	return errors.Join(o.Order.Check(), c.idle())
}

// tell hands an update to the connection; the last one waits for it, others give
// way to newer ones.
func (c *calibrator) tell(u calibration.Update) {
	if !u.Last() {
		select {
		case <-c.updates:
		default:
		}
		select {
		case c.updates <- u:
		default:
		}
		return
	}
	late := time.NewTimer(calibrationStop)
	defer late.Stop()
	select {
	case c.updates <- u:
	case <-late.C: // no connection takes it
	case <-c.closed:
	}
}

// cancel ends the calibration that runs, if any: nobody would hear of it.
func (c *calibrator) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		c.end()
	}
}

// close ends it and waits until nothing of it is left.
func (c *calibrator) close() {
	c.cancel()
	close(c.closed)
	c.active.Wait()
}

// run runs the process and returns its last word.
func (c *calibrator) run(ctx context.Context, o *wire.Calibrate) calibration.Update {
	command := exec.Command(c.command[0], append(c.command[1:], o.Order.Flags()...)...) //nolint:gosec,noctx // our own program; ended below
	out, writer := io.Pipe()
	var complaint tail
	command.Stdout, command.Stderr = writer, &complaint
	child := tether.Start(command)
	if err := <-child.Started; err != nil {
		return calibration.Update{ID: o.ID, Error: err.Error()}
	}
	defer context.AfterFunc(ctx, func() { stop(command) })()
	last := make(chan calibration.Update, 1)
	go func() { last <- c.read(o.ID, out) }()
	err := <-child.Ended
	_ = writer.Close()
	u := <-last
	if u.Last() {
		return u
	}
	why := complaint.last()
	if why == "" {
		why = fmt.Sprintf("the calibration ended: %v", err)
	}
	return calibration.Update{ID: o.ID, Error: why}
}

// stop asks the process to end, and kills it if it does not.
func stop(command *exec.Cmd) {
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		_ = command.Process.Kill()
		return
	}
	time.AfterFunc(calibrationStop, func() { _ = command.Process.Kill() })
}

// read hands on what the process tells, and returns its result if it has one.
func (c *calibrator) read(id string, out io.Reader) calibration.Update {
	var last calibration.Update
	lines := bufio.NewScanner(out)
	lines.Buffer(make([]byte, 0, 64<<10), maxUpdate)
	for lines.Scan() {
		var u calibration.Update
		if err := json.Unmarshal(lines.Bytes(), &u); err != nil {
			c.log.Warn("a line of the calibration was not understood", "err", err)
			continue
		}
		u.ID = id
		if u.Last() {
			last = u
			continue
		}
		c.tell(u)
	}
	_, _ = io.Copy(io.Discard, out) // so that it is not held up
	return last
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if over := len(t.text) - maxComplaint; over > 0 {
		t.text = t.text[over:]
	}
	return len(p), nil
}

// last is the last line.
func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "rendergate: ")
}
