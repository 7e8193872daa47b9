package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
)

const (
	flushEvery = time.Second // what a crash may cost of a trace
	maxHeld    = 50_000      // things that wait for the disk: tens of megabytes at the worst
)

// Recorder writes a trace. Nobody who gives it something waits for the disk:
// what comes faster than it can be written is dropped and counted. A nil
// Recorder takes everything and records nothing.
type Recorder struct {
	log  *slog.Logger
	path string
	mask mask
	most int // see maxHeld
	wake chan struct{}
	quit chan struct{}
	done chan struct{}

	mu      sync.Mutex
	lines   []line
	held    int    // weight of lines
	dropped uint64 // all in all
	failed  bool   // nothing is taken any more

	// Owned by run.
	file    io.WriteCloser
	out     *bufio.Writer
	told    uint64 // dropped, as the trace has it
	written int    // lines after the header
}

// line is one line that waits, and how much of the room it takes.
type line struct {
	body   any
	weight int
}

// Open makes the file of a trace and its recorder. A path that is a folder gets
// a new file in it, named by kind and time. A file that exists is never
// overwritten: the error says so.
func Open(path string, h Header, log *slog.Logger) (*Recorder, error) {
	h.Trace, h.V = Format, Version
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, h.Kind+"-"+h.Started.UTC().Format("20060102T150405.000Z")+".jsonl")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names it
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("record: %s exists and is not overwritten; want a new file, or a folder to make one in", path)
	case err != nil:
		return nil, fmt.Errorf("record: %w", err)
	}
	r := newRecorder(f, h, log)
	r.path = path
	return r, nil
}

// newRecorder writes the header and starts to record.
func newRecorder(file io.WriteCloser, h Header, log *slog.Logger) *Recorder {
	r := &Recorder{
		log: log, mask: newMask(), most: maxHeld, file: file, out: bufio.NewWriterSize(file, 64<<10),
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	data, err := json.Marshal(h)
	if err == nil {
		err = errors.Join(r.write(data), r.out.Flush())
	}
	r.check(err)
	go r.run()
	return r
}

// Path is the file that is written; empty for none.
func (r *Recorder) Path() string {
	if r == nil {
		return ""
	}
	return r.path
}

// Put takes a line, which must not be changed any more; it is encoded when it
// is written. Weight is how many things it holds.
func (r *Recorder) Put(body any, weight int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	weight = max(1, weight)
	switch {
	case r.failed:
	case r.held > 0 && r.held+weight > r.most: // one alone is taken, however large
		r.dropped++
	default:
		r.lines, r.held = append(r.lines, line{body, weight}), r.held+weight
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Hello records what the host says of itself.
func (r *Recorder) Hello(h wire.Hello) { r.Put(Line{At: now(), Hello: &h}, 1+len(h.Running)) }

// Start records an order to start a session that the host obeys.
func (r *Recorder) Start(s wire.Start) { r.Put(Line{At: now(), Start: &s}, 1) }

// Sample records a sample as it was taken. Its slices must not be changed any more.
func (r *Recorder) Sample(s wire.Sample) { r.Put(Line{At: now(), Sample: &s}, 1+len(s.Sessions)) }

// Session records a change of a session's state.
func (r *Recorder) Session(s wire.Session) { r.Put(Line{At: now(), Session: &s}, 1) }

func now() time.Time { return time.Now().UTC() }

// Close writes what waits, ends the trace and closes its file. It returns when
// that is done.
func (r *Recorder) Close() {
	if r == nil {
		return
	}
	close(r.quit)
	<-r.done
}

func (r *Recorder) run() {
	defer close(r.done)
	flush := time.NewTicker(flushEvery)
	defer flush.Stop()
	for {
		select {
		case <-r.wake:
			r.writeAll()
		case <-flush.C:
			r.check(r.out.Flush())
		case <-r.quit:
			r.writeAll()
			r.end()
			return
		}
	}
}

// take gives what waits, and how much was dropped before it.
func (r *Recorder) take() ([]line, uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.lines
	r.lines, r.held = nil, 0
	return all, r.dropped
}

// writeAll writes what waits. What was dropped came after the lines that filled
// the room, so it is told after them.
func (r *Recorder) writeAll() {
	all, dropped := r.take()
	for _, l := range all {
		if r.isOver() {
			return
		}
		data, err := json.Marshal(l.body)
		if err != nil { // NaN, as of a driver gone mad: it is not JSON
			r.mu.Lock()
			r.dropped++
			dropped = r.dropped
			r.mu.Unlock()
			continue
		}
		r.written++
		r.check(r.write(r.mask.apply(data)))
	}
	if dropped > r.told && !r.isOver() {
		if r.told == 0 {
			r.log.Warn("lines are left out of the trace, since they come faster than they are written; the trace has their number",
				"trace", r.path, "dropped", dropped)
		}
		r.note(Note{Dropped: dropped})
	}
}

// note writes a line of the recorder's own.
func (r *Recorder) note(n Note) {
	r.told = n.Dropped
	data, err := json.Marshal(Line{At: now(), Note: n})
	if err == nil {
		err = r.write(data)
	}
	r.check(err)
}

func (r *Recorder) write(data []byte) error {
	_, err := r.out.Write(append(data, '\n'))
	return err
}

// check ends the recording at the first error: a disk that is full now would
// leave a trace with holes later.
func (r *Recorder) check(err error) {
	if err != nil && !r.isOver() {
		r.fail(err)
	}
}

func (r *Recorder) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *Recorder) fail(err error) {
	r.mu.Lock()
	r.failed, r.lines, r.held = true, nil, 0
	r.mu.Unlock()
	r.log.Error("the recording has ended; what was recorded until now stays", "trace", r.path, "err", errors.Join(err, r.file.Close()))
}

// end closes the trace. One that holds nothing is removed, so that a start that
// failed, for whatever else, does not stand in the way of the next.
func (r *Recorder) end() {
	if r.isOver() {
		return
	}
	if r.written > 0 {
		r.note(Note{Dropped: r.told, End: true})
	}
	if err := errors.Join(r.out.Flush(), r.file.Close()); err != nil {
		r.log.Error("the end of the trace was not written", "trace", r.path, "err", err)
		return
	}
	if r.written == 0 && r.path != "" {
		_ = os.Remove(r.path) // what is left is a header
		return
	}
	r.log.Info("trace written", "trace", r.path, "lines", r.written, "dropped", r.told)
}
