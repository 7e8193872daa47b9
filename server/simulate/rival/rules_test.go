package rival

import (
	"testing"

	"github.com/rendergate/rendergate/server/simulate/world"
)

// The app's session takes a tenth of the GPU, by its profile; the host has 10
// cores. Now is the second 1000 and samples are of that moment.
const now = 1000

func game() *world.App {
	return &world.App{Name: "game", CPUCores: 0.5, GPU: 0.1, Encoder: 0.02, Declared: 1}
}

// on makes a host whose one GPU is at that load.
func on(gpu float64, seats ...*Seat) *Host {
	h := &Host{Cores: 10, GPUs: 1, Up: true, Seats: seats}
	h.sampled(now, 0.1, gpu)
	return h
}

func (h *Host) sampled(at, cpu, gpu float64) *Host {
	h.Sample = &world.Sample{
		WindowEnd: at, WindowS: 1, PeriodS: 1, CPU: cpu, GPU: []float64{gpu}, Encoder: []float64{0.1},
	}
	h.Arrived = at
	return h
}

// sees adds to the newest sample what it saw of each seat's GPU use; none of those
// that are below 0.
func (h *Host) sees(gpu ...float64) *Host {
	h.Sample.Seats = []world.SeatSample{}
	for i, x := range gpu {
		if x >= 0 {
			h.Sample.Seats = append(h.Sample.Seats, world.SeatSample{Person: h.Seats[i].Person, GPU: x})
		}
	}
	return h
}

// seat is one that plays and was ordered so many seconds ago.
func seat(ago float64) *Seat {
	return &Seat{
		Person: &world.Person{}, App: game(), Given: now - ago, Started: now - ago,
		Ready: now - ago + 5, Connected: now - ago + 6,
	}
}

// coming is one whose player is not connected.
func coming(ago float64) *Seat {
	s := seat(ago)
	s.Connected = world.Never
	return s
}

// promised is one that nobody has accepted.
func promised() *Seat {
	return &Seat{
		Person: &world.Person{}, App: game(), Given: now - 15,
		Started: world.Never, Ready: world.Never, Connected: world.Never,
	}
}

func many(n int, ago float64) []*Seat {
	list := make([]*Seat, n)
	for i := range list {
		list[i] = seat(ago)
	}
	return list
}

func stale(h *Host) *Host {
	h.Arrived -= 6
	return h
}

