package config

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
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
	Version int               `yaml:"version"`
	App     string            `yaml:"app"`
	Seats   int               `yaml:"seats"`
	Start   quantity.Duration `yaml:"start"`
	Settle  quantity.Duration `yaml:"settle"`
	Cost    costFile          `yaml:"cost"`
	Spread  costFile          `yaml:"spread"`
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
	data, err := readFile(path)
	if err != nil {
		return admission.Profile{}, fmt.Errorf("profile: %w", err)
	}
	return ParseProfile(path, data)
}

// ParseProfile reads a profile; name stands in errors, which are
// [document.Problems].
func ParseProfile(name string, data []byte) (admission.Profile, error) {
	var f profileFile
	d := document.Decode(name, data, &f)
	f.check(d)
	if err := d.Err(); err != nil {
		return admission.Profile{}, err
	}
	return admission.Profile{
		App: f.App, Cost: f.Cost.cost(), Spread: f.Spread.cost(), Seats: f.Seats,
		StartS: inSeconds(f.Start), SettleS: inSeconds(f.Settle),
	}, nil
}

// inSeconds divides once: [time.Duration.Seconds] adds two roundings, and what
// was written would not be read back the same.
func inSeconds(d quantity.Duration) float64 { return float64(d.Std()) / float64(time.Second) }

func (f costFile) cost() admission.Cost {
	return admission.Cost{
		CPUCores: f.CPUCores, MemoryBytes: f.Memory.Count(), GPU: f.GPU.Fraction(), VRAMBytes: f.VRAM.Count(),
		Encoder: f.Encoder.Fraction(), EncoderSessions: f.EncoderSessions,
	}
}

const (
	maxSeats = 10_000
	maxCores = 4096
)

func (f profileFile) check(d *document.Document) {
	if f.Version != ProfileVersion {
		d.Reject("version", "want version: %d, got %d", ProfileVersion, f.Version)
	}
	if !auth.ValidName(f.App) {
		d.Reject("app", `want the app's name, 1 to 64 letters, digits, ".", "_" or "-", got %q`, f.App)
	}
	if f.Seats < 0 || f.Seats > maxSeats {
		d.Reject("seats", "want 0 (not calibrated) to %d, got %d", maxSeats, f.Seats)
	}
	f.Cost.check("cost.", d)
	f.Spread.check("spread.", d)
}

func (f costFile) check(key string, d *document.Document) {
	if !(f.CPUCores >= 0 && f.CPUCores <= maxCores) {
		d.Reject(key+"cpu_cores", "want 0 to %d cores, got %v", maxCores, f.CPUCores)
	}
	if !(f.EncoderSessions >= 0 && f.EncoderSessions <= maxSeats) {
		d.Reject(key+"encoder_sessions", "want 0 to %d, got %v", maxSeats, f.EncoderSessions)
	}
	for name, share := range map[string]quantity.Share{"gpu": f.GPU, "encoder": f.Encoder} {
		if !(share >= 0 && share <= 1) {
			d.Reject(key+name, "want 0 to 100%% of one GPU, got %s", share)
		}
	}
	for name, size := range map[string]quantity.Bytes{"memory": f.Memory, "vram": f.VRAM} {
		if !(size >= 0 && !math.IsInf(size.Count(), 0)) {
			d.Reject(key+name, "want a size of 0 or more, got %v", size.Count())
		}
	}
}

// WriteProfile writes a profile to the path, in the form that [LoadProfile]
// reads. The words, if any, become comments on top, a line each.
func WriteProfile(path string, p admission.Profile, words ...string) error {
	text := formatProfile(p, words)
	if _, err := ParseProfile(path, []byte(text)); err != nil {
		return fmt.Errorf("the profile cannot be written: %w", err)
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // no secret: others may read it
}

func formatProfile(p admission.Profile, words []string) string {
	var b strings.Builder
	for _, w := range words {
		fmt.Fprintf(&b, "# %s\n", strings.Join(strings.Fields(w), " "))
	}
	fmt.Fprintf(&b, "version: %d\napp: %q\nseats: %d\nstart: %s\nsettle: %s\n", ProfileVersion, p.App, p.Seats, seconds(p.StartS), seconds(p.SettleS))
	writeCost(&b, "cost", p.Cost)
	writeCost(&b, "spread", p.Spread)
	return b.String()
}

func writeCost(b *strings.Builder, key string, c admission.Cost) {
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	fmt.Fprintf(b, "%s:\n", key)
	for _, x := range []struct{ name, value string }{
		{"cpu_cores", number(c.CPUCores)}, {"memory", quantity.Bytes(c.MemoryBytes).String()},
		{"gpu", quantity.Share(c.GPU).String()}, {"vram", quantity.Bytes(c.VRAMBytes).String()},
		{"encoder", quantity.Share(c.Encoder).String()}, {"encoder_sessions", number(c.EncoderSessions)},
	} {
		fmt.Fprintf(b, "  %s: %s\n", x.name, x.value)
	}
}

// seconds rounds to milliseconds: nobody starts an app more exactly.
func seconds(s float64) quantity.Duration {
	return quantity.Duration(time.Duration(s * float64(time.Second)).Round(time.Millisecond))
}
