package config_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/calibration"
	"github.com/rendergate/rendergate/server/config"
)

func calibrated() calibration.Result {
	spread := 0.01
	return calibration.Result{
		App: "showroom", Command: []string{"./Showroom.sh", `-port={{.Port}} "x"`}, At: time.Date(2026, 11, 21, 6, 9, 36, 0, time.FixedZone("", 3600)),
		Machine: calibration.Machine{
			CPU: "EPYC: \"7\" # 1", Cores: 16, MemoryBytes: 64 << 30, System: "debian", Driver: "550",
			GPUs: []calibration.GPU{{Name: "NVIDIA L4", VRAMBytes: 24 << 30}, {Name: "NVIDIA L4", VRAMBytes: 24 << 30}},
		},
		Fits: 9, FitsPerGPU: []int{5, 4}, Binding: "gpu", Confidence: 0.973, StartS: 8.0021, SettleS: 22,
		Resources: map[string]calibration.Resource{
			"cpu":              {Capacity: 16, PerCopy: 0.05, PerCopyLow: 0.048, PerCopyHigh: 0.052, Spread: &spread},
			"memory":           {Capacity: 64 << 30, PerCopy: 1. / 64, PerCopyLow: 0.9 / 64, PerCopyHigh: 1.1 / 64},
			"gpu":              {Capacity: 1, PerCopy: 0.16, PerCopyLow: 0.15, PerCopyHigh: 0.17},
			"vram":             {Capacity: 24 << 30, PerCopy: 0.1, PerCopyLow: -0.1, PerCopyHigh: 0.125},
			"encoder_sessions": {Capacity: 8, PerCopy: 0.1249, PerCopyLow: 0.12, PerCopyHigh: 0.13},
		},
	}
}

// write writes a result and gives the path and the text.
func write(t *testing.T, r calibration.Result) (path, text string) {
	t.Helper()
	path, err := config.WriteCalibration(filepath.Join(t.TempDir(), "p.yaml"), r)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, string(data)
}

func TestACalibrationIsReadBack(t *testing.T) {
	path, text := write(t, calibrated())
	p, err := config.LoadProfile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := admission.Profile{
		App: "showroom", Seats: 9, StartS: 8.002, SettleS: 22, Machine: admission.Machine{Cores: 16, GPUs: "NVIDIA L4, NVIDIA L4"},
		Cost: admission.Cost{CPUCores: 0.8, MemoryBytes: 1127 << 20, GPU: 0.16, VRAMBytes: 3 << 30, EncoderSessions: 1},
		// 16 cores x sqrt(0.01^2 + (0.002 / 1.96)^2) of the CPU, 0.01 / 1.96 of the
		// GPU; none of what is a ceiling already.
		Spread: admission.Cost{CPUCores: 0.1608, GPU: 0.51 / 100},
	}
	if p != want {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	if of := config.ProfileOf(calibrated()); of != want {
		t.Errorf("without a file %+v", of)
	}
	for _, words := range []string{
		"seats_per_gpu: [5, 4]", "confidence: 97.3%", "binding: gpu", `date: "2026-11-21T05:09:36Z"`, `driver: "550"`,
		`cpu: "EPYC: \"7\" # 1"`, "memory: 64 GiB", `{name: "NVIDIA L4", vram: 24 GiB}`, `command: ["./Showroom.sh", "-port={{.Port}} \"x\""]`,
		"memory: 1127 MiB", "  low:\n    cpu_cores: 0.768", "  high:\n    cpu_cores: 0.832",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("no %s in\n%s", words, text)
		}
	}
}

// TestTheExampleIsWhatIsWritten holds docs/example.profile.yaml to the writer.
func TestTheExampleIsWhatIsWritten(t *testing.T) {
	r, spread := calibrated(), 0.004
	r.Command, r.Machine.CPU, r.Machine.Driver, r.Machine.System = []string{"./Showroom.sh", "-port={{.Port}}"}, "AMD EPYC 7313P", "550.163.01", "Debian GNU/Linux 13, Linux 6.12"
	r.Resources["vram"] = calibration.Resource{Capacity: 24 << 30, PerCopy: 0.08, PerCopyLow: 0.078, PerCopyHigh: 0.082}
	r.Resources["encoder"] = calibration.Resource{Capacity: 1, PerCopy: 0.06, PerCopyLow: 0.058, PerCopyHigh: 0.062, Spread: &spread}
	_, text := write(t, r)
	if example, err := os.ReadFile("docs/example.profile.yaml"); err != nil || string(example) != text {
		t.Errorf("%v; it should be\n%s", err, text)
	}
}

