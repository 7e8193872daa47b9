package screen

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

func steps() []calibration.Progress {
	left := 95.0
	bars := func(load float64, v calibration.Verdict) []calibration.Bar {
		return []calibration.Bar{{Key: "cpu", Now: load, Level: load, Threshold: 0.85, Verdict: v}, {Key: "uplink", Now: 0.1}}
	}
	return []calibration.Progress{
		{Phase: calibration.Waiting, Text: "waiting for the sessions on it to end, 2 left"},
		{Phase: calibration.Waiting, Text: "waiting for the sessions on it to end, 1 left", ElapsedS: 7},
		{Phase: calibration.Base, Run: 1, Text: "measuring the host without copies, 20 s", ElapsedS: 20, Bars: bars(0.02, calibration.Settled)},
		{Phase: calibration.Opening, Run: 1, Text: "opening copy 1", ElapsedS: 21},
		{Phase: calibration.Settling, Run: 1, Copies: 1, Text: "1 copy: settling, 1 s", ElapsedS: 24, Bars: bars(0.2, calibration.Rising)},
		{Phase: calibration.Settling, Run: 1, Copies: 1, Text: "1 copy: settling, 35 s", ElapsedS: 58, ExpectedS: &left, Bars: bars(0.21, calibration.Settled)},
		{Phase: calibration.Closing, Run: 1, Copies: 1, Text: "closing copies", ElapsedS: 59},
	}
}

func TestPlainLines(t *testing.T) {
	var b bytes.Buffer
	s := New(&b, nil)
	for _, p := range steps() {
		s.Show(p)
	}
	s.Close()
	want := `   0 s  waiting for the sessions on it to end, 2 left
   7 s  waiting for the sessions on it to end, 1 left
  21 s  without copies         cpu 2.0 %, uplink 0.0 %
  21 s  opening copy 1
  58 s  1 copy: settling, 35 s, about 1 m 35 s to go
  59 s  1 copy                 cpu 21.0 %, uplink 0.0 %
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// TestBars: each block is drawn over the one before, and no line wraps.
func TestBars(t *testing.T) {
	for _, width := range []int{20, 48, 80, 500} {
		var b bytes.Buffer
		s := New(&b, func() int { return width })
		for _, p := range steps() {
			s.Show(p)
		}
		s.Close()
		text := b.String()
		drawn := 0
		for part := range strings.SplitSeq(text, "\x1b[") {
			lines := strings.Count(part, "\n")
			if i := strings.IndexByte(part, 'A'); i > 0 && i < 3 {
				if up := int(part[0] - '0'); up != drawn {
					t.Errorf("at %d columns: back by %d lines of %d", width, up, drawn)
				}
			}
			if lines > 0 {
				drawn = lines
				if strings.Contains(part, "without copies  ") || strings.Contains(part, "1 copy  ") {
					drawn-- // it stays
				}
			}
			for l := range strings.SplitSeq(part, "\n") {
				if n := len([]rune(l)); n > max(40, width)+3 {
					t.Errorf("at %d columns: a line of %d", width, n)
				}
			}
		}
		if !strings.Contains(text, "of 85.0 %") || width >= 80 && !strings.Contains(text, "########") {
			t.Errorf("at %d columns:\n%s", width, text)
		}
	}
}

func TestSpans(t *testing.T) {
	for s, want := range map[float64]string{-3: "0 s", 0.4: "0 s", 59.6: "1 m 0 s", 185: "3 m 5 s", 3725: "1 h 2 m"} {
		if got := Span(s); got != want {
			t.Errorf("%v: %s, want %s", s, got, want)
		}
	}
}

func TestAnswers(t *testing.T) {
	for want, r := range map[string]calibration.Result{
		"12 copies of a fit on this host; cpu allows no more. Confidence 97 %.":                            {App: "a", Fits: 12, Binding: "cpu", Confidence: 0.97},
		"1 copy of a fits on this host; one more does not start, or ends by itself. Confidence over 99 %.": {App: "a", Fits: 1, Binding: "starting", Confidence: 0.999},
		"4 copies of a fit on this host (on GPUs 2 + 2); one more, and some deliver too few frames. Confidence 90 %.": {
			App: "a", Fits: 4, FitsPerGPU: []int{2, 2}, Binding: "frames", Confidence: 0.9,
		},
		"Not finished (stopped at 2 copies): at least 2 copies of a fit; that is not confirmed.": {App: "a", Fits: 2, Partial: "stopped at 2 copies"},
		"Not finished (x): nothing is known yet of how many copies of a fit.":                    {App: "a", Partial: "x"},
	} {
		if got := Answer(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	var b bytes.Buffer
	err := Summary(&b, calibration.Result{
		App: "a", Fits: 4, Binding: "gpu", Runs: []int{4, 5},
		Resources: map[string]calibration.Resource{
			"cpu": {Threshold: 0.85, Base: 0.01}, "gpu": {Threshold: 0.85, AtFits: 0.8, Seen: true, Devices: []calibration.Resource{{GPU: 0}, {GPU: 1}}},
		},
		Check:    &calibration.Check{Copies: 5, Resource: "gpu/1", Predicted: 0.9, Low: 0.88, High: 0.92, Seen: 0.91},
		Frames:   &calibration.Frames{Floor: 30, AtFits: 30.5},
		Findings: []calibration.Finding{{Code: "swap", Message: "It swaps."}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"with 4", "with 5", "GPU 1", "seen was 91.0 %", "Runs: 4 5", "swap: It swaps.", "floor is 30.0"} {
		if !strings.Contains(b.String(), words) {
			t.Errorf("no %q in\n%s", words, b.String())
		}
	}
	if strings.Index(b.String(), "gpu") > strings.Index(b.String(), "cpu") {
		t.Error("what binds does not come first")
	}
}
