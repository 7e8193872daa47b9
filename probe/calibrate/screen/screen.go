// Package screen shows a calibration to people: how it goes, and what came of
// it.
package screen

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Screen shows progress: bars that are drawn anew on a terminal, plain lines
// elsewhere. It is not safe for concurrent use.
type Screen struct {
	out   io.Writer
	width func() int // columns of the terminal; nil: it is none
	drawn int        // lines of the block that stands there
	last  calibration.Progress
	said  float64 // elapsed seconds at the last plain line
}

// New makes a screen. Width tells a terminal's columns; nil where out is none.
func New(out io.Writer, width func() int) *Screen { return &Screen{out: out, width: width} }

// plainEvery is how often a plain line says that it still goes on, in seconds.
const plainEvery = 30

// Show shows how it goes.
func (s *Screen) Show(p calibration.Progress) {
	done := s.finished(p)
	if s.width == nil {
		s.plain(p, done)
	} else {
		s.draw(p, done)
	}
	s.last = p
}

// finished says what the last step came to, once the next has begun.
func (s *Screen) finished(p calibration.Progress) string {
	l := s.last
	if len(l.Bars) == 0 || l.Phase == p.Phase && l.Copies == p.Copies && l.Run == p.Run && len(p.Bars) > 0 {
		return ""
	}
	parts := make([]string, 0, len(l.Bars))
	for _, b := range l.Bars {
		parts = append(parts, fmt.Sprintf("%s %s", b.Key, percent(b.Level)))
	}
	what := map[calibration.Phase]string{calibration.Base: "without copies", calibration.Soaking: Copies(l.Copies) + ", confirming"}[l.Phase]
	if what == "" {
		what = Copies(l.Copies)
	}
	return fmt.Sprintf("%6s  %-22s %s", Span(p.ElapsedS), what, strings.Join(parts, ", "))
}

func (s *Screen) plain(p calibration.Progress, done string) {
	if done != "" {
		s.line(done)
		s.said = p.ElapsedS
	}
	if p.Phase == calibration.Opening || p.Phase == calibration.Waiting && p.Text != s.last.Text || p.ElapsedS-s.said >= plainEvery {
		s.line(fmt.Sprintf("%6s  %s%s", Span(p.ElapsedS), p.Text, left(p)))
		s.said = p.ElapsedS
	}
}

func (s *Screen) line(text string) {
	_, _ = io.WriteString(s.out, text+"\n") // who does not look on is not told
}

// draw draws the block over the one before.
func (s *Screen) draw(p calibration.Progress, done string) {
	width := min(max(40, s.width()), 120)
	var b strings.Builder
	s.erase(&b)
	if done != "" {
		fmt.Fprintln(&b, clip(done, width))
	}
	lines := []string{p.Text}
	if p.Run > 1 {
		lines[0] = fmt.Sprintf("run %d, %s", p.Run, p.Text)
	}
	longest := 0
	for _, bar := range p.Bars {
		longest = max(longest, len(bar.Key))
	}
	for _, bar := range p.Bars {
		lines = append(lines, fmt.Sprintf("%-*s %s", longest, bar.Key, drawBar(bar, width-longest)))
	}
	lines = append(lines, fmt.Sprintf("%s so far%s; Ctrl-C ends it and keeps what was measured", Span(p.ElapsedS), left(p)))
	for _, l := range lines {
		fmt.Fprintln(&b, clip(l, width-1))
	}
	s.drawn = len(lines)
	_, _ = io.WriteString(s.out, b.String()) // a terminal that is gone shows nothing
}

// erase goes back to the block's first line and clears all below.
func (s *Screen) erase(b *strings.Builder) {
	if s.drawn > 0 {
		fmt.Fprintf(b, "\x1b[%dA\x1b[J", s.drawn)
	}
	s.drawn = 0
}

// Close takes the block away.
func (s *Screen) Close() {
	var b strings.Builder
	s.erase(&b)
	_, _ = io.WriteString(s.out, b.String()) // likewise
}

// drawBar draws a load against its threshold: '#' up to the load, '|' at the
// threshold.
func drawBar(b calibration.Bar, width int) string {
	cells := min(40, width-34)
	if cells < 10 {
		return fmt.Sprintf("%7s %s", percent(b.Now), limit(b))
	}
	bar := []byte(strings.Repeat(".", cells))
	for i := range min(cells, int(math.Round(b.Now*float64(cells)))) {
		bar[i] = '#'
	}
	if b.Threshold > 0 {
		bar[min(cells-1, int(b.Threshold*float64(cells)))] = '|'
	}
	return fmt.Sprintf("[%s] %7s %s %s", bar, percent(b.Now), limit(b), b.Verdict)
}

func limit(b calibration.Bar) string {
	if b.Threshold <= 0 {
		return "         "
	}
	return fmt.Sprintf("of %s", percent(b.Threshold))
}

func left(p calibration.Progress) string {
	if p.ExpectedS == nil {
		return ""
	}
	return ", about " + Span(*p.ExpectedS) + " to go"
}

// clip keeps a line from wrapping, which would break the way back.
func clip(line string, width int) string {
	r := []rune(line)
	if len(r) <= width {
		return line
	}
	return string(r[:width])
}

func percent(x float64) string {
	return fmt.Sprintf("%.1f %%", math.Round(1000*x)/10+0) // -0 + 0 is 0
}

// Copies counts copies in words.
func Copies(n int) string {
	if n == 1 {
		return "1 copy"
	}
	return fmt.Sprintf("%d copies", n)
}

// Span is a time in words: "42 s", "3 m 5 s", "1 h 2 m".
func Span(seconds float64) string {
	d := time.Duration(math.Round(max(0, seconds))) * time.Second
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d m %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d h %d m", d/time.Hour, d%time.Hour/time.Minute)
}
