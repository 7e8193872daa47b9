package scenario

import (
	"maps"
	"slices"

	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// World is the world that the scenario describes. Apps are in the order of their
// names.
func (s *Scenario) World() *world.Config {
	c := &world.Config{
		Name: s.Name, LengthS: in(s.Length), WarmUpS: in(s.WarmUp), Threshold: s.Threshold.Fraction(),
		Hosts: s.Hosts.Count, GPUs: s.Hosts.GPUs, Cores: s.Hosts.Cores, Contention: s.Hosts.Contention,
		Failures: world.Failures{PerHour: perHour(s.Hosts.FailEvery), LastsS: in(s.Hosts.FailFor)},
		Arrivals: s.Arrivals.world(), People: s.People.world(), Probe: s.Probe.world(),
		BitrateBps: s.Session.Bitrate.Bps(), UplinkBps: s.Uplink.Budget.Bps(), MaxLengthS: in(s.Session.MaxLength),
		GraceS: in(s.Session.ReconnectGrace), OfferS: in(s.Queue.OfferTimeout),
		MaxStarting: s.Placement.MaxStarting, HostLostS: in(s.Placement.HostLost),
	}
	for _, name := range slices.Sorted(maps.Keys(s.Apps)) {
		c.Apps = append(c.Apps, s.Apps[name].world(name))
	}
	return c
}

func in(d quantity.Duration) float64 { return d.Std().Seconds() }

// perHour is how often something happens that happens every so often; 0 is never.
func perHour(every quantity.Duration) float64 {
	if every == 0 {
		return 0
	}
	return 3600 / in(every)
}

func (a App) world(name string) world.App {
	st := a.Stages
	return world.App{
		Name: name, Share: a.Weight, CPUCores: a.Cost.CPUCores, GPU: a.Cost.GPU.Fraction(), Encoder: a.Cost.Encoder.Fraction(),
		Declared: a.Declared, Sigma: a.Spread.Fraction(), Noise: a.Noise.Fraction(), NoiseS: in(a.NoiseTime),
		Stages: world.Stages{
			MenuS: in(st.Menu), MenuLevel: st.MenuLevel.Fraction(), LoadingS: in(st.Loading), LoadingLevel: st.LoadingLevel.Fraction(),
			HeavyEveryS: in(st.HeavyEvery), HeavyS: in(st.Heavy), HeavyLevel: st.HeavyLevel.Fraction(),
		},
		RampS: in(a.Ramp), StartS: in(a.Start),
		Length: world.Length{Kind: a.Length.Kind, MeanS: in(a.Length.Mean), Shape: a.Length.Shape},
	}
}

func (a Arrivals) world() world.Arrivals {
	return world.Arrivals{
		PerHour:     float64(a.Rate),
		BurstFactor: a.Bursts.Factor, BurstS: in(a.Bursts.Last), CalmS: in(a.Bursts.Calm),
		Daily: a.Daily.Swing.Fraction(), DayS: in(a.Daily.Day),
		FlashPeople: a.Flash.People, FlashAtS: in(a.Flash.At), FlashS: in(a.Flash.Within),
	}
}

func (p People) world() world.People {
	return world.People{
		PatienceS: in(p.Patience), AnswerS: in(p.Answer), Ignores: p.Ignore.Fraction(), ConnectS: in(p.Connect),
		Drops: perHour(p.DropsEvery), DropS: in(p.DropsLast),
	}
}

func (p Probe) world() world.Probe {
	return world.Probe{
		PeriodS: in(p.Period), DelayS: in(p.Delay), Loss: p.Loss.Fraction(), Noise: p.Noise.Fraction(), Sessions: p.SeesSessions,
		BlackoutN: perHour(p.BlackoutsEvery), BlackoutS: in(p.BlackoutsLast),
	}
}
