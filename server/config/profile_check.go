package config

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/calibration"
	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/auth"
)

const (
	maxSeats = 10_000
	maxCores = 4096
)

// check looks for values that each can be read but cannot be right.
func (f profileFile) check(d *document.Document) {
	f.checkVersion(d)
	if !auth.ValidName(f.App) {
		d.Reject("app", `want the app's name, 1 to 64 letters, digits, ".", "_" or "-", got %q`, f.App)
	}
	f.checkDate(d)
	f.checkSeats(d)
	if c := f.Machine.Cores; !(c >= 0 && c <= maxCores) {
		d.Reject("machine.cores", "want 0 to %d cores, got %v", maxCores, c)
	}
	for key, c := range map[string]costFile{"cost.": f.Cost, "spread.": f.Spread, "interval.low.": f.Interval.Low, "interval.high.": f.Interval.High} {
		c.check(key, d)
	}
	if f.Doubt > admission.MostDoubt {
		d.Reject("doubt", `want at most 200%%, such as "50%%" of the cost, got %q`, f.Doubt)
	}
	f.Interval.check(d)
	f.checkWhole(d)
}

func (f profileFile) checkVersion(d *document.Document) {
	switch {
	case !d.Has("version"):
		d.Reject("version", "want version: %d, got none; %s", ProfileVersion, noProfile)
	case f.Version > ProfileVersion:
		d.Reject("version", "want version: %d, the newest that this program reads, got %d: calibrate again with this program, or update it", ProfileVersion, f.Version)
	case f.Version != ProfileVersion:
		d.Reject("version", "want version: %d, got %d", ProfileVersion, f.Version)
	}
}

func (f profileFile) checkDate(d *document.Document) {
	if _, err := time.Parse(time.RFC3339, f.Date); err != nil && f.Date != "" {
		d.Reject("date", "want a date such as 2026-11-21T05:09:36Z, got %.40q", f.Date)
	}
}

// checkWhole wants all that a calibration writes where the file is dated, as
// only theirs are: one that was cut off would else be one of sessions that cost
// nothing. The date stands before all of them, the interval is the last. What
// else is wrong with such a file follows from the cut.
func (f profileFile) checkWhole(d *document.Document) {
	for _, key := range []string{"seats", "cost", "spread", "interval"} {
		if f.Date != "" && !d.Has(key) {
			d.Forget()
			d.Reject(key, "is missing, though a calibration writes it: the file seems cut off; calibrate again, or take the .previous beside it")
			return
		}
	}
}

func (f profileFile) checkSeats(d *document.Document) {
	switch {
	case f.Seats < 0 || f.Seats > maxSeats:
		d.Reject("seats", "want 0 (not calibrated) to %d, got %d", maxSeats, f.Seats)
	case f.Partial != "" && f.Seats > 0:
		d.Reject("seats", "want 0 in a partial profile, since none are confirmed, got %d: remove partial if you know them", f.Seats)
	}
	for i, n := range f.SeatsPerGPU {
		if n < 0 || n > maxSeats {
			d.Reject(fmt.Sprintf("seats_per_gpu[%d]", i), "want 0 to %d, got %d", maxSeats, n)
			return
		}
	}
	if all := sum(f.SeatsPerGPU); all > f.Seats && f.Seats >= 0 {
		d.Reject("seats_per_gpu", "want numbers that add up to no more than seats (%d), got %d", f.Seats, all)
	}
	if f.Confidence > 1 {
		d.Reject("confidence", "want 0 to 100%%, got %s", f.Confidence)
	}
	if words := bindings(); f.Binding != "" && !slices.Contains(words, f.Binding) {
		d.Reject("binding", "want %s, got %.40q", strings.Join(words, " or "), f.Binding)
	}
}

func sum(numbers []int) int {
	all := 0
	for _, n := range numbers {
		all += n
	}
	return all
}

// bindings are the words for what can allow no more.
func bindings() []string {
	return []string{
		calibration.CPU, calibration.Memory, calibration.Uplink, calibration.GPULoad, calibration.VRAM, calibration.Encoder, calibration.EncoderSessions,
		calibration.BindingFrames, calibration.BindingStarting, calibration.BindingMaxCopies,
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

// check wants no low end above its high end; a high end of 0 is not known.
func (x intervalFile) check(d *document.Document) {
	low, high := x.Low, x.High
	order(d, "cpu_cores", low.CPUCores, high.CPUCores)
	order(d, "memory", low.Memory, high.Memory)
	order(d, "gpu", low.GPU, high.GPU)
	order(d, "vram", low.VRAM, high.VRAM)
	order(d, "encoder", low.Encoder, high.Encoder)
	order(d, "encoder_sessions", low.EncoderSessions, high.EncoderSessions)
}

func order[T cmp.Ordered](d *document.Document, name string, low, high T) {
	var unknown T
	if low > high && high != unknown {
		d.Reject("interval.low."+name, "want at most interval.high.%s (%v), got %v", name, high, low)
	}
}
