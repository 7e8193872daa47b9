package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/rendergate/rendergate/server/simulate"
	"github.com/rendergate/rendergate/server/simulate/replay"
	"github.com/rendergate/rendergate/server/simulate/report"
	"github.com/rendergate/rendergate/server/simulate/scenario"
)

type simulateCommand struct {
	Set      string   `help:"The built-in set of scenarios: standard, or none." default:"standard" enum:"standard,none"`
	Scenario []string `help:"Run this scenario's file instead of the set; may be given again." sep:"none" type:"path" placeholder:"FILE"`
	Only     []string `help:"Of these scenarios run this one alone; may be given again." placeholder:"NAME"`
	Trace    []string `help:"Replay what was recorded with --record instead: a file, or a folder of them; may be given again." sep:"none" type:"path" placeholder:"FILE"`
	Pool     string   `help:"Of the traces' pools this one." placeholder:"NAME"`
	Times    int      `help:"Of a trace, each person comes so often." default:"1" placeholder:"N"`
	Policies []string `help:"Run these policies alone; rendergate is the product's. Unset: all." placeholder:"NAME,…"`

	Seeds      *int   `help:"Run each scenario so often, with other people. Unset: 30; 5 of a trace, of which little is left to chance." placeholder:"N"`
	FirstSeed  uint64 `help:"Seeds go up from this one." default:"1" placeholder:"N"`
	Sweep      bool   `help:"Turn every policy's knob too, for its loss-load curve; --report implies it."`
	SweepSeeds int    `help:"Draw the curves of the first so many seeds; 0: of all." default:"10" placeholder:"N"`
	Workers    int    `help:"Runs at once; unset: one for each processor." placeholder:"N"`

	Report string `help:"Write an HTML report." type:"path" placeholder:"FILE"`
	JSON   bool   `name:"json" help:"Print the result as JSON."`
}

// collectAt is how much memory may grow before it is looked through, in percent.
const collectAt = 400

// Run simulates.
func (c simulateCommand) Run(ctx context.Context) error {
	o, err := c.options()
	if err != nil {
		return usageError{err}
	}
	if err := mayWrite(c.Report); err != nil {
		return usageError{fmt.Errorf("--report: %w", err)}
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt) // little is kept, much is thrown away
	}
	m := newMeter(os.Stderr)
	o.Progress = m.show
	r, err := simulate.Run(ctx, o)
	m.close()
	if err != nil {
		return fmt.Errorf("stopped: %w", err)
	}
	return c.write(r)
}

func (c simulateCommand) options() (simulate.Options, error) {
	o := simulate.Options{
		Version: version, Policies: c.Policies, Seeds: c.seeds(), FirstSeed: c.FirstSeed,
		Sweep: c.Sweep || c.Report != "", SweepSeeds: c.SweepSeeds, Workers: c.Workers,
	}
	if err := c.subjects(&o); err != nil {
		return o, err
	}
	if o.Seeds > mostSeeds {
		return o, fmt.Errorf("--seeds: want 1 to %d, got %d", mostSeeds, o.Seeds)
	}
	return o, o.Check()
}

// How many seeds there may be, and are unless it is said.
const (
	mostSeeds    = 10_000
	usualSeeds   = 30
	seedsOfTrace = 5
)

func (c simulateCommand) seeds() int {
	switch {
	case c.Seeds != nil:
		return *c.Seeds
	case len(c.Trace) > 0:
		return seedsOfTrace
	default:
		return usualSeeds
	}
}

// subjects are what is run: the trace, or scenarios.
func (c simulateCommand) subjects(o *simulate.Options) (err error) {
	switch {
	case len(c.Trace) == 0 && (c.Pool != "" || c.Times != 1):
		return errors.New("--pool and --times are of a trace; want --trace FILE too")
	case len(c.Trace) == 0:
		o.Set, o.Scenarios, err = c.scenarios()
		return err
	case len(c.Scenario) > 0 || len(c.Only) > 0:
		return errors.New("--trace goes with neither --scenario nor --only; want one or the other")
	}
	r, err := c.replay()
	if err != nil {
		return fmt.Errorf("--trace: %w", err)
	}
	o.Set, o.Traces = "trace", []*replay.Replay{r}
	return nil
}

