// Package calibration is what a calibration tells: how it goes while it runs,
// and what came of it. Loads are fractions of 1 of the resource: 0.85 is 85 %.
package calibration

import (
	"strconv"
	"strings"
	"time"
)

// Version is that of [Result].
const Version = 1

// Result is what came of a calibration.
type Result struct {
	Version    int                 `json:"version"`
	App        string              `json:"app"`
	Command    []string            `json:"command"`
	At         time.Time           `json:"at"` // when it ended
	DurationS  float64             `json:"duration_s"`
	Partial    string              `json:"partial,omitempty"` // why it did not come to its end; empty: it did
	Machine    Machine             `json:"machine"`
	Fits       int                 `json:"fits"`                   // copies with which every resource stays at or under its threshold
	FitsPerGPU []int               `json:"fits_per_gpu,omitempty"` // of them, on each GPU
	Binding    string              `json:"binding"`                // what allows no more: a kind of resource, or one of the words below
	Confidence float64             `json:"confidence"`             // probability that Fits is neither too high nor too low, 0 to 1
	Runs       []int               `json:"runs"`                   // what each repetition came to
	StartS     float64             `json:"start_s"`                // from a copy's start until it is ready, the median
	SettleS    float64             `json:"settle_s"`               // from then until the load has settled, the median
	Resources  map[string]Resource `json:"resources"`              // by kind
	Check      *Check              `json:"check,omitempty"`        // one copy past the answer
	Frames     *Frames             `json:"frames,omitempty"`       // of a calibration by delivered frames
	Findings   []Finding           `json:"findings,omitempty"`     // what load alone would have hidden
	Steps      []Step              `json:"steps"`                  // in the order in which they were measured
}

// What can bind besides a resource.
const (
	BindingFrames    = "frames"     // a copy more, and some deliver too few
	BindingStarting  = "starting"   // a copy more does not start, or ends by itself
	BindingMaxCopies = "max_copies" // no more were asked for
)

// Machine is what it was measured on.
type Machine struct {
	Name        string  `json:"name,omitempty"`
	CPU         string  `json:"cpu"` // model
	Cores       float64 `json:"cores"`
	Share       string  `json:"share,omitempty"` // what counts as the host, in words
	MemoryBytes float64 `json:"memory_bytes"`
	GPUs        []GPU   `json:"gpus,omitempty"`
	Driver      string  `json:"driver,omitempty"`
	System      string  `json:"system"`
}

// GPU is one of a machine's.
type GPU struct {
	Name      string  `json:"name"`
	VRAMBytes float64 `json:"vram_bytes"`
}

// Kinds of resources. Those of a GPU are counted for each GPU by itself.
const (
	CPU             = "cpu"
	Memory          = "memory"
	Uplink          = "uplink"
	GPULoad         = "gpu"
	VRAM            = "vram"
	Encoder         = "encoder"
	EncoderSessions = "encoder_sessions"
)

// Key names a resource of a host: its kind, and the GPU where it is one of a
// GPU, as in "vram/1".
func Key(kind string, gpu int) string {
	if gpu < 0 {
		return kind
	}
	return kind + "/" + strconv.Itoa(gpu)
}

// SplitKey takes a key apart; gpu is -1 where it is not of a GPU.
func SplitKey(key string) (kind string, gpu int) {
	kind, number, found := strings.Cut(key, "/")
	if !found {
		return kind, -1
	}
	gpu, err := strconv.Atoi(number)
	if err != nil {
		return kind, -1
	}
	return kind, gpu
}

// Resource is how one kind of resource is used. Where there are several GPUs it
// is that of the fullest, and Devices has each.
type Resource struct {
	GPU           int        `json:"gpu"`              // index, -1 for none
	Capacity      float64    `json:"capacity"`         // what 1 is: cores, bytes, bits per second, sessions, one GPU or encoder
	Threshold     float64    `json:"threshold"`        // 0: none, as where the capacity is unknown
	Base          float64    `json:"base"`             // without copies
	PerCopy       float64    `json:"per_copy"`         // the mean from none to Fits
	PerCopyLow    float64    `json:"per_copy_low"`     // 95 % interval
	PerCopyHigh   float64    `json:"per_copy_high"`    //
	Spread        *float64   `json:"spread"`           // standard deviation in time of what one copy uses; null: copies are not seen by themselves
	Peak          *float64   `json:"peak"`             // 0.95 quantile of it
	Curve         Curve      `json:"curve"`            // load against copies
	Alone         int        `json:"alone"`            // copies that it would allow by itself; -1: no end was seen
	AtFits        float64    `json:"at_fits"`          // measured with Fits copies
	AtFitsPlusOne float64    `json:"at_fits_plus_one"` // with one more: seen, or else predicted
	Seen          bool       `json:"at_fits_plus_one_seen"`
	Devices       []Resource `json:"devices,omitempty"` // where there is more than one
}

