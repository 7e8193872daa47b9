package world_test

import (
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/simulate/rival"
	"github.com/rendergate/rendergate/server/simulate/world"
)

func steady() *world.Config {
	return &world.Config{
		Name: "steady", LengthS: 2.5 * 3600, WarmUpS: 1800, Hosts: 4, GPUs: 1, Cores: 16, Threshold: 0.85,
		Apps: []world.App{{
			Name: "app", Share: 1, CPUCores: 0.8, GPU: 0.075, Encoder: 0.04, Declared: 1, Sigma: 0.2, Noise: 0.08, NoiseS: 5,
			Stages: world.Stages{MenuS: 15, MenuLevel: 0.4, LoadingS: 5, LoadingLevel: 1.1, HeavyEveryS: 120, HeavyS: 20, HeavyLevel: 1.4},
			RampS:  6, StartS: 6, Length: world.Length{Kind: world.Exponential, MeanS: 900},
		}},
		Arrivals:   world.Arrivals{PerHour: 4 * 10 * 4 * 1.3},
		People:     world.People{PatienceS: 600, AnswerS: 3, Ignores: 0.03, ConnectS: 2, Drops: 0.5, DropS: 8},
		Probe:      world.Probe{PeriodS: 1, DelayS: 0.1, Sessions: true, Noise: 0.005},
		BitrateBps: 8e6, MaxLengthS: 1800, OfferS: 20, GraceS: 30, MaxStarting: 1, HostLostS: 60,
	}
}

func TestTry(t *testing.T) {
	c := steady()
	for name, g := range map[string]func(*world.World) world.Gate{
		"rendergate": world.NewCore(admission.DefaultPolicy()),
		"O1":         rival.New(rival.Foresees{Limit: 0.85}),
		"O2":         rival.New(rival.Present{Limit: 0.85}),
		"O2 80":      rival.New(rival.Present{Limit: 0.80}),
		"last":       rival.New(rival.LastSample{Limit: 0.85}),
		"all":        rival.New(rival.Everybody{}),
	} {
		began := time.Now()
		pop := world.NewPopulation(c, 1)
		x := world.Run(pop, g)
		t.Logf("%-11s load %.3f over %.4f full %.4f adm %.4f  dec %d false %.3f foreseen %.3f  waits %d gaveup %d flips %d wasted %d/%d viol %d over %d granted %d depth %.3f  %s", name,
			x.Demand/x.HostS, x.OverS/x.HostS, x.FullS/x.HostS, x.FullByAdmissionS/x.HostS, x.Decisions,
			float64(x.FalseRefused)/float64(x.Decisions), float64(x.ForeseenRefused)/float64(x.Decisions), len(x.Waits), len(x.GaveUp), x.Flips, x.Wasted, x.Offers, x.Violations, x.Overtakes, x.Granted, x.DepthMost, time.Since(began).Round(time.Millisecond))
	}
}
