package nvml

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os/exec"
	"sync"
	"time"

	"github.com/rendergate/rendergate/probe/tether"
	"github.com/rendergate/rendergate/probe/wire"
)

// Options of a reader. Command and Log are needed.
type Options struct {
	Command  []string      // runs [Child]
	Env      []string      // of the child; nil means [Environment]
	Period   time.Duration // between readings; 0 means 1 s
	Deadline time.Duration // for one reading; 0 means 5 s. A child that takes longer hangs, and is ended
	Again    time.Duration // after which a driver that was not there is looked for again; 0 means 1 min
	Log      *slog.Logger
}

// settled is how many readings of a new child are dropped: the driver's windows
// have to fill, and a GPU that was asleep reads as busy at first.
const settled = 2

// Reader reads the GPUs of this machine through a child.
type Reader struct {
	o Options

	mu     sync.Mutex
	gpus   []wire.GPU // in the order in which they were first seen
	newest Reading
	at     time.Time // of newest; zero: there is none
	absent string    // what was last said of a missing driver
	driver string    // its version, empty while unknown
}

// Reading is what the GPUs do, in the order of [Reader.GPUs].
type Reading struct {
	Samples    []wire.GPUSample
	Processes  []map[int]Process // by pid
	PerProcess []bool            // whether a process that is not listed is known to idle
	Throttled  []string          // why each one's clocks are held down; empty: they are not
}

// New makes a reader that has read nothing yet.
func New(o Options) *Reader {
	if o.Env == nil {
		o.Env = Environment()
	}
	if o.Period == 0 {
		o.Period = time.Second
	}
	if o.Deadline == 0 {
		o.Deadline = 5 * time.Second
	}
	if o.Again == 0 {
		o.Again = time.Minute
	}
	return &Reader{o: o}
}

// GPUs are those that were ever seen, by UUID: the list only grows, so that an
// index means the same GPU for ever.
func (r *Reader) GPUs() []wire.GPU {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]wire.GPU{}, r.gpus...)
}

// Driver is the driver's version; empty while it is unknown.
func (r *Reader) Driver() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.driver
}

// Latest is the newest reading. What is older than three periods, or was not
// read, is unknown.
func (r *Reader) Latest() Reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) <= 3*r.o.Period && len(r.newest.Samples) == len(r.gpus) {
		return r.newest
	}
	return unknown(len(r.gpus))
}

func unknown(n int) Reading {
	return Reading{Samples: make([]wire.GPUSample, n), Processes: make([]map[int]Process, n), PerProcess: make([]bool, n), Throttled: make([]string, n)}
}

// errAbsent is that there is no driver to read.
var errAbsent = errors.New("no GPU to read")

// Look finds out which GPUs there are, with a child of its own, for the probe's
// first word to its service.
func (r *Reader) Look(ctx context.Context) {
	c, err := r.start(ctx)
	if err != nil {
		r.o.Log.Warn("the GPUs could not be looked at", "err", err)
		return
	}
	defer c.stop()
	f, err := c.ask(ctx, r.o.Deadline)
	if err != nil {
		r.o.Log.Warn("the GPUs could not be looked at", "err", err)
		return
	}
	if f.Error != "" {
		r.sayAbsent(f.Error)
		return
	}
	r.take(f, false)
}

