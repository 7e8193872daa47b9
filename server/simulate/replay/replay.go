// Package replay makes a simulated world of a trace: its hosts, its policy, and
// the people who came, with what their sessions took. What the trace does not
// know of somebody is drawn from what it knows of others. docs/simulate.md of
// package simulate says what is taken from where.
package replay

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/simulate/trace"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// Options of a replay.
type Options struct {
	Times int // how often each person comes; 1: as recorded
}

// Bounds keep a slip of the pen from being a simulation of days.
const (
	mostTimes  = 100
	mostPeople = 200_000
	mostS      = 31 * 24 * 3600
)

// Replay is a trace as a world. It is only read once it is made.
type Replay struct {
	Name   string // the pool's
	About  string // one line
	Policy admission.Policy
	// Notes say what is missing in the trace, and what was assumed for it.
	Notes []string

	config  world.Config
	times   int
	guests  []guest
	apps    []app
	answers []float64 // of all offers that were accepted, in seconds
}

// New makes a world of the trace. Its error says what cannot be simulated.
func New(t *trace.Trace, o Options) (*Replay, error) {
	r := &Replay{Name: t.Pool, Policy: t.Policy, Notes: slices.Clone(t.Notes), times: o.Times}
	switch {
	case o.Times < 1 || o.Times > mostTimes:
		return nil, fmt.Errorf("each person %d times; want 1 to %d", o.Times, mostTimes)
	case len(t.People) == 0:
		return nil, errors.New("nobody came while the trace was recorded, so there is nobody to replay")
	case len(t.People)*o.Times > mostPeople:
		return nil, fmt.Errorf("%d people would come; want at most %d", len(t.People)*o.Times, mostPeople)
	case !(t.LengthS >= 1 && t.LengthS <= mostS):
		return nil, fmt.Errorf("the trace is %.1f s long; want 1 s to 31 days", t.LengthS)
	case t.Period <= 0:
		return nil, errors.New("no sample was recorded, so what sessions took is unknown; want a trace of a pool with a probe")
	}
	for _, step := range []func(*trace.Trace) error{r.takePolicy, r.takeApps, r.takePeople, r.takeHosts} {
		if err := step(t); err != nil {
			return nil, err
		}
	}
	r.About = r.about(t)
	return r, nil
}

func (r *Replay) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func (r *Replay) about(t *trace.Trace) string {
	length := quantity.Duration(time.Duration(t.LengthS) * time.Second)
	text := fmt.Sprintf("As recorded from %s UTC on, for %s. People: %d; hosts: %d.",
		t.Start.UTC().Format("2006-01-02 15:04"), length, len(r.guests), r.config.Hosts)
	if r.times > 1 {
		text += fmt.Sprintf(" Each person comes %d times.", r.times)
	}
	return text
}

// World is what the people come to. It must not be changed.
func (r *Replay) World() *world.Config { return &r.config }

// How samples arrive. The trace does not tell: this is what scenarios have by
// default.
const (
	delayS = 0.1
	noise  = 0.005
)

// takePolicy takes over what holds for every policy alike.
func (r *Replay) takePolicy(t *trace.Trace) error {
	p := t.Policy
	r.config = world.Config{
		Name: t.Pool, LengthS: t.LengthS, Threshold: p.Threshold.CPU,
		Probe:      world.Probe{PeriodS: t.Period.Seconds(), DelayS: delayS, Noise: noise},
		BitrateBps: p.Session.BitrateBps, MaxLengthS: p.Session.MaxLength.Seconds(),
		OfferS: p.Queue.OfferTimeout.Seconds(), GraceS: p.Queue.ReconnectGrace.Seconds(),
		MaxStarting: p.Placement.MaxStarting, HostLostS: p.Placement.HostLost.Seconds(),
	}
	if p.Uplink.WhenFull != admission.FullAllow {
		r.config.UplinkBps = p.Uplink.BudgetBps
	}
	if o := p.Threshold.Over; o != 0 && o != admission.DefaultOver {
		r.note("threshold.over was %g; the product is simulated with %g, and with others for its curve", o, admission.DefaultOver)
	}
	return r.oneThreshold(t)
}

// oneThreshold is all that the world can have.
func (r *Replay) oneThreshold(t *trace.Trace) error {
	x := t.Policy.Threshold
	gpus := slices.ContainsFunc(t.Hosts, func(h trace.Host) bool { return len(h.GPUs) > 0 })
	if gpus && (x.GPU != x.CPU || x.Encoder != x.CPU) {
		return fmt.Errorf("thresholds of %g for the CPU, %g for GPUs and %g for encoders; want one for all, which is what can be simulated", x.CPU, x.GPU, x.Encoder)
	}
	return nil
}
