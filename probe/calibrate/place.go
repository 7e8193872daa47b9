package calibrate

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// hard says whether a resource cannot be overdrawn without harm.
func hard(key string) bool {
	kind, _ := calibration.SplitKey(key)
	return kind == calibration.Memory || kind == calibration.VRAM
}

// elastic says whether more demand than there is only slows down: by delivered
// frames these do not bind.
func elastic(key string) bool {
	kind, _ := calibration.SplitKey(key)
	return kind == calibration.CPU || kind == calibration.GPULoad || kind == calibration.Encoder
}

// threshold of a key; infinite where it does not bind.
func (r *ramp) threshold(key string) float64 {
	kind, gpu := calibration.SplitKey(key)
	limit := r.o.Thresholds[kind]
	if limit <= 0 || r.facts.Capacity[key] <= 0 || gpu >= 0 && !r.fills(gpu) {
		return math.Inf(1)
	}
	return limit
}

func (r *ramp) bounded(key string) bool { return !math.IsInf(r.threshold(key), 1) }

// fills says whether copies are put on the GPU.
func (r *ramp) fills(gpu int) bool {
	return slices.Contains(r.o.GPUs, gpu)
}

// on is how many copies use what the key names.
func (r *ramp) on(key string) int {
	_, gpu := calibration.SplitKey(key)
	if gpu < 0 {
		return len(r.open)
	}
	n := 0
	for _, p := range r.open {
		if p.GPU == gpu {
			n++
		}
	}
	return n
}

// perGPU is how many copies are on each of the machine's GPUs.
func (r *ramp) perGPU() []int {
	if len(r.o.GPUs) == 0 {
		return nil
	}
	all := make([]int, len(r.facts.Machine.GPUs))
	for _, p := range r.open {
		if p.GPU >= 0 && p.GPU < len(all) {
			all[p.GPU]++
		}
	}
	return all
}

// alike is how near two GPUs' loads must be to count as equally full.
const alike = 0.02

// pickGPU is where the next copy would leave the GPU emptiest, by the curves so
// far; of those that are alike, where the fewest copies are.
func (r *ramp) pickGPU() int {
	best, full, count := -1, math.Inf(1), 0
	for _, g := range r.o.GPUs {
		f, n := r.fullness(g), r.on(calibration.Key(calibration.GPULoad, g))
		if best < 0 || f < full-alike || f < full+alike && n < count {
			best, full, count = g, f, n
		}
	}
	return best
}

// fullness is how full a GPU would be with one copy more: the most of its
// resources, of its threshold.
func (r *ramp) fullness(gpu int) float64 {
	most := 0.0
	for _, kind := range []string{calibration.GPULoad, calibration.VRAM, calibration.Encoder, calibration.EncoderSessions} {
		key := calibration.Key(kind, gpu)
		if list := r.points[key]; len(list) > 0 && r.bounded(key) {
			most = max(most, r.guess(key, r.on(key)+1)/r.threshold(key))
		}
	}
	return most
}

// guess is the load with n copies by the curve, or what was measured last while
// there is none.
func (r *ramp) guess(key string, n int) float64 {
	list := r.points[key]
	if g, ok := grow(list); ok {
		return g.At(float64(n))
	}
	return list[len(list)-1].y
}

// after is how many copies would use what the key names after one more on gpu.
func (r *ramp) after(key string, gpu int) int {
	if _, g := calibration.SplitKey(key); g >= 0 && g != gpu {
		return r.on(key)
	}
	return r.on(key) + 1
}

// foretell predicts, before a copy is opened on gpu, what every resource would
// come to; those of which two levels are not known yet are left out.
func (r *ramp) foretell(gpu int) map[string]*calibration.Check {
	all := map[string]*calibration.Check{}
	for key, points := range r.points {
		g, ok := grow(points)
		if !ok || !r.bounded(key) {
			continue
		}
		mean, half := g.predict(float64(r.after(key, gpu)))
		if above, far := r.swing(key, gpu); far > 0 {
			level, _ := grow(r.means[key])
			mean, half = level.predict(float64(r.after(key, gpu)))
			mean, half = mean+above, math.Hypot(half, far)
		}
		all[key] = &calibration.Check{Copies: len(r.open) + 1, Resource: key, Predicted: mean, Low: mean - half, High: mean + half}
	}
	return all
}

// swing is by how much a load that goes round will be judged above its mean with
// one copy more, and how far that may be off: as much more as there are more
// copies, if they go round together, or by the root of that if each does by
// itself.
func (r *ramp) swing(key string, gpu int) (above, far float64) {
	points, means := r.points[key], r.means[key]
	last := len(points) - 1
	now, then := points[last].n, float64(r.after(key, gpu))
	excess := points[last].y - means[last].y
	if excess <= 0 || now < 1 || then <= now {
		return max(0, excess), 0
	}
	together, apart := excess*then/now, excess*math.Sqrt(then/now)
	return (together + apart) / 2, together - apart + excess/4
}

// unsafe says which resource one copy more would overdraw so that programs
// crash, or the host does.
func (r *ramp) unsafe(checks map[string]*calibration.Check) (key, why string) {
	for _, key := range slices.Sorted(maps.Keys(checks)) {
		if p := checks[key].Predicted; hard(key) && p > brim {
			return key, fmt.Sprintf("%s would come to %.0f %%, and programs crash when it runs out", key, 100*p)
		}
	}
	return "", ""
}

// over says whether a step is past a threshold, by which key, and whether that
// is sure: the interval of what was measured lies past it whole.
func (r *ramp) over(m *measured) (key string, over, sure bool) {
	most := 0.0
	for k, l := range m.Levels {
		limit := r.threshold(k)
		if l.Judged <= limit || r.o.Floor > 0 && elastic(k) {
			continue
		}
		if past := l.Judged / limit; past > most {
			key, most = k, past
		}
		over, sure = true, sure || l.Judged-l.Half > limit
	}
	if !over && r.o.Floor > 0 && m.Frames != nil && *m.Frames < r.o.Floor {
		return calibration.BindingFrames, true, *m.Frames < 0.97*r.o.Floor
	}
	return key, over, sure
}
