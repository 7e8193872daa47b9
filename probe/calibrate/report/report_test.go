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

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

func write(t testing.TB, r calibration.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// allowed are the attributes that a page has; none of them loads anything.
var allowed = regexp.MustCompile(`^(lang|charset|name|content|http-equiv|class|role|scope|tabindex|viewBox|d|transform|x|y|dx|dy|text-anchor|aria-label|aria-hidden)$`)

// sound checks what holds for any report: it is well-formed, refers to nothing,
// draws only numbers, and says its drawings in words. It gives back its text.
func sound(t testing.TB, page string) string {
	t.Helper()
	var text strings.Builder
	for d := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			soundElement(t, x)
		case xml.CharData:
			text.Write(x)
		}
	}
	return strings.ReplaceAll(text.String(), "\u00a0", " ")
}

func soundElement(t testing.TB, x xml.StartElement) {
	t.Helper()
	switch x.Name.Local {
	case "script", "link", "img", "image", "iframe", "object", "embed", "use", "a", "base", "form":
		t.Errorf("the page has an element %s", x.Name.Local)
	}
	for _, a := range x.Attr {
		switch a.Name.Local {
		case "d", "x", "y", "transform":
			if !places.MatchString(a.Value) {
				t.Errorf("%s is drawn at %q", x.Name.Local, a.Value)
			}
		default:
			if !allowed.MatchString(a.Name.Local) {
				t.Errorf("%s has an attribute %s", x.Name.Local, a.Name.Local)
			}
		}
	}
}

// places are what a drawing may be written with: small numbers and commands.
var places = regexp.MustCompile(`^(?:translate\()?(?:[MLHVZahlmv ]|-?\d{1,4}(?:\.\d{1,2})?|-?\.\d{1,2})*\)?$`)

func TestTheReportSaysIt(t *testing.T) {
	page := write(t, realistic(1))
	text := sound(t, page)
	for _, words := range []string{
		"12 copies of Showroom fit on this host (6 + 6 on its GPUs): GPU load binds; this is 97 % sure.",
		"periodic (with 1 copy)", "encoder/0 goes round every 10 s", "busy_base",
		"GPU load of GPU 0 binds", "GPU load of GPU 1", "VRAM of GPU 1", "memory", "uplink", "threshold 85.0 %", "6 fit", "12 fit",
		"13.3 %", "13.0 % to 13.6 %", "1.62 cores", "4.48 GiB", "9.5 Mbit/s", "32 cores", "128 GiB", "1000 Mbit/s", "1 encoder", "seen, over7 copies", "no end seen", "12 on all",
		"Before copy 13 was opened, the prediction for GPU load of GPU 0 was 94.3 % (95 % interval 92.1 % to 96.5 %). Seen was 95.1 %, inside the interval, 0.8 points from the prediction.",
		"AMD EPYC 7313P 16-Core Processor, 32 cores (all of the machine)", "NVIDIA L4, 24 GiB", "550.54.14",
		"./Showroom.sh -RenderOffscreen -Port={{.Port}} '-ExecCmds=t.MaxFPS 30' 'it'\\''s'", "21 November 2025, 04:40 UTC", "12 min 11 s", "8.2 s (median)",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("the report does not say %q", words)
		}
	}
	if strings.Contains(page, "//") {
		t.Error("something outside is named")
	}
	if strings.Contains(text, "Repetitions") || strings.Contains(text, "Delivered frames") || strings.Contains(text, "Partial") {
		t.Error("it speaks of what there was not")
	}
}

func TestEveryDrawingIsSaidInWords(t *testing.T) {
	page := write(t, realistic(2))
	drawings := regexp.MustCompile(`<svg[^>]*>`).FindAllString(page, -1)
	said := 0
	for _, d := range drawings {
		switch {
		case strings.Contains(d, `aria-hidden="true"`):
		case regexp.MustCompile(`role="img" aria-label="[^"]*\d\x{a0}%[^"]*"`).MatchString(d):
			said++
		default:
			t.Errorf("a drawing without words: %s", d)
		}
	}
	if want := 9 + 2*9 + 1; said != want { // charts, a strip for each run, and the check
		t.Errorf("%d drawings, not %d", said, want)
	}
	for _, shape := range []string{`class="circle" transform`, `class="triangle" transform`, `class="diamond" transform`} {
		if !strings.Contains(page, shape) {
			t.Errorf("no %s", shape)
		}
	}
}

