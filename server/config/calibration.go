package config

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/calibration"
	"github.com/rendergate/rendergate/probe/wire/quantity"
)

// WriteCalibration writes what came of a calibration as a profile, and returns
// where. A profile that stands at the path is kept as PATH.previous; a partial
// result takes the place of none that is whole, or that cannot be read: it goes
// to PATH.partial. On an error what stood at the path still does.
func WriteCalibration(path string, r calibration.Result) (string, error) {
	f := calibrationFile(r)
	words := []string{
		fmt.Sprintf("How many copies of %s fit on one host of this kind, and what one takes.", r.App),
		"Written by `rendergate calibrate`; `rendergate serve` reads it where the config's pools.POOL.apps.APP.profile names it.",
	}
	switch {
	case f.Partial != "":
		words = append([]string{"PARTIAL: " + f.Partial + ". No number of seats is confirmed; load alone decides."}, words...)
	case f.Seats == 0:
		words = append([]string{"NONE FITS: one copy alone passes a threshold. Seats of 0 are no limit; load alone decides."}, words...)
	}
	text, err := f.text(path, words)
	if err != nil {
		return "", err
	}
	switch worth, err := worthKeeping(path); {
	case err != nil:
		return "", err
	case worth && f.Partial != "":
		path += ".partial"
	case worth:
		if err := copyFile(path, path+".previous"); err != nil {
			return "", fmt.Errorf("the profile that stands at %s cannot be kept: %w", path, err)
		}
	}
	if err := replaceFile(path, text); err != nil {
		return "", err
	}
	return path, nil
}

// worthKeeping says whether a file stands at the path that must not be lost:
// any but a partial profile. One that cannot be read may be of a later version.
func worthKeeping(path string) (bool, error) {
	switch s, err := os.Stat(path); {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("the profile cannot be written: %w", err)
	case !s.Mode().IsRegular():
		return false, errIrregular(path)
	}
	if old, err := loadProfile(path); err == nil && old.Partial != "" {
		return false, nil
	}
	return true, nil
}

// ProfileOf is what the service goes by of a calibration, as if its file was
// read.
func ProfileOf(r calibration.Result) admission.Profile { return calibrationFile(r).profile() }

// calibrationFile takes from a result what the service goes by, and where it is
// from.
func calibrationFile(r calibration.Result) profileFile {
	f := profileFile{
		Version: ProfileVersion, App: r.App, Partial: r.Partial, Date: r.At.UTC().Format(time.RFC3339), Command: r.Command,
		Seats: r.Fits, SeatsPerGPU: r.FitsPerGPU, Binding: r.Binding, Confidence: share(r.Confidence),
		Start: seconds(r.StartS), Settle: seconds(r.SettleS),
		Machine: machineFile{
			CPU: r.Machine.CPU, Cores: r.Machine.Cores, Share: r.Machine.Share, Memory: hundredths(r.Machine.MemoryBytes),
			Driver: r.Machine.Driver, System: r.Machine.System,
		},
		Cost:   rounded(reserved(costBy(r, cost))),
		Spread: rounded(costBy(r, spread)),
		Interval: intervalFile{
			Low:  rounded(costBy(r, func(_ string, x calibration.Resource) float64 { return x.PerCopyLow })),
			High: rounded(costBy(r, func(_ string, x calibration.Resource) float64 { return x.PerCopyHigh })),
		},
	}
	for _, g := range r.Machine.GPUs {
		f.Machine.GPUs = append(f.Machine.GPUs, gpuFile{Name: g.Name, VRAM: hundredths(g.VRAMBytes)})
	}
	if f.Partial != "" {
		f.Seats, f.SeatsPerGPU, f.Confidence = 0, nil, 0
	}
	if sum(f.SeatsPerGPU) > f.Seats {
		f.SeatsPerGPU = nil // it is for people, and not worth losing the rest
	}
	if !usesGPU(r) {
		f.Cost, f.Spread = f.Cost.withoutGPU(), f.Spread.withoutGPU()
	}
	return f
}