func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		rule Rule
		host *Host
		want bool
	}{
		"everybody, to a full host": {Everybody{}, on(1), true},

		"last sample under the limit":    {LastSample{0.85}, on(0.84), true},
		"last sample at the limit":       {LastSample{0.85}, on(0.85), false},
		"last sample does not see seats": {LastSample{0.85}, on(0.1, many(20, 1)...), true},
		"last sample too old":            {LastSample{0.85}, stale(on(0.1)), false},
		"last sample of the CPU":         {LastSample{0.85}, on(0.1).sampled(now, 0.9, 0.1), false},

		"count of 7 for 8":             {FixedCount{1}, on(1, many(7, 500)...), true},
		"count of 8 is full":           {FixedCount{1}, on(0, many(8, 500)...), false},
		"count scaled by a quarter":    {FixedCount{1.25}, on(0, many(9, 500)...), true},
		"count scaled is full":         {FixedCount{1.25}, on(0, many(10, 500)...), false},
		"count needs no sample":        {FixedCount{1}, stale(on(0)), true},
		"count of several apps":        {FixedCount{1}, small(on(0, many(15, 500)...)), true},
		"count of several, and full":   {FixedCount{1}, small(on(0, many(16, 500)...)), false},
		"count of who was offered too": {FixedCount{1}, on(0, append(many(7, 500), promised())...), false},

		"two logons with one coming":   {TwoLogons{0.85}, on(0.5, seat(9), coming(3)), true},
		"two logons with two coming":   {TwoLogons{0.85}, on(0.1, coming(9), coming(3)), false},
		"two logons with one offered":  {TwoLogons{0.85}, on(0.1, promised(), coming(3)), false},
		"two logons with a full index": {TwoLogons{0.85}, on(0.85), false},

		"sysload takes hot hosts": {Sysload{0.9}, smoothedOnce(Sysload{0.9}, on(1)), true},
		"sysload but not dead":    {Sysload{0.9}, stale(smoothedOnce(Sysload{0.9}, on(0))), false},

		"egress idle may use all":          {Egress{0.05}, on(0), true},
		"egress with a busy one":           {Egress{0.8}, on(0, many(7, 500)...).sees(.1, .1, .1, .1, .1, .1, .1), true},
		"egress with one more, rounding":   {Egress{0.8}, on(0, many(7, 500)...).sees(.1, .1, .1, .1, .1, .1, .11), false},
		"egress goes by the use":           {Egress{0.8}, on(0, many(8, 500)...).sees(.08, .08, .08, .08, .08, .08, .08, .08), true},
		"egress ignores what is not its":   {Egress{0.8}, on(0.9, seat(500)).sees(0.1), true},
		"egress holds for 15 s":            {Egress{0.8}, on(0, many(8, 14)...).sees(0, 0, 0, 0, 0, 0, 0, 0), false},
		"egress holds no longer":           {Egress{0.8}, on(0, many(8, 15)...).sees(0, 0, 0, 0, 0, 0, 0, 0), true},
		"egress holds the greater":         {Egress{0.8}, on(0, many(4, 9)...).sees(0.2, 0.2, 0.2, 0.2), false},
		"egress holds what is offered":     {Egress{0.8}, on(0, append(many(7, 1), promised())...).sees(), false},
		"egress shares the host's load":    {Egress{0.8}, on(0.72, many(4, 500)...), false},
		"egress shares and holds in parts": {Egress{0.8}, on(0.2, append(many(2, 500), seat(1), seat(0))...), true},

		"jicofo under":                  {Jicofo{Limit: 0.8}, on(0.71, seat(500)), true},
		"jicofo counts 90 % as all":     {Jicofo{Limit: 0.8}, on(0.72, seat(500)), false},
		"jicofo adds the newest":        {Jicofo{Limit: 0.8}, on(0.63, seat(19)), false},
		"jicofo forgets after 20 s":     {Jicofo{Limit: 0.8}, on(0.63, seat(20)), true},
		"jicofo adds offers":            {Jicofo{Limit: 0.8}, on(0.63, promised()), false},
		"jicofo with its own default":   {Jicofo{Limit: 0.8, Stress: 0.01}, on(0.63, many(9, 1)...), true},
		"jicofo with it, and ten of it": {Jicofo{Limit: 0.8, Stress: 0.01}, on(0.63, many(11, 1)...), false},

		"koordinator adds an estimate":    {Koordinator{0.65}, on(0.56), true},
		"koordinator adds it, too much":   {Koordinator{0.65}, on(0.57), false},
		"koordinator knows the old":       {Koordinator{0.65}, on(0.56, seat(500)).sees(0.02), true},
		"koordinator lifts the new":       {Koordinator{0.65}, on(0.50, seat(59)).sees(0.02), true},
		"koordinator lifts it, too much":  {Koordinator{0.65}, on(0.505, seat(59)).sees(0.02), false},
		"koordinator lets the new exceed": {Koordinator{0.65}, on(0.56, seat(59)).sees(0.2), true},
		"koordinator misses an old one":   {Koordinator{0.65}, on(0.50, seat(500)).sees(-1), false},
		"koordinator misses an offer":     {Koordinator{0.65}, on(0.50, promised()).sees(-1), false},
		"koordinator blind, an old one":   {Koordinator{0.65}, on(0.56, seat(500)), true},
		"koordinator blind, a new one":    {Koordinator{0.65}, on(0.50, seat(59)), false},

		"trimaran predicts half more":      {Trimaran{0.4}, on(0.24), true},
		"trimaran predicts it, too much":   {Trimaran{0.4}, on(0.26), false},
		"trimaran counts the new twice":    {Trimaran{0.4}, on(0.11, seat(59)), false},
		"trimaran after a minute":          {Trimaran{0.4}, on(0.24, seat(60)), true},
		"trimaran counts an offer":         {Trimaran{0.4}, on(0.11, promised()), false},
		"trimaran likes what has no usage": {Trimaran{0.4}, on(0, seat(1)), true},
	} {
		t.Run(name, func(t *testing.T) {
			got, rank := c.rule.Admits(now, c.host, game(), 0)
			if got != c.want {
				t.Errorf("admits %v (rank %.3f), want %v", got, rank, c.want)
			}
		})
	}
}

// small makes the seats' apps half as big as the newcomer's.
func small(h *Host) *Host {
	for _, s := range h.Seats {
		s.App.GPU /= 2
	}
	return h
}

func smoothedOnce(w Watcher, h *Host) *Host {
	w.Sampled(now, h)
	return h
}

// TestRanks: of two hosts that admit, the first is liked better.
func TestRanks(t *testing.T) {
	for name, c := range map[string]struct {
		rule          Rule
		better, worse *Host
	}{
		"everybody: fewest":         {Everybody{}, on(0.9), on(0, seat(500))},
		"last sample: emptiest":     {LastSample{0.85}, on(0.1), on(0.2)},
		"count: emptiest":           {FixedCount{1}, on(0.2), on(0.1, seat(500))},
		"two logons: emptiest":      {TwoLogons{0.85}, on(0.1), on(0.2)},
		"sysload: cold before hot":  {Sysload{0.9}, smoothedOnce(Sysload{0.9}, on(0.89)), smoothedOnce(Sysload{0.9}, on(0.9))},
		"egress: busy before idle":  {Egress{0.8}, on(0, seat(500)).sees(0.5), on(0)},
		"jicofo: least stressed":    {Jicofo{Limit: 0.8}, on(0.4, seat(500)), on(0.4, seat(5))},
		"koordinator: least used":   {Koordinator{0.65}, on(0.1), on(0.2)},
		"trimaran: fullest":         {Trimaran{0.4}, on(0.2), on(0.1)},
		"trimaran: fullest, to be":  {Trimaran{0.6}, on(0.1, seat(1)), on(0.2)},
		"measured sum: least taken": {MeasuredSum{0.85}, smoothedOnce(MeasuredSum{}, on(0.1)), smoothedOnce(MeasuredSum{}, on(0.2))},
	} {
		t.Run(name, func(t *testing.T) {
			ok1, rank1 := c.rule.Admits(now, c.better, game(), 0)
			ok2, rank2 := c.rule.Admits(now, c.worse, game(), 0)
			if !ok1 || !ok2 || rank1 >= rank2 {
				t.Errorf("ranks %.3f (%v) and %.3f (%v), want the first lower", rank1, ok1, rank2, ok2)
			}
		})
	}
}

