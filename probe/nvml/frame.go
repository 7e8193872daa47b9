package nvml

import (
	"encoding/json"
	"fmt"
	"math"
)

// Frame is what the child tells at one reading, one line of JSON. Values that
// the driver does not give are absent: unknown is not zero.
type Frame struct {
	Error   string   `json:"error,omitempty"` // why there are no GPUs; the child ends then
	Driver  string   `json:"driver,omitempty"`
	Devices []Device `json:"devices"`
}

// Device is one GPU. Shares are fractions of 1, memory is in bytes.
type Device struct {
	UUID            string    `json:"uuid"`
	Name            string    `json:"name"`
	Lost            string    `json:"lost,omitempty"` // why it cannot be read
	MIG             bool      `json:"mig,omitempty"`  // divided: it has no utilisation then
	Util            *float64  `json:"util,omitempty"`
	Encoder         *float64  `json:"encoder,omitempty"`
	EncoderSessions *float64  `json:"encoder_sessions,omitempty"`
	VRAM            *float64  `json:"vram_bytes,omitempty"` // in use
	VRAMTotal       *float64  `json:"vram_total_bytes,omitempty"`
	Throttled       string    `json:"throttled,omitempty"` // why its clocks are held down
	Processes       []Process `json:"processes,omitempty"`
	PerProcess      bool      `json:"per_process,omitempty"` // Util and Encoder of processes are known: none listed means idle
}

// Process is one process on a GPU.
type Process struct {
	PID     int      `json:"pid"`
	Util    *float64 `json:"util,omitempty"`
	Encoder *float64 `json:"encoder,omitempty"`
	VRAM    *float64 `json:"vram_bytes,omitempty"`
}

// The bounds of a frame.
const (
	maxLine      = 1 << 20
	maxDevices   = 64
	maxProcesses = 10_000
	mostShare    = 1.05 // drivers round
	mostBytes    = 1 << 50
)

// ParseFrame reads a line of the child. What no GPU can have is an error.
func ParseFrame(line []byte) (Frame, error) {
	var f Frame
	if err := json.Unmarshal(line, &f); err != nil {
		return Frame{}, fmt.Errorf("the reader said what is no frame: %w", err)
	}
	if len(f.Devices) > maxDevices {
		return Frame{}, fmt.Errorf("the reader saw %d GPUs; at most %d can be", len(f.Devices), maxDevices)
	}
	seen := map[string]bool{}
	for _, d := range f.Devices {
		if d.UUID == "" || seen[d.UUID] {
			return Frame{}, fmt.Errorf("the reader saw two GPUs %q, or one without a UUID", d.UUID)
		}
		seen[d.UUID] = true
		if err := d.check(); err != nil {
			return Frame{}, fmt.Errorf("GPU %s: %w", d.UUID, err)
		}
	}
	return f, nil
}

func (d Device) check() error {
	if len(d.Processes) > maxProcesses {
		return fmt.Errorf("%d processes; at most %d can be", len(d.Processes), maxProcesses)
	}
	values := map[string]limited{
		"util": {d.Util, mostShare}, "encoder": {d.Encoder, mostShare}, "encoder_sessions": {d.EncoderSessions, 1e6},
		"vram_bytes": {d.VRAM, mostBytes}, "vram_total_bytes": {d.VRAMTotal, mostBytes},
	}
	for name, v := range values {
		if err := v.check(name); err != nil {
			return err
		}
	}
	for _, p := range d.Processes {
		for name, v := range map[string]limited{"util": {p.Util, mostShare}, "encoder": {p.Encoder, mostShare}, "vram_bytes": {p.VRAM, mostBytes}} {
			if err := v.check(name); err != nil {
				return fmt.Errorf("process %d: %w", p.PID, err)
			}
		}
	}
	return nil
}

// limited is a value and the most that it can be.
type limited struct {
	value *float64
	most  float64
}

func (l limited) check(name string) error {
	if v := l.value; v != nil && (math.IsNaN(*v) || *v < 0 || *v > l.most) {
		return fmt.Errorf("%s is %v; want 0 to %v", name, *v, l.most)
	}
	return nil
}
