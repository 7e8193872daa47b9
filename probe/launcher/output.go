package launcher

import (
	"bufio"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of what is kept of an application's output.
const (
	maxLine    = 2 << 10 // bytes of one line; the rest of it is dropped
	linesPerS  = 20
	lineBurst  = 200
	readerSize = 16 << 10
)

// output copies what a session prints to the log: every line bounded, and no
// more lines a second than a log can bear. Matched is closed by the first line
// that matches want.
type output struct {
	log     *slog.Logger
	want    *regexp.Regexp // nil: nothing is waited for
	hear    func(line string)
	matched chan struct{}
	once    sync.Once
	limit   *rate.Limiter
	dropped int // since the last line that was kept; owned by copy
}

func newOutput(log *slog.Logger, want *regexp.Regexp, hear func(string)) *output {
	return &output{log: log, want: want, hear: hear, matched: make(chan struct{}), limit: rate.NewLimiter(linesPerS, lineBurst)}
}

// copy reads until the end. It reads on whatever happens, since an application
// whose pipe is full would stand still.
func (o *output) copy(r io.Reader) {
	in := bufio.NewReaderSize(r, readerSize)
	for {
		line, err := readLine(in)
		if line != "" {
			o.take(line)
		}
		if err != nil {
			return
		}
	}
}

// readLine reads a line of at most maxLine bytes and skips the rest of a longer one.
func readLine(in *bufio.Reader) (string, error) {
	var line strings.Builder
	for {
		part, err := in.ReadSlice('\n')
		if room := maxLine - line.Len(); room > 0 {
			line.Write(part[:min(room, len(part))])
		}
		if err != bufio.ErrBufferFull { //nolint:errorlint // ReadSlice gives it unwrapped
			return strings.TrimRight(strings.ToValidUTF8(line.String(), "\uFFFD"), "\r\n"), err
		}
	}
}

func (o *output) take(line string) {
	if o.want != nil && o.want.MatchString(line) {
		o.once.Do(func() { close(o.matched) })
	}
	o.hear(line)
	if !o.limit.AllowN(time.Now(), 1) {
		o.dropped++
		return
	}
	if o.dropped > 0 {
		o.log.Warn("lines of output dropped: too many a second", "lines", o.dropped)
		o.dropped = 0
	}
	o.log.Info("output", "line", line)
}
