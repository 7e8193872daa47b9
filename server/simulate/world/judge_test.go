package world

import (
	"math"
	"testing"
)

// crowded is a world with all that moves sessions about.
func crowded() *Config {
	return &Config{
		LengthS: 2400, Hosts: 3, GPUs: 2, Cores: 8, Threshold: 0.85, Contention: 0.2,
		Apps: []App{
			{Name: "a", Share: 2, CPUCores: 0.6, GPU: 0.15, Encoder: 0.05, Declared: 1, Sigma: 0.3, Noise: 0.1, NoiseS: 5, RampS: 6, StartS: 6,
				Stages: Stages{MenuS: 15, MenuLevel: 0.4, LoadingS: 5, LoadingLevel: 1.1, HeavyEveryS: 60, HeavyS: 20, HeavyLevel: 1.6},
				Length: Length{Kind: Lognormal, MeanS: 300, Shape: 1}},
			{Name: "b", Share: 1, CPUCores: 1.5, Declared: 1, Sigma: 0.2, Noise: 0.1, NoiseS: 5, StartS: 3, Length: Length{Kind: Exponential, MeanS: 200}},
		},
		Arrivals: Arrivals{PerHour: 500}, People: People{AnswerS: 3, ConnectS: 2, Drops: 20, DropS: 10},
		Probe: Probe{PeriodS: 1, DelayS: 0.3, Sessions: true}, Failures: Failures{PerHour: 3, LastsS: 60},
		BitrateBps: 8e6, MaxLengthS: 600, OfferS: 20, GraceS: 30, MaxStarting: 1, HostLostS: 60,
	}
}

// fewest seats people on the host with the fewest, up to ten.
func (f *fake) fewest(p *Person) (int, int) {
	best := -1
	for i, h := range f.w.hosts {
		if h.up && len(h.seats) < 10 && (best < 0 || len(h.seats) < len(f.w.hosts[best].seats)) {
			best = i
		}
	}
	if !f.w.c.Apps[p.App].NeedsGPU() {
		return best, -1
	}
	return best, p.ID % 2
}

// TestTheJudgeAgreesWithBruteForce adds everything up anew each time.
func TestTheJudgeAgreesWithBruteForce(t *testing.T) {
	f := &fake{}
	f.seat = f.fewest
	asked, had := 0, 0
	f.sample = func(s *Sample) {
		if s.Seq%7 != 0 {
			return
		}
		w, h := f.w, f.w.hosts[s.Host]
		p := w.pop.People[int(s.Seq)%len(w.pop.People)]
		gpu := -1
		if w.c.Apps[p.App].NeedsGPU() {
			gpu = int(s.Seq) % 2
		}
		for _, by := range []Foresight{FromNow, FromConnection} {
			peak := w.peak(h, gpu, p, by)
			for _, limit := range []float64{0.5, 0.85, 1, 1.5} {
				if math.Abs(peak-limit) < 1e-6 {
					continue
				}
				asked++
				if got := w.roomOn(h, gpu, p, limit, by); got != (peak <= limit) {
					t.Fatalf("at %.2f: room for %.2f: %t, and the peak is %.6f", w.now, limit, got, peak)
				} else if got {
					had++
				}
			}
		}
	}
	Run(NewPopulation(crowded(), 3), faked(f))
	if asked < 5000 || had < asked/10 || had > asked*9/10 {
		t.Errorf("had room %d times of %d: too few of one kind", had, asked)
	}
}

// peak is the highest load of the host while the person plays, by everybody's
// course.
func (w *World) peak(h *Host, gpu int, p *Person, by Foresight) float64 {
	a, c := &w.c.Apps[p.App], w.pop.courseOf(p)
	starts, first := 0.0, c.play
	if by == FromConnection {
		starts, first = p.StartS+p.ConnectS, 0
	}
	most := 0.0
	for t := math.Ceil(w.now); t < w.now+starts+w.pop.lasts(p); t++ {
		cpu, g, encoder := h.asks(t, gpu)
		if t >= w.now+starts {
			i := first + int(t-w.now-starts)
			cpu += c.at(c.cpu, i) * a.CPUCores / w.c.Cores
			if gpu >= 0 {
				g, encoder = g+c.at(c.gpu, i)*a.GPU, encoder+a.Encoder
			}
		}
		most = max(most, w.c.contend(max(cpu, g, encoder)))
	}
	return most
}

// asks is what those with a seat on the host will ask for at a time.
func (h *Host) asks(t float64, gpu int) (cpu, g, encoder float64) {
	cpu = hostCPU
	for _, s := range h.seats {
		began, first := h.w.now, s.course.play
		if s.phase == connected || s.phase == dropped {
			began, first = s.since, 0
		}
		if s.phase == stopping || t >= began+h.w.pop.lasts(s.person)-s.played {
			continue
		}
		i := first + int(t-began)
		cpu += s.course.at(s.course.cpu, i) * s.app.CPUCores / h.w.c.Cores
		if gpu >= 0 && s.gpu == gpu {
			g, encoder = g+s.course.at(s.course.gpu, i)*s.app.GPU, encoder+s.app.Encoder
		}
	}
	return cpu, g, encoder
}
