package whole

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// apps builds the programs that are calibrated, once.
var apps = sync.OnceValues(func() (string, error) { //nolint:gochecknoglobals // built once
	dir := filepath.Join(filepath.Dir(program), "apps")
	build := exec.Command("go", "build", "-o", dir+"/", "./testdata/burn", "./testdata/copy") //nolint:noctx // fixed words
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	out, err := build.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return dir, err
})

func app(t testing.TB, name string) string {
	t.Helper()
	dir, err := apps()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// calibrated is what --json prints.
type calibrated struct {
	Fits       int     `json:"fits"`
	FitsPerGPU []int   `json:"fits_per_gpu"`
	Binding    string  `json:"binding"`
	Confidence float64 `json:"confidence"`
	Partial    string  `json:"partial"`
	DurationS  float64 `json:"duration_s"`
	Resources  map[string]struct {
		Base      float64 `json:"base"`
		PerCopy   float64 `json:"per_copy"`
		Low       float64 `json:"per_copy_low"`
		High      float64 `json:"per_copy_high"`
		Capacity  float64 `json:"capacity"`
		AtFits    float64 `json:"at_fits"`
		PlusOne   float64 `json:"at_fits_plus_one"`
		Threshold float64 `json:"threshold"`
	} `json:"resources"`
	Check *struct {
		Predicted float64 `json:"predicted"`
		Low       float64 `json:"predicted_low"`
		High      float64 `json:"predicted_high"`
		Seen      float64 `json:"seen"`
	} `json:"check"`
	Findings []struct{ Code, Message string } `json:"findings"`
}

func (c calibrated) found(code string) bool {
	for _, f := range c.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

// hasty are the flags of a calibration that is measured in seconds: the
// applications of these tests are steady at once.
func hasty(dir string, more ...string) []string {
	return append([]string{
		"calibrate", "--period", "200ms", "--min-settle", "2s", "--max-settle", "8s", "--soak", "2s", "--ready", "300ms",
		"--json", "--out", filepath.Join(dir, "p.yaml"),
	}, more...)
}

// together runs the cases of a test at once: they mostly wait. Each of them
// may report errors, and must not end the test.
func together[T any](t *testing.T, cases map[string]T, run func(name string, c T)) {
	t.Helper()
	var all sync.WaitGroup
	for name, c := range cases {
		all.Go(func() { run(name, c) })
	}
	all.Wait()
}

// calibrate runs the command in a folder of its own, with variables besides.
func calibrate(t testing.TB, env []string, args ...string) (result, calibrated) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // our own program
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), env...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Error(err)
		return result{}, calibrated{}
	}
	r := result{out.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	var c calibrated
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &c); err != nil {
			t.Errorf("%v: %s", err, r.out)
		}
	}
	return r, c
}

// TestCalibrate: the answer is arithmetic's, and all that is written can be
// used. Load is counted against stated cores, so that other tests do not count.
func TestCalibrate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	report := filepath.Join(dir, "r.html")
	args := hasty(dir, "--cores", "0.8", "--app", "app", "--report", report, "--", app(t, "burn"), "0.2")
	r, c := calibrate(t, nil, args...)
	if r.status != 0 || c.Fits != 3 || c.Binding != "cpu" || c.Confidence < 0.5 || c.Partial != "" { // 0.85 x 0.8 / 0.2 = 3.4
		t.Fatalf("%d copies, bound by %q, status %d: %s", c.Fits, c.Binding, r.status, r.err)
	}
	cpu := c.Resources["cpu"]
	if cores := cpu.PerCopy * cpu.Capacity; cores < 0.18 || cores > 0.22 || cpu.Low > cpu.PerCopy || cpu.High < cpu.PerCopy || cpu.AtFits > 0.85 || cpu.PlusOne < 0.85 {
		t.Errorf("%+v", cpu)
	}
	if c.Check == nil || c.Check.Seen < 0.85 {
		t.Errorf("one past it: %+v", c.Check)
	}
	if !strings.Contains(r.err, "1 copy ") || !strings.Contains(r.err, "3 copies, confirming") {
		t.Errorf("progress:\n%s", r.err)
	}
	if page, err := os.ReadFile(report); err != nil || !bytes.Contains(page, []byte("3 copies of app fit")) {
		t.Errorf("the report: %v", err)
	}
	if plan := command(t, "", "plan", "--profile", filepath.Join(dir, "p.yaml"), "--arrivals", "10/h", "--length", "12m"); plan.status != 0 {
		t.Errorf("plan does not take the profile: %s", plan.err)
	}
	config := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(config, []byte("pools: {p: {apps: {app: {profile: p.yaml}}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if check := command(t, "", "config", "check", config); check.status != 0 || check.err != "" {
		t.Errorf("the service does not take the profile: %s", check.err)
	}
}