// cost is what one session is expected to take: of memory and VRAM, which are
// reserved whole, the upper end of the interval.
func cost(kind string, x calibration.Resource) float64 {
	if ceiling(kind) && finite(x.PerCopyHigh) {
		return x.PerCopyHigh
	}
	return x.PerCopy
}

// spread is how far one session may be off: how its use varies in time, and how
// sure the mean is. A ceiling is not exceeded, and has none: the service would
// reserve two of it on top.
func spread(kind string, x calibration.Resource) float64 {
	if ceiling(kind) || kind == calibration.EncoderSessions {
		return 0
	}
	deviation := max(0, (x.PerCopyHigh-x.PerCopyLow)/2/1.96)
	if !finite(deviation) {
		deviation = 0
	}
	if x.Spread != nil {
		deviation = math.Hypot(deviation, *x.Spread)
	}
	return deviation
}

func ceiling(kind string) bool { return kind == calibration.Memory || kind == calibration.VRAM }

func finite(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }

// leastShare is how much of a GPU a session must take, in the mean, for noise
// to be taken for use.
const leastShare = 0.005

// usesGPU says whether a copy was seen to use a GPU in any way. What is less than
// the noise of measuring would tie an app to hosts with GPUs that needs none.
func usesGPU(r calibration.Result) bool {
	for _, kind := range []string{calibration.GPULoad, calibration.VRAM, calibration.Encoder, calibration.EncoderSessions} {
		if x := r.Resources[kind]; x.PerCopy > 0 && x.PerCopyLow > 0 || x.PerCopy >= leastShare {
			return true
		}
	}
	return false
}

func (c costFile) withoutGPU() costFile { return costFile{CPUCores: c.CPUCores, Memory: c.Memory} }

// costBy makes a cost in its units of what is taken from each resource. What is
// not known, or below nothing, is 0.
func costBy(r calibration.Result, take func(kind string, x calibration.Resource) float64) admission.Cost {
	of := func(kind string) float64 {
		x, known := r.Resources[kind]
		if v := take(kind, x) * x.Capacity; known && v > 0 && finite(v) {
			return v
		}
		return 0
	}
	return admission.Cost{
		CPUCores: of(calibration.CPU), MemoryBytes: of(calibration.Memory), VRAMBytes: of(calibration.VRAM),
		GPU: min(1, of(calibration.GPULoad)), Encoder: min(1, of(calibration.Encoder)), EncoderSessions: of(calibration.EncoderSessions),
	}
}

// sessionNoise is how far above a whole number of encoder sessions the mean may
// lie and still be that number.
const sessionNoise = 0.1

// reserved rounds up what is reserved whole.
func reserved(c admission.Cost) admission.Cost {
	up := func(bytes float64) float64 { return math.Ceil(bytes/(1<<20)) * (1 << 20) }
	c.MemoryBytes, c.VRAMBytes = up(c.MemoryBytes), up(c.VRAMBytes)
	c.EncoderSessions = max(0, math.Ceil(c.EncoderSessions-sessionNoise))
	return c
}

// rounded drops digits that say nothing: sizes are in whole MiB.
func rounded(c admission.Cost) costFile {
	mib := func(bytes float64) quantity.Bytes { return quantity.Bytes(math.Round(bytes/(1<<20)) * (1 << 20)) }
	return costFile{
		CPUCores: digits(c.CPUCores), Memory: mib(c.MemoryBytes), VRAM: mib(c.VRAMBytes),
		GPU: share(c.GPU), Encoder: share(c.Encoder), EncoderSessions: digits(c.EncoderSessions),
	}
}

// hundredths rounds a size to hundredths of a GiB.
func hundredths(bytes float64) quantity.Bytes {
	return quantity.Bytes(math.Round(bytes/(1<<30)*100) / 100 * (1 << 30))
}

// share is in hundredths of a percent, divided as one is that is read.
func share(x float64) quantity.Share { return quantity.Share(math.Round(x*1e4) / 1e2 / 1e2) }

// digits keeps four of them behind the point.
func digits(x float64) float64 { return math.Round(x*1e4) / 1e4 }
