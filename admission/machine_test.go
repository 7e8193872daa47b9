package admission

import "testing"

func TestMachines(t *testing.T) {
	gpus := func(names ...string) HostFacts {
		f := HostFacts{Cores: 16}
		for _, n := range names {
			f.GPUs = append(f.GPUs, GPUFacts{Name: n})
		}
		return f
	}
	l4 := Machine{Cores: 16, GPUs: "L4, L4"}
	for name, c := range map[string]struct {
		profile Machine
		host    HostFacts
		differs bool
	}{
		"says nothing":       {Machine{}, gpus("L4"), false},
		"the same":           {l4, gpus("L4", "L4"), false},
		"a share, nearly":    {Machine{Cores: 15.9, GPUs: "L4, L4"}, gpus("L4", "L4"), false},
		"one GPU less":       {l4, gpus("L4"), true},
		"other GPUs":         {l4, gpus("L40S", "L4"), true},
		"more cores":         {Machine{Cores: 8, GPUs: "L4, L4"}, gpus("L4", "L4"), true},
		"any order":          {Machine{Cores: 16, GPUs: GPUNames([]string{"T4", "L4"})}, gpus("L4", "T4"), false},
		"none, and none":     {Machine{Cores: 16}, gpus(), false},
		"none, where one is": {Machine{Cores: 16}, gpus("L4"), true},
		"1 % fewer cores":    {Machine{Cores: 15.85}, gpus(), false},
		"2 % fewer cores":    {Machine{Cores: 15.68}, gpus(), true},
		"2 % more cores":     {Machine{Cores: 16.33}, gpus(), true},
		"GPUs alone":         {Machine{GPUs: "L4"}, gpus("L4"), false},
		"other GPUs alone":   {Machine{GPUs: "T4"}, gpus("L4"), true},
		"twice the same GPU": {Machine{Cores: 16, GPUs: "L4"}, gpus("L4", "L4"), true},
	} {
		if got := c.profile.Differs(c.host.Machine()); got != c.differs {
			t.Errorf("%s: %s and %s: %v", name, c.profile, c.host.Machine(), got)
		}
	}
}

// TestAProfileFromElsewhere is used with less trust: its seats do not count, and
// a quarter of its cost is uncertain.
func TestAProfileFromElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		machine Machine
		cpu     float64
		want    string
	}{
		"the same machine, the last seat is taken":  {Machine{Cores: 4}, 0.1, "seats"},
		"another machine, load decides":             {Machine{Cores: 8}, 0.1, ""},
		"the same machine, 55 % + 25 %":             {Machine{}, 0.55, ""},
		"another machine, 55 % + 25 % and a margin": {Machine{Cores: 8}, 0.55, "cpu"},
	} {
		t.Run(name, func(t *testing.T) {
			seats := 1
			if c.machine == (Machine{}) {
				seats = 0
			}
			s := newScene(t, func(p *Policy) {
				p.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 1}, Seats: seats, SettleS: 1, Machine: c.machine}
			}).host("h", 0)
			s.play("ann")
			for range 3 {
				s.second("h", c.cpu, uses(0.02, "s1-x")...)
			}
			v, _ := s.p.Host(s.now, "h")
			if foreign := c.machine.Cores == 8; foreign != (len(v.Foreign) == 1) {
				t.Errorf("foreign: %v", v.Foreign)
			}
			x := s.p.Explain(s.now, "app")
			got := ""
			if x.BlockedBy != nil {
				got = string(x.BlockedBy.Resource)
			}
			if got != c.want {
				t.Errorf("blocked by %q, want %q: %+v", got, c.want, x)
			}
		})
	}
}
