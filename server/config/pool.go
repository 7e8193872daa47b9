package config

import (
	"maps"
	"slices"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/quantity"
)

// SetDefaults takes the policy that the core starts from, so that the two cannot
// come to differ.
func (p *Pool) SetDefaults() {
	d := admission.DefaultPolicy()
	*p = Pool{
		Threshold: Threshold{
			CPU: quantity.Share(d.Threshold.CPU), GPU: quantity.Share(d.Threshold.GPU), VRAM: quantity.Share(d.Threshold.VRAM),
			Encoder: quantity.Share(d.Threshold.Encoder), Memory: quantity.Share(d.Threshold.Memory), Over: quantity.Share(d.Threshold.Over),
		},
		Uplink: Uplink{Budget: quantity.Rate(d.Uplink.BudgetBps), WhenFull: string(d.Uplink.WhenFull)},
		Session: Session{
			Bitrate: quantity.Rate(d.Session.BitrateBps), MaxLength: quantity.Duration(d.Session.MaxLength),
			IdleTimeout:         quantity.Duration(d.Session.IdleTimeout),
			FirstConnectTimeout: quantity.Duration(d.Session.FirstConnectTimeout),
			ReconnectGrace:      quantity.Duration(d.Session.ReconnectGrace), Sharing: string(d.Session.Sharing),
		},
		Spectators: Spectators{
			MaxPerSession: d.Spectators.MaxPerSession, Bitrate: quantity.Rate(d.Spectators.BitrateBps),
			LowBitrate: quantity.Rate(d.Spectators.LowBitrateBps), YieldToPlayers: d.Spectators.YieldToPlayers,
			ReconnectGrace: quantity.Duration(d.Spectators.ReconnectGrace),
		},
		Queue: Queue{
			MaxLength: d.Queue.MaxLength, OfferTimeout: quantity.Duration(d.Queue.OfferTimeout),
			OnLapse: string(d.Queue.OnLapse), MaxLapses: d.Queue.MaxLapses,
			ReconnectGrace: quantity.Duration(d.Queue.ReconnectGrace), Classes: slices.Clone(d.Queue.Classes),
		},
		Placement: Placement{
			Order: string(d.Placement.Order), MaxStarting: d.Placement.MaxStarting,
			HostLost: quantity.Duration(d.Placement.HostLost),
		},
	}
}

// Policy is the pool's policy for the core, with the profiles that were loaded.
func (p Pool) Policy() admission.Policy {
	out := admission.DefaultPolicy() // so that what is no key here keeps the core's default
	for name, a := range p.Apps {
		a.loaded.App = name
		out.Apps[name] = a.loaded
	}
	out.Threshold = admission.Threshold{
		CPU: p.Threshold.CPU.Fraction(), GPU: p.Threshold.GPU.Fraction(), VRAM: p.Threshold.VRAM.Fraction(),
		Encoder: p.Threshold.Encoder.Fraction(), Memory: p.Threshold.Memory.Fraction(), Over: p.Threshold.Over.Fraction(),
	}
	out.Uplink.BudgetBps, out.Uplink.WhenFull = p.Uplink.Budget.Bps(), admission.WhenFull(p.Uplink.WhenFull)
	p.sessionPolicy(&out.Session)
	p.spectatorPolicy(&out.Spectators)
	p.queuePolicy(&out.Queue)
	out.Placement.Order = admission.Order(p.Placement.Order)
	out.Placement.MaxStarting, out.Placement.HostLost = p.Placement.MaxStarting, p.Placement.HostLost.Std()
	return out
}

func (p Pool) sessionPolicy(out *admission.SessionPolicy) {
	s := p.Session
	out.BitrateBps, out.MaxLength, out.IdleTimeout = s.Bitrate.Bps(), s.MaxLength.Std(), s.IdleTimeout.Std()
	out.FirstConnectTimeout, out.ReconnectGrace = s.FirstConnectTimeout.Std(), s.ReconnectGrace.Std()
	out.Sharing = admission.Sharing(s.Sharing)
}

func (p Pool) spectatorPolicy(out *admission.SpectatorPolicy) {
	s := p.Spectators
	out.MaxPerSession, out.BitrateBps, out.LowBitrateBps = s.MaxPerSession, s.Bitrate.Bps(), s.LowBitrate.Bps()
	out.YieldToPlayers, out.ReconnectGrace = s.YieldToPlayers, s.ReconnectGrace.Std()
}

func (p Pool) queuePolicy(out *admission.QueuePolicy) {
	q := p.Queue
	out.MaxLength, out.OfferTimeout, out.OnLapse = q.MaxLength, q.OfferTimeout.Std(), admission.OnLapse(q.OnLapse)
	out.MaxLapses, out.ReconnectGrace, out.Classes = q.MaxLapses, q.ReconnectGrace.Std(), slices.Clone(q.Classes)
}

// PoolNames are the pools in order.
func (c *Config) PoolNames() []string { return slices.Sorted(maps.Keys(c.Pools)) }
