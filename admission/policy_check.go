package admission

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

func (p Policy) clone() Policy {
	p.Apps = maps.Clone(p.Apps)
	p.Queue.Classes = slices.Clone(p.Queue.Classes)
	return p
}

func (f HostFacts) clone() HostFacts {
	f.GPUs, f.Apps = slices.Clone(f.GPUs), slices.Clone(f.Apps)
	return f
}

// Validate says what is impossible in the policy, by the name of its setting;
// nil if nothing is.
func (p Policy) Validate() error {
	for _, check := range []func() error{
		p.checkThresholds, p.checkRates, p.checkTimes, p.checkCounts, p.checkWords, p.checkApps,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (p Policy) checkThresholds() error {
	t := p.Threshold
	for _, x := range []struct {
		name  string
		value float64
	}{{"cpu", t.CPU}, {"gpu", t.GPU}, {"vram", t.VRAM}, {"encoder", t.Encoder}, {"memory", t.Memory}} {
		if !(x.value > 0 && x.value <= 1) {
			return fmt.Errorf("threshold.%s is %v: it must be above 0 and at most 1 (100%%)", x.name, x.value)
		}
	}
	if !(t.Over >= 0 && t.Over <= MostOver) {
		return fmt.Errorf("threshold.over is %v: it must be 0 (the default) to %v (of the time)", t.Over, MostOver)
	}
	return nil
}

func (p Policy) checkRates() error {
	for _, x := range []struct {
		name  string
		value float64
	}{
		{"uplink.budget", p.Uplink.BudgetBps}, {"session.bitrate", p.Session.BitrateBps},
		{"spectators.bitrate", p.Spectators.BitrateBps}, {"spectators.low_bitrate", p.Spectators.LowBitrateBps},
	} {
		if !(x.value >= 0 && x.value <= 1e15) {
			return fmt.Errorf("%s is %v bit/s: it must be 0 to 1e15", x.name, x.value)
		}
	}
	return nil
}

// maxDuration bounds every duration of a policy: ten years.
const maxDuration = 10 * 365 * 24 * time.Hour

func (p Policy) checkTimes() error {
	for _, x := range []struct {
		name  string
		value time.Duration
	}{
		{"session.max_length", p.Session.MaxLength}, {"session.idle_timeout", p.Session.IdleTimeout},
		{"session.first_connect_timeout", p.Session.FirstConnectTimeout},
		{"session.reconnect_grace", p.Session.ReconnectGrace},
		{"spectators.reconnect_grace", p.Spectators.ReconnectGrace},
		{"queue.reconnect_grace", p.Queue.ReconnectGrace}, {"placement.host_lost", p.Placement.HostLost},
		{"queue.offer_timeout", p.Queue.OfferTimeout},
	} {
		if x.value < 0 || x.value > maxDuration {
			return fmt.Errorf("%s is %s: it must be 0 to %s", x.name, x.value, maxDuration)
		}
	}
	if p.Queue.OfferTimeout < time.Second {
		return fmt.Errorf("queue.offer_timeout is %s: it must be at least 1s, or nobody can accept an offer",
			p.Queue.OfferTimeout)
	}
	return nil
}

func (p Policy) checkCounts() error {
	for _, x := range []struct {
		name  string
		value int
	}{
		{"spectators.max_per_session", p.Spectators.MaxPerSession}, {"queue.max_length", p.Queue.MaxLength},
		{"queue.max_lapses", p.Queue.MaxLapses}, {"placement.max_starting", p.Placement.MaxStarting},
	} {
		if x.value < 0 {
			return fmt.Errorf("%s is %d: it must not be negative", x.name, x.value)
		}
	}
	return nil
}

func (p Policy) checkWords() error {
	switch {
	case !slices.Contains([]WhenFull{FullWait, FullDegrade, FullAllow}, p.Uplink.WhenFull):
		return fmt.Errorf("uplink.when_full is %q: it can be %s, %s or %s", p.Uplink.WhenFull, FullWait, FullDegrade, FullAllow)
	case p.Session.Sharing != "" && !p.Session.Sharing.valid():
		return fmt.Errorf("session.sharing is %q: it can be %s, %s or %s", p.Session.Sharing, SharingOpen, SharingAsk, SharingClosed)
	case p.Queue.OnLapse != LapseNext && p.Queue.OnLapse != LapseLeave:
		return fmt.Errorf("queue.on_lapse is %q: it can be %s or %s", p.Queue.OnLapse, LapseNext, LapseLeave)
	case p.Placement.Order != Spread && p.Placement.Order != Pack:
		return fmt.Errorf("placement.order is %q: it can be %s or %s", p.Placement.Order, Spread, Pack)
	}
	seen := map[string]bool{}
	for _, c := range p.Queue.Classes {
		if c == "" || seen[c] {
			return fmt.Errorf("queue.classes has %q: each must have a name of its own", c)
		}
		seen[c] = true
	}
	return nil
}

func (p Policy) checkApps() error {
	for _, name := range slices.Sorted(maps.Keys(p.Apps)) {
		a := p.Apps[name]
		if name == "" {
			return fmt.Errorf("apps has one without a name")
		}
		for _, c := range []Cost{a.Cost, a.Spread} {
			for _, x := range []float64{c.CPUCores, c.MemoryBytes, c.GPU, c.VRAMBytes, c.Encoder, c.EncoderSessions} {
				if !amount(x) {
					return fmt.Errorf("apps.%s: a cost or spread is %v: it must be 0 to 1e16", name, x)
				}
			}
		}
		if !(a.Doubt >= 0 && a.Doubt <= MostDoubt) {
			return fmt.Errorf("apps.%s: doubt is %v: it must be 0 (by its seats) to %v (of the cost)", name, a.Doubt, MostDoubt)
		}
		if c := a.Machine.Cores; !amount(c) {
			return fmt.Errorf("apps.%s: a machine of %v cores: it must be 0 to 1e16", name, c)
		}
		if a.Seats < 0 || !(a.StartS >= 0) || !(a.SettleS >= 0) || math.IsInf(a.StartS+a.SettleS, 0) {
			return fmt.Errorf("apps.%s: seats %d, start_s %v, settle_s %v: none may be negative", name, a.Seats, a.StartS, a.SettleS)
		}
	}
	return nil
}
