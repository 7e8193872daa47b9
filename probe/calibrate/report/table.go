package report

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// use is one resource where it is: a kind, or a kind of one GPU.
type use struct {
	calibration.Resource
	kind, key, name string
	described       bool // false: only its levels are known
	all             int  // copies that all GPUs together would allow; 0 for one resource
	on              int  // copies on it at the answer; -1 where that is not known
	binds           bool
}

// uses lists the resources, what binds first. A calibration that ended early may
// have levels and no description; they are drawn all the same.
func uses(r calibration.Result) []use {
	var all []use
	for _, kind := range kinds(r) {
		x := r.Resources[kind]
		if len(x.Devices) == 0 {
			all = append(all, useOf(r, kind, x))
			continue
		}
		for _, d := range x.Devices {
			u := useOf(r, kind, d)
			u.all = x.Alone
			all = append(all, u)
		}
	}
	if len(all) == 0 {
		return levelsOnly(r)
	}
	return all
}

func useOf(r calibration.Result, kind string, x calibration.Resource) use {
	key := calibration.Key(kind, x.GPU)
	u := use{Resource: x, kind: kind, key: key, name: name(kind, x.GPU), described: true, on: onAtFits(r, x.GPU), binds: kind == r.Binding}
	if r.Check != nil {
		if bound, _ := calibration.SplitKey(r.Check.Resource); bound == r.Binding {
			u.binds = key == r.Check.Resource
		}
	}
	return u
}

func levelsOnly(r calibration.Result) []use {
	keys := map[string]bool{}
	for _, s := range r.Steps {
		for key := range s.Levels {
			keys[key] = true
		}
	}
	var all []use
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		kind, gpu := calibration.SplitKey(key)
		all = append(all, use{Resource: calibration.Resource{GPU: gpu}, kind: kind, key: key, name: name(kind, gpu), on: -1})
	}
	return all
}

// kinds are those the result has: what binds, then the usual order, then others.
func kinds(r calibration.Result) []string {
	order := []string{
		r.Binding, calibration.GPULoad, calibration.VRAM, calibration.Encoder, calibration.EncoderSessions,
		calibration.CPU, calibration.Memory, calibration.Uplink,
	}
	var all []string
	for _, kind := range append(order, slices.Sorted(maps.Keys(r.Resources))...) {
		if _, there := r.Resources[kind]; there && !slices.Contains(all, kind) {
			all = append(all, kind)
		}
	}
	return all
}

func onAtFits(r calibration.Result, gpu int) int {
	switch {
	case gpu < 0:
		return max(0, r.Fits)
	case gpu < len(r.FitsPerGPU):
		return max(0, r.FitsPerGPU[gpu])
	}
	return -1
}

// onStep is how many copies of a step use a resource.
func onStep(s calibration.Step, gpu int) (n int, known bool) {
	switch {
	case gpu < 0:
		return max(0, s.Copies), true
	case gpu < len(s.PerGPU):
		return max(0, s.PerGPU[gpu]), true
	}
	return max(0, s.Copies), s.Copies <= 0 || len(s.PerGPU) == 0 && gpu == 0
}

// row is one line of the table.
type row struct {
	Name               string
	Binds              bool
	Threshold, Base    string
	Mean, Unit         string
	Interval           string
	Spread, Peak       string
	AtFits, On         string
	Past, How, OnPast  string
	Alone, AloneOnAll  string
	Capacity, BaseUnit string
}

func rowOf(r calibration.Result, u use) row {
	x := row{
		Name: u.name, Binds: u.binds, Threshold: "none", Base: percent(u.Base), BaseUnit: amount(u.kind, u.Base*u.Capacity),
		Mean: percent(u.PerCopy), Unit: amount(u.kind, u.PerCopy*u.Capacity),
		Interval: between(u.PerCopyLow, u.PerCopyHigh),
		AtFits:   percent(u.AtFits), Past: percent(u.AtFitsPlusOne), How: past(r, u),
		Alone: alone(u.Alone), Capacity: capacity(u.kind, u.Capacity),
	}
	if bounded(u) {
		x.Threshold = percent(u.Threshold)
	}
	if u.on >= 0 {
		x.On = copies(u.on)
	}
	if n, known := onPast(r, u); known {
		x.OnPast = copies(n)
	}
	if u.all != 0 {
		x.AloneOnAll = alone(u.all) + " on all"
	}
	if u.Spread != nil && finite(*u.Spread) {
		x.Spread = "± " + percent(*u.Spread)
	}
	if u.Peak != nil && finite(*u.Peak) {
		x.Peak = percent(*u.Peak)
	}
	return x
}

func bounded(u use) bool { return finite(u.Threshold) && u.Threshold > 0 }

func between(low, high float64) string {
	if !finite(low, high) {
		return unknown
	}
	return percent(low) + " to " + percent(high)
}

func alone(n int) string {
	if n < 0 {
		return "no end seen"
	}
	return fmt.Sprint(n)
}

// past says where the load one past the answer comes from, and in words whether
// it is over the threshold.
func past(r calibration.Result, u use) string {
	how := "predicted"
	if u.Seen {
		how = "seen"
	}
	if bounded(u) && u.AtFitsPlusOne > u.Threshold {
		how += ", over"
	}
	return how
}

// onPast is how many copies were on it with one past the answer.
func onPast(r calibration.Result, u use) (int, bool) {
	if u.GPU < 0 {
		return max(0, r.Fits) + 1, true
	}
	for _, s := range r.Steps {
		if s.Copies == r.Fits+1 && u.GPU < len(s.PerGPU) {
			return max(0, s.PerGPU[u.GPU]), true
		}
	}
	return 0, false
}
