package report

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// simulated makes results as a calibration comes to them: noise is seeded.
type simulated struct {
	*rand.Rand
	steps []calibration.Step
}

func newSimulated() *simulated { return &simulated{Rand: rand.New(rand.NewPCG(1, 2))} }

// load is how a resource goes with n copies on it.
type load struct {
	base, slope, bend, noise float64
	loop                     float64 // amplitude of a periodic scene
}

func (l load) at(n float64) float64 { return l.base + l.slope*n + l.bend*n*n }

func (s *simulated) readings(l load, n, before float64, count int) []float64 {
	y := make([]float64, count)
	for i := range y {
		t := float64(i)
		y[i] = before + (l.at(n)-before)*(1-math.Exp(-t/4)) + l.noise*s.NormFloat64() + l.loop*n*math.Sin(2*math.Pi*t/10)
		y[i] = max(0, y[i])
	}
	return y
}

func (s *simulated) level(l load, n float64) calibration.Level {
	mean := l.at(n) + l.noise*s.NormFloat64()/5
	out := calibration.Level{Verdict: calibration.Settled, Mean: mean, Half: 0.004, High: mean + 1.6*l.noise, Judged: mean, Seconds: 30}
	if l.loop > 0 && n > 0 {
		out.Verdict, out.PeriodS, out.High = calibration.Periodic, 10, mean+l.loop*n
		out.Judged = out.High
	}
	return out
}

// twoGPUs are its loads; uplink is not bounded.
func twoGPUs() map[string]load {
	return map[string]load{
		"cpu": {base: 0.031, slope: 0.041, bend: 0.0008, noise: 0.012}, "memory": {base: 0.08, slope: 0.035, noise: 0.001},
		"uplink": {base: 0.001, slope: 0.0095, noise: 0.001, loop: 0.002},
		"gpu/0":  {base: 0.01, slope: 0.127, bend: 0.001, noise: 0.02}, "gpu/1": {base: 0.012, slope: 0.129, bend: 0.001, noise: 0.02},
		"vram/0": {base: 0.02, slope: 0.094, noise: 0.0005}, "vram/1": {base: 0.02, slope: 0.094, noise: 0.0005},
		"encoder/0": {slope: 0.062, noise: 0.01, loop: 0.012}, "encoder/1": {slope: 0.062, noise: 0.01, loop: 0.012},
	}
}

func (s *simulated) step(run, n int, soak bool) {
	on := []int{(n + 1) / 2, n / 2}
	x := calibration.Step{Run: run, Copies: n, PerGPU: on, Soak: soak, PeriodS: 1, Levels: map[string]calibration.Level{}, Trace: map[string][]float64{}}
	count := 26 + s.IntN(20)
	if soak {
		count = 60
	}
	for key, l := range twoGPUs() {
		copies, before := float64(n), float64(max(0, n-1))
		if _, gpu := calibration.SplitKey(key); gpu >= 0 {
			copies, before = float64(on[gpu]), float64(max(0, on[gpu]-(n+gpu)%2))
		}
		if soak {
			before = copies
		}
		x.Levels[key], x.Trace[key] = s.level(l, copies), s.readings(l, copies, l.at(before), count)
	}
	frames := 30 - 0.05*float64(n) - math.Exp(float64(n-13))
	x.Frames = &frames
	s.steps = append(s.steps, x)
}

// realistic is what a calibration of 12 copies on two GPUs may come to.
func realistic(repetitions int) calibration.Result {
	s := newSimulated()
	for run := range repetitions {
		for n := range 14 {
			s.step(run+1, n, false)
		}
		s.step(run+1, 12, true)
	}
	r := calibration.Result{
		Version: calibration.Version, App: "Showroom", Command: []string{"./Showroom.sh", "-RenderOffscreen", "-Port={{.Port}}", "-ExecCmds=t.MaxFPS 30", "it's"},
		At: time.Unix(1763700000, 0), DurationS: 731, Fits: 12, FitsPerGPU: []int{6, 6}, Binding: calibration.GPULoad, Confidence: 0.97, StartS: 8.2, SettleS: 22,
		Machine: calibration.Machine{
			Name: "render-1", CPU: "AMD EPYC 7313P 16-Core Processor", Cores: 32, Share: "all of the machine", MemoryBytes: 128 << 30, Driver: "550.54.14", System: "Debian GNU/Linux 13, Linux 6.12",
			GPUs: []calibration.GPU{{Name: "NVIDIA L4", VRAMBytes: 24 << 30}, {Name: "NVIDIA L4", VRAMBytes: 24 << 30}},
		},
		Check: &calibration.Check{Copies: 13, Resource: "gpu/0", Predicted: 0.943, Low: 0.921, High: 0.965, Seen: 0.951},
		Findings: []calibration.Finding{
			{Code: "periodic", Message: "encoder/0 goes round every 10 s. It is judged by what it seldom exceeds (0.95 quantile over whole rounds), not by its mean.", Copies: 1},
			{Code: "busy_base", Message: "Without copies cpu is at 3 % already: another program runs here."},
		},
		Resources: described(), Steps: s.steps,
	}
	for range repetitions {
		r.Runs = append(r.Runs, 12)
	}
	return r
}

func described() map[string]calibration.Resource {
	all := map[string]calibration.Resource{}
	units := map[string]float64{"cpu": 32, "memory": 128 << 30, "uplink": 1e9, "vram": 24 << 30}
	for _, key := range []string{"cpu", "memory", "uplink", "gpu/0", "gpu/1", "vram/0", "vram/1", "encoder/0", "encoder/1"} {
		kind, gpu := calibration.SplitKey(key)
		x := describe(twoGPUs()[key], gpu)
		x.Capacity = max(1, units[kind])
		if kind == "uplink" {
			x.Threshold, x.Alone = 0, -1
		}
		if gpu >= 0 {
			devices := append(all[kind].Devices, x)
			x.Alone += all[kind].Alone
			x.Devices = devices
		}
		all[kind] = x
	}
	return all
}

func describe(l load, gpu int) calibration.Resource {
	n, past := 12.0, 13.0
	if gpu >= 0 {
		n, past = 6, 7-float64(gpu)
	}
	spread, peak := l.noise/2, l.slope*1.3
	x := calibration.Resource{
		GPU: gpu, Threshold: 0.85, Base: l.base, PerCopy: l.slope + l.bend*n, Spread: &spread, Peak: &peak, Seen: true,
		Curve: calibration.Curve{Base: l.base, Slope: l.slope + l.loop, Bend: l.bend, Sigma: 0.002 + l.noise/4}, Alone: 6,
	}
	x.PerCopyLow, x.PerCopyHigh = x.PerCopy*0.98, x.PerCopy*1.02
	x.AtFits, x.AtFitsPlusOne = x.Curve.At(n), x.Curve.At(past)
	if gpu < 0 {
		x.Spread, x.Peak = nil, nil
	}
	return x
}
