package calibrate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// result is what all of it came to; why is set where it ended early.
func (r *ramp) result(why error) calibration.Result {
	out := calibration.Result{
		Version: calibration.Version, App: r.o.App, Command: r.o.Command, At: time.Now().UTC(),
		DurationS: time.Since(r.began).Seconds(), Machine: r.facts.Machine, Findings: r.findings, Steps: r.steps,
		StartS: median(r.starts), SettleS: r.settleTime(), Fits: r.under, Runs: []int{},
		Resources: map[string]calibration.Resource{},
	}
	var chosen answer
	if why != nil {
		out.Partial = why.Error()
		chosen.fits = r.under
	} else {
		chosen = r.choose()
		out.Fits, out.FitsPerGPU, out.Check = chosen.fits, chosen.perGPU, chosen.check
		out.Binding, _ = calibration.SplitKey(chosen.binding)
		out.Confidence = min(surest, math.Round(1000*r.confidence(chosen))/1000)
		out.Frames = r.framesOf(chosen)
	}
	for _, a := range r.answers {
		out.Runs = append(out.Runs, a.fits)
	}
	r.resources(out.Resources, chosen)
	if out.Binding == calibration.VRAM {
		out.Findings = append(out.Findings, calibration.Finding{Code: "vram_binds", Copies: out.Fits,
			Message: "VRAM is full before the GPU's load is: smaller textures (Unreal: r.Streaming.PoolSize; Unity: quality level), or a GPU with more memory, would carry more copies."})
	}
	return out
}

// choose takes the answer in the middle of all runs, the lower of two.
func (r *ramp) choose() answer {
	sorted := slices.SortedStableFunc(slices.Values(r.answers), func(a, b answer) int { return cmp.Compare(a.fits, b.fits) })
	return sorted[(len(sorted)-1)/2]
}

// settleTime is the median of how long a copy more took to settle.
func (r *ramp) settleTime() float64 {
	var all []float64
	for _, s := range r.steps {
		longest := 0.0
		for _, l := range s.Levels {
			longest = max(longest, l.Seconds)
		}
		if s.Copies > 0 && !s.Soak {
			all = append(all, longest)
		}
	}
	return median(all)
}

func median(x []float64) float64 { return quantile(x, 0.5) }

// confidence is the probability that the answer's load is at or under every
// threshold and that one copy more is over one.
func (r *ramp) confidence(a answer) float64 {
	under := 1.0
	if a.soak != nil {
		for key, l := range a.soak.Levels {
			if r.bounded(key) && !(r.o.Floor > 0 && elastic(key)) {
				under = min(under, normal((r.threshold(key)-l.Judged)/r.error(key, l.Half)))
			}
		}
	}
	limit := r.threshold(a.binding)
	switch {
	case math.IsInf(limit, 1): // it was counted, not judged by a load
		return under
	case a.past != nil:
		l := a.past.Levels[a.binding]
		return under * normal((l.Judged-limit)/r.error(a.binding, l.Half))
	case a.check != nil:
		return under * normal((a.check.Predicted-limit)/max(least, (a.check.High-a.check.Low)/(2*1.96)))
	}
	return under
}

// surest is the highest confidence that is claimed: the model may be wrong.
const surest = 0.999

// least is the smallest error that a measured load is credited with.
const least = 0.001

// error is the standard error of a measured level: by itself, or by how levels
// lie about the curve if that is more.
func (r *ramp) error(key string, half float64) float64 {
	e := max(least, half/1.96)
	if g, ok := grow(r.points[key]); ok {
		e = max(e, g.Sigma)
	}
	return e
}

func (r *ramp) framesOf(a answer) *calibration.Frames {
	if r.o.Floor <= 0 || a.soak == nil || a.soak.Frames == nil {
		return nil
	}
	f := calibration.Frames{Floor: r.o.Floor, AtFits: *a.soak.Frames}
	if a.past != nil && a.past.Frames != nil {
		f.AtFitsPlusOne = *a.past.Frames
	}
	return &f
}

