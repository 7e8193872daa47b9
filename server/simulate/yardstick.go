package simulate

import "slices"

// yardstick is what a scenario's policies are compared to: the oracles' runs on
// the same people.
type yardstick struct {
	o1 []float64    // loads, by seed
	o2 [][]*outcome // by setting and seed
}

// byO1 is the mean of the seeds' ratios of loads, and its interval.
func (y yardstick) byO1(runs []*outcome) Range {
	return interval(ratios(each(runs, (*outcome).load), y.o1))
}

// byO2 is the mean of the seeds' ratios of the load to the second oracle's, at the
// setting at which that is over the threshold for the same share of time, on
// average over the seeds. Where it is on the curve depends on all seeds, so the
// interval is by the jackknife (Tukey 1958): the spread of what each seed adds.
func (y yardstick) byO2(runs []*outcome) Range {
	all := y.ratioToO2(runs, -1)
	n := float64(len(runs))
	if len(runs) < 2 {
		return around(all, nil)
	}
	adds := make([]float64, len(runs))
	for seed := range runs {
		adds[seed] = n*all - (n-1)*y.ratioToO2(runs, seed)
	}
	return around(all, adds)
}

// ratioToO2 leaves one seed out, none if it is -1.
func (y yardstick) ratioToO2(runs []*outcome, without int) float64 {
	rest := leave(runs, without)
	settings := make([][]*outcome, len(y.o2))
	for i := range y.o2 {
		settings[i] = leave(y.o2[i], without)
	}
	loads := newLossLoad(settings).at(mean(each(rest, (*outcome).over)))
	return mean(ratios(each(rest, (*outcome).load), loads))
}

// refusalsOfO2 is what the second oracle refuses falsely, on average over the
// seeds, where it is over the threshold for the same share of time.
func (y yardstick) refusalsOfO2(runs []*outcome) float64 {
	return mean(newLossLoad(y.o2).refusalsAt(mean(each(runs, (*outcome).over))))
}

func leave(runs []*outcome, without int) []*outcome {
	if without < 0 {
		return runs
	}
	return slices.Delete(slices.Clone(runs), without, without+1)
}

func ratios(a, b []float64) []float64 {
	list := make([]float64, len(a))
	for i := range a {
		list[i] = over(a[i], b[i])
	}
	return list
}