func TestTheTableCanBeReadOut(t *testing.T) {
	page := write(t, realistic(1))
	if n := strings.Count(page, "<caption>"); n != 1 {
		t.Errorf("%d captions", n)
	}
	columns := strings.Count(page, `<th scope="col">`)
	rows := regexp.MustCompile(`(?s)<tr[^>]*><th scope="row">.*?</tr>`).FindAllString(page, -1)
	if len(rows) != 9 {
		t.Errorf("%d rows", len(rows))
	}
	for _, r := range rows {
		if n := strings.Count(r, "<td>") + 1; n != columns {
			t.Errorf("%d cells below %d headings: %s", n, columns, r)
		}
	}
}

func TestWhatIsSometimesThere(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*calibration.Result)
		say    []string
	}{
		"partial": {func(r *calibration.Result) { r.Partial, r.Fits, r.Check = "stopped at 4 copies", 4, nil }, []string{
			"Partial result", "This calibration did not come to its end: stopped at 4 copies.", "At least 4 copies of Showroom ran", "4 so far",
		}},
		"partial from the start": {func(r *calibration.Result) { *r = calibration.Result{Partial: "no"} }, []string{"How many copies of the application fit is not known yet."}},
		"skipped": {func(r *calibration.Result) { r.Check.Seen, r.Check.Skipped = 0, "vram/0 would come to 98 %." }, []string{
			"Copy 13 was not opened (vram/0 would come to 98 %), the prediction",
		}},
		"above the interval": {func(r *calibration.Result) { r.Check.Seen = 0.98 }, []string{"above the interval, 3.7 points"}},
		"frames": {func(r *calibration.Result) {
			r.Binding, r.Frames = calibration.BindingFrames, &calibration.Frames{Floor: 29, AtFits: 29.03, AtFitsPlusOne: 28.35}
		}, []string{"some deliver too few frames", "The floor is 29.0 frames a second for every copy. With 12 copies the slowest delivers 29.0 on average, with one more 28.4.", "floor 29.0"}},
		"repetitions":       {func(r *calibration.Result) { r.Runs = []int{12, 11, 12} }, []string{"All was measured 3 times. The answers were 12, 11, 12: 11 to 12"}},
		"none":              {func(r *calibration.Result) { r.Fits, r.Confidence = 0, 0.999 }, []string{"No copy of Showroom fits on this host", "over 99 % sure"}},
		"one":               {func(r *calibration.Result) { r.Fits, r.FitsPerGPU = 1, []int{1, 0} }, []string{"1 copy of Showroom fits on this host (1 + 0 on its GPUs)", "1 fits"}},
		"no more asked for": {func(r *calibration.Result) { r.Binding = calibration.BindingMaxCopies }, []string{"--max-copies"}},
		"levels only":       {func(r *calibration.Result) { r.Resources = nil }, []string{"GPU load of GPU 1", "copies on GPU 1"}},
		"a kind of its own": {func(r *calibration.Result) { r.Resources["disk"] = calibration.Resource{GPU: -1, Threshold: 0.5} }, []string{"disk"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := realistic(1)
			c.change(&r)
			text := sound(t, write(t, r))
			for _, words := range c.say {
				if !strings.Contains(text, words) {
					t.Errorf("it does not say %q", words)
				}
			}
		})
	}
}

// hostile are names that would be something else if they were not escaped.
const hostile = "</title></style><script src=\"http://x\">\x00\x1b[2J\xff\u202e'\"--> {{.App}}\ufffe\n&amp;"

func TestNamesAreText(t *testing.T) {
	r := realistic(1)
	r.App, r.Command, r.Partial, r.Binding = hostile, []string{hostile}, hostile, hostile
	r.Machine = calibration.Machine{Name: hostile, CPU: hostile, Share: hostile, Driver: hostile, System: hostile, GPUs: []calibration.GPU{{Name: hostile}}}
	r.Findings = []calibration.Finding{{Code: hostile, Message: strings.Repeat(hostile, 500)}}
	r.Check.Resource, r.Check.Skipped = hostile, hostile
	r.Resources[hostile] = r.Resources["cpu"]
	for i := range r.Steps {
		r.Steps[i].Levels[hostile] = calibration.Level{Verdict: hostile, Judged: 0.5}
		r.Steps[i].Trace[hostile] = []float64{0.5}
	}
	text := sound(t, write(t, r))
	if want := "How many copies of </title></style><script src=\"http://x\">\ufffd\ufffd[2J\ufffd\ufffd'\"--> {{.App}}\ufffd &amp; fit"; !strings.Contains(text, want) {
		t.Errorf("the name is not what it was: %.200q", text[strings.Index(text, "How many"):])
	}
}

