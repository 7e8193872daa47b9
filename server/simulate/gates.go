package simulate

import (
	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/simulate/rival"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// Names that are more than names.
const (
	product = "rendergate"
	oracle1 = "o1"
	oracle2 = "o2"
)

// gate is a policy as it is run: the product's or another's.
type gate struct {
	name, title, source string
	role                Role
	own                 float64   // the knob's own setting
	knobs               []float64 // of a sweep
	curve               bool      // is always swept
	shown               bool      // in the result
	at                  func(knob float64, x *subject) func(*world.World) world.Gate
}

// Policies are the names of all that can be run, in the order of the results.
func Policies() []string {
	var names []string
	for _, g := range gates() {
		names = append(names, g.name)
	}
	return names
}

// gates are the product, and its rivals and oracles.
func gates() []gate {
	list := []gate{{
		name: product, title: "Rendergate", source: "this project", role: RoleOurs,
		own: admission.DefaultOver, knobs: []float64{0.002, 0.005, 0.01, 0.02, 0.05, 0.10, 0.20, 0.40},
		at: func(knob float64, x *subject) func(*world.World) world.Gate {
			return world.NewCore(corePolicy(knob, x))
		},
	}}
	for _, e := range rival.All() {
		list = append(list, gate{
			name: e.Name, title: e.Title, source: e.Source, role: roleOf(e.Name),
			own: e.Default, knobs: e.Knobs, curve: e.Name == oracle2,
			at: func(knob float64, _ *subject) func(*world.World) world.Gate { return rival.New(e.New(knob)) },
		})
	}
	return list
}

func roleOf(name string) Role {
	if name == oracle1 || name == oracle2 {
		return RoleOracle
	}
	return RoleRival
}

// corePolicy is the product's policy for a subject. Its knob is the share of time
// over the threshold that the operator accepts.
func corePolicy(over float64, x *subject) admission.Policy {
	p, limit := x.policy, x.config.Threshold
	p.Threshold.CPU, p.Threshold.GPU, p.Threshold.Encoder = limit, limit, limit
	p.Threshold.Over = over
	return p
}