func TestCostsOfACalibration(t *testing.T) {
	some := 0.02
	of := func(kind string, x calibration.Resource) calibration.Result {
		r := calibrated()
		r.Resources = map[string]calibration.Resource{kind: x}
		return r
	}
	for name, c := range map[string]struct {
		result       calibration.Result
		cost, spread admission.Cost
	}{
		"nothing known": {of("x", calibration.Resource{}), admission.Cost{}, admission.Cost{}},
		"cores": {of("cpu", calibration.Resource{Capacity: 4, PerCopy: 0.1, PerCopyLow: 0.0608, PerCopyHigh: 0.1392}),
			admission.Cost{CPUCores: 0.4}, admission.Cost{CPUCores: 0.08}},
		"cores, seen one by one": {of("cpu", calibration.Resource{Capacity: 4, PerCopy: 0.1, PerCopyLow: 0.1, PerCopyHigh: 0.1, Spread: &some}),
			admission.Cost{CPUCores: 0.4}, admission.Cost{CPUCores: 0.08}},
		"below nothing":       {of("cpu", calibration.Resource{Capacity: 4, PerCopy: -0.01, PerCopyLow: -0.01, PerCopyHigh: -0.01}), admission.Cost{}, admission.Cost{}},
		"memory below it":     {of("memory", calibration.Resource{Capacity: 1 << 30, PerCopy: -0.2, PerCopyLow: -0.3, PerCopyHigh: -0.1}), admission.Cost{}, admission.Cost{}},
		"memory is a ceiling": {of("memory", calibration.Resource{Capacity: 1 << 30, PerCopy: 0.2, PerCopyLow: 0.15, PerCopyHigh: 0.25, Spread: &some}), admission.Cost{MemoryBytes: 256 << 20}, admission.Cost{}},
		"memory, no interval": {of("memory", calibration.Resource{Capacity: 1 << 30, PerCopy: 0.25, PerCopyHigh: math.Inf(1)}), admission.Cost{MemoryBytes: 256 << 20}, admission.Cost{}},
		"sessions, noise":     {of("encoder_sessions", calibration.Resource{Capacity: 8, PerCopy: 0.126, PerCopyLow: 0.12, PerCopyHigh: 0.13}), admission.Cost{EncoderSessions: 1}, admission.Cost{}},
		"sessions, some two":  {of("encoder_sessions", calibration.Resource{Capacity: 8, PerCopy: 0.15, PerCopyLow: 0.12, PerCopyHigh: 0.18}), admission.Cost{EncoderSessions: 2}, admission.Cost{}},
		"a GPU's noise":       {of("gpu", calibration.Resource{Capacity: 1, PerCopy: 0.002, PerCopyLow: -0.001, PerCopyHigh: 0.005}), admission.Cost{}, admission.Cost{}},
		"a GPU, a little":     {of("gpu", calibration.Resource{Capacity: 1, PerCopy: 0.002, PerCopyLow: 0.002, PerCopyHigh: 0.002}), admission.Cost{GPU: 0.2 / 100}, admission.Cost{}},
		"a GPU, unsure":       {of("gpu", calibration.Resource{Capacity: 1, PerCopy: 0.1, PerCopyLow: -0.096, PerCopyHigh: 0.296}), admission.Cost{GPU: 0.1}, admission.Cost{GPU: 0.1}},
	} {
		if p := config.ProfileOf(c.result); p.Cost != c.cost || p.Spread != c.spread {
			t.Errorf("%s: got %+v, spread %+v", name, p.Cost, p.Spread)
		}
	}
}

// TestEveryCalibrationIsReadBack whatever machines and commands are called.
func TestEveryCalibrationIsReadBack(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		r, text := calibrated(), rapid.String()
		r.Command = rapid.SliceOfN(text, 0, 4).Draw(t, "command")
		r.Machine.CPU, r.Machine.Share, r.Machine.System, r.Machine.GPUs[0].Name = text.Draw(t, "cpu"), text.Draw(t, "share"), text.Draw(t, "system"), text.Draw(t, "gpu")
		if rapid.Bool().Draw(t, "partial") {
			r.Partial = text.Draw(t, "why")
		}
		number := rapid.Float64Range(-2, 2)
		for kind, x := range r.Resources {
			x.PerCopy, x.PerCopyLow, x.PerCopyHigh = number.Draw(t, kind), number.Draw(t, "low "+kind), math.Inf(1)
			if rapid.Bool().Draw(t, "seen") {
				x.PerCopyHigh = max(x.PerCopyLow, number.Draw(t, "high "+kind))
			}
			r.Resources[kind] = x
		}
		path, err := config.WriteCalibration(filepath.Join(dir, "p.yaml"), r)
		if err != nil {
			t.Fatal(err)
		}
		p, err := config.LoadProfile(path)
		if want := config.ProfileOf(r); err != nil || p != want {
			t.Fatalf("got  %+v, %v\nwant %+v", p, err, want)
		}
	})
}