func TestWhatCannotBeDrawnIsLeftOut(t *testing.T) {
	for name, change := range map[string]func(*calibration.Result){
		"nothing":       func(r *calibration.Result) { *r = calibration.Result{} },
		"no steps":      func(r *calibration.Result) { r.Steps = nil },
		"no resources":  func(r *calibration.Result) { r.Resources, r.Steps = nil, nil },
		"not a number":  func(r *calibration.Result) { spoil(r, math.NaN()) },
		"infinite":      func(r *calibration.Result) { spoil(r, math.Inf(1)) },
		"less":          func(r *calibration.Result) { spoil(r, math.Inf(-1)) },
		"huge":          func(r *calibration.Result) { spoil(r, 1e300) },
		"largest drawn": func(r *calibration.Result) { spoil(r, largest) },
		"tiny":          func(r *calibration.Result) { spoil(r, 5e-324) },
		"negative":      func(r *calibration.Result) { spoil(r, -3) },
		"GPUs gone":     func(r *calibration.Result) { r.FitsPerGPU, r.Machine.GPUs = nil, nil },
		"counts": func(r *calibration.Result) {
			r.Fits, r.FitsPerGPU, r.Steps[3].Copies, r.Steps[4].PerGPU = math.MaxInt, []int{math.MinInt, math.MaxInt}, math.MaxInt, []int{-4, math.MaxInt}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := realistic(1)
			change(&r)
			page := write(t, r)
			if text := sound(t, page); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
				t.Error("it shows what is no number")
			}
		})
	}
}

// spoil makes all numbers of a resource, and of a level, the same.
func spoil(r *calibration.Result, v float64) {
	x := r.Resources["cpu"]
	x.Capacity, x.Threshold, x.Base, x.PerCopy, x.PerCopyLow, x.PerCopyHigh = v, v, v, v, v, v
	x.Spread, x.Peak, x.AtFits, x.AtFitsPlusOne, x.Curve = &v, &v, v, v, calibration.Curve{Base: v, Slope: v, Bend: v, Sigma: v}
	r.Resources["cpu"] = x
	r.Check = &calibration.Check{Resource: "cpu", Predicted: v, Low: v, High: v, Seen: v}
	r.Frames = &calibration.Frames{Floor: v, AtFits: v, AtFitsPlusOne: v}
	r.Confidence, r.DurationS, r.StartS, r.SettleS, r.Machine.Cores, r.Machine.MemoryBytes, r.Machine.GPUs[0].VRAMBytes = v, v, v, v, v, v, v
	for i := range r.Steps {
		r.Steps[i].Levels["cpu"] = calibration.Level{Judged: v, Mean: v, High: v, Half: v, PeriodS: v, Seconds: v, Verdict: calibration.Periodic}
		r.Steps[i].Trace["cpu"] = []float64{v, 0.1, v, v}
		r.Steps[i].PeriodS, r.Steps[i].StartS, r.Steps[i].Frames = v, v, &v
	}
}

func TestMuchStaysReadable(t *testing.T) {
	r := realistic(1)
	for n := range 5000 {
		r.Steps = append(r.Steps, calibration.Step{Run: n / 20, Copies: n, Levels: r.Steps[1].Levels, Trace: map[string][]float64{"cpu": make([]float64, 300)}})
		r.Findings = append(r.Findings, calibration.Finding{Code: "x"})
		r.Runs = append(r.Runs, n)
	}
	page := write(t, r)
	text := sound(t, page)
	for _, words := range []string{"Of 5002 findings the first 100 are shown.", "Of 5015 steps the first 3000 are shown.", "The first 12 of"} {
		if !strings.Contains(text, words) {
			t.Errorf("it does not say %q", words)
		}
	}
	if len(page) > 6<<20 {
		t.Errorf("the page has %d MiB", len(page)>>20)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestAFullDiskIsTold(t *testing.T) {
	if err := Write(full{}, realistic(1)); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v", err)
	}
}

func FuzzReport(f *testing.F) {
	r := realistic(1)
	r.Steps = r.Steps[:4]
	seed, err := json.Marshal(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"resources": {"cpu": {"spread": 0}}}`))
	f.Add([]byte(`{"fits": -5, "binding": "cpu", "check": {"resource": "cpu/9"}, "resources": {"cpu": {"gpu": 7, "devices": [{"gpu": 99}, {"gpu": -3}]}}, "steps": [{"copies": -3, "per_gpu": [-1], "levels": {"cpu": {}, "vram/-7": {}}, "trace": {"cpu": []}}]}`))
	f.Add([]byte(`{"app": "\u0000<&", "frames": {"floor": -1}, "steps": [{"copies": 1, "frames": 1e308, "period_s": -1, "levels": {"gpu/0": {"judged": 1e308, "high": -1e308}}, "trace": {"gpu/0": [1e308, -1e308, 0.5]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r calibration.Result
		if json.Unmarshal(data, &r) == nil {
			sound(t, write(t, r)) // a place that is NaN is none: see places
		}
	})
}