// TestSmoothed: the time constant does not depend on how often samples come.
func TestSmoothed(t *testing.T) {
	for _, periodS := range []float64{0.1, 1, smoothS} {
		h := on(0)
		h.smoothed(smoothS)
		for n := 1; float64(n)*periodS <= smoothS+1e-9; n++ {
			h.sampled(now+float64(n)*periodS, 0, 1).smoothed(smoothS)
		}
		// After one time constant 1 - 1/e is seen, up to one period less.
		if got := h.smooth(0).gpu; got > 0.633 || got < 0.55 {
			t.Errorf("every %g s: %.3f", periodS, got)
		}
	}
}

// TestMeasuredSum follows the estimate of one GPU.
func TestMeasuredSum(t *testing.T) {
	r, h := MeasuredSum{0.85}, on(0.3)
	sum := func() float64 { return h.Memory.(*windows).gpu[0].sum }
	for _, step := range []struct {
		at   float64
		what string
		gpu  float64 // sampled; below 0: somebody is seated
		want float64
	}{
		{0, "the first sample", 0.3, 0.3},
		{1, "more raises at once", 0.4, 0.4},
		{2, "less does not lower", 0.2, 0.4},
		{5, "a newcomer raises by the declared cost", -1, 0.5},
		{20, "and is kept", 0.35, 0.5},
		{34, "for a window", 0.25, 0.5},
		{35, "after it the highest in it counts", 0.3, 0.35},
		{50, "until the next one's end", 0.1, 0.35},
		{65, "which forgets the last", 0.15, 0.15},
	} {
		if step.gpu < 0 {
			s := seat(0)
			h.Seats = append(h.Seats, s)
			r.Seated(now+step.at, h, s)
		} else {
			r.Sampled(now+step.at, h.sampled(now+step.at, 0.1, step.gpu))
		}
		if got := sum(); got < step.want-1e-9 || got > step.want+1e-9 {
			t.Errorf("%s: %.3f, want %.3f", step.what, got, step.want)
		}
	}
}

// TestMeasuredSumAfterDeath: what a host has when it comes back starts with it.
func TestMeasuredSumAfterDeath(t *testing.T) {
	h := smoothedOnce(MeasuredSum{}, on(0.1, many(3, 500)...))
	if got := h.Memory.(*windows).gpu[0].sum; got < 0.3 {
		t.Errorf("%.2f, want the declared costs of three", got)
	}
}

// TestDevices: a session is held against its own GPU, and against the CPU.
func TestDevices(t *testing.T) {
	h := on(0, many(4, 1)...)
	h.GPUs = 2
	h.Sample.GPU, h.Sample.Encoder = []float64{0.1, 0.1}, []float64{0, 0}
	for name, r := range map[string]Rule{
		"count": FixedCount{0.55}, "egress": Egress{0.45}, "jicofo": Jicofo{Limit: 0.5},
		"koordinator": Koordinator{0.5}, "trimaran": Trimaran{0.5},
	} {
		if ok, _ := r.Admits(now, h, game(), 0); ok {
			t.Errorf("%s admits to the first GPU, which has four newcomers", name)
		}
		if ok, _ := r.Admits(now, h, game(), 1); !ok {
			t.Errorf("%s refuses the second GPU, which has nobody", name)
		}
	}
}

// TestCPUOnly: an app that needs no GPU does not mind how full they are. By the
// CPU there is 0.1 measured, four newcomers of 0.05, and 0.1 for this one.
func TestCPUOnly(t *testing.T) {
	office := &world.App{CPUCores: 1, Declared: 1}
	for name, c := range map[string]struct {
		rule Rule
		want bool
	}{
		"last sample":  {LastSample{0.11}, true},
		"smoothed":     {Smoothed{0.11}, true},
		"count":        {FixedCount{0.36}, true},
		"egress":       {Egress{0.31}, true},
		"jicofo":       {Jicofo{Limit: 0.34}, true},
		"two logons":   {TwoLogons{0.11}, true},
		"koordinator":  {Koordinator{0.34}, false},
		"trimaran":     {Trimaran{0.54}, false},
		"measured sum": {MeasuredSum{0.41}, true},
	} {
		h := on(1, many(4, 1)...)
		if w, ok := c.rule.(Watcher); ok {
			w.Sampled(now, h)
		}
		if ok, _ := c.rule.Admits(now, h, office, -1); ok != c.want {
			t.Errorf("%s: admits %v, want %v", name, ok, c.want)
		}
	}
}
