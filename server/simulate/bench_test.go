package simulate_test

import (
	"testing"

	"github.com/rendergate/rendergate/server/simulate"
	"github.com/rendergate/rendergate/server/simulate/scenario"
)

// BenchmarkStandard is the standard set in short. Its figures are ratios within
// one run, but for the last: they are the same on every machine.
func BenchmarkStandard(b *testing.B) {
	set, err := scenario.Standard()
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range set {
		b.Run(s.Name, func(b *testing.B) {
			var r simulate.Result
			for range b.N {
				r, err = simulate.Run(b.Context(), simulate.Options{
					Scenarios: []*scenario.Scenario{s}, Policies: []string{"rendergate"}, Seeds: 2, FirstSeed: 1,
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			p := r.Scenarios[0].Policies[0]
			b.ReportMetric(100*p.LoadOfO1, "%ofO1")
			b.ReportMetric(100*p.LoadOfO2, "%ofO2")
			b.ReportMetric(100*p.OverThreshold, "%over")
			b.ReportMetric(100*p.FalseRefusals, "%falsely")
			b.ReportMetric(r.Speed, "speed")
		})
	}
}