// TestCalibrateGPUs has a scripted driver below it: what binds is found, and two
// GPUs are filled evenly.
func TestCalibrateGPUs(t *testing.T) {
	t.Parallel()
	binary := app(t, "copy")
	type gpuCase struct {
		script, per string
		more        []string
		fits        int
		perGPU      string
		binding     string
	}
	together(t, map[string]gpuCase{
		"load":             {"gpus 1\nd0.util 4\n", "util=26", nil, 3, "[3]", "gpu"},
		"VRAM":             {"gpus 1\n", "util=5 used=4e9", nil, 3, "[3]", "vram"}, // 1 + 4 n GB of 16, of which 90 %
		"encoder":          {"gpus 1\n", "util=5 encoder=30", nil, 2, "[2]", "encoder"},
		"encoder sessions": {"gpus 1\n", "util=5 sessions=1", []string{"--encoder-sessions", "2"}, 2, "[2]", "encoder_sessions"},
		"two GPUs":         {"gpus 2\n", "util=30", nil, 4, "[2 2]", "gpu"},
		"one of two":       {"gpus 2\n", "util=30", []string{"--gpus", "1"}, 2, "[0 2]", "gpu"},
		"no frame cap":     {"gpus 1\n", "util=100", nil, 0, "[0]", "gpu"},
	}, func(name string, c gpuCase) {
		args := hasty(t.TempDir(), append(c.more, "--cores", "64", "--", binary, "gpu", "{{.GPU}}")...)
		r, got := calibrate(t, gpuScript(t, c.script), append(args, strings.Fields(c.per)...)...)
		if r.status != 0 || got.Fits != c.fits || got.Binding != c.binding || fmt.Sprint(got.FitsPerGPU) != c.perGPU {
			t.Errorf("%s: %d copies %v, bound by %q, status %d: %s\n%s", name, got.Fits, got.FitsPerGPU, got.Binding, r.status, r.err, r.out)
		}
		if want := map[string]string{"VRAM": "vram_binds", "no frame cap": "uncapped"}[name]; want != "" && !got.found(want) {
			t.Errorf("%s: it does not say %q: %+v", name, want, got.Findings)
		}
	})
}

// TestCalibrateFrames: load says nothing, delivered frames do.
func TestCalibrateFrames(t *testing.T) {
	t.Parallel()
	r, c := calibrate(t, nil, hasty(t.TempDir(), "--cores", "64", "--fps", "28", "--fps-line", `fps=\s*([0-9.]+)`, "--", app(t, "copy"), "frames", t.TempDir())...)
	if r.status != 0 || c.Fits != 3 || c.Binding != "frames" { // 100 / 3 = 33, 100 / 4 = 25
		t.Errorf("%d copies, bound by %q: %s", c.Fits, c.Binding, r.err)
	}
}

// TestCalibrateFindings: what applications do that load does not tell.
func TestCalibrateFindings(t *testing.T) {
	t.Parallel()
	binary := app(t, "copy")
	type oddity struct {
		args    []string
		finding string
		fits    int
	}
	together(t, map[string]oddity{
		"one instance only": {[]string{"lock", filepath.Join(t.TempDir(), "lock")}, "single_instance", 1},
		"prints gigabytes":  {[]string{"flood"}, "", 3},
		"two of three run":  {[]string{"few", "2", t.TempDir()}, "copy_ended", 2},
	}, func(name string, c oddity) {
		r, got := calibrate(t, nil, hasty(t.TempDir(), append([]string{"--cores", "64", "--max-copies", "3", "--", binary}, c.args...)...)...)
		if r.status != 0 || got.Fits != c.fits || c.finding != "" && !got.found(c.finding) {
			t.Errorf("%s: %d copies, %+v: %s", name, got.Fits, got.Findings, r.err)
		}
	})
}

