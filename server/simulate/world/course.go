package world

import (
	"math"
	"math/rand/v2"
)

// course is what a session takes in each second from when its player connects,
// as a factor of its app's cost. It is drawn once for a person, whoever seats
// them, and is as long as anybody can ask.
type course struct {
	cpu, gpu []float32
	encoder  []float32 // of a drawn course a single 1, see encodes
	recorded bool
	play     int     // the second from which on the session is in play: menu, loading and ramp are over
	keeps    float64 // the session's own factor
}

// at is the factor in a second; the last one goes on.
func (c *course) at(series []float32, second int) float64 {
	return float64(series[min(max(second, 0), len(series)-1)])
}

// Course is what a recorded session took in each second from when its player
// connected, as factors of its app's cost. Each list has one value or more; the
// last one goes on.
type Course struct {
	CPU, GPU, Encoder []float32
	PlayS             int // the second from which on the session shows in full
}

// Takes gives the person's session a recorded course in place of a drawn one.
func (p *Person) Takes(c *Course) {
	p.course = &course{cpu: c.CPU, gpu: c.GPU, encoder: c.Encoder, play: c.PlayS, keeps: 1, recorded: true}
}

// encodes is the encoder's factor in a second in which the CPU has that one.
// Where it is not recorded it does not vary, but is idle while the CPU is.
func (c *course) encodes(second int, cpu float64) float64 {
	if c.recorded {
		return c.at(c.encoder, second)
	}
	return encoding(cpu)
}

// courseOf draws the person's course the first time that it is asked for.
func (pop *Population) courseOf(p *Person) *course {
	if p.course == nil {
		p.course = newCourse(&pop.config.Apps[p.App], p.seed, pop.lasts(p))
	}
	return p.course
}

// lasts is how long the person plays: as long as they like, or may.
func (pop *Population) lasts(p *Person) float64 {
	if most := pop.config.MaxLengthS; most > 0 {
		return min(p.LengthS, most)
	}
	return p.LengthS
}

func newCourse(a *App, seed uint64, lasts float64) *course {
	r := rand.New(rand.NewPCG(seed, 0xC0)) //nolint:gosec // repeatable, not secret
	// Beyond what is played a session may wait for its player, and be stopped.
	n := int(lasts) + 120
	c := &course{
		cpu: make([]float32, n), gpu: make([]float32, n), encoder: []float32{1},
		keeps: math.Exp(a.Sigma*r.NormFloat64() - a.Sigma*a.Sigma/2),
	}
	menu, loading := a.Stages.MenuS*(0.5+r.Float64()), a.Stages.LoadingS*(0.5+r.Float64())
	c.play = int(math.Ceil(max(menu+loading, a.RampS)))
	scale := c.keeps / a.Stages.meanInPlay()
	decay := math.Exp(-1 / max(0.1, a.NoiseS))
	kick := a.Noise * math.Sqrt(1-decay*decay)
	cpu, gpu := a.Noise*r.NormFloat64(), a.Noise*r.NormFloat64()
	heavy, turns := false, r.ExpFloat64()*a.Stages.HeavyEveryS
	for i := range n {
		t := float64(i)
		for a.Stages.HeavyS > 0 && t > turns+menu+loading {
			if heavy = !heavy; heavy {
				turns += r.ExpFloat64() * a.Stages.HeavyS
			} else {
				turns += r.ExpFloat64() * a.Stages.HeavyEveryS
			}
		}
		level := a.Stages.level(t, menu, loading, heavy) * scale * min(1, (t+1)/max(1, a.RampS))
		cpu = decay*cpu + kick*r.NormFloat64()
		gpu = decay*gpu + kick*r.NormFloat64()
		c.cpu[i] = float32(level * max(0, 1+cpu))
		c.gpu[i] = float32(level * max(0, 1+gpu))
	}
	return c
}

func (s Stages) level(t, menu, loading float64, heavy bool) float64 {
	switch {
	case t < menu:
		return s.MenuLevel
	case t < menu+loading:
		return s.LoadingLevel
	case heavy:
		return s.HeavyLevel
	default:
		return 1
	}
}

// meanInPlay is the mean level of play and heavy scenes, by how long each lasts.
func (s Stages) meanInPlay() float64 {
	if s.HeavyS <= 0 || s.HeavyEveryS <= 0 {
		return 1
	}
	return (s.HeavyEveryS + s.HeavyS*s.HeavyLevel) / (s.HeavyEveryS + s.HeavyS)
}
