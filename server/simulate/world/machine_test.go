package world

import "testing"

// given is a gate for which everybody comes as the test says.
func given(c *Config, f *fake, people ...*Person) *Tally {
	return Run(PopulationOf(c, 1, people), faked(f))
}

// TestMachines is worked by hand: the second host has half the cores, takes a
// tenth of its own, and is there from 50 to 150 alone.
func TestMachines(t *testing.T) {
	c := tiny()
	c.Apps[0].GPU, c.Apps[0].Encoder, c.Hosts = 0, 0, 2
	c.Machines = []Machine{
		{Cores: 10},
		{Cores: 5, Idle: Loads{CPU: 0.1}, Up: []Interval{{50, 150}}},
	}
	p := somebody(0, 60, 50) // starts until 70, plays until 120
	x := given(c, &fake{seat: func(*Person) (int, int) { return 1, -1 }}, p)
	near(t, "host time", x.HostS, 200+100)
	near(t, "demand", x.Demand, 100*0.1+(10*0.3+50)*0.2)
}

// TestADeadMachine: nobody plays on a host that is not there, and what the
// machine's GPU takes of itself counts.
func TestADeadMachine(t *testing.T) {
	c := tiny()
	c.Machines = []Machine{{
		Cores: 10, GPUs: []string{"L4"}, Idle: Loads{GPU: []float64{0.25}, Encoder: []float64{0}}, Up: []Interval{{0, 60}, {90, Never}},
	}}
	x := given(c, &fake{seat: everybody}, somebody(0, 10, 100)) // plays from 20 to 60, and from 100 to 160
	near(t, "host time", x.HostS, 170)
	near(t, "demand", x.Demand, 170*0.25+(10*0.3+40+10*0.3+60)*0.5)
	near(t, "over the threshold", x.OverS, 40+60)
}

// TestARecordedCourse: what was recorded is taken second by second, the encoder
// too, and its last value goes on.
func TestARecordedCourse(t *testing.T) {
	c := tiny()
	p := somebody(0, 10, 5)
	p.Takes(&Course{CPU: []float32{0}, GPU: []float32{1, 0.5, 0}, Encoder: []float32{0.5, 1, 8}, PlayS: 1})
	var most []float64
	f := &fake{seat: everybody, sample: func(s *Sample) { most = append(most, s.Encoder[0]) }}
	c.Probe.PeriodS = 1
	x := given(c, f, p)
	near(t, "demand", x.Demand, 10*0.3*0.5+0.5+0.25+3*0.8+185*0.02)
	for i, want := range []float64{0.03, 0.05, 0.1, 0.8, 0.8, 0.8, 0} {
		near(t, "encoder", most[18+i], want)
	}
}

// TestTheJudgeKnowsRecordedCourses: whoever is there asks for nearly all of the
// encoder from their tenth second on, so that there is no room for another.
func TestTheJudgeKnowsRecordedCourses(t *testing.T) {
	c := tiny()
	late := &Course{CPU: []float32{1}, GPU: []float32{0}, Encoder: []float32{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8}}
	a, b := somebody(0, 10, 100), somebody(1, 20, 100)
	a.Takes(late)
	b.Takes(&Course{CPU: []float32{0}, GPU: []float32{0.5}, Encoder: []float32{1}})
	f, asked := &fake{}, 0
	f.seat = func(p *Person) (int, int) {
		asked++
		if _, room := f.w.Room(0, p, 0.85, FromNow); room != (p.ID == 0) {
			t.Errorf("%d: room %t", p.ID, room)
		}
		return 0, 0
	}
	given(c, f, b, a)
	if asked != 2 || a.ID != 0 {
		t.Errorf("asked %d times; the first is %d", asked, a.ID)
	}
}
