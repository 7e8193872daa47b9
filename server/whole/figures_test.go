package whole

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// figures says how often each calibration below is run; they take hours, so
// without RENDERGATE_FIGURES none is.
func figures(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("RENDERGATE_FIGURES"))
	if err != nil || n < 1 {
		t.Skip("RENDERGATE_FIGURES=5 measures the figures of calibration, in hours")
	}
	return n
}

// unhurried are the flags that the figures were measured with. Loads are counted
// against RENDERGATE_FIGURES_CORES, one if that is not set, so that what else the
// machine does is not counted; 0 is the whole machine, which must be quiet then.
func unhurried(dir string, more ...string) []string {
	return append([]string{
		"calibrate", "--period", "500ms", "--min-settle", "10s", "--soak", "30s", "--json", "--out", dir + "/p.yaml",
		"--cores", cmp.Or(os.Getenv("RENDERGATE_FIGURES_CORES"), "1"),
	}, more...)
}

// series is one application, calibrated again and again.
type series struct {
	cost float64 // cores of one copy, where that is known
	args []string
	gpus string // script of the GPUs below it, if any
}

// row tells of one run, and judges it.
func (s series) row(t *testing.T, c calibrated) {
	x := c.Resources[c.Binding]
	exact := ""
	if s.cost > 0 {
		fits := (x.Threshold*x.Capacity - x.Base*x.Capacity) / s.cost
		exact = fmt.Sprintf(", arithmetic %.2f", fits)
		slack := fits * (x.High - x.Low) / 2 / x.PerCopy // where the edge may lie by the stated interval
		if float64(c.Fits) > fits+slack || float64(c.Fits)+1 < fits-slack {
			t.Errorf("%d copies; arithmetic says %.2f, with %.2f either way", c.Fits, fits, slack)
		}
	}
	check := "not tried"
	if c.Check != nil {
		check = fmt.Sprintf("%.1f %% (%.1f to %.1f), seen %.1f %%", 100*c.Check.Predicted, 100*c.Check.Low, 100*c.Check.High, 100*c.Check.Seen)
	}
	t.Logf("%d copies, bound by %s, confidence %.3f%s; one copy %.4f (%.4f to %.4f) of %g, base %.4f; one past it foretold %s; %.0f s, %.0f s a copy",
		c.Fits, c.Binding, c.Confidence, exact, x.PerCopy, x.Low, x.High, x.Capacity, x.Base, check, c.DurationS, c.DurationS/float64(c.Fits+1))
}

// TestCalibrateFigures measures what docs/calibrate.md states.
func TestCalibrateFigures(t *testing.T) {
	runs := figures(t)
	burn := func(cost float64, more ...string) series {
		return series{cost: cost, args: append([]string{"--", app(t, "burn"), fmt.Sprint(cost)}, more...)}
	}
	gpu := func(script string, values ...string) series {
		return series{args: append([]string{"--threshold", "cpu=100%", "--", app(t, "copy"), "gpu", "{{.GPU}}"}, values...), gpus: script}
	}
	loop, ramp, contend := burn(0.30, "loop", "10", "0.10"), burn(0.30, "ramp", "20"), burn(0.20, "contend", "0.1", t.TempDir())
	loop.cost, contend.cost = 0, 0 // judged by its upper quantile; and 0.2 n (1 + 0.1 (n-1)) is no one cost
	for _, c := range []struct {
		name string
		series
	}{
		{"burn 0.15", burn(0.15)}, {"burn 0.23", burn(0.23)}, {"burn 0.40", burn(0.40)},
		{"ramp of 20 s", ramp}, {"loop of 10 s", loop}, {"contention", contend},
		{"ffmpeg", series{args: []string{
			"--", "ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
			"-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-threads", "1", "-b:v", "8M", "-f", "null", "-",
		}}},
		{"3D", series{args: []string{
			"--ready", "10s", "--env", "LIBGL_ALWAYS_SOFTWARE=1", "--env", "LP_NUM_THREADS=1", "--env", "GALLIUM_DRIVER=llvmpipe", "--",
			"xvfb-run", "--auto-servernum", "--server-args=-screen 0 640x360x24", "gst-launch-1.0", "-q",
			"gltestsrc", "pattern=mandelbrot", "is-live=true", "!", "video/x-raw(memory:GLMemory),width=640,height=360,framerate=30/1", "!", "gldownload", "!", "fakesink", "sync=true",
		}}},
		{"GPU load", gpu("gpus 1\nd0.util 3\n", "util=14")}, {"GPU memory", gpu("gpus 1\n", "util=5", "used=2.2e9")},
		{"GPU encoder", gpu("gpus 1\n", "util=5", "encoder=18")}, {"two GPUs", gpu("gpus 2\nd0.util 2\nd1.util 2\n", "util=16")},
	} {
		t.Run(c.name, func(t *testing.T) { c.measure(t, runs) })
	}
}

func (s series) measure(t *testing.T, runs int) {
	var env []string
	if s.gpus != "" {
		env = gpuScript(t, s.gpus)
	}
	if program := s.args[slices.Index(s.args, "--")+1]; !strings.Contains(program, "/") {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	least, most := math.MaxInt, 0
	for range runs {
		r, c := calibrate(t, env, unhurried(t.TempDir(), s.args...)...)
		if r.status != 0 {
			t.Fatalf("status %d: %s", r.status, r.err)
		}
		s.row(t, c)
		for _, f := range c.Findings {
			t.Logf("  %s: %s", f.Code, f.Message)
		}
		least, most = min(least, c.Fits), max(most, c.Fits)
	}
	if most-least > 1 {
		t.Errorf("the answers differ by %d", most-least)
	}
}
