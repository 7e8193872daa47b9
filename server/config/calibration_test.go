package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/calibration"
	"github.com/rendergate/rendergate/server/config"
)

func calibrated() calibration.Result {
	spread := 0.01
	return calibration.Result{
		App: "showroom", Command: []string{"./Showroom.sh", `-port={{.Port}} "x"`}, At: time.Date(2026, 11, 21, 5, 9, 36, 0, time.UTC),
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

func TestACalibrationIsReadBack(t *testing.T) {
	path, err := config.WriteCalibration(filepath.Join(t.TempDir(), "p.yaml"), calibrated())
	if err != nil {
		t.Fatal(err)
	}
	p, err := config.LoadProfile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := admission.Profile{
		App: "showroom", Seats: 9, StartS: 8.002, SettleS: 22, Machine: admission.Machine{Cores: 16, GPUs: "NVIDIA L4, NVIDIA L4"},
		Cost: admission.Cost{CPUCores: 0.8, MemoryBytes: 1127 << 20, GPU: 0.16, VRAMBytes: 3 << 30, EncoderSessions: 1},
	}
	// 16 cores x sqrt(0.01^2 + (0.002 / 1.96)^2) of the CPU, 0.01 / 1.96 of the GPU.
	if p.Spread.CPUCores < 0.160 || p.Spread.CPUCores > 0.162 || p.Spread.GPU != 0.0051 {
		t.Errorf("spread %+v", p.Spread)
	}
	if p.Spread = (admission.Cost{}); p != want {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	text, _ := os.ReadFile(path)
	for _, words := range []string{"seats_per_gpu: [5, 4]", "confidence: 97.3%", "binding: gpu", "date: \"2026-11-21T05:09:36Z\"", "driver: \"550\""} {
		if !strings.Contains(string(text), words) {
			t.Errorf("no %s in\n%s", words, text)
		}
	}
}

// TestNoProfileIsLost: what stands there is kept, and what is partial takes the
// place of nothing that is whole.
func TestNoProfileIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	whole, partial := calibrated(), calibrated()
	partial.Partial = "stopped at 4 copies"
	write := func(r calibration.Result, want string) {
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
	write(partial, path)
	if seats(path) != 0 {
		t.Error("a partial profile has seats")
	}
	write(whole, path)
	write(partial, path+".partial")
	whole.Fits = 7
	write(whole, path)
	if seats(path) != 7 || seats(path+".previous") != 9 || seats(path+".partial") != 0 {
		t.Errorf("%d, before it %d", seats(path), seats(path+".previous"))
	}
	if err := os.WriteFile(path, []byte("not: a profile"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(partial, path+".partial") // it may be a profile that this program is too old to read
}

// TestAPartialProfileIsWarnedOf, and used.
func TestAPartialProfileIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	r := calibrated()
	r.Partial = "stopped at 4 copies"
	if _, err := config.WriteCalibration(filepath.Join(dir, "p.yaml"), r); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(file, []byte("pools: {p: {apps: {showroom: {profile: p.yaml}}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Warnings(), "\n"); !strings.Contains(got, "is partial (stopped at 4 copies)") {
		t.Errorf("warnings: %q", got)
	}
}
