package config

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/calibration"
	"github.com/rendergate/rendergate/probe/wire/quantity"
)

// WriteProfile writes a profile to the path, in the form that [LoadProfile]
// reads. The words, if any, become comments on top, a line each.
func WriteProfile(path string, p admission.Profile, words ...string) error {
	f := profileFile{
		Version: ProfileVersion, App: p.App, Seats: p.Seats, Start: seconds(p.StartS), Settle: seconds(p.SettleS),
		Cost: costOf(p.Cost), Spread: costOf(p.Spread),
	}
	return f.write(path, words...)
}

// WriteCalibration writes what came of a calibration as a profile, and returns
// where. A profile that stands at the path is kept as PATH.previous; a partial
// result takes the place of none that is whole: it goes to PATH.partial.
func WriteCalibration(path string, r calibration.Result) (string, error) {
	f := profileOf(r)
	words := []string{
		fmt.Sprintf("How many copies of %s fit on one host of this kind, and what one takes.", r.App),
		"Written by `rendergate calibrate`; `rendergate serve` reads it where the config's pools.POOL.apps.APP.profile names it.",
	}
	old, err := loadProfile(path)
	there := !errors.Is(err, os.ErrNotExist)
	switch whole := err == nil && old.Partial == ""; {
	case f.Partial != "" && there && (whole || err != nil):
		path += ".partial"
	case there:
		if err := os.Rename(path, path+".previous"); err != nil {
			return "", fmt.Errorf("the profile that stands at %s cannot be kept: %w", path, err)
		}
	}
	if f.Partial != "" {
		words = append([]string{"PARTIAL: " + f.Partial + ". No number of seats is confirmed; load alone decides."}, words...)
	}
	return path, f.write(path, words...)
}

// profileOf takes from a result what the service goes by, and where it is from.
func profileOf(r calibration.Result) profileFile {
	f := profileFile{
		Version: ProfileVersion, App: r.App, Partial: r.Partial, Date: r.At.UTC().Format(time.RFC3339), Command: r.Command,
		Seats: r.Fits, SeatsPerGPU: r.FitsPerGPU, Binding: r.Binding, Confidence: quantity.Share(digits(r.Confidence)),
		Start: seconds(r.StartS), Settle: seconds(r.SettleS),
		Machine: machineFile{
			CPU: r.Machine.CPU, Cores: r.Machine.Cores, Share: r.Machine.Share, Memory: hundredths(r.Machine.MemoryBytes),
			Driver: r.Machine.Driver, System: r.Machine.System,
		},
		Cost:   costBy(r, cost),
		Spread: costBy(r, spread),
		Interval: intervalFile{
			Low:  costBy(r, func(_ string, x calibration.Resource) float64 { return x.PerCopyLow }),
			High: costBy(r, func(_ string, x calibration.Resource) float64 { return x.PerCopyHigh }),
		},
	}
	for _, g := range r.Machine.GPUs {
		f.Machine.GPUs = append(f.Machine.GPUs, gpuFile{Name: g.Name, VRAM: hundredths(g.VRAMBytes)})
	}
	if f.Partial != "" {
		f.Seats, f.SeatsPerGPU, f.Confidence = 0, nil, 0
	}
	return f
}

// cost is what one session is expected to take: of memory and VRAM, which are
// reserved whole, the upper end of the interval.
func cost(kind string, x calibration.Resource) float64 {
	if kind == calibration.Memory || kind == calibration.VRAM {
		return x.PerCopyHigh
	}
	return x.PerCopy
}

// spread is how far one session may be off: how its use varies in time, and how
// sure the mean is.
func spread(_ string, x calibration.Resource) float64 {
	deviation := (x.PerCopyHigh - x.PerCopy) / 1.96
	if x.Spread != nil {
		deviation = math.Hypot(deviation, *x.Spread)
	}
	return deviation
}

// costBy makes a cost in its units of what is taken from each resource.
func costBy(r calibration.Result, take func(kind string, x calibration.Resource) float64) costFile {
	of := func(kind string) float64 {
		x, known := r.Resources[kind]
		if v := take(kind, x) * x.Capacity; known && v > 0 && !math.IsInf(v, 0) {
			return v
		}
		return 0
	}
	mib := func(kind string) quantity.Bytes { return quantity.Bytes(math.Ceil(of(kind)/(1<<20)) * (1 << 20)) }
	return costFile{
		CPUCores: digits(of(calibration.CPU)), Memory: mib(calibration.Memory), VRAM: mib(calibration.VRAM),
		GPU: quantity.Share(digits(min(1, of(calibration.GPULoad)))), Encoder: quantity.Share(digits(min(1, of(calibration.Encoder)))),
		EncoderSessions: math.Round(of(calibration.EncoderSessions)),
	}
}

// hundredths rounds a size to hundredths of a GiB.
func hundredths(bytes float64) quantity.Bytes {
	return quantity.Bytes(math.Round(bytes/(1<<30)*100) / 100 * (1 << 30))
}

