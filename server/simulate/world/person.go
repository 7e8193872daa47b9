package world

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Person is somebody who comes. All that chance decides of them is decided
// here, whatever gate they meet.
type Person struct {
	ID       int
	App      int
	ArrivesS float64
	Patience float64   // seconds in the queue before giving up; Never: as long as it takes
	Answers  []float64 // seconds to each offer's acceptance, one after another; Never: not answered
	StartS   float64   // their session's start
	ConnectS float64   // from ready to connected
	LengthS  float64   // of play
	Drops    []drop    // connections lost, by seconds since they came (in the queue) or connected

	seed   uint64
	course *course
}

type drop struct{ at, lasts float64 }

// answer is how long the person takes for the n-th offer.
func (p *Person) answer(n int) float64 { return p.Answers[min(n, len(p.Answers)-1)] }

// Population is everybody who comes to a world with a seed, by arrival.
type Population struct {
	config *Config
	seed   uint64
	People []*Person
}

// NewPopulation draws everybody who comes.
func NewPopulation(c *Config, seed uint64) *Population {
	pop := &Population{config: c, seed: seed}
	for i, at := range arrivals(c, rand.New(rand.NewPCG(seed, 0xA11))) { //nolint:gosec // repeatable, not secret
		pop.People = append(pop.People, newPerson(c, seed, i, at))
	}
	return pop
}

// PopulationOf is people who are given and not drawn. They are put into the
// order of their coming, and numbered. Each needs one answer or more; the seed
// decides what chance does apart from them, as noise.
func PopulationOf(c *Config, seed uint64, people []*Person) *Population {
	slices.SortStableFunc(people, func(a, b *Person) int { return cmp.Compare(a.ArrivesS, b.ArrivesS) })
	for i, p := range people {
		p.ID = i
	}
	return &Population{config: c, seed: seed, People: people}
}

const offersForeseen = 4

func newPerson(c *Config, seed uint64, id int, at float64) *Person {
	r := rand.New(rand.NewPCG(seed, uint64(id)+1<<32)) //nolint:gosec // repeatable, not secret
	p := &Person{ID: id, ArrivesS: at, Patience: Never, seed: r.Uint64(), App: pickApp(c, r)}
	a, b := &c.Apps[p.App], c.People
	if x := r.ExpFloat64(); b.PatienceS > 0 {
		p.Patience = x * b.PatienceS
	}
	for range offersForeseen {
		x, ignored := r.ExpFloat64()*b.AnswerS, r.Float64() < b.Ignores
		if ignored {
			x = Never
		}
		p.Answers = append(p.Answers, x)
	}
	p.StartS = a.StartS * (0.7 + 0.6*r.Float64())
	p.ConnectS = r.ExpFloat64() * b.ConnectS
	p.LengthS = a.Length.draw(r)
	for t := 0.0; b.Drops > 0; {
		t += r.ExpFloat64() * 3600 / b.Drops
		if t > 7200 {
			break
		}
		p.Drops = append(p.Drops, drop{t, r.ExpFloat64() * b.DropS})
	}
	return p
}

func pickApp(c *Config, r *rand.Rand) int {
	total := 0.0
	for i := range c.Apps {
		total += c.Apps[i].Share
	}
	x := r.Float64() * total
	for i := range c.Apps {
		if x -= c.Apps[i].Share; x < 0 {
			return i
		}
	}
	return len(c.Apps) - 1
}

func (l Length) draw(r *rand.Rand) float64 {
	switch l.Kind {
	case Lognormal:
		return math.Exp(math.Log(l.MeanS) - l.Shape*l.Shape/2 + l.Shape*r.NormFloat64())
	case Pareto:
		least := l.MeanS * (l.Shape - 1) / l.Shape
		return least * math.Pow(1-r.Float64(), -1/l.Shape)
	default:
		return r.ExpFloat64() * l.MeanS
	}
}

// arrivals draws when people come: a Poisson process whose rate changes, by
// thinning (Lewis and Shedler 1979), and the flash crowd.
func arrivals(c *Config, r *rand.Rand) []float64 {
	a := c.Arrivals
	var list []float64
	peak := a.PerHour / 3600 * (1 + a.Daily) * max(1, a.BurstFactor)
	burst, turns := false, Never
	if a.BurstS > 0 {
		turns = r.ExpFloat64() * a.CalmS
	}
	for t := 0.0; peak > 0; {
		t += r.ExpFloat64() / peak
		for t > turns {
			if burst = !burst; burst {
				turns += r.ExpFloat64() * a.BurstS
			} else {
				turns += r.ExpFloat64() * a.CalmS
			}
		}
		if t >= c.LengthS {
			break
		}
		if r.Float64()*peak < a.rate(t, burst) {
			list = append(list, t)
		}
	}
	for range a.FlashPeople {
		if t := a.FlashAtS + r.Float64()*a.FlashS; t < c.LengthS {
			list = append(list, t)
		}
	}
	slices.Sort(list)
	return list
}

func (a Arrivals) rate(t float64, burst bool) float64 {
	rate := a.PerHour / 3600
	if a.DayS > 0 {
		rate *= 1 + a.Daily*math.Sin(2*math.Pi*t/a.DayS)
	}
	if burst {
		rate *= a.BurstFactor
	}
	return rate
}

// Config is the world that they come to.
func (pop *Population) Config() *Config { return pop.config }