// TestCopyDir: each copy has a folder of its own, and nothing of it stays.
func TestCopyDir(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "app")
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"settings": "ours", "data/large": strings.Repeat("x", 2<<20)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("settings", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	r, c := calibrate(t, nil, hasty(t.TempDir(), "--cores", "64", "--max-copies", "2", "--copy-dir", dir, "--", app(t, "copy"), "write", "{{.Dir}}/settings")...)
	if r.status != 0 || c.Fits != 2 {
		t.Errorf("%d copies: %s", c.Fits, r.err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "settings")); err != nil || string(text) != "ours" {
		t.Errorf("the application's own folder was written to: %s, %v", text, err)
	}
	onlyThere(t, parent, "app")
}

// TestScene: its command is run for each copy, with the copy's own values, and
// what it uses counts.
func TestScene(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, c := calibrate(t, nil, hasty(t.TempDir(), "--cores", "1", "--max-copies", "2",
		"--scene", "touch "+dir+"/{{.Copy}}-{{.Port}}; exec "+app(t, "burn")+" 0.1", "--", app(t, "copy"), "linger")...)
	files, err := os.ReadDir(dir)
	if r.status != 0 || err != nil || len(files) != 2 || !strings.HasPrefix(files[0].Name(), "1-") {
		t.Errorf("%v, %v: %s", files, err, r.err)
	}
	if cost := c.Resources["cpu"].PerCopy; cost < 0.08 || cost > 0.12 {
		t.Errorf("one copy costs %v cores", cost)
	}
}

// onlyThere checks that a folder holds one name.
func onlyThere(t testing.TB, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("in %s: %v, %v", dir, entries, err)
	}
}

// running starts a calibration of a program that leaves stubborn descendants,
// and returns when two copies run.
func running(t *testing.T) (cmd *exec.Cmd, binary, copies, profile string) {
	t.Helper()
	parent, dir := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(parent, "app"), 0o700); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "copy-"+filepath.Base(filepath.Dir(dir)))
	if err := os.Link(app(t, "copy"), binary); err != nil {
		t.Fatal(err)
	}
	profile = filepath.Join(dir, "p.yaml")
	args := hasty(dir, "--cores", "64", "--copy-dir", filepath.Join(parent, "app"), "--", binary, "tree")
	cmd = exec.CommandContext(t.Context(), program, args...) //nolint:gosec // our own program
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(progress)
	for lines.Scan() && !strings.Contains(lines.Text(), "opening copy 3") {
	}
	go func() {
		for lines.Scan() { // so that it is not held up
		}
	}()
	return cmd, binary, parent, profile
}

// gone waits until no process of the program runs, and nothing of it lies there.
func gone(t *testing.T, binary, copies string) {
	t.Helper()
	deadline, tick := time.Now().Add(20*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		left := pids(t, binary)
		entries, err := os.ReadDir(copies)
		if len(left) == 0 && err == nil && len(entries) == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left: processes %v, folders %v, %v", left, entries, err)
		}
	}
}

// TestCalibrateInterrupted: Ctrl-C ends all that was started, and keeps what was
// measured.
func TestCalibrateInterrupted(t *testing.T) {
	t.Parallel()
	cmd, binary, copies, profile := running(t)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 1 {
		t.Errorf("status %d", status)
	}
	gone(t, binary, copies)
	if text, err := os.ReadFile(profile); err != nil || !strings.Contains(string(text), "partial: \"stopped at 2 copies\"") || !strings.Contains(string(text), "seats: 0") {
		t.Errorf("%v: %s", err, text)
	}
}

