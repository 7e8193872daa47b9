package calibration

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Order is what is asked of a host: to calibrate an app as its own config
// starts it. What is zero is left to the host's defaults.
type Order struct {
	App        string             `json:"app"`
	Thresholds map[string]float64 `json:"thresholds,omitempty"` // by kind, fractions of 1
	MaxCopies  int                `json:"max_copies,omitempty"`
	GPUs       string             `json:"gpus,omitempty"` // all, none, or numbers with commas between
	Repeat     int                `json:"repeat,omitempty"`
	FPS        float64            `json:"fps,omitempty"` // by delivered frames of the published stream
	PeriodS    float64            `json:"period_s,omitempty"`
	MinSettleS float64            `json:"min_settle_s,omitempty"`
	MaxSettleS float64            `json:"max_settle_s,omitempty"`
	SoakS      float64            `json:"soak_s,omitempty"`
}

// Kinds are all kinds of resources, sorted.
func Kinds() []string {
	return []string{CPU, Encoder, EncoderSessions, GPULoad, Memory, Uplink, VRAM}
}

// Check says what is wrong with an order. Ranges are wide: the host checks what
// it is asked again, with its own words.
func (o Order) Check() error {
	for kind, v := range o.Thresholds {
		if !slices.Contains(Kinds(), kind) {
			return fmt.Errorf("thresholds: no resource %q; want one of %s", kind, strings.Join(Kinds(), ", "))
		}
		if !(v >= 0.01 && v <= 1) {
			return fmt.Errorf("thresholds.%s is %v; want 0.01 to 1", kind, v)
		}
	}
	for name, v := range map[string]float64{
		"period_s": o.PeriodS, "min_settle_s": o.MinSettleS, "max_settle_s": o.MaxSettleS, "soak_s": o.SoakS, "fps": o.FPS,
	} {
		if !(v >= 0 && v <= 86400) {
			return fmt.Errorf("%s is %v; want 0 (the host's default) to 86400", name, v)
		}
	}
	switch {
	case o.App == "":
		return fmt.Errorf("app is missing; want the name of an app of the host")
	case o.MaxCopies < 0 || o.MaxCopies > 1000:
		return fmt.Errorf("max_copies is %d; want 0 (the host's default) to 1000", o.MaxCopies)
	case o.Repeat < 0 || o.Repeat > 100:
		return fmt.Errorf("repeat is %d; want 0 (once) to 100", o.Repeat)
	case strings.Trim(o.GPUs, "0123456789, ") != "" && o.GPUs != "all" && o.GPUs != "none":
		return fmt.Errorf("gpus is %.40q; want all, none, or numbers such as 0,2", o.GPUs)
	}
	return nil
}

// Flags are the order as flags of `rendergate calibrate`.
func (o Order) Flags() []string {
	flags := []string{"--app", o.App}
	add := func(set bool, name, value string) {
		if set {
			flags = append(flags, name, value)
		}
	}
	var limits []string
	for _, kind := range slices.Sorted(maps.Keys(o.Thresholds)) {
		limits = append(limits, fmt.Sprintf("%s=%g", kind, o.Thresholds[kind]))
	}
	seconds := func(s float64) string { return fmt.Sprintf("%dms", int64(math.Round(1000*s))) }
	add(len(limits) > 0, "--threshold", strings.Join(limits, ","))
	add(o.MaxCopies > 0, "--max-copies", fmt.Sprint(o.MaxCopies))
	add(o.GPUs != "", "--gpus", o.GPUs)
	add(o.Repeat > 0, "--repeat", fmt.Sprint(o.Repeat))
	add(o.FPS > 0, "--fps", fmt.Sprint(o.FPS))
	add(o.PeriodS > 0, "--period", seconds(o.PeriodS))
	add(o.MinSettleS > 0, "--min-settle", seconds(o.MinSettleS))
	add(o.MaxSettleS > 0, "--max-settle", seconds(o.MaxSettleS))
	add(o.SoakS > 0, "--soak", seconds(o.SoakS))
	return flags
}

// Update is one word of a calibration on its way from the host to who asked for
// it. Result or Error is the last.
type Update struct {
	ID       string    `json:"id,omitempty"`
	Progress *Progress `json:"progress,omitempty"`
	Result   *Result   `json:"result,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// Last says whether nothing comes after it.
func (u Update) Last() bool { return u.Result != nil || u.Error != "" }