// TestADamagedProfile that was cut off anywhere is refused in one line, or says
// the same of what a session costs.
func TestADamagedProfile(t *testing.T) {
	_, text := write(t, calibrated())
	want := config.ProfileOf(calibrated())
	for n := 0; n < len(text); n += 13 {
		switch p, err := config.ParseProfile("f", []byte(text[:n])); {
		case err == nil && p != want:
			t.Fatalf("%d bytes are taken as %+v", n, p)
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for _, damage := range []string{"", "# only a comment", strings.Repeat("\x00", 500), "\x7fELF\x01", strings.Replace(text, "[5, 4]", "[5, \x00", 1), "<html>\n<body>", "- a\n- b"} {
		if _, err := config.ParseProfile("f", []byte(damage)); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "calibrate again") {
			t.Errorf("%.20q: %v", damage, err)
		}
	}
}

// TestNoProfileIsLost: what stands there is kept, and what is partial takes the
// place of nothing that is whole.
func TestNoProfileIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	whole, partial := calibrated(), calibrated()
	partial.Partial = "stopped at 4 copies"
	into := func(r calibration.Result, want string) {
		t.Helper()
		if got, err := config.WriteCalibration(path, r); err != nil || got != want {
			t.Fatalf("written to %s, %v; want %s", got, err, want)
		}
	}
	seats := func(path string) int {
		t.Helper()
		p, err := config.LoadProfile(path)
		if err != nil {
			t.Fatal(err)
		}
		return p.Seats
	}
	into(partial, path)
	if seats(path) != 0 {
		t.Error("a partial profile has seats")
	}
	into(whole, path)
	into(partial, path+".partial")
	whole.Fits = 10
	into(whole, path)
	if seats(path) != 10 || seats(path+".previous") != 9 || seats(path+".partial") != 0 {
		t.Errorf("%d, before it %d", seats(path), seats(path+".previous"))
	}
	if err := os.WriteFile(path, []byte("not: a profile"), 0o600); err != nil {
		t.Fatal(err)
	}
	into(partial, path+".partial") // it may be a profile that this program is too old to read
	left, err := filepath.Glob(path + "*")
	if err != nil || len(left) != 3 {
		t.Errorf("%v: want the profile, the one before and the partial one", left)
	}
}

// TestAFailedWriteLosesNothing: neither what stands there, nor what the path
// names if that is no file.
func TestAFailedWriteLosesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.yaml")
	if _, err := config.WriteCalibration(path, calibrated()); err != nil {
		t.Fatal(err)
	}
	nameless := calibrated()
	nameless.App = "no name"
	if err := os.Mkdir(path+".previous", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path   string
		result calibration.Result
		want   string
	}{
		"the one before cannot be kept": {path, calibrated(), "cannot be kept"},
		"no name for an app":            {path, nameless, "want the app's name"},
		"a folder":                      {dir, calibrated(), "is a folder or a device"},
		"a device":                      {os.DevNull, calibrated(), "is a folder or a device"},
		"no folder":                     {filepath.Join(dir, "none", "p.yaml"), calibrated(), "no such file or directory"},
		"a file for a folder":           {filepath.Join(path, "p.yaml"), calibrated(), "not a directory"},
	} {
		if at, err := config.WriteCalibration(c.path, c.result); err == nil || at != "" || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: written to %q, %v", name, at, err)
		}
	}
	if p, err := config.LoadProfile(path); err != nil || p != config.ProfileOf(calibrated()) {
		t.Errorf("what stood there is now %+v, %v", p, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%v is left", left)
	}
}

// TestDoubtfulProfilesAreWarnedOf, on top of the file and by the service, and used.
func TestDoubtfulProfilesAreWarnedOf(t *testing.T) {
	partial, none := calibrated(), calibrated()
	partial.Partial = "stopped\nat 4 copies"
	none.Fits, none.FitsPerGPU = 0, []int{0, 0}
	for name, c := range map[string]struct {
		result       calibration.Result
		top, warning string
	}{
		"whole":     {calibrated(), "# How many copies", ""},
		"partial":   {partial, "# PARTIAL: stopped at 4 copies.", "is partial (stopped at 4 copies)"},
		"none fits": {none, "# NONE FITS:", "not one copy fits (gpu binds)"},
	} {
		path, text := write(t, c.result)
		file := filepath.Join(filepath.Dir(path), "c.yaml")
		if err := os.WriteFile(file, []byte("pools: {p: {apps: {showroom: {profile: p.yaml}}}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		conf, err := config.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(conf.Warnings(), "; ")
		if !strings.HasPrefix(text, c.top) || !strings.Contains(got, c.warning) || (c.warning == "") != (got == "") {
			t.Errorf("%s: warnings %q of\n%.80s", name, got, text)
		}
		if p := conf.Pools["p"].Policy().Apps["showroom"]; p.Cost.CPUCores != 0.8 {
			t.Errorf("%s: it is not used: %+v", name, p)
		}
	}
}