// Run reads until ctx ends.
func (r *Reader) Run(ctx context.Context) error {
	const first, most = 500 * time.Millisecond, 30 * time.Second
	wait := first
	for ctx.Err() == nil {
		began := time.Now()
		err := r.child(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to end
		}
		r.forget()
		if errors.Is(err, errAbsent) {
			pause(ctx, r.o.Again)
			continue
		}
		if time.Since(began) > most {
			wait = first
		}
		wait = min(wait, r.o.Again)
		r.o.Log.Warn("the process that reads the GPUs ended; it is started again, and the GPUs are unknown until then", "err", err, "in", wait)
		pause(ctx, wait/2+rand.N(wait)) //nolint:gosec // jitter
		wait = min(2*wait, most)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// child reads with one child until it fails.
func (r *Reader) child(ctx context.Context) error {
	c, err := r.start(ctx)
	if err != nil {
		return err
	}
	defer c.stop()
	tick := time.NewTicker(r.o.Period)
	defer tick.Stop()
	for n := 0; ; n++ {
		f, err := c.ask(ctx, r.o.Deadline)
		if err != nil {
			return err
		}
		if f.Error != "" {
			r.sayAbsent(f.Error)
			return errAbsent
		}
		r.take(f, n >= settled)
		select {
		case <-ctx.Done():
			return nil //nolint:nilerr // asked to end
		case <-tick.C:
		}
	}
}

// sayAbsent says once why there are no GPUs: most hosts of a test have none.
func (r *Reader) sayAbsent(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if why != r.absent {
		r.o.Log.Info("no GPUs are read; the host goes on without", "why", why, "again_in", r.o.Again)
	}
	r.absent = why
}

// forget makes everything unknown.
func (r *Reader) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = time.Time{}
}

// take keeps what a frame says: which GPUs there are and, if values is set,
// what they do.
func (r *Reader) take(f Frame, values bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.driver = f.Driver
	at := make([]int, len(f.Devices))
	for i, d := range f.Devices {
		at[i] = r.index(d)
	}
	if !values {
		return
	}
	r.newest, r.at, r.absent = unknown(len(r.gpus)), time.Now(), ""
	for i, d := range f.Devices {
		r.newest.Samples[at[i]] = wire.GPUSample{Util: d.Util, Encoder: d.Encoder, EncoderSessions: d.EncoderSessions, VRAM: d.VRAM}
		r.newest.PerProcess[at[i]], r.newest.Throttled[at[i]] = d.PerProcess, d.Throttled
		by := make(map[int]Process, len(d.Processes))
		for _, p := range d.Processes {
			by[p.PID] = p
		}
		r.newest.Processes[at[i]] = by
	}
}

// index is the GPU's place; a new one comes last.
func (r *Reader) index(d Device) int {
	for i := range r.gpus {
		if r.gpus[i].UUID == d.UUID {
			if r.gpus[i].VRAMBytes == 0 && d.VRAMTotal != nil {
				r.gpus[i].VRAMBytes = *d.VRAMTotal
			}
			return i
		}
	}
	g := wire.GPU{UUID: d.UUID, Name: d.Name}
	if d.VRAMTotal != nil {
		g.VRAMBytes = *d.VRAMTotal
	}
	r.o.Log.Info("a GPU was found", "index", len(r.gpus), "name", d.Name, "uuid", d.UUID)
	r.gpus = append(r.gpus, g)
	return len(r.gpus) - 1
}

// process is a running child.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	lines   chan line
	ended   chan error
}

type line struct {
	text []byte
	err  error
}

func (r *Reader) start(ctx context.Context) (*process, error) {
	command := exec.CommandContext(ctx, r.o.Command[0], r.o.Command[1:]...) //nolint:gosec // our own program
	command.Env = r.o.Env
	command.WaitDelay = time.Second
	in, errIn := command.StdinPipe()
	out, writer := io.Pipe()
	command.Stdout = writer
	if errIn != nil {
		return nil, fmt.Errorf("starting the reader of the GPUs: %w", errIn)
	}
	child := tether.Start(command)
	if err := <-child.Started; err != nil {
		return nil, fmt.Errorf("starting the reader of the GPUs: %w", err)
	}
	p := &process{command: command, in: in, lines: make(chan line, 1), ended: make(chan error, 1)}
	go func() {
		err := <-child.Ended
		_ = writer.CloseWithError(io.EOF)
		p.ended <- err
	}()
	go p.read(out)
	return p, nil
}

// read hands on lines of bounded length, until the child ends.
func (p *process) read(out io.Reader) {
	defer close(p.lines)
	lines := bufio.NewScanner(out)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		p.lines <- line{text: append([]byte{}, lines.Bytes()...)}
	}
	if err := lines.Err(); err != nil {
		p.lines <- line{err: err}
		_, _ = io.Copy(io.Discard, out) // so that the child is not held up; it is ended
	}
}

// ask gets one frame.
func (p *process) ask(ctx context.Context, deadline time.Duration) (Frame, error) {
	if _, err := io.WriteString(p.in, "read\n"); err != nil {
		return Frame{}, fmt.Errorf("the reader of the GPUs is gone: %w", err)
	}
	late := time.NewTimer(deadline)
	defer late.Stop()
	select {
	case <-ctx.Done():
		return Frame{}, ctx.Err()
	case <-late.C:
		return Frame{}, fmt.Errorf("the driver did not answer within %v", deadline)
	case l, open := <-p.lines:
		switch {
		case !open:
			return Frame{}, errors.New("it ended: the driver's library may have crashed")
		case l.err != nil:
			return Frame{}, l.err
		}
		return ParseFrame(l.text)
	}
}

// stop ends the child and waits until it is gone.
func (p *process) stop() {
	_ = p.in.Close()
	_ = p.command.Process.Kill()
	for range p.lines { // so that its last words do not hold it up
	}
	<-p.ended
}
