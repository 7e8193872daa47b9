package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

func app(r calibration.Result) string {
	if r.App == "" {
		return "the application"
	}
	return plain(r.App)
}

// answer is the result in one sentence.
func answer(r calibration.Result) string {
	if r.Partial != "" {
		return soFar(r)
	}
	fit := copies(r.Fits) + " of " + app(r) + " fit"
	switch {
	case r.Fits <= 0:
		fit = "No copy of " + app(r) + " fits"
	case r.Fits == 1:
		fit = "1 copy of " + app(r) + " fits"
	}
	text := fit + " on this host" + spread(r.FitsPerGPU) + ": " + binds(r)
	if sure := confidence(r.Confidence); sure != "" {
		text += "; this is " + sure + " sure"
	}
	return text + "."
}

// soFar is what a partial result still says.
func soFar(r calibration.Result) string {
	if r.Fits <= 0 {
		return "How many copies of " + app(r) + " fit is not known yet."
	}
	return fmt.Sprintf("At least %s of %s ran with every load at or under its threshold; whether more fit is not known, and it was not confirmed.", copies(r.Fits), app(r))
}

func partial(r calibration.Result) string {
	if r.Partial == "" {
		return ""
	}
	return "This calibration did not come to its end: " + strings.TrimSuffix(plain(r.Partial), ".") + "."
}

func spread(perGPU []int) string {
	if len(perGPU) < 2 || len(perGPU) > mostUses {
		return ""
	}
	return fmt.Sprintf(" (%s on its GPUs)", list(perGPU, " + "))
}

func list(all []int, between string) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, between)
}

func binds(r calibration.Result) string {
	switch r.Binding {
	case "":
		return "what binds is not known"
	case calibration.BindingFrames:
		return "with one more, some deliver too few frames"
	case calibration.BindingStarting:
		return "one more does not start, or ends by itself"
	case calibration.BindingMaxCopies:
		return "no more were asked for (--max-copies), so that more may fit"
	}
	return called(r.Binding) + " binds"
}

func confidence(p float64) string {
	switch {
	case !finite(p) || p <= 0 || p > 1:
		return ""
	case p > 0.99:
		return "over 99\u00a0%"
	}
	return decimal(100*p, 0) + "\u00a0%"
}

// check says what was predicted of one copy past the answer, and what was seen.
func check(r calibration.Result) []string {
	c := r.Check
	if c == nil {
		return nil
	}
	kind, gpu := calibration.SplitKey(c.Resource)
	text := fmt.Sprintf("Before copy %d was opened", c.Copies)
	if c.Skipped != "" {
		text = fmt.Sprintf("Copy %d was not opened (%s)", c.Copies, strings.TrimSuffix(plain(c.Skipped), "."))
	}
	said := []string{text + fmt.Sprintf(", the prediction for %s was %s%s.", name(kind, gpu), percent(c.Predicted), interval(c.Low, c.High))}
	if c.Skipped != "" || !finite(c.Seen) || c.Seen <= 0 {
		return said
	}
	return append(said, fmt.Sprintf("Seen was %s, %s.", percent(c.Seen), verdict(*c)))
}

func interval(low, high float64) string {
	if !finite(low, high) {
		return ""
	}
	return fmt.Sprintf(" (95 %% interval %s to %s)", percent(low), percent(high))
}

func verdict(c calibration.Check) string {
	points := decimal(100*(c.Seen-c.Predicted), 1) + " points from the prediction"
	switch {
	case !finite(c.Low, c.High, c.Predicted):
		return "which cannot be compared"
	case c.Seen < c.Low:
		return "below the interval, " + points
	case c.Seen > c.High:
		return "above the interval, " + points
	}
	return "inside the interval, " + points
}

// mostRuns are listed one by one.
const mostRuns = 100

func runs(all []int) string {
	if len(all) < 2 {
		return ""
	}
	low, high := slices.Min(all), slices.Max(all)
	text := fmt.Sprintf("All was measured %d times. The answers were %s", len(all), list(all[:min(len(all), mostRuns)], ", "))
	if len(all) > mostRuns {
		text += " and so on"
	}
	if low == high {
		return text + ": every run agrees."
	}
	return fmt.Sprintf("%s: %d to %d, and the one in the middle counts.", text, low, high)
}

func framesSay(r calibration.Result) string {
	f := r.Frames
	text := fmt.Sprintf("The floor is %s frames a second for every copy. With %s the slowest delivers %s on average", decimal(f.Floor, 1), copies(max(0, r.Fits)), decimal(f.AtFits, 1))
	if finite(f.AtFitsPlusOne) && f.AtFitsPlusOne > 0 {
		text += ", with one more " + decimal(f.AtFitsPlusOne, 1)
	}
	return text + "."
}
