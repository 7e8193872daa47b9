package rival_test

import (
	"slices"
	"testing"

	"github.com/rendergate/rendergate/server/simulate/rival"
	"github.com/rendergate/rendergate/server/simulate/world"
)

func TestEntries(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range rival.All() {
		switch {
		case seen[e.Name]:
			t.Errorf("%s is there twice", e.Name)
		case e.Title == "" || e.New == nil:
			t.Errorf("%s has no title or no rule", e.Name)
		case !slices.Contains(e.Knobs, e.Default):
			t.Errorf("%s: the default %g is none of %v", e.Name, e.Default, e.Knobs)
		case !slices.IsSorted(e.Knobs) || len(slices.Compact(slices.Clone(e.Knobs))) < len(e.Knobs):
			t.Errorf("%s: knobs %v do not ascend", e.Name, e.Knobs)
		}
		seen[e.Name] = true
	}
}

// small is a world with all that happens in one, and apps with and without a GPU.
func small() *world.Config {
	app := world.App{
		Name: "game", Share: 3, CPUCores: 0.8, GPU: 0.15, Encoder: 0.04, Declared: 1, Sigma: 0.2, Noise: 0.08, NoiseS: 5,
		Stages: world.Stages{MenuS: 15, MenuLevel: 0.4, LoadingS: 5, LoadingLevel: 1.1, HeavyEveryS: 120, HeavyS: 20, HeavyLevel: 1.4},
		RampS:  6, StartS: 6, Length: world.Length{Kind: world.Exponential, MeanS: 300},
	}
	office := app
	office.Name, office.Share, office.GPU, office.Encoder, office.CPUCores = "office", 1, 0, 0, 1.2
	return &world.Config{
		Name: "small", LengthS: 1800, WarmUpS: 60, Hosts: 3, GPUs: 2, Cores: 16, Threshold: 0.85,
		Apps: []world.App{app, office}, Contention: 0.1,
		Arrivals:   world.Arrivals{PerHour: 500, FlashPeople: 30, FlashAtS: 400, FlashS: 5},
		People:     world.People{PatienceS: 120, AnswerS: 5, Ignores: 0.2, ConnectS: 2, Drops: 2, DropS: 8},
		Probe:      world.Probe{PeriodS: 2, DelayS: 0.5, Loss: 0.1, BlackoutN: 4, BlackoutS: 20, Sessions: true, Noise: 0.01},
		Failures:   world.Failures{PerHour: 3, LastsS: 60},
		BitrateBps: 8e6, MaxLengthS: 900, OfferS: 10, GraceS: 30, MaxStarting: 1, HostLostS: 30,
	}
}

// TestAllInAWorld: none of them breaks a rule that holds for all, and a run is the
// same again.
func TestAllInAWorld(t *testing.T) {
	for _, sessions := range []bool{true, false} {
		c := small()
		c.Probe.Sessions = sessions
		for _, e := range rival.All() {
			run := func(knob float64) *world.Tally {
				return world.Run(world.NewPopulation(c, 7), rival.New(e.New(knob)))
			}
			x, again := run(e.Default), run(e.Default)
			if x.Violations > 0 {
				t.Errorf("%s: %d violations", e.Name, x.Violations)
			}
			if x.Granted < 30 {
				t.Errorf("%s seated just %d", e.Name, x.Granted)
			}
			if x.Granted != again.Granted || x.Demand != again.Demand {
				t.Errorf("%s: a second run differs", e.Name)
			}
			if e.Name == "livekit_sysload" {
				continue // it refuses nobody, so its knob does not say how many it takes
			}
			if low, high := run(e.Knobs[0]), run(e.Knobs[len(e.Knobs)-1]); low.Demand > high.Demand {
				t.Errorf("%s: the lowest knob fills hosts more than the highest", e.Name)
			}
		}
	}
}

// TestNoAllocation: a rule is asked millions of times.
func TestNoAllocation(t *testing.T) {
	app := &world.App{CPUCores: 0.5, GPU: 0.1, Encoder: 0.02, Declared: 1}
	for _, e := range rival.All() {
		r := e.New(e.Default)
		h := &rival.Host{Cores: 10, GPUs: 1, Up: true, Arrived: 10}
		h.Sample = &world.Sample{WindowEnd: 10, PeriodS: 1, GPU: []float64{0.1}, Encoder: []float64{0.1}}
		for range 10 {
			p := &world.Person{}
			h.Seats = append(h.Seats, &rival.Seat{Person: p, App: app, Started: 5})
			h.Sample.Seats = append(h.Sample.Seats, world.SeatSample{Person: p, GPU: 0.05})
		}
		if w, ok := r.(rival.Watcher); ok {
			w.Sampled(10, h)
		}
		if n := testing.AllocsPerRun(100, func() { r.Admits(10, h, app, 0) }); n > 0 {
			t.Errorf("%s allocates %.0f times", e.Name, n)
		}
	}
}
