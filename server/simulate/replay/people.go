package replay

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/simulate/trace"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// app is what the trace knows of an app, apart from what it costs.
type app struct {
	sessions []*session // that were ready; those who had none draw from them
	starts   []float64  // seconds, as far as known
	settleS  float64
}

// session is one that was recorded.
type session struct {
	startS   float64 // from the order to ready; negative: unknown
	connectS float64
	lengthS  float64
	course   *world.Course
}

// guest is a person of the trace.
type guest struct {
	app       int
	arrivesS  float64
	patienceS float64
	answers   []float64
	session   *session // nil: they had none
}

// takeApps finds what is played, and what sessions cost.
func (r *Replay) takeApps(t *trace.Trace) error {
	load := map[string][][]trace.Point{}
	came := map[string]int{}
	for i := range t.People {
		p := &t.People[i]
		if err := knownApp(t, p); err != nil {
			return err
		}
		came[p.App]++
		if p.LengthS > 0 {
			load[p.App] = append(load[p.App], p.Load)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(came)) {
		if len(load[name]) == 0 {
			r.note("people who came for app %s and are left out, since none of its sessions was recorded: %d", name, came[name])
			continue
		}
		a, err := r.app(t, name, load[name])
		if err != nil {
			return err
		}
		r.config.Apps = append(r.config.Apps, a)
	}
	if len(r.config.Apps) == 0 {
		return errors.New("no session was recorded, so what they take and how long they last is unknown")
	}
	return nil
}

func knownApp(t *trace.Trace, p *trace.Person) error {
	if _, there := t.Policy.Apps[p.App]; there {
		return nil
	}
	if p.App == "" {
		return fmt.Errorf("which app %s played is not in the trace; want the server's trace besides the probe's", p.ID)
	}
	return fmt.Errorf("%s came for app %q, of which the pool's policy at the start of the trace knows nothing", p.ID, p.App)
}

// app is one whose sessions took that. Costs of which nothing was measured are
// the profile's.
func (r *Replay) app(t *trace.Trace, name string, sessions [][]trace.Point) (world.App, error) {
	profile := t.Policy.Apps[name]
	var cpu, gpu, encoder mean
	for _, load := range sessions {
		cpu.add(load, ofCPU)
		gpu.add(load, ofGPU)
		encoder.add(load, ofEncoder)
	}
	if cpu.seconds > 0 {
		r.config.Probe.Sessions = true
	} else {
		r.note("what each session of app %s takes was not measured: it is the profile's", name)
	}
	a := world.App{
		Name: name, Share: 1, Declared: 1, StartS: profile.StartS,
		CPUCores: cpu.or(profile.Cost.CPUCores), GPU: gpu.or(profile.Cost.GPU), Encoder: encoder.or(profile.Cost.Encoder),
	}
	if a.CPUCores == 0 && a.GPU == 0 && a.Encoder == 0 {
		return a, fmt.Errorf("nothing is known of what a session of app %s takes, neither by samples nor by its profile", name)
	}
	if t.Assumed {
		r.note("the profile of app %s is not in the trace: its costs are what was measured", name)
	} else {
		a.Profile = &profile
	}
	return a, nil
}

// takePeople takes over who came, and all that is known of them.
func (r *Replay) takePeople(t *trace.Trace) error {
	r.apps = make([]app, len(r.config.Apps))
	for i := range r.apps {
		if r.apps[i].settleS = t.Policy.Apps[r.config.Apps[i].Name].SettleS; r.apps[i].settleS == 0 {
			r.apps[i].settleS = unknownSettleS
		}
	}
	var before, after []guest // the first had their seats when the trace began
	for i := range t.People {
		p := &t.People[i]
		n := slices.IndexFunc(r.config.Apps, func(a world.App) bool { return a.Name == p.App })
		if n < 0 {
			continue
		}
		g := r.guest(t, p, n)
		if sat(p) {
			before = append(before, g)
		} else {
			after = append(after, g)
		}
	}
	r.drawFrom(before)
	r.guests = append(before, after...)
	r.config.People.PatienceS = patience(t.People)
	return nil
}

// drawFrom lets sessions be drawn that were cut by the trace's beginning, of apps
// of which there are no others.
func (r *Replay) drawFrom(before []guest) {
	for i := range r.apps {
		a, whole := &r.apps[i], len(r.apps[i].sessions) > 0
		for _, g := range before {
			if g.app == i && !whole {
				a.sessions = append(a.sessions, g.session)
			}
		}
	}
}

// unknownSettleS is how long a session takes to show in full, where the profile
// does not say.
const unknownSettleS = 10

// sat says whether the person had their seat when the trace began.
func sat(p *trace.Person) bool { return p.Seated() && p.ArrivesS+p.WaitedS < 0 }

// patience is the mean of an exponential patience, by maximum likelihood: those
// who got a seat have been patient for at least so long. 0: nobody left.
func patience(people []trace.Person) float64 {
	waited, left := 0.0, 0.0
	for i := range people {
		waited += people[i].WaitedS
		if people[i].Left != "" && !people[i].Seated() {
			left++
		}
	}
	if left == 0 {
		return 0
	}
	return waited / left
}

func (r *Replay) guest(t *trace.Trace, p *trace.Person, n int) guest {
	g := guest{app: n, arrivesS: max(0, p.ArrivesS), patienceS: world.Never}
	if !math.IsInf(p.PatienceS, 1) { // of those who waited already, what was left of it
		g.patienceS = max(0, p.PatienceS+min(0, p.ArrivesS))
	}
	for _, x := range p.Answers {
		if x < 0 {
			x = world.Never
		} else {
			r.answers = append(r.answers, x)
		}
		g.answers = append(g.answers, x)
	}
	if p.LengthS > 0 {
		g.session = r.session(t, p, n)
	}
	return g
}

func (r *Replay) session(t *trace.Trace, p *trace.Person, n int) *session {
	a, c := &r.apps[n], &r.config.Apps[n]
	s := &session{startS: startS(p), connectS: max(0, p.ConnectS)}
	begun := 0.0 // of what they played, how much was before the trace
	if sat(p) {
		begun, s.startS, s.connectS = -p.ArrivesS, 0, 0
	} else {
		a.add(s)
	}
	s.lengthS = max(1, lengthS(t, p)-begun)
	s.course = &world.Course{
		CPU:     series(p.Load, ofCPU, c.CPUCores, begun, p.LengthS),
		GPU:     series(p.Load, ofGPU, c.GPU, begun, p.LengthS),
		Encoder: series(p.Load, ofEncoder, c.Encoder, begun, p.LengthS),
		PlayS:   int(math.Ceil(max(0, a.settleS-begun))),
	}
	return s
}

func (a *app) add(s *session) {
	a.sessions = append(a.sessions, s)
	if s.startS >= 0 {
		a.starts = append(a.starts, s.startS)
	}
}

func startS(p *trace.Person) float64 {
	if p.BootS >= 0 {
		return p.BootS
	}
	return p.StartS
}

// lengthS is how long the person would play. Whom the limit stopped would have
// gone on, and stops there again; who still played when the trace ended plays
// until the simulation does.
func lengthS(t *trace.Trace, p *trace.Person) float64 {
	limit := t.Policy.Session.MaxLength.Seconds()
	switch {
	case p.Ended == admission.WhyLength && limit > 0:
		return max(p.LengthS, limit)
	case p.Censored:
		return p.LengthS + t.LengthS
	default:
		return p.LengthS
	}
}

// jitterS is within what time after a person those come who are the same again.
const jitterS = 60

// unknownAnswerS is how long people take to accept an offer, where nobody was
// seen to.
const unknownAnswerS = 3

// People are those who come with a seed: what is known of them is the same with
// every seed, and only what is not known differs.
func (r *Replay) People(seed uint64) *world.Population {
	var people []*world.Person
	for again := range r.times {
		for i := range r.guests {
			chance := rand.New(rand.NewPCG(seed, uint64(again)<<32+uint64(i))) //nolint:gosec // repeatable, not secret
			p := r.person(&r.guests[i], chance)
			if again > 0 {
				p.ArrivesS += jitterS * chance.Float64()
			}
			if p.ArrivesS < r.config.LengthS {
				people = append(people, p)
			}
		}
	}
	return world.PopulationOf(&r.config, seed, people)
}

// person draws what is not known of the guest.
func (r *Replay) person(g *guest, chance *rand.Rand) *world.Person {
	a := &r.apps[g.app]
	p := &world.Person{App: g.app, ArrivesS: g.arrivesS, Patience: g.patienceS, Answers: g.answers}
	s := g.session
	if s == nil {
		s = one(chance, a.sessions)
	}
	p.ConnectS, p.LengthS = s.connectS, s.lengthS
	p.Takes(s.course)
	switch {
	case s.startS >= 0:
		p.StartS = s.startS
	case len(a.starts) > 0:
		p.StartS = one(chance, a.starts)
	default:
		p.StartS = r.config.Apps[g.app].StartS
	}
	switch {
	case len(p.Answers) > 0:
	case len(r.answers) > 0:
		p.Answers = []float64{one(chance, r.answers)}
	default:
		p.Answers = []float64{unknownAnswerS}
	}
	return p
}

func one[T any](chance *rand.Rand, of []T) T { return of[chance.IntN(len(of))] }