// Curve is load against the number of copies n (of a GPU: copies on it):
// Base + Slope*n + Bend*n^2.
type Curve struct {
	Base  float64 `json:"base"`
	Slope float64 `json:"slope"`
	Bend  float64 `json:"bend"`  // 0 where a straight line explains it
	Sigma float64 `json:"sigma"` // standard deviation of levels about the curve
}

// At is the load with n copies.
func (c Curve) At(n float64) float64 { return c.Base + c.Slope*n + c.Bend*n*n }

// Check is what was predicted of one copy past the answer, before it was
// opened, and what was seen then.
type Check struct {
	Copies    int     `json:"copies"`
	Resource  string  `json:"resource"` // the binding one's key
	Predicted float64 `json:"predicted"`
	Low       float64 `json:"predicted_low"` // 95 % interval
	High      float64 `json:"predicted_high"`
	Seen      float64 `json:"seen"`              // 0 where it was not opened
	Skipped   string  `json:"skipped,omitempty"` // why it was not
}

// Frames is how many frames a second copies delivered.
type Frames struct {
	Floor         float64 `json:"floor"`
	AtFits        float64 `json:"at_fits"` // of the slowest copy, the mean
	AtFitsPlusOne float64 `json:"at_fits_plus_one"`
}

// Finding is something that the load alone would have hidden.
type Finding struct {
	Code    string `json:"code"`
	Message string `json:"message"` // for people: what it is, and what to do
	Copies  int    `json:"copies"`  // with how many it was seen
}

// Step is one number of copies, measured.
type Step struct {
	Run     int                  `json:"run"` // repetition, from 1
	Copies  int                  `json:"copies"`
	PerGPU  []int                `json:"per_gpu,omitempty"`
	Soak    bool                 `json:"soak,omitempty"` // it confirms the answer
	StartS  float64              `json:"start_s"`        // of the copy that was opened for it
	Levels  map[string]Level     `json:"levels"`         // by key
	Frames  *float64             `json:"frames,omitempty"`
	Trace   map[string][]float64 `json:"trace,omitempty"` // readings, one each PeriodS
	PeriodS float64              `json:"period_s"`
}

// Verdict says how a load stands.
type Verdict string

// The verdicts.
const (
	Rising   Verdict = "rising"   // it still goes somewhere, or too little is known
	Settled  Verdict = "settled"  // a level, with noise
	Periodic Verdict = "periodic" // whole periods agree: a loop of the scene
	Restless Verdict = "restless" // it did not settle in time
)

// Level is what a load came to.
type Level struct {
	Verdict Verdict `json:"verdict"`
	Mean    float64 `json:"mean"`     // of whole periods where it is periodic
	Half    float64 `json:"half"`     // half the 95 % interval of Mean
	High    float64 `json:"high"`     // 0.95 quantile of whole periods, or of the window
	Judged  float64 `json:"judged"`   // what is held against the threshold: Mean where it settled, High where it did not
	PeriodS float64 `json:"period_s"` // 0 where there is none
	Seconds float64 `json:"seconds"`  // how long it took
}

// Progress is how a calibration goes.
type Progress struct {
	Phase     Phase    `json:"phase"`
	Text      string   `json:"text"` // one line for people
	Run       int      `json:"run"`
	Copies    int      `json:"copies"`
	Bars      []Bar    `json:"bars"`
	ElapsedS  float64  `json:"elapsed_s"`
	ExpectedS *float64 `json:"expected_s"` // until the end; null while unknown
}

// Phase is what it is at.
type Phase string

// The phases.
const (
	Waiting  Phase = "waiting"  // for the host to be empty
	Base     Phase = "base"     // measuring the host without copies
	Opening  Phase = "opening"  // a copy starts
	Settling Phase = "settling" // its load settles
	Soaking  Phase = "soaking"  // the answer is confirmed
	Closing  Phase = "closing"  // copies end
)

// Bar is one resource against its threshold.
type Bar struct {
	Key       string  `json:"key"`
	Now       float64 `json:"now"`
	Level     float64 `json:"level"`     // what it would be judged by if it ended now
	Threshold float64 `json:"threshold"` // 0: none
	Verdict   Verdict `json:"verdict"`
}
