package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

func sample() calibration.Result {
	spread, peak, frames := 0.01, 0.09, 29.5
	r := calibration.Result{
		App: "<showroom> & co", Command: []string{"./Showroom.sh", "</code><script>"}, At: time.Unix(1763700000, 0), DurationS: 700,
		Fits: 9, FitsPerGPU: []int{5, 4}, Binding: "gpu", Confidence: 0.97, Runs: []int{9, 9, 8}, StartS: 8, SettleS: 22,
		Machine:  calibration.Machine{Name: "render-1", CPU: "EPYC", Cores: 16, MemoryBytes: 64 << 30, System: "debian", GPUs: []calibration.GPU{{Name: "L4", VRAMBytes: 24 << 30}}},
		Check:    &calibration.Check{Copies: 10, Resource: "gpu/1", Predicted: 0.9, Low: 0.88, High: 0.92, Seen: 0.905},
		Frames:   &calibration.Frames{Floor: 28, AtFits: 29.5, AtFitsPlusOne: 26},
		Findings: []calibration.Finding{{Code: "periodic", Message: "cpu goes round every 10 s", Copies: 3}},
		Resources: map[string]calibration.Resource{
			"cpu": {GPU: -1, Capacity: 16, Threshold: 0.85, Base: 0.02, PerCopy: 0.05, PerCopyLow: 0.049, PerCopyHigh: 0.051, Spread: &spread, Peak: &peak, Curve: calibration.Curve{Base: 0.02, Slope: 0.04, Bend: 0.001, Sigma: 0.004}, Alone: 16, AtFits: 0.47, AtFitsPlusOne: 0.52, Seen: true},
			"gpu": {GPU: 0, Capacity: 1, Threshold: 0.85, Devices: []calibration.Resource{{GPU: 0, Threshold: 0.85, Alone: 5}, {GPU: 1, Threshold: 0.85, Alone: -1}}},
		},
	}
	for n := range 10 {
		level := calibration.Level{Verdict: calibration.Settled, Mean: 0.05 * float64(n), Half: 0.01, High: 0.06 * float64(n), Judged: 0.05 * float64(n)}
		r.Steps = append(r.Steps, calibration.Step{
			Run: 1, Copies: n, PerGPU: []int{(n + 1) / 2, n / 2}, Soak: n == 9, Frames: &frames, PeriodS: 1,
			Levels: map[string]calibration.Level{"cpu": level, "gpu/0": level, "gpu/1": level},
			Trace:  map[string][]float64{"cpu": {0.1, 0.2, 0.15}, "gpu/0": {0.3, 0.31}},
		})
	}
	return r
}

func write(t testing.TB, r calibration.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sound checks what holds for any report: it is well-formed, asks nothing of the
// outside, and draws only numbers.
func sound(t testing.TB, text string) {
	t.Helper()
	body := text[strings.Index(text, "<h1>"):strings.LastIndex(text, "</html>")]
	d := xml.NewDecoder(strings.NewReader("<x>" + strings.NewReplacer("&nbsp;", " ").Replace(body) + "</x>"))
	d.Entity = xml.HTMLEntity
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
	}
	for _, outside := range []string{"<script", "<link", "<img", "<iframe", "url(", "@import", " src=", " href="} {
		if strings.Contains(text, outside) {
			t.Errorf("the page has %s", outside)
		}
	}
	if bad := regexp.MustCompile(`(?:[xy][12]?|cx|cy|points)="[^"]*(?:NaN|Inf)[^"]*"`).FindString(text); bad != "" {
		t.Errorf("drawn at %s", bad)
	}
}

func TestTheReportSaysIt(t *testing.T) {
	text := write(t, sample())
	sound(t, text)
	for _, words := range []string{
		"9 copies of &lt;showroom&gt; &amp; co fit", "Confidence 97 %", "on GPUs 5 &#43; 4", "seen was <strong>90.5 %</strong>",
		"periodic", "cpu goes round every 10 s", "gpu of GPU 0", "gpu of GPU 1", "0.80 cores", "9, 9, 8", "no end seen",
		"the floor is 28", "threshold 85.0 %", "EPYC, 16 cores", "./Showroom.sh", `role="img" aria-label="Load of cpu against copies: 2.0 % without, 5.0 % more with each`,
	} {
		if !strings.Contains(text, words) {
			t.Errorf("the report does not say %q", words)
		}
	}
	if n := strings.Count(text, "<svg"); n != 5 { // three curves, and two courses
		t.Errorf("%d drawings", n)
	}
	partial := sample()
	partial.Partial = "stopped at 4 copies"
	if text := write(t, partial); !strings.Contains(text, "<strong>Partial.</strong> Not finished (stopped at 4 copies)") {
		t.Error("a partial one is not told")
	}
}

func TestWhatCannotBeDrawnIsLeftOut(t *testing.T) {
	for name, change := range map[string]func(*calibration.Result){
		"nothing":    func(r *calibration.Result) { *r = calibration.Result{} },
		"no steps":   func(r *calibration.Result) { r.Steps = nil },
		"not finite": func(r *calibration.Result) { bend(r, math.NaN()) },
		"infinite":   func(r *calibration.Result) { bend(r, math.Inf(1)) },
		"GPUs gone":  func(r *calibration.Result) { r.FitsPerGPU, r.Machine.GPUs = nil, nil },
		"many": func(r *calibration.Result) {
			for range 3000 {
				r.Steps = append(r.Steps, r.Steps[1])
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := sample()
			change(&r)
			sound(t, write(t, r))
		})
	}
}

// bend spoils the numbers.
func bend(r *calibration.Result, v float64) {
	x := r.Resources["cpu"]
	x.Curve.Bend, x.PerCopy, x.Threshold, x.Capacity = v, v, v, v
	r.Resources["cpu"] = x
	for i := range r.Steps {
		r.Steps[i].Levels["cpu"] = calibration.Level{Judged: v, Mean: v, High: v}
		r.Steps[i].Trace = map[string][]float64{"cpu": {v, 0.1, v}}
		r.Steps[i].PeriodS = v
	}
}

func TestPlaces(t *testing.T) {
	p := plane{most: 10, top: 1}
	for _, c := range []struct{ n, load, x, y float64 }{{0, 0, 56, 250}, {10, 1, 616, 24}, {5, 0.5, 336, 137}, {20, 2, 616, 24}, {-1, -1, 56, 250}} {
		if x, y := p.x(c.n), p.y(c.load); x != c.x || y != c.y {
			t.Errorf("%v at %v: %v, %v", c.n, c.load, x, y)
		}
	}
	if n := len((plane{most: 1000, top: 1}).columns()); n > mostTicks+1 {
		t.Errorf("%d marks", n)
	}
}

func FuzzReport(f *testing.F) {
	text, err := json.Marshal(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"resources": {"cpu": {"spread": 0}}}`))
	f.Add([]byte(`{"fits": -5, "resources": {"cpu": {"gpu": 7, "devices": [{"gpu": 99}]}}, "steps": [{"copies": -3, "levels": {"cpu": {}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r calibration.Result
		if json.Unmarshal(data, &r) == nil {
			sound(t, write(t, r))
		}
	})
}
