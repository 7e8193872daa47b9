package simulate

import (
	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// subject is a world in which policies are compared, and who comes to it.
type subject struct {
	about  string
	config *world.Config    // is only read
	policy admission.Policy // what the product's starts from
	people func(seed uint64) *world.Population
}

// subjects are the scenarios and then the traces.
func (o Options) subjects() []subject {
	var list []subject
	for _, s := range o.Scenarios {
		c := s.World()
		list = append(list, subject{
			about: s.About, config: c, policy: admission.DefaultPolicy(),
			people: func(seed uint64) *world.Population { return world.NewPopulation(c, seed) },
		})
	}
	for _, t := range o.Traces {
		list = append(list, subject{about: t.About, config: t.World(), policy: t.Policy, people: t.People})
	}
	return list
}