// digits keeps four of them behind the point: more say nothing.
func digits(x float64) float64 { return math.Round(x*1e4) / 1e4 }

func costOf(c admission.Cost) costFile {
	return costFile{
		CPUCores: c.CPUCores, Memory: quantity.Bytes(c.MemoryBytes), GPU: quantity.Share(c.GPU), VRAM: quantity.Bytes(c.VRAMBytes),
		Encoder: quantity.Share(c.Encoder), EncoderSessions: c.EncoderSessions,
	}
}

// write writes the file, whole or not at all.
func (f profileFile) write(path string, words ...string) error {
	text := f.format(words)
	if _, err := parseProfile(path, []byte(text)); err != nil {
		return fmt.Errorf("the profile cannot be written: %w", err)
	}
	next, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("the profile cannot be written: %w", err)
	}
	_, err = next.WriteString(text)
	err = errors.Join(err, next.Chmod(0o644), next.Sync(), next.Close()) // no secret: others may read it
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the profile cannot be written: %w", err), os.Remove(next.Name()))
	}
	return nil
}

func (f profileFile) format(words []string) string {
	var b strings.Builder
	for _, w := range words {
		fmt.Fprintf(&b, "# %s\n", strings.Join(strings.Fields(w), " "))
	}
	fmt.Fprintf(&b, "version: %d\napp: %q\n", f.Version, f.App)
	if f.Date != "" { // it was calibrated
		f.formatOrigin(&b)
	}
	b.WriteString("# Sessions that fit on one host: every resource stays at or under its threshold. 0: not known, load decides.\n")
	fmt.Fprintf(&b, "seats: %d\n", f.Seats)
	if len(f.SeatsPerGPU) > 0 {
		fmt.Fprintf(&b, "seats_per_gpu: %s\n", list(f.SeatsPerGPU, strconv.Itoa))
	}
	if f.Binding != "" {
		fmt.Fprintf(&b, "# What allows no more, and how sure the number is.\nbinding: %s\nconfidence: %s\n", f.Binding, f.Confidence)
	}
	b.WriteString("# From a session's start until it is ready, and from then until its load has settled.\n")
	fmt.Fprintf(&b, "start: %s\nsettle: %s\n", f.Start, f.Settle)
	b.WriteString("# What one session takes: CPU in cores, gpu and encoder as a share of one GPU.\n")
	f.Cost.format(&b, "cost", "")
	b.WriteString("# How far one may be off (standard deviation).\n")
	f.Spread.format(&b, "spread", "")
	if f.Date != "" {
		b.WriteString("# Between these the mean lies with 95 % probability, as far as was measured.\ninterval:\n")
		f.Interval.Low.format(&b, "low", "  ")
		f.Interval.High.format(&b, "high", "  ")
	}
	return b.String()
}

// formatOrigin says what was measured, when and where.
func (f profileFile) formatOrigin(b *strings.Builder) {
	if f.Partial != "" {
		fmt.Fprintf(b, "# Why it did not come to its end.\npartial: %s\n", quote(f.Partial))
	}
	fmt.Fprintf(b, "date: %s\ncommand: %s\n", quote(f.Date), list(f.Command, quote))
	m := f.Machine
	b.WriteString("# Where it was measured. On a host with other GPUs or cores the seats do not count, and the costs count as less sure.\nmachine:\n")
	fmt.Fprintf(b, "  cpu: %s\n  cores: %s\n  share: %s\n  memory: %s\n  gpus: %s\n  driver: %s\n  system: %s\n",
		quote(m.CPU), number(m.Cores), quote(m.Share), m.Memory, list(m.GPUs, gpuFile.format), quote(m.Driver), quote(m.System))
}

func (g gpuFile) format() string { return fmt.Sprintf("{name: %s, vram: %s}", quote(g.Name), g.VRAM) }

func (c costFile) format(b *strings.Builder, key, indent string) {
	fmt.Fprintf(b, "%s%s:\n", indent, key)
	for _, x := range []struct{ name, value string }{
		{"cpu_cores", number(c.CPUCores)}, {"memory", c.Memory.String()}, {"gpu", c.GPU.String()}, {"vram", c.VRAM.String()},
		{"encoder", c.Encoder.String()}, {"encoder_sessions", number(c.EncoderSessions)},
	} {
		fmt.Fprintf(b, "%s  %s: %s\n", indent, x.name, x.value)
	}
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// quote writes a text as YAML and Go both read it; what is no text is left out.
func quote(s string) string { return strconv.Quote(strings.ToValidUTF8(s, "")) }

func list[T any](items []T, format func(T) string) string {
	parts := make([]string, len(items))
	for i, x := range items {
		parts[i] = format(x)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// seconds rounds to milliseconds: nobody starts an app more exactly.
func seconds(s float64) quantity.Duration {
	return quantity.Duration(time.Duration(s * float64(time.Second)).Round(time.Millisecond))
}
