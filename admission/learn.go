package admission

import "math"

// What measurements teach of an app's elastic costs. The estimate is soft
// state; what decisions go by changes only with a CostsLearned event, so that
// they follow from the journal, and so that a pool of ten thousand hosts is
// judged anew once a minute at most and not with every sample.

// remembered is the most observations that an estimate remembers: an older one
// fades. profileWeight is how many a profile counts for.
const (
	remembered    = 200
	profileWeight = 20
	teachEvery    = 10 // seconds between two observations of one session
)

// estimate is an app's learned mean and spread, by elastic resource.
type estimate struct{ cpu, gpu, encoder moment }

// moment is an exponentially weighted mean and variance with a bounded weight.
type moment struct{ mean, variance, weight float64 }

// observe takes x in. The weight rises up to its bound, from where on the
// observations fade exponentially.
func (m *moment) observe(x float64) {
	alpha := 1 / (min(m.weight, remembered) + 1)
	d := x - m.mean
	m.mean += alpha * d
	m.variance = (1 - alpha) * (m.variance + alpha*d*d)
	m.weight = min(m.weight+1, remembered)
}

// newEstimate starts from what is in force. A profile that says nothing weighs
// nothing: the first measurement is better.
func newEstimate(a *app) estimate {
	weight := float64(profileWeight)
	if a.learned != nil {
		weight = a.learned.Weight
	}
	of := func(mean, spread float64) moment {
		if mean == 0 && a.learned == nil {
			return moment{0, spread * spread, 0}
		}
		return moment{mean, spread * spread, weight}
	}
	return estimate{
		cpu:     of(a.mean.CPUCores, a.spread.CPUCores),
		gpu:     of(a.mean.GPU, a.spread.GPU),
		encoder: of(a.mean.Encoder, a.spread.Encoder),
	}
}

func (e estimate) learned() Learned {
	return Learned{
		Mean:   Cost{CPUCores: e.cpu.mean, GPU: e.gpu.mean, Encoder: e.encoder.mean},
		Spread: Cost{CPUCores: math.Sqrt(e.cpu.variance), GPU: math.Sqrt(e.gpu.variance), Encoder: math.Sqrt(e.encoder.variance)},
		Weight: min(remembered, max(e.cpu.weight, e.gpu.weight, e.encoder.weight)),
	}
}

// tally gathers what one session was seen to use between two observations:
// samples a second apart say nearly the same, and would count as many.
type tally struct {
	since             instant
	cpu, gpu, encoder sum
}

type sum struct {
	total float64
	n     int
}

func (s *sum) add(x float64) { s.total += x; s.n++ }

func (s sum) teach(m *moment) {
	if s.n > 0 {
		m.observe(s.total / float64(s.n))
	}
}

// learn takes in what a sample says of one session. Only sessions count whose
// load shows in full and whose player is there; a saturated device says only
// what it could give, not what was wanted, so it is left out.
func (p *Pool) learn(s *session) {
	h := s.host
	if s.phase != PhaseConnected || s.playing(h.windowEnd) < 1 || !s.app.known {
		s.learnt = tally{}
		return
	}
	if s.learnt.since == 0 {
		s.learnt.since = h.windowEnd
	}
	h.tally(&s.learnt.cpu, device{CPU, NoDevice}, s)
	if s.grant.GPU != NoDevice {
		h.tally(&s.learnt.gpu, device{GPU, s.grant.GPU}, s)
		h.tally(&s.learnt.encoder, device{Encoder, s.grant.GPU}, s)
	}
	if h.windowEnd.sub(s.learnt.since).Seconds() < teachEvery {
		return
	}
	e := &s.app.estimate
	s.learnt.cpu.teach(&e.cpu)
	s.learnt.gpu.teach(&e.gpu)
	s.learnt.encoder.teach(&e.encoder)
	s.learnt = tally{since: h.windowEnd}
}

func (h *host) tally(t *sum, dev device, s *session) {
	seen, all := s.seen.of(dev.resource), h.measured(dev)
	if !seen.Known || !all.Known || all.Value >= brownoutAt {
		return
	}
	if dev.resource == CPU {
		t.add(seen.Value * h.facts.Cores)
	} else {
		t.add(seen.Value)
	}
}

// learnedMuch says whether some app's costs differ enough from those in force.
func (p *Pool) learnedMuch() bool {
	for _, a := range p.appOrder {
		if a.known && a.estimate.differs(a) {
			return true
		}
	}
	return false
}

func (e estimate) differs(a *app) bool {
	return e.cpu.differs(a.mean.CPUCores, a.spread.CPUCores) ||
		e.gpu.differs(a.mean.GPU, a.spread.GPU) ||
		e.encoder.differs(a.mean.Encoder, a.spread.Encoder)
}

// differs compares the mean, and the spread on the scale of the mean.
func (m moment) differs(mean, spread float64) bool {
	scale := max(mean, 1e-3)
	return math.Abs(m.mean-mean) > learnChange*scale || math.Abs(math.Sqrt(m.variance)-spread) > learnChange*scale
}

// learned journals the costs, once a minute at most.
func (d *draft) learned() {
	if !d.p.learnedMuch() || (d.p.learnedAt > 0 && d.now < d.p.learnedAt.add(learnEvery)) {
		return
	}
	apps := map[string]Learned{}
	for _, a := range d.p.appOrder {
		if a.known && a.estimate.differs(a) {
			apps[a.name] = a.estimate.learned()
		}
	}
	d.add(CostsLearned{Apps: apps})
}

func (p *Pool) applyLearned(b CostsLearned, at instant) {
	p.learnedAt = at
	for name, l := range b.Apps {
		a := p.apps[name]
		if a == nil {
			continue
		}
		a.learned = &l
		a.useCosts()
	}
	for _, h := range p.hostOrder {
		p.touch(h)
	}
}
