package world

import (
	"fmt"
	"strconv"
	"time"

	"github.com/rendergate/rendergate/admission"
)

// epoch is when simulated time begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

func at(s float64) time.Time { return epoch.Add(time.Duration(s * float64(time.Second))) }

func seconds(t time.Time) float64 { return t.Sub(epoch).Seconds() }

// Core is the real core as a gate.
type Core struct {
	w      *World
	orders Orders
	pool   *admission.Pool
	hosts  []string
	people map[string]*Person // by session
	told   []string           // offers, by person
	held   []string           // sessions, by person
}

// NewCore makes the gate of a pool with that policy; apps' profiles come from
// the world, as declared.
func NewCore(policy admission.Policy) func(*World) Gate {
	return func(w *World) Gate {
		c := &Core{w: w, orders: w, pool: admission.New(), people: map[string]*Person{}, told: make([]string, len(w.visits)), held: make([]string, len(w.visits))}
		for i := range w.c.Hosts {
			c.hosts = append(c.hosts, fmt.Sprintf("host-%03d", i+1))
		}
		c.do(0, admission.Open{ID: "sim", Name: "sim", Policy: c.fill(policy)})
		return c
	}
}

// fill takes from the world what is the world's.
func (c *Core) fill(p admission.Policy) admission.Policy {
	k := c.w.c
	p.Apps = map[string]admission.Profile{}
	for i := range k.Apps {
		p.Apps[k.Apps[i].Name] = k.Apps[i].profile()
	}
	p.Session.MaxLength, p.Session.IdleTimeout = duration(k.MaxLengthS), 0
	p.Session.BitrateBps, p.Uplink.BudgetBps = k.BitrateBps, k.UplinkBps
	p.Session.ReconnectGrace, p.Queue.ReconnectGrace = duration(k.GraceS), duration(k.GraceS)
	p.Queue.OfferTimeout, p.Queue.MaxLength = duration(k.OfferS), 0
	p.Placement.MaxStarting, p.Placement.HostLost = k.MaxStarting, duration(k.HostLostS)
	return p
}