// resources fills in one entry by kind, that of the fullest GPU where there are
// several.
func (r *ramp) resources(all map[string]calibration.Resource, a answer) {
	for key := range r.points {
		kind, _ := calibration.SplitKey(key)
		x, ok := r.resource(key, a)
		if !ok {
			continue
		}
		devices := all[kind].Devices
		devices = append(devices, x)
		slices.SortFunc(devices, func(a, b calibration.Resource) int { return cmp.Compare(a.GPU, b.GPU) })
		x = slices.MaxFunc(devices, func(a, b calibration.Resource) int { return cmp.Compare(fill(a), fill(b)) })
		x.Devices = devices
		all[kind] = x
	}
	for kind, x := range all {
		x.Alone = 0
		for _, d := range x.Devices {
			x.AtFitsPlusOne = max(x.AtFitsPlusOne, d.AtFitsPlusOne) // the one more may be on another
			if x.Alone < 0 || d.Alone < 0 {
				x.Alone = -1
			} else {
				x.Alone += d.Alone
			}
		}
		if len(x.Devices) == 1 {
			x.Devices = nil
		}
		all[kind] = x
	}
}

func fill(x calibration.Resource) float64 {
	if x.Threshold == 0 {
		return x.AtFits
	}
	return x.AtFits / x.Threshold
}

// resource describes one resource; ok is false where too little is known.
func (r *ramp) resource(key string, a answer) (calibration.Resource, bool) {
	kind, gpu := calibration.SplitKey(key)
	g, ok := grow(r.points[key])
	if !ok || gpu >= 0 && !r.fills(gpu) || !r.bounded(key) && !used(r.points[key]) {
		return calibration.Resource{}, false
	}
	n := r.copiesAt(key, a)
	x := calibration.Resource{GPU: gpu, Capacity: cmp.Or(r.facts.Capacity[key], 1), Base: base(r.points[key]), Curve: g.Curve, Alone: -1}
	if r.bounded(key) {
		x.Threshold = r.threshold(key)
		x.Alone = g.carries(x.Threshold)
	}
	means, _ := grow(r.means[key])
	mean, half := means.perCopy(float64(max(1, n)))
	if hard(key) && a.soak != nil {
		mean, half = a.soak.watch.ownUse(kind, mean, half)
	}
	x.PerCopy, x.PerCopyLow, x.PerCopyHigh = mean, mean-half, mean+half
	x.AtFits = g.At(float64(n))
	x.AtFitsPlusOne = g.At(float64(r.copiesPast(key, a, n)))
	if a.soak != nil {
		x.AtFits = a.soak.Levels[key].Judged
		if deviation, peak, seen := a.soak.watch.spread(kind); seen {
			x.Spread, x.Peak = &deviation, &peak
		}
	}
	if a.past != nil && a.past.Copies == a.fits+1 {
		x.AtFitsPlusOne, x.Seen = a.past.Levels[key].Judged, true
	}
	return x, true
}

// base is the load without copies, as it was measured.
func base(points []point) float64 {
	sum, n := 0.0, 0.0
	for _, p := range points {
		if p.n == 0 {
			sum, n = sum+p.y, n+1
		}
	}
	return max(0, sum/max(1, n)) // a fitted level may lie a hair below
}

// used says whether a load was ever there.
func used(points []point) bool {
	return slices.ContainsFunc(points, func(p point) bool { return p.y > 0 })
}

// copiesAt is how many copies used what the key names at the answer.
func (r *ramp) copiesAt(key string, a answer) int {
	_, gpu := calibration.SplitKey(key)
	if gpu < 0 {
		return a.fits
	}
	if gpu < len(a.perGPU) {
		return a.perGPU[gpu]
	}
	return 0
}

func (r *ramp) copiesPast(key string, a answer, n int) int {
	if _, gpu := calibration.SplitKey(key); gpu >= 0 && gpu != a.gpu {
		return n
	}
	return n + 1
}
