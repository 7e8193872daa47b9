package simulate

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rendergate/rendergate/server/simulate/replay"
	"github.com/rendergate/rendergate/server/simulate/scenario"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// Options are what to run.
type Options struct {
	Version   string // of the program, for the result
	Set       string // what the scenarios are called together, for the result
	Scenarios []*scenario.Scenario
	Traces    []*replay.Replay // run after the scenarios
	Policies  []string         // names, see [Policies]; empty: all
	Seeds     int              // how often each scenario and trace is run, 1 or more
	FirstSeed uint64
	Sweep     bool // the curve of every policy, and not of the second oracle alone
	// SweepSeeds is how many of the seeds the curves are of; 0: all. Curves take
	// many runs, and are compared on the same people.
	SweepSeeds int
	Workers    int // at once; 0: one for each processor that Go may use
	// Progress is told of the runs that are done, of how many. It is called from
	// one goroutine at a time; nil: nobody is told.
	Progress func(done, total int)
}

// Run runs every scenario and trace with every seed, and every policy on the same
// people. What it returns depends on the options' scenarios, traces, policies and seeds alone:
// not on the workers, and but for TookS and Speed not on the machine. Its error
// is the context's, or tells of a policy that is not known.
func Run(ctx context.Context, o Options) (Result, error) {
	began := time.Now()
	p, err := newPlan(o)
	if err != nil {
		return Result{}, err
	}
	if err := p.work(ctx); err != nil {
		return Result{}, err
	}
	r := Result{Version: o.Version, Set: o.Set, Seeds: o.Seeds, SweepSeeds: p.sweepSeeds(), FirstSeed: o.FirstSeed, Speed: p.speed()}
	for i, s := range p.subjects {
		r.Scenarios = append(r.Scenarios, p.summary(s, p.outcomes[i]))
	}
	r.TookS = time.Since(began).Seconds()
	return r, nil
}

// Check says what of the options cannot be run.
func (o Options) Check() error {
	_, err := newPlan(o)
	return err
}

// plan is all that is to be run, and what came of it.
type plan struct {
	o        Options
	subjects []subject
	gates    []gate
	runs     []setting      // of each subject and seed, in this order
	outcomes [][][]*outcome // by subject, seed and run

	mu   sync.Mutex
	done int // owned by mu
}

// setting is one gate with one setting of its knob.
type setting struct {
	gate int
	knob float64
	own  bool // the gate's own setting
	all  bool // with every seed, though a sweep may be of fewer
}

func newPlan(o Options) (*plan, error) {
	if o.Seeds < 1 {
		return nil, fmt.Errorf("%d seeds; want 1 or more", o.Seeds)
	}
	p := &plan{o: o, subjects: o.subjects(), gates: gates()}
	if err := p.choose(); err != nil {
		return nil, err
	}
	for i, g := range p.gates {
		p.runs = append(p.runs, setting{gate: i, knob: g.own, own: true, all: true})
		if o.Sweep && g.shown || g.curve {
			for _, k := range g.knobs {
				if k != g.own {
					p.runs = append(p.runs, setting{gate: i, knob: k, all: g.curve})
				}
			}
		}
	}
	for range p.subjects {
		of := make([][]*outcome, o.Seeds)
		for seed := range of {
			of[seed] = make([]*outcome, len(p.runs))
		}
		p.outcomes = append(p.outcomes, of)
	}
	return p, nil
}

// choose keeps the policies that are asked for, and the oracles, to which the
// others are compared.
func (p *plan) choose() error {
	for _, name := range p.o.Policies {
		if !slices.ContainsFunc(p.gates, func(g gate) bool { return g.name == name }) {
			return fmt.Errorf("no policy %q; the policies are %s", name, strings.Join(Policies(), ", "))
		}
	}
	for i := range p.gates {
		g := &p.gates[i]
		g.shown = len(p.o.Policies) == 0 || slices.Contains(p.o.Policies, g.name)
	}
	p.gates = slices.DeleteFunc(p.gates, func(g gate) bool { return !g.shown && g.name != oracle1 && g.name != oracle2 })
	return nil
}

// work runs all. A subject with a seed is one piece of work, since its people
// are shared by the runs, and keep what has been drawn of them.
func (p *plan) work(ctx context.Context) error {
	workers := p.o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range p.subjects {
		for seed := range p.o.Seeds {
			group.Go(func() error { return p.meet(ctx, i, seed) })
		}
	}
	return group.Wait()
}

// meet lets the people of one subject and seed meet every gate.
func (p *plan) meet(ctx context.Context, i, seed int) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	x := &p.subjects[i]
	pop := x.people(p.o.FirstSeed + uint64(seed)) //nolint:gosec // seeds are counted from 0
	for n, s := range p.runs {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !s.all && seed >= p.sweepSeeds() {
			continue
		}
		began := time.Now()
		run := world.Run
		if !s.own && !p.gates[s.gate].curve {
			run = world.RunUnjudged // a point of a curve is load and time over alone
		}
		t := run(pop, p.gates[s.gate].at(s.knob, x))
		o := newOutcome(pop, t, time.Since(began))
		o.trim(s.own, p.gates[s.gate].name == product)
		p.outcomes[i][seed][n] = o
		p.tell()
	}
	return nil
}

func (p *plan) tell() {
	if p.o.Progress == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.o.Progress(p.done, p.total())
}

func (p *plan) sweepSeeds() int {
	if n := p.o.SweepSeeds; n > 0 {
		return min(n, p.o.Seeds)
	}
	return p.o.Seeds
}

// total is how many runs there are.
func (p *plan) total() int {
	n := 0
	for _, s := range p.runs {
		if s.all {
			n += p.o.Seeds
		} else {
			n += p.sweepSeeds()
		}
	}
	return n * len(p.subjects)
}

// speed is simulated over real time, of the product's runs; 0 if it had none.
func (p *plan) speed() float64 {
	simulated, took := 0.0, 0.0
	for i, of := range p.outcomes {
		for _, runs := range of {
			for n, s := range p.runs {
				if p.gates[s.gate].name == product {
					if runs[n] != nil {
						simulated += p.subjects[i].config.LengthS
						took += runs[n].tookS
					}
				}
			}
		}
	}
	return over(simulated, took)
}