func duration(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// profile is what the operator has been told of the app.
func (a *App) profile() admission.Profile {
	if a.Profile != nil {
		return *a.Profile
	}
	d := a.Declared
	return admission.Profile{
		App:    a.Name,
		Cost:   admission.Cost{CPUCores: d * a.CPUCores, GPU: d * a.GPU, Encoder: d * a.Encoder},
		Spread: admission.Cost{CPUCores: d * a.CPUCores * a.Sigma, GPU: d * a.GPU * a.Sigma},
		StartS: a.StartS,
	}
}

// facts are a host's.
func (c *Core) facts(host int) admission.HostFacts {
	m := c.w.hosts[host].machine
	f := admission.HostFacts{Host: c.hosts[host], Cores: m.Cores, GateURL: "https://" + c.hosts[host]}
	for i, name := range m.GPUs {
		f.GPUs = append(f.GPUs, admission.GPUFacts{UUID: strconv.Itoa(i), Name: name})
	}
	for i := range c.w.c.Apps {
		f.Apps = append(f.Apps, c.w.c.Apps[i].Name)
	}
	return f
}

func (c *Core) do(now float64, cmd admission.Command) admission.Outcome {
	events, out := c.pool.Run(at(now), cmd)
	for i := range events {
		c.obey(&events[i])
	}
	return out
}

func client(p *Person) string { return strconv.Itoa(p.ID) }

func (c *Core) person(client string) *Person {
	id, err := strconv.Atoi(client)
	if err != nil || id < 0 || id >= len(c.w.pop.People) {
		return nil
	}
	return c.w.pop.People[id]
}

func (c *Core) host(name string) int {
	n, _ := strconv.Atoi(name[len("host-"):]) // as NewCore named it
	return n - 1
}

// obey tells the world what an event means there.
func (c *Core) obey(e *admission.Event) {
	switch b := e.Body.(type) {
	case admission.Offered:
		p := c.person(b.Client)
		c.people[b.Grant.Session], c.told[p.ID], c.held[p.ID] = p, b.Offer, b.Grant.Session
		c.orders.Offer(p, c.host(b.Grant.Host), b.Grant.GPU, seconds(b.ExpiresAt))
	case admission.OfferLapsed:
		delete(c.people, b.Session)
		c.orders.Withdraw(c.person(b.Client))
	case admission.OfferAccepted:
		p := c.person(b.Client)
		s := c.w.visit(p).seat
		c.orders.Grant(p, s.host.id, s.gpu)
	case admission.Admitted:
		p := c.person(b.Client)
		c.people[b.Grant.Session], c.held[p.ID] = p, b.Grant.Session
		c.orders.Grant(p, c.host(b.Grant.Host), b.Grant.GPU)
	case admission.SessionStarting:
		c.orders.Start(c.person(b.Client))
	case admission.SessionMoved:
		c.orders.Move(c.person(b.Client), c.host(b.Grant.Host), b.Grant.GPU)
	case admission.SessionEnded:
		c.ended(b)
	case admission.SessionReleased:
		if p := c.people[b.Session]; p != nil {
			delete(c.people, b.Session)
			c.orders.Free(p)
		}
	case admission.EntryLeft:
		c.orders.Left(c.person(b.Client))
	}
}

func (c *Core) ended(b admission.SessionEnded) {
	p := c.person(b.Client)
	if b.Requeued != "" {
		delete(c.people, b.Session)
		c.orders.Requeue(p)
		return
	}
	c.orders.Stop(p)
}

// Join implements [Gate].
func (c *Core) Join(now float64, p *Person) {
	id := client(p)
	c.do(now, admission.Join{Client: id, Secret: id, App: c.w.c.Apps[p.App].Name, Intent: admission.Play})
}

// Leave implements [Gate].
func (c *Core) Leave(now float64, p *Person) { c.do(now, admission.Leave{Client: client(p)}) }

// Accept implements [Gate].
func (c *Core) Accept(now float64, p *Person) {
	c.do(now, admission.Accept{Client: client(p), Offer: c.told[p.ID]})
}

// Gone implements [Gate].
func (c *Core) Gone(now float64, p *Person) { c.do(now, admission.Disconnect{Client: client(p)}) }

// Back implements [Gate].
func (c *Core) Back(now float64, p *Person) {
	c.do(now, admission.Join{Resume: client(p), Intent: admission.Play, Client: client(p) + "-again", Secret: client(p) + "-again"})
}

// HostUp implements [Gate].
func (c *Core) HostUp(now float64, host int) {
	c.do(now, admission.HostUp{Facts: c.facts(host)})
}

// HostDown implements [Gate].
func (c *Core) HostDown(now float64, host int) { c.do(now, admission.HostDown{Host: c.hosts[host]}) }

// Report implements [Gate].
func (c *Core) Report(now float64, r Report) {
	c.do(now, admission.Report{Host: c.hosts[r.Host], Session: c.sessionOf(r.Person), State: r.State.admission()})
}

// sessionOf is the person's session, one that is being stopped too.
func (c *Core) sessionOf(p *Person) string { return c.held[p.ID] }

func (s State) admission() admission.SessionState {
	return [...]admission.SessionState{
		admission.StateReady, admission.StateConnected, admission.StateDropped, admission.StateEnded,
	}[s]
}

// Sample implements [Gate].
func (c *Core) Sample(now float64, s *Sample) {
	if err := c.pool.Observe(at(now), c.sample(now, s)); err != nil {
		return // older than one that came before it on another way
	}
	if next := c.pool.NextDeadline(); !next.IsZero() && seconds(next) <= now+rounding {
		c.Tick(now)
	}
}

func (c *Core) sample(now float64, s *Sample) admission.Sample {
	x := admission.Sample{
		Host: c.hosts[s.Host], Seq: s.Seq, Received: at(now), WindowEnd: at(s.WindowEnd),
		Window: duration(s.WindowS), Period: duration(s.PeriodS), CPU: admission.Known(s.CPU),
	}
	x.GPUs = make([]admission.GPUSample, 0, len(s.GPU))
	x.Sessions = make([]admission.SessionSample, 0, len(s.Seats))
	for i := range s.GPU {
		x.GPUs = append(x.GPUs, admission.GPUSample{Util: admission.Known(s.GPU[i]), Encoder: admission.Known(s.Encoder[i])})
	}
	for _, seat := range s.Seats {
		if id := c.sessionOf(seat.Person); id != "" {
			x.Sessions = append(x.Sessions, admission.SessionSample{
				Session: id, CPU: admission.Known(seat.CPU),
				GPU: admission.Known(seat.GPU), Encoder: admission.Known(seat.Encoder),
			})
		}
	}
	return x
}

// Tick implements [Gate].
func (c *Core) Tick(now float64) { c.do(now, admission.Tick{}) }

// Next implements [Gate].
func (c *Core) Next() float64 {
	if t := c.pool.NextDeadline(); !t.IsZero() {
		return seconds(t) + rounding
	}
	return Never
}

// rounding keeps a deadline from being asked for a moment too early: seconds are
// not exact.
const rounding = 1e-6

// Admits implements [Gate].
func (c *Core) Admits(now float64, host, app int) bool {
	return c.pool.Admits(at(now), c.hosts[host], c.w.c.Apps[app].Name)
}

// Place implements [Gate].
func (c *Core) Place(_ float64, p *Person) (Place, bool) {
	view, ok := c.pool.Client(client(p))
	if !ok || view.Entry == "" {
		return Place{}, false
	}
	e, ok := c.pool.Entry(view.Entry)
	if !ok || e.Offer != "" {
		return Place{}, false
	}
	pl := Place{Position: e.Position}
	if e.Wait != nil {
		pl.Known, pl.P50S, pl.P90S = true, e.Wait.P50S, e.Wait.P90S
	}
	return pl, true
}