// TestCalibrateKilled: nothing survives its death, on disk neither.
func TestCalibrateKilled(t *testing.T) {
	t.Parallel()
	cmd, binary, copies, _ := running(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone(t, binary, copies)
}

// TestCalibrateMistakes: one clear line each, and nothing is left.
func TestCalibrateMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cp := app(t, "copy")
	type mistake struct {
		args   []string
		status int
		err    string
	}
	together(t, map[string]mistake{
		"no command":         {nil, 2, "no command; want: rendergate calibrate [flags] -- COMMAND"},
		"no such command":    {[]string{"--", "nowhere-to-be-found"}, 2, "no command nowhere-to-be-found in PATH"},
		"no such file":       {[]string{"--", "/nowhere/app"}, 2, "no command at /nowhere/app"},
		"not to be executed": {[]string{"--", plain}, 2, "may not be run"},
		"exits at once":      {[]string{"--", cp, "exit"}, 1, "exit status 3; it last printed: no display"},
		"goes away":          {[]string{"--", cp, "daemon"}, 1, "went to the background"},
		"stands still":       {[]string{"--", cp, "stop"}, 1, "the application stands still, since it wants a terminal"},
		"a scene that fails": {[]string{"--scene", "echo {{.Copy}} >&2; exit 7", "--", cp, "linger"}, 1, "the scene's command failed: the application ended by itself: exit status 7"},
		"wants a terminal":   {[]string{"--", cp, "terminal"}, 1, "seems to need a terminal"},
		"never ready":        {[]string{"--ready", "port", "--within", "1s", "--", cp, "linger"}, 1, "not ready within 1s: nothing takes connections on 127.0.0.1:"},
		"threshold 0":        {[]string{"--threshold", "0", "--", cp}, 2, "want 1% to 100%"},
		"threshold 300 %":    {[]string{"--threshold", "300%", "--", cp}, 2, `want 1% to 100%, as in 85%, or cpu=80%,vram=95%, got "300%"`},
		"threshold of what":  {[]string{"--threshold", "disk=85%", "--", cp}, 2, `no resource "disk"; want one of cpu, encoder`},
		"a template's slip":  {[]string{"--", cp, "{{.Prot}}"}, 2, "COMMAND, word 2: unknown name .Prot; want {{.Session}}"},
		"no such folder":     {[]string{"--copy-dir", "/nowhere", "--", cp}, 2, "--copy-dir: stat /nowhere"},
		"a file to copy":     {[]string{"--copy-dir", plain, "--", cp}, 2, "is a file; want the application's folder"},
		"two kinds of ready": {[]string{"--ready", "soon", "--", cp}, 2, `--ready "soon": want port, HOST:PORT, http://…, line:REGEXP or a time`},
		"frames from where":  {[]string{"--fps", "30", "--", cp}, 2, "--fps needs one source of frames"},
		"no group":           {[]string{"--fps", "30", "--fps-line", "fps", "--", cp}, 2, "want a regular expression with a group"},
		"GPUs that are none": {[]string{"--gpus", "0", "--", cp}, 2, "numbers of this machine's 0 GPUs"},
		"no place for it":    {[]string{"--out", "/nowhere/p.yaml", "--", cp, "linger"}, 2, "--out: nothing can be written there: open /nowhere/"},
		"a folder":           {[]string{"--report", dir, "--", cp, "linger"}, 2, "is no file; want the path of a file to write"},
		"a probe's config":   {[]string{"--config", "/nowhere.yaml"}, 2, "/nowhere.yaml"},
		"both":               {[]string{"--config", "/nowhere.yaml", "--", cp}, 2, "want one of them"},
		"too often":          {[]string{"--repeat", "1000", "--", cp}, 2, "--repeat 1000: want 1 to 100"},
	}, func(name string, c mistake) {
		out := t.TempDir()
		r, _ := calibrate(t, nil, append(hasty(out), c.args...)...)
		lines := strings.Split(strings.TrimSpace(r.err), "\n")
		if r.status != c.status || !strings.Contains(lines[len(lines)-1], c.err) || r.out != "" {
			t.Errorf("%s: status %d, %q, want %d, %q", name, r.status, lines[len(lines)-1], c.status, c.err)
		}
		if entries, err := os.ReadDir(out); err != nil || len(entries) > 0 {
			t.Errorf("%s: left there: %v, %v", name, entries, err)
		}
	})
}
