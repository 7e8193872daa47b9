package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/config"
	"github.com/rendergate/rendergate/server/plan"
)

type planCommand struct {
	Profile   string            `help:"The app's profile: names its seats per host." type:"path" placeholder:"FILE"`
	Seats     int               `help:"Seats per host, instead of the profile's."`
	Arrivals  plan.Arrivals     `required:"" help:"How many players come: 120/h, 2/min, 0.5/s."`
	Length    quantity.Duration `required:"" help:"Mean length of a session, such as 12m."`
	LengthP90 quantity.Duration `name:"length-p90" help:"Nine in ten sessions are no longer; without it lengths are exponential."`
	MaxLength quantity.Duration `help:"Sessions are ended then."`
	WaitP90   quantity.Duration `name:"wait-p90" default:"2m" help:"Nine in ten players wait no longer."`
	Patience  quantity.Duration `help:"How long players wait on average before they give up; without it nobody does."`
	Overhead  quantity.Duration `help:"How much longer a seat is held than it is played on; by default the profile's start."`
	Accept    quantity.Duration `help:"How long an offered seat waits for its player, on average."`
	Bitrate   quantity.Rate     `default:"8 Mbit/s" help:"Of one session, for the uplink."`
	Hosts     int               `help:"Show this number of hosts too."`
	Report    string            `help:"Write an HTML page with a plot." type:"path" placeholder:"FILE"`
	JSON      bool              `help:"Print the answer as JSON."`
}

// Run plans.
func (c planCommand) Run() error {
	d, title, err := c.demand()
	if err != nil {
		return usageError{err}
	}
	a, err := plan.Plan(d, c.Hosts)
	if err != nil {
		return usageError{err}
	}
	if c.Report != "" {
		if err := writeReport(c.Report, func(w io.Writer) error { return a.Report(w, d, title) }); err != nil {
			return err
		}
	}
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(a)
	}
	return printPlan(os.Stdout, a)
}

func (c planCommand) demand() (plan.Demand, string, error) {
	d := plan.Demand{
		Arrivals: c.Arrivals.PerHour(), Length: c.Length.Std(), LengthP90: c.LengthP90.Std(), MaxLength: c.MaxLength.Std(),
		Overhead: c.Overhead.Std(), Accept: c.Accept.Std(), Patience: c.Patience.Std(), WaitP90: c.WaitP90.Std(),
		Seats: c.Seats, Bitrate: c.Bitrate.Bps(),
	}
	if c.Profile == "" {
		return d, "How many hosts", nil
	}
	p, err := config.LoadProfile(c.Profile)
	if err != nil {
		return d, "", err
	}
	if d.Seats == 0 {
		d.Seats = p.Seats
	}
	if d.Overhead == 0 {
		d.Overhead = time.Duration(p.StartS * float64(time.Second))
	}
	return d, "How many hosts for " + p.App, nil
}

func writeReport(path string, write func(io.Writer) error) error {
	f, err := os.Create(path) //nolint:gosec // the path that the operator gave
	if err != nil {
		return fmt.Errorf("the report: %w", err)
	}
	if err := write(f); err != nil {
		_ = f.Close()
		return fmt.Errorf("the report: %w", err)
	}
	return f.Close()
}

func printPlan(out io.Writer, a plan.Answer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d hosts\t(%.1f seats busy if nobody had to wait)\n\n", a.Hosts, a.Erlangs)
	b.WriteString("hosts\tseats\tin use\thave to wait\tmean\thalf wait at most\tnine in ten at most\tgive up\tuplink mean\tfull\t\n")
	for _, r := range a.Rows {
		mark := ""
		if r.Hosts == a.Hosts {
			mark = "<- the fewest that hold it"
		}
		fmt.Fprintf(&b, "%d\t%d\t%.0f %%\t%.1f %%\t%s\t%s\t%s\t%.1f %%\t%.0f Mbit/s\t%.0f Mbit/s\t%s\n", r.Hosts, r.Seats,
			100*r.Utilisation, 100*r.Waits, plan.Wait(r, r.MeanS), plan.Wait(r, r.P50S), plan.Wait(r, r.P90S),
			100*r.GaveUp, r.UplinkBps/1e6, r.PeakBps/1e6, mark)
	}
	fmt.Fprintf(&b, "\nBy %s.\n", a.Why)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return w.Flush()
}
