package config

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/quantity"
)

// WriteProfile writes a profile to the path, in the form that [LoadProfile]
// reads. The words, if any, become comments on top, a line each.
func WriteProfile(path string, p admission.Profile, words ...string) error {
	f := profileFile{
		Version: ProfileVersion, App: p.App, Seats: p.Seats, Start: seconds(p.StartS), Settle: seconds(p.SettleS),
		Cost: costOf(p.Cost), Spread: costOf(p.Spread), Doubt: quantity.Share(p.Doubt),
	}
	text, err := f.text(path, words)
	if err != nil {
		return err
	}
	return replaceFile(path, text)
}

func costOf(c admission.Cost) costFile {
	return costFile{
		CPUCores: c.CPUCores, Memory: quantity.Bytes(c.MemoryBytes), GPU: quantity.Share(c.GPU), VRAM: quantity.Bytes(c.VRAMBytes),
		Encoder: quantity.Share(c.Encoder), EncoderSessions: c.EncoderSessions,
	}
}

// text is the file's, which reads back.
func (f profileFile) text(path string, words []string) (string, error) {
	text := f.format(words)
	if _, err := parseProfile(path, []byte(text)); err != nil {
		return "", fmt.Errorf("the profile cannot be written: %w", err)
	}
	return text, nil
}

func (f profileFile) format(words []string) string {
	var b strings.Builder
	for _, w := range words {
		fmt.Fprintf(&b, "# %s\n", strings.Join(strings.Fields(w), " "))
	}
	b.WriteString("\n")
	line(&b, "version: "+strconv.Itoa(f.Version), "of this format")
	if f.Date != "" { // before all else, see checkWhole
		line(&b, "date: "+quote(f.Date), "when it was calibrated, UTC")
	}
	line(&b, "app: "+quote(f.App), "its name in the service's config")
	if f.Date != "" {
		f.formatOrigin(&b)
	}
	f.formatSeats(&b)
	b.WriteString("\n# Times of one session.\n")
	line(&b, "start: "+f.Start.String(), "from its start until it is ready, the median")
	line(&b, "settle: "+f.Settle.String(), "from then until its load has settled, the median")
	b.WriteString("\n# What one session takes. Load is the mean; memory and VRAM are reserved, so they are the most to expect.\n")
	f.Cost.format(&b, "cost", "")
	b.WriteString("\n# How far one session's load may be off: the standard deviation, in the same units.\n")
	f.Spread.format(&b, "spread", "")
	if f.Doubt > 0 {
		b.WriteString("\n# How far the mean of all sessions may be off, before any were measured.\n")
		line(&b, "doubt: "+f.Doubt.String(), "standard deviation, of the cost; without it 50% of a guess, 5% where there are seats")
	}
	if f.Date != "" {
		b.WriteString("\n# Between low and high the mean of one session lies with 95 % probability, in the same units. For people.\ninterval:\n")
		f.Interval.Low.format(&b, "low", "  ")
		f.Interval.High.format(&b, "high", "  ")
	}
	return b.String()
}

// formatOrigin says what was measured, and where.
func (f profileFile) formatOrigin(b *strings.Builder) {
	if f.Partial != "" {
		line(b, "partial: "+quote(f.Partial), "why it did not come to its end")
	}
	b.WriteString("\n# What was started, a copy at a time.\n")
	fmt.Fprintf(b, "command: %s\n", list(f.Command, quote))
	m := f.Machine
	b.WriteString("\n# Where it was measured. On a host with other GPUs or cores the seats do not count, and the costs count as less sure.\nmachine:\n")
	line(b, "  cpu: "+quote(m.CPU), "model")
	line(b, "  cores: "+number(m.Cores), "of which the CPU's load was measured")
	line(b, "  share: "+quote(m.Share), `what counted as the host; "" is all of the machine`)
	line(b, "  memory: "+size(m.Memory), "of the machine")
	line(b, "  gpus: "+list(m.GPUs, gpuFile.format), "as the driver names them")
	line(b, "  driver: "+quote(m.Driver), "of the GPUs")
	line(b, "  system: "+quote(m.System), "that ran it")
}

func (f profileFile) formatSeats(b *strings.Builder) {
	b.WriteString("\n# How many fit.\n")
	line(b, "seats: "+strconv.Itoa(f.Seats), "sessions on one host, every resource at or under its threshold; 0: not known, load decides")
	if len(f.SeatsPerGPU) > 0 {
		line(b, "seats_per_gpu: "+list(f.SeatsPerGPU, strconv.Itoa), "of them, on each GPU")
	}
	if f.Binding != "" {
		line(b, "binding: "+f.Binding, "what allows no more")
	}
	if f.Confidence > 0 {
		line(b, "confidence: "+f.Confidence.String(), "probability that seats is neither too high nor too low")
	}
}

func (g gpuFile) format() string {
	return fmt.Sprintf("{name: %s, vram: %s}", quote(g.Name), size(g.VRAM))
}

func (c costFile) format(b *strings.Builder, key, indent string) {
	fmt.Fprintf(b, "%s%s:\n", indent, key)
	for _, x := range []struct{ key, value, unit string }{
		{"cpu_cores", number(c.CPUCores), "cores"},
		{"memory", size(c.Memory), "of the host's"},
		{"gpu", c.GPU.String(), "of one GPU"},
		{"vram", size(c.VRAM), "of one GPU's memory"},
		{"encoder", c.Encoder.String(), "of one GPU's encoder"},
		{"encoder_sessions", number(c.EncoderSessions), "of one GPU"},
	} {
		line(b, indent+"  "+x.key+": "+x.value, x.unit)
	}
}

// line writes one with its comment.
func line(b *strings.Builder, text, comment string) {
	fmt.Fprintf(b, "%-29s # %s\n", text, comment)
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// size prefers MiB to fractions of a GiB.
func size(x quantity.Bytes) string {
	const mib, gib = 1 << 20, 1 << 30
	if v := x.Count(); v >= mib && math.Mod(v, mib) == 0 && math.Mod(v, gib) != 0 {
		return number(v/mib) + " MiB"
	}
	return x.String()
}

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

// replaceFile writes the file, whole or not at all: who reads it meanwhile, or
// after a crash, finds the one before or this one.
func replaceFile(path, text string) error {
	if err := replace(path, strings.NewReader(text)); err != nil {
		return fmt.Errorf("the profile cannot be written: %w", err)
	}
	return nil
}

func copyFile(from, to string) (err error) {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return replace(to, f)
}

func replace(path string, with io.Reader) error {
	if s, err := os.Stat(path); err == nil && !s.Mode().IsRegular() {
		return errIrregular(path)
	}
	next, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = io.Copy(next, with)
	err = errors.Join(err, next.Chmod(0o644), next.Sync(), next.Close()) // no secret: others may read it
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next.Name()))
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder puts the new name on disk.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	_ = folder.Sync() // not every file system can, and then it is there in a moment
	return folder.Close()
}

func errIrregular(path string) error {
	return fmt.Errorf("%s is a folder or a device; want a file, such as showroom.profile.yaml", path)
}
