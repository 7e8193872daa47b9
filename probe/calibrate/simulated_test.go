package calibrate

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// simulated is a host whose loads follow from formulas, in the bubble's time.
type simulated struct {
	cores  float64
	memory float64 // bytes
	gpus   int
	base   float64 // cores in use without copies
	cost   func(age float64, copies int) float64
	bytes  float64                  // of one copy
	gpu    float64                  // of one copy
	vram   float64                  // of one copy, of 16 GB
	enc    float64                  // of one copy
	crash  func(copies int) (n int) // how many of the open copies end
	frames func(copies int) float64 // delivered by each
	idles  int                      // this copy does nothing
	change func(n int, r *Reading)  // of a reading
	rand   *rand.Rand
	noise  func() float64
	sd     float64

	places map[int]Place
	begun  map[int]time.Time
}

func (h *simulated) Facts() Facts {
	f := Facts{Capacity: map[string]float64{calibration.CPU: h.cores, calibration.Memory: h.memory}}
	for g := range h.gpus {
		f.Machine.GPUs = append(f.Machine.GPUs, calibration.GPU{Name: "simulated", VRAMBytes: 16e9})
		for _, kind := range []string{calibration.GPULoad, calibration.Encoder} {
			f.Capacity[calibration.Key(kind, g)] = 1
		}
		f.Capacity[calibration.Key(calibration.VRAM, g)] = 16e9
	}
	return f
}

func (h *simulated) Open(_ context.Context, p Place) error {
	time.Sleep(2 * time.Second)
	h.places[p.Copy], h.begun[p.Copy] = p, time.Now()
	return nil
}

func (h *simulated) Close(list ...int) {
	for _, n := range list {
		delete(h.places, n)
	}
}

func (h *simulated) Read(ctx context.Context) (Reading, error) {
	select {
	case <-ctx.Done():
		return Reading{}, ctx.Err()
	case <-time.After(time.Second):
	}
	r := Reading{Loads: map[string]float64{}, Copies: map[int]Use{}, Ended: map[int]string{}}
	cpu, memory := h.base, 0.1*h.memory
	perGPU := make([]float64, h.gpus)
	for n, p := range h.places {
		own := h.cost(time.Since(h.begun[n]).Seconds(), len(h.places))
		if n == h.idles {
			own = 0
		}
		cpu, memory = cpu+own, memory+h.bytes
		use := Use{Loads: map[string]float64{calibration.CPU: own / h.cores}}
		if h.frames != nil {
			f := h.frames(len(h.places))
			use.Frames = &f
		}
		r.Copies[n] = use
		if p.GPU >= 0 {
			perGPU[p.GPU]++
		}
	}
	r.Loads[calibration.CPU] = math.Min(1, math.Max(0, cpu/h.cores+h.noise()))
	r.Loads[calibration.Memory] = memory / h.memory
	for g, n := range perGPU {
		r.Loads[calibration.Key(calibration.GPULoad, g)] = math.Min(1, 0.02+h.gpu*n)
		r.Loads[calibration.Key(calibration.VRAM, g)] = 0.05 + h.vram*n
		r.Loads[calibration.Key(calibration.Encoder, g)] = math.Min(1, h.enc*n)
	}
	if h.crash != nil {
		for range h.crash(len(h.places)) {
			newest := 0
			for n := range h.places {
				newest = max(newest, n)
			}
			r.Ended[newest] = "exit status 3"
			delete(h.places, newest)
		}
	}
	if h.change != nil {
		h.change(len(h.places), &r)
	}
	return r, nil
}

// constant is a cost that is the same at any age.
func constant(cores float64) func(float64, int) float64 {
	return func(float64, int) float64 { return cores }
}

// simulate calibrates a simulated host.
func simulate(t *testing.T, h *simulated, change func(*Options)) (calibration.Result, error) {
	t.Helper()
	var out calibration.Result
	var err error
	synctest.Test(t, func(t *testing.T) {
		h.places, h.begun = map[int]Place{}, map[int]time.Time{}
		if h.cores == 0 {
			h.cores = 8
		}
		if h.memory == 0 {
			h.memory = 64e9
		}
		if h.rand == nil {
			h.rand = rand.New(rand.NewChaCha8([32]byte{5})) //nolint:gosec // repeatable
		}
		h.noise = noise(h.rand, h.sd, 0.4)
		o := Options{
			App: "sim", Rule: DefaultRule(), Soak: 2 * time.Minute, Period: time.Second,
			Thresholds: map[string]float64{calibration.CPU: 0.85, calibration.GPULoad: 0.85, calibration.Encoder: 0.85, calibration.VRAM: 0.9, calibration.Memory: 0.9},
			Tell:       func(calibration.Progress) {},
		}
		for g := range h.gpus {
			o.GPUs = append(o.GPUs, g)
		}
		if change != nil {
			change(&o)
		}
		out, err = Run(t.Context(), h, o)
		if len(h.places) > 0 {
			t.Errorf("%d copies are open after it", len(h.places))
		}
	})
	return out, err
}

func finding(r calibration.Result, code string) bool {
	for _, f := range r.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}
