package screen

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Summary writes what came of a calibration.
func Summary(out io.Writer, r calibration.Result) error {
	var b strings.Builder
	b.WriteString(Answer(r) + "\n\n")
	var rows strings.Builder
	fmt.Fprintf(&rows, "\twithout copies\tone copy\t95 %% interval\twith %d\twith %d\tthreshold\n", r.Fits, r.Fits+1)
	for _, kind := range Kinds(r) {
		x := r.Resources[kind]
		row(&rows, kind, x)
		for _, d := range x.Devices {
			row(&rows, fmt.Sprintf("  GPU %d", d.GPU), d)
		}
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if _, err := io.WriteString(table, rows.String()); err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if c := r.Check; c != nil && c.Skipped == "" && c.Seen > 0 {
		fmt.Fprintf(&b, "\n%s were foretold to bring %s to %s (%s to %s); seen was %s.\n", Copies(c.Copies), c.Resource, percent(c.Predicted), percent(c.Low), percent(c.High), percent(c.Seen))
	} else if c != nil && c.Skipped != "" {
		fmt.Fprintf(&b, "\n%s were not tried: %s.\n", Copies(c.Copies), c.Skipped)
	}
	if f := r.Frames; f != nil {
		fmt.Fprintf(&b, "\nThe slowest copy delivers %.1f frames a second with %d, %.1f with %d; the floor is %.1f.\n", f.AtFits, r.Fits, f.AtFitsPlusOne, r.Fits+1, f.Floor)
	}
	if len(r.Runs) > 1 {
		fmt.Fprintf(&b, "\nRuns: %s.\n", strings.Trim(fmt.Sprint(r.Runs), "[]"))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n%s: %s\n", f.Code, f.Message)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// Answer is the result in one sentence.
func Answer(r calibration.Result) string {
	of := " of " + r.App
	switch {
	case r.Partial != "" && r.Fits == 0:
		return fmt.Sprintf("Not finished (%s): nothing is known yet of how many copies%s fit.", r.Partial, of)
	case r.Partial != "":
		return fmt.Sprintf("Not finished (%s): at least %s%s fit; that is not confirmed.", r.Partial, Copies(r.Fits), of)
	}
	per := ""
	if len(r.FitsPerGPU) > 1 {
		per = fmt.Sprintf(" (on GPUs %s)", strings.ReplaceAll(strings.Trim(fmt.Sprint(r.FitsPerGPU), "[]"), " ", " + "))
	}
	verb := "fit"
	if r.Fits == 1 {
		verb = "fits"
	}
	return fmt.Sprintf("%s%s %s on this host%s; %s. Confidence %s.", Copies(r.Fits), of, verb, per, binding(r), sure(r.Confidence))
}

func sure(confidence float64) string {
	if confidence > 0.99 {
		return "over 99 %"
	}
	return fmt.Sprintf("%.0f %%", 100*confidence)
}

func binding(r calibration.Result) string {
	switch r.Binding {
	case calibration.BindingFrames:
		return "one more, and some deliver too few frames"
	case calibration.BindingStarting:
		return "one more does not start, or ends by itself"
	case calibration.BindingMaxCopies:
		return "no more were tried (--max-copies)"
	}
	return r.Binding + " allows no more"
}

// Kinds are the resources that a result has, what binds first.
func Kinds(r calibration.Result) []string {
	order := []string{
		r.Binding, calibration.CPU, calibration.GPULoad, calibration.VRAM, calibration.Encoder,
		calibration.EncoderSessions, calibration.Memory, calibration.Uplink,
	}
	var all []string
	for _, kind := range order {
		if _, there := r.Resources[kind]; there && !slices.Contains(all, kind) {
			all = append(all, kind)
		}
	}
	return all
}

func row(out *strings.Builder, name string, x calibration.Resource) {
	threshold, seen := "none", "foretold"
	if x.Threshold > 0 {
		threshold = percent(x.Threshold)
	}
	if x.Seen {
		seen = "seen"
	}
	fmt.Fprintf(out, "%s\t%s\t%s\t%s to %s\t%s\t%s %s\t%s\n", name, percent(x.Base), percent(x.PerCopy), percent(x.PerCopyLow), percent(x.PerCopyHigh),
		percent(x.AtFits), percent(x.AtFitsPlusOne), seen, threshold)
}