// scenarios are those of the files, or of the set, as far as --only names them.
func (c simulateCommand) scenarios() (set string, list []*scenario.Scenario, err error) {
	set = c.Set
	if len(c.Scenario) > 0 {
		set = "files"
		for _, path := range c.Scenario {
			s, err := scenario.Load(path)
			if err != nil {
				return "", nil, err
			}
			list = append(list, s)
		}
	} else if c.Set == "standard" {
		if list, err = scenario.Standard(); err != nil {
			return "", nil, err
		}
	}
	if list, err = only(list, c.Only); err == nil && len(list) == 0 {
		err = fmt.Errorf("no scenario; want --set standard or --scenario FILE")
	}
	return set, list, err
}

func only(list []*scenario.Scenario, names []string) ([]*scenario.Scenario, error) {
	var known []string
	for _, s := range list {
		if slices.Contains(known, s.Name) {
			return nil, fmt.Errorf("two scenarios are named %q; want a name of its own for each", s.Name)
		}
		known = append(known, s.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("--only: no scenario %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	if len(names) == 0 {
		return list, nil
	}
	return slices.DeleteFunc(list, func(s *scenario.Scenario) bool { return !slices.Contains(names, s.Name) }), nil
}

func (c simulateCommand) write(r simulate.Result) error {
	if c.Report != "" {
		if err := writeReport(c.Report, func(w io.Writer) error { return report.Write(w, r) }); err != nil {
			return err
		}
	}
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(r)
	}
	return printSimulation(os.Stdout, r)
}

// printSimulation writes a table for each scenario.
func printSimulation(w io.Writer, r simulate.Result) error {
	var b strings.Builder
	for _, s := range r.Scenarios {
		fmt.Fprintf(&b, "%s: %s\n\n", s.Name, s.About)
		printPolicies(&b, s)
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s, each with %s from %d on. ", count(len(r.Scenarios), "scenario"), count(r.Seeds, "seed"), r.FirstSeed)
	fmt.Fprintf(&b, "It took %s; the product's runs went %.0f times as fast as real time.\n", span(r.TookS), r.Speed)
	_, err := io.WriteString(w, b.String())
	return err
}

func printPolicies(b *strings.Builder, s simulate.Scenario) {
	fmt.Fprintf(b, "%-18s %7s %7s %7s %8s %7s %8s %7s %7s %7s %8s %6s\n",
		"", "load", "of O1", "of O2", "over", "full", "deepest", "refused", "wait", "wait", "gave up", "broken")
	fmt.Fprintf(b, "%-18s %7s %7s %7s %8s %7s %8s %7s %7s %7s %8s %6s\n",
		"", "", "", "", "limit", "", "over", "falsely", "P50", "P90", "", "rules")
	for _, p := range s.Policies {
		fmt.Fprintf(b, "%-18.18s %6.1f%% %6.1f%% %6.1f%% %7.2f%% %6.2f%% %7.1f%% %6.1f%% %7s %7s %7.1f%% %6d\n", p.Name,
			100*p.Load, 100*p.LoadOfO1, 100*p.LoadOfO2, 100*p.OverThreshold, 100*p.OverFullByAdmission, 100*p.DepthMost,
			100*p.FalseRefusals, wait(p.WaitP50S), wait(p.WaitP90S), 100*p.GaveUp, p.Violations)
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// wait is a wait as minutes and seconds.
func wait(s float64) string {
	n := int(s + 0.5)
	return fmt.Sprintf("%d:%02d", n/60, n%60)
}
