package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/probe/wire/quantity"
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
	Doubt       quantity.Share    `yaml:"doubt"` // of the cost
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
	d := document.Decode(name, data, &version)
	if p, damaged := unreadable(d.Err()); damaged {
		return profileFile{}, document.Problems{p}
	}
	// A later version may say anything in any way, so that it is later is all
	// that can be told.
	if !d.Has("version") || version.Version > ProfileVersion {
		d.Forget()
		profileFile{Version: version.Version}.checkVersion(d)
		return profileFile{}, d.Err()
	}
	var f profileFile
	d = document.Decode(name, data, &f)
	f.check(d)
	if err := d.Err(); err != nil {
		return profileFile{}, err
	}
	return f, nil
}

const noProfile = "this is no profile, or a damaged one: calibrate again, or take the .previous beside it"

// unreadable gives the problem with the file as a whole, if there is one.
func unreadable(err error) (document.Problem, bool) {
	var all document.Problems
	if errors.As(err, &all) {
		for _, p := range all {
			if p.Key == "" {
				p.Text += "; " + noProfile
				return p, true
			}
		}
	}
	return document.Problem{}, false
}

// profile is what decisions go by.
func (f profileFile) profile() admission.Profile {
	p := admission.Profile{
		App: f.App, Cost: f.Cost.cost(), Spread: f.Spread.cost(), Doubt: f.Doubt.Fraction(), Seats: f.Seats,
		StartS: inSeconds(f.Start), SettleS: inSeconds(f.Settle),
	}
	names := make([]string, len(f.Machine.GPUs))
	for i, g := range f.Machine.GPUs {
		names[i] = g.Name
	}
	p.Machine = admission.Machine{Cores: f.Machine.Cores, GPUs: admission.GPUNames(names)}
	return p
}

// doubt says why the profile holds less than one should; "" if it does not.
func (f profileFile) doubt() string {
	switch {
	case f.Partial != "":
		return fmt.Sprintf("is partial (%s): no number of seats is confirmed, load alone decides; calibrate to the end", strings.Join(strings.Fields(f.Partial), " "))
	case f.Date != "" && f.Seats == 0:
		return fmt.Sprintf("found that not one copy fits (%s binds): it names no seats, load alone decides; calibrate on a host that is free and large enough", f.Binding)
	}
	return ""
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
