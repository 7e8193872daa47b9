package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/config"
)

// TestAProfileByHand needs none of what a calibration adds, as the first ones
// had none.
func TestAProfileByHand(t *testing.T) {
	p, err := config.ParseProfile("f", []byte(`version: 1
app: showroom
seats: 10
start: 8s
settle: 12s
cost: {cpu_cores: 0.8, memory: 512 MiB, gpu: 9%, vram: 2 GiB, encoder: 6%, encoder_sessions: 1}
spread: {cpu_cores: 0.1, memory: 20 MiB, gpu: 1%, vram: 64 MiB, encoder: 0.5%, encoder_sessions: 0}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := admission.Profile{
		App: "showroom", Seats: 10, StartS: 8, SettleS: 12,
		Cost:   admission.Cost{CPUCores: 0.8, MemoryBytes: 512 << 20, GPU: 0.09, VRAMBytes: 2 << 30, Encoder: 0.06, EncoderSessions: 1},
		Spread: admission.Cost{CPUCores: 0.1, MemoryBytes: 20 << 20, GPU: 0.01, VRAMBytes: 64 << 20, Encoder: 0.005},
	}
	if p != want {
		t.Fatalf("got %+v", p)
	}
}

// TestAMachineByHand may say what is known of it alone.
func TestAMachineByHand(t *testing.T) {
	for text, want := range map[string]admission.Machine{
		"machine: {cpu: EPYC}":                         {},
		"machine: {cores: 15.5}":                       {Cores: 15.5},
		"machine: {gpus: [{name: T4}, {name: L4}]}":    {GPUs: "L4, T4"},
		"machine: {cores: 4, gpus: [], driver: \"1\"}": {Cores: 4},
	} {
		if p, err := config.ParseProfile("f", []byte("version: 1\napp: a\n"+text)); err != nil || p.Machine != want {
			t.Errorf("%s: got %+v, %v", text, p.Machine, err)
		}
	}
}

func TestProfileMistakes(t *testing.T) {
	head := "version: 1\napp: a\n"
	for _, c := range []mistake{
		{"", "f:1:1: version: want version: 1, got none"},
		{"version: 0\napp: a", "f:1:10: version: want version: 1, got 0"},
		{"version: one\napp: a", "f:1:10: version: want a whole number"},
		{"version: 2\napp: a\nlater: thing", "f:1:10: version: want version: 1, the newest that this program reads, got 2: calibrate again with this program, or update it"},
		{"version: 1", "app: want the app's name"},
		{head + "seats: -1", "f:3:8: seats: want 0 (not calibrated) to 10000, got -1"},
		{head + "seats: 1.5", "want a whole number"},
		{head + "start: 8", "start: want a duration with its unit"},
		{head + "cost: {cpu: 1}", `cost.cpu: unknown key`},
		{head + "cost: {cpu_core: 1}", `did you mean "cpu_cores"?`},
		{head + "cost: {cpu_cores: -1}", "cost.cpu_cores: want 0 to 4096 cores, got -1"},
		{head + "cost: {cpu_cores: .nan}", "want a number such as 1.5"},
		{head + "cost: {memory: 512}", "cost.memory: want a size with its unit"},
		{head + "date: yesterday\nseats: 3\ncost: {}\nspread: {}\ninterval: {}", "date: want a date such as"},
		{head + "date: 2026-11-21T05:09:36Z", "seats: is missing, though a calibration writes it: the file seems cut off"},
		{head + "date: 2026-11-21T05:09:36Z\nseats: 3\ncost: {}\nspread: {}", "interval: is missing"},
		{head + "partial: Ctrl-C\nseats: 3", "f:4:8: seats: want 0 in a partial profile"},
		{head + "seats: 3\nseats_per_gpu: [2, 2]", "f:4:1: seats_per_gpu: want numbers that add up to no more than seats (3), got 4"},
		{head + "confidence: 101%", "f:3:13: confidence: want 0 to 100%, got 101%"},
		{head + "binding: disk", `f:3:10: binding: want cpu or memory`},
		{head + "interval: {low: {gpu: 2%}, high: {gpu: 1%}}", "f:3:23: interval.low.gpu: want at most interval.high.gpu (1%), got 2%"},
		{head + "machine: {gpus: [{name: L4, vram: 24}]}", "machine.gpus[0].vram: want a size with its unit"},
		{head + "machine: {gpu: L4}", `machine.gpu: unknown key`},
		{head + "command: ./app", "f:3:10: command: want a list"},
		{head + "seats_per_gpu: [1, -1]", "f:3:20: seats_per_gpu[1]: want 0 to 10000, got -1"},
		{head + "machine: {cores: -2}", "machine.cores: want 0 to 4096 cores"},
		{head + "interval: {low: {gpu: 200%}}", "interval.low.gpu: want 0 to 100%"},
		{head + "cost: {gpu: 101%}", "cost.gpu: want 0 to 100% of one GPU, got 101%"},
		{head + "doubt: 201%", `f:3:8: doubt: want at most 200%, such as "50%" of the cost, got "201%"`},
		{head + "doubt: -1%", "doubt: "},
		{head + "doubt: 5", "doubt: want a share"},
		{head + "spread: {encoder_sessions: 1000000}", "spread.encoder_sessions: want 0 to 10000"},
	} {
		if _, err := config.ParseProfile("f", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

// TestProfileReadsBackAsWritten holds for every profile within bounds.
func TestProfileReadsBackAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	rapid.Check(t, func(t *rapid.T) {
		cost := func(name string) admission.Cost {
			return admission.Cost{
				CPUCores:    rapid.Float64Range(0, 4096).Draw(t, name+"cpu"),
				MemoryBytes: rapid.Float64Range(0, 1<<50).Draw(t, name+"memory"),
				GPU:         rapid.Float64Range(0, 1).Draw(t, name+"gpu"), VRAMBytes: float64(rapid.Int64Range(0, 1<<40).Draw(t, name+"vram")),
				Encoder: rapid.Float64Range(0, 1).Draw(t, name+"encoder"), EncoderSessions: rapid.Float64Range(0, 100).Draw(t, name+"sessions"),
			}
		}
		p := admission.Profile{
			App: rapid.StringMatching(`[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,63}`).Draw(t, "app"), Cost: cost("cost "), Spread: cost("spread "),
			Doubt: float64(rapid.IntRange(0, 100*admission.MostDoubt).Draw(t, "doubt, percent")) / 100,
			Seats: rapid.IntRange(0, 10000).Draw(t, "seats"), StartS: float64(rapid.IntRange(0, 1e6).Draw(t, "start")) / 1000,
		}
		if err := config.WriteProfile(path, p, "made by a test", "two\nlines"); err != nil {
			t.Fatal(err)
		}
		got, err := config.LoadProfile(path)
		if err != nil || got != p {
			t.Fatalf("got  %+v, %v\nwant %+v", got, err, p)
		}
	})
}

func TestWriteProfileRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	for _, p := range []admission.Profile{{App: ""}, {App: "a", Cost: admission.Cost{GPU: 2}}, {App: "a", Seats: -1}, {App: "a", Cost: admission.Cost{MemoryBytes: -1}}} {
		if err := config.WriteProfile(path, p); err == nil {
			t.Errorf("%+v: want an error", p)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a refused profile was written")
	}
}

func FuzzProfile(f *testing.F) {
	example, err := os.ReadFile("docs/example.profile.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	f.Add("version: 1\napp: a\ncost: {gpu: .5, memory: 0}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := config.ParseProfile("f", []byte(text))
		if err != nil {
			return
		}
		policy := admission.DefaultPolicy()
		policy.Apps[p.App] = p
		if err := policy.Validate(); err != nil {
			t.Fatalf("%q: the core refuses it: %v", text, err)
		}
	})
}
