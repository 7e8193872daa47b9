package config

import (
	"fmt"
	"math"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/auth"
)

// ProfileVersion is the version of the profile files that are written. Files of
// a later version are refused.
const ProfileVersion = 1

// profileFile is a profile as it stands in its file.
type profileFile struct {
	Version     int               `yaml:"version"`
	App         string            `yaml:"app"`
	Partial     string            `yaml:"partial"`
	Date        string            `yaml:"date"`
	Command     []string          `yaml:"command"`
	Machine     machineFile       `yaml:"machine"`
	Seats       int               `yaml:"seats"`
	SeatsPerGPU []int             `yaml:"seats_per_gpu"`
	Binding     string            `yaml:"binding"`
	Confidence  quantity.Share    `yaml:"confidence"`
	Start       quantity.Duration `yaml:"start"`
	Settle      quantity.Duration `yaml:"settle"`
	Cost        costFile          `yaml:"cost"`
	Spread      costFile          `yaml:"spread"`
	Interval    intervalFile      `yaml:"interval"`
}

// machineFile is what the profile was measured on.
type machineFile struct {
	CPU    string         `yaml:"cpu"`
	Cores  float64        `yaml:"cores"`
	Share  string         `yaml:"share"`
	Memory quantity.Bytes `yaml:"memory"`
	GPUs   []gpuFile      `yaml:"gpus"`
	Driver string         `yaml:"driver"`
	System string         `yaml:"system"`
}

type gpuFile struct {
	Name string         `yaml:"name"`
	VRAM quantity.Bytes `yaml:"vram"`
}

// intervalFile is the 95 % interval of the costs.
type intervalFile struct {
	Low  costFile `yaml:"low"`
	High costFile `yaml:"high"`
}

// costFile is a cost with its units.
type costFile struct {
	CPUCores        float64        `yaml:"cpu_cores"`
	Memory          quantity.Bytes `yaml:"memory"`
	GPU             quantity.Share `yaml:"gpu"`
	VRAM            quantity.Bytes `yaml:"vram"`
	Encoder         quantity.Share `yaml:"encoder"`
	EncoderSessions float64        `yaml:"encoder_sessions"`
}

// LoadProfile reads the profile file at the path.
func LoadProfile(path string) (admission.Profile, error) {
	f, err := loadProfile(path)
	return f.profile(), err
}

func loadProfile(path string) (profileFile, error) {
	data, err := readFile(path)
	if err != nil {
		return profileFile{}, fmt.Errorf("profile: %w", err)
	}
	return parseProfile(path, data)
}

// ParseProfile reads a profile; name stands in errors, which are
// [document.Problems].
func ParseProfile(name string, data []byte) (admission.Profile, error) {
	f, err := parseProfile(name, data)
	return f.profile(), err
}

func parseProfile(name string, data []byte) (profileFile, error) {
	var version struct {
		Version int `yaml:"version"`
	}
	var f profileFile
	// A later version may say anything in any way, so that it is later is all
	// that can be told.
	if d := document.Decode(name, data, &version); version.Version > ProfileVersion {
		d.Forget()
		f.checkVersion(d, version.Version)
		return profileFile{}, d.Err()
	}
	d := document.Decode(name, data, &f)
	f.check(d)
	if err := d.Err(); err != nil {
		return profileFile{}, err
	}
	return f, nil
}

// profile is what decisions go by.
func (f profileFile) profile() admission.Profile {
	p := admission.Profile{
		App: f.App, Cost: f.Cost.cost(), Spread: f.Spread.cost(), Seats: f.Seats,
		StartS: inSeconds(f.Start), SettleS: inSeconds(f.Settle),
	}
	if f.Machine.Cores > 0 {
		names := make([]string, len(f.Machine.GPUs))
		for i, g := range f.Machine.GPUs {
			names[i] = g.Name
		}
		p.Machine = admission.Machine{Cores: f.Machine.Cores, GPUs: admission.GPUNames(names)}
	}
	return p
}

// inSeconds divides once: [time.Duration.Seconds] adds two roundings, and what
// was written would not be read back the same.
func inSeconds(d quantity.Duration) float64 { return float64(d.Std()) / float64(time.Second) }

func (c costFile) cost() admission.Cost {
	return admission.Cost{
		CPUCores: c.CPUCores, MemoryBytes: c.Memory.Count(), GPU: c.GPU.Fraction(), VRAMBytes: c.VRAM.Count(),
		Encoder: c.Encoder.Fraction(), EncoderSessions: c.EncoderSessions,
	}
}

const (
	maxSeats = 10_000
	maxCores = 4096
)

func (f profileFile) check(d *document.Document) {
	f.checkVersion(d, f.Version)
	if !auth.ValidName(f.App) {
		d.Reject("app", `want the app's name, 1 to 64 letters, digits, ".", "_" or "-", got %q`, f.App)
	}
	if f.Seats < 0 || f.Seats > maxSeats {
		d.Reject("seats", "want 0 (not calibrated) to %d, got %d", maxSeats, f.Seats)
	}
	for i, n := range f.SeatsPerGPU {
		if n < 0 || n > maxSeats {
			d.Reject(fmt.Sprintf("seats_per_gpu[%d]", i), "want 0 to %d, got %d", maxSeats, n)
		}
	}
	if f.Date != "" {
		if _, err := time.Parse(time.RFC3339, f.Date); err != nil {
			d.Reject("date", "want a date such as 2026-11-21T05:09:36Z, got %.40q", f.Date)
		}
	}
	if c := f.Machine.Cores; !(c >= 0 && c <= maxCores) {
		d.Reject("machine.cores", "want 0 to %d cores, got %v", maxCores, c)
	}
	for key, c := range map[string]costFile{"cost.": f.Cost, "spread.": f.Spread, "interval.low.": f.Interval.Low, "interval.high.": f.Interval.High} {
		c.check(key, d)
	}
}

func (f profileFile) checkVersion(d *document.Document, got int) {
	switch {
	case got > ProfileVersion:
		d.Reject("version", "want version: %d, the newest that this program reads, got %d: calibrate again with this program, or update it", ProfileVersion, got)
	case got != ProfileVersion:
		d.Reject("version", "want version: %d, got %d", ProfileVersion, got)
	}
}

func (c costFile) check(key string, d *document.Document) {
	if !(c.CPUCores >= 0 && c.CPUCores <= maxCores) {
		d.Reject(key+"cpu_cores", "want 0 to %d cores, got %v", maxCores, c.CPUCores)
	}
	if !(c.EncoderSessions >= 0 && c.EncoderSessions <= maxSeats) {
		d.Reject(key+"encoder_sessions", "want 0 to %d, got %v", maxSeats, c.EncoderSessions)
	}
	for name, share := range map[string]quantity.Share{"gpu": c.GPU, "encoder": c.Encoder} {
		if !(share >= 0 && share <= 1) {
			d.Reject(key+name, "want 0 to 100%% of one GPU, got %s", share)
		}
	}
	for name, size := range map[string]quantity.Bytes{"memory": c.Memory, "vram": c.VRAM} {
		if !(size >= 0 && !math.IsInf(size.Count(), 0)) {
			d.Reject(key+name, "want a size of 0 or more, got %v", size.Count())
		}
	}
}
