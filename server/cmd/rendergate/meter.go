package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"

	"github.com/rendergate/rendergate/probe/calibrate/screen"
)

// meter shows how far something is: a bar on a terminal, plain lines elsewhere.
// It is not safe for concurrent use.
type meter struct {
	out   io.Writer
	width func() int // columns of the terminal; nil: it is none
	now   func() time.Time
	began time.Time
	said  time.Time
	drawn bool
}

// How often a bar is drawn anew, and a plain line written.
const (
	drawEvery  = 200 * time.Millisecond
	plainEvery = 30 * time.Second
)

func newMeter(f *os.File) *meter {
	m := &meter{out: f, now: time.Now}
	if isatty.IsTerminal(f.Fd()) && os.Getenv("TERM") != "dumb" {
		m.width = func() int {
			if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 { //nolint:gosec // a descriptor is small
				return w
			}
			return 80
		}
	}
	m.began = m.now()
	m.said = m.began
	return m
}

func (m *meter) show(done, total int) {
	every := plainEvery
	if m.width != nil {
		every = drawEvery
	}
	now := m.now()
	if now.Sub(m.said) < every {
		return
	}
	m.said = now
	text := fmt.Sprintf("%d of %d runs%s", done, total, m.left(now, done, total))
	if m.width == nil {
		m.write(text + "\n")
		return
	}
	m.drawn = true
	m.write("\r\x1b[K" + bar(done, total, m.width()-len(text)-4) + text)
}

// left is how long it will go on, once that can be told.
func (m *meter) left(now time.Time, done, total int) string {
	if done == 0 || done >= total {
		return ""
	}
	took := now.Sub(m.began).Seconds()
	return ", about " + screen.Span(took/float64(done)*float64(total-done)) + " to go"
}

// bar is as wide as there is room for, at most 40 cells; none where it is narrow.
func bar(done, total, room int) string {
	cells := min(40, room)
	if cells < 10 || total < 1 {
		return ""
	}
	full := done * cells / total
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", cells-full) + "] "
}

// close takes the bar away.
func (m *meter) close() {
	if m.drawn {
		m.write("\r\x1b[K")
	}
	m.drawn = false
}

func (m *meter) write(text string) {
	_, _ = io.WriteString(m.out, text) // who does not look on is not told
}

// span is a time in words.
func span(seconds float64) string { return screen.Span(seconds) }
