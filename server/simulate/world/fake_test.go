package world

// fake is a gate that does what a test says. Who is not given a seat at once
// waits for ever.
type fake struct {
	w      *World
	seat   func(p *Person) (host, gpu int) // host -1: wait
	sample func(s *Sample)
	tells  map[int]Place
}

func (f *fake) Join(_ float64, p *Person) {
	if host, gpu := f.seat(p); host >= 0 {
		f.w.Grant(p, host, gpu)
		f.w.Start(p)
	}
}

func (f *fake) Leave(_ float64, p *Person) {
	if f.w.visit(p).seat != nil {
		f.w.Stop(p)
	}
}

func (f *fake) Report(_ float64, r Report) {
	if r.State == Ended {
		f.w.Free(r.Person)
	}
}

func (f *fake) Sample(_ float64, s *Sample) {
	if f.sample != nil {
		f.sample(s)
	}
}

func (f *fake) HostUp(_ float64, host int) {
	for _, s := range f.w.hosts[host].seats {
		if s.phase == reserved {
			f.w.Start(s.person)
		}
	}
}

func (f *fake) Place(_ float64, p *Person) (Place, bool) {
	place, ok := f.tells[p.ID]
	return place, ok
}

func (f *fake) Accept(float64, *Person)       {}
func (f *fake) Gone(float64, *Person)         {}
func (f *fake) Back(float64, *Person)         {}
func (f *fake) HostDown(float64, int)         {}
func (f *fake) Tick(float64)                  {}
func (f *fake) Next() float64                 { return Never }
func (f *fake) Admits(float64, int, int) bool { return true }

// faked makes the gate for [Run].
func faked(f *fake) func(*World) Gate {
	return func(w *World) Gate {
		f.w = w
		return f
	}
}

// tiny is a world with nothing random in it.
func tiny() *Config {
	return &Config{
		LengthS: 200, Hosts: 1, GPUs: 1, Cores: 10, Threshold: 0.4,
		Apps:       []App{{Name: "app", Share: 1, CPUCores: 1, GPU: 0.5, Encoder: 0.1, Declared: 1, NoiseS: 1}},
		Probe:      Probe{PeriodS: 10, Sessions: true},
		BitrateBps: 8e6, OfferS: 20, GraceS: 30, MaxStarting: 1, HostLostS: 60,
	}
}

// somebody comes at a time and plays for so long; their session takes 10 s to
// start.
func somebody(id int, arrives, length float64) *Person {
	return &Person{ID: id, ArrivesS: arrives, Patience: Never, Answers: []float64{1}, StartS: 10, LengthS: length}
}

func everybody(*Person) (int, int) { return 0, 0 }
