package scenario

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/auth"
	"github.com/rendergate/rendergate/server/simulate/world"
)

// Bounds keep a slip of the pen from being a simulation of days, or of more than
// fits into memory.
const (
	mostHosts  = 1000
	mostGPUs   = 16
	mostCores  = 1024
	mostPeople = 200_000
	mostLength = 7 * 24 * time.Hour
	mostPlay   = 24 * time.Hour
)

// checker looks for values that each can be read but cannot be right.
type checker struct {
	*Scenario
	d *document.Document
}

func (c checker) all() {
	if !auth.ValidName(c.Name) {
		c.d.Reject("name", `want 1 to 64 letters, digits, ".", "_" or "-", got %q`, c.Name)
	}
	if strings.ContainsAny(c.About, "\n\r\t") {
		c.d.Reject("about", "want one line")
	}
	c.between("length", c.Length, time.Minute, mostLength)
	if c.WarmUp >= c.Length && c.Length > 0 {
		c.d.Reject("warm_up", "want less than the length of %s, got %s: nothing would count", c.Length, c.WarmUp)
	}
	c.fraction("threshold", c.Threshold)
	c.hosts()
	if len(c.Apps) == 0 {
		c.d.Reject("apps", "want one app or more; leave the key out for one named %q", "app")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Apps)) {
		c.app("apps."+name, name, c.Apps[name])
	}
	c.arrivals()
	c.people()
	c.probe()
	c.session()
}

func (c checker) hosts() {
	h := c.Hosts
	c.count("hosts.count", h.Count, 1, mostHosts)
	c.count("hosts.gpus", h.GPUs, 0, mostGPUs)
	c.number("hosts.cores", h.Cores, 0.1, mostCores)
	c.number("hosts.contention", h.Contention, 0, 10)
	c.never("hosts.fail_every", h.FailEvery, time.Minute)
	if h.FailEvery > 0 {
		c.between("hosts.fail_for", h.FailFor, time.Second, mostLength)
	}
}

func (c checker) app(key, name string, a App) {
	if !auth.ValidName(name) {
		c.d.Reject(key, `want 1 to 64 letters, digits, ".", "_" or "-" as the name of an app, got %q`, name)
	}
	c.number(key+".weight", a.Weight, 1e-6, 1e6)
	c.cost(key+".cost", a.Cost)
	c.number(key+".declared", a.Declared, 0, 100)
	c.atMost(key+".spread", a.Spread, 2)
	c.atMost(key+".noise", a.Noise, 2)
	c.between(key+".noise_time", a.NoiseTime, 0, time.Hour)
	c.stages(key+".stages.", a.Stages)
	c.between(key+".ramp", a.Ramp, 0, time.Hour)
	c.between(key+".start", a.Start, 0, time.Hour)
	c.length(key+".length.", a.Length)
}

func (c checker) cost(key string, x Cost) {
	c.number(key+".cpu_cores", x.CPUCores, 0, mostCores)
	c.atMost(key+".gpu", x.GPU, 1)
	c.atMost(key+".encoder", x.Encoder, 1)
	switch {
	case x.CPUCores == 0 && x.GPU == 0 && x.Encoder == 0:
		c.d.Reject(key, "a session that takes nothing always fits; want cpu_cores, gpu or encoder above 0")
	case c.Hosts.GPUs == 0 && (x.GPU > 0 || x.Encoder > 0):
		c.d.Reject(key, "takes a GPU, and hosts.gpus is 0: nobody could ever play; want gpu and encoder 0, or hosts with GPUs")
	case x.CPUCores > c.Hosts.Cores && c.Hosts.Cores > 0:
		c.d.Reject(key+".cpu_cores", "a session takes %v cores, a host has %v: nobody could ever play", x.CPUCores, c.Hosts.Cores)
	}
}

func (c checker) stages(key string, s Stages) {
	for name, level := range map[string]quantity.Share{
		"menu_level": s.MenuLevel, "loading_level": s.LoadingLevel, "heavy_level": s.HeavyLevel,
	} {
		c.atMost(key+name, level, 10)
	}
	c.between(key+"menu", s.Menu, 0, time.Hour)
	c.between(key+"loading", s.Loading, 0, time.Hour)
	c.never(key+"heavy_every", s.HeavyEvery, time.Second)
	if s.HeavyEvery > 0 {
		c.between(key+"heavy", s.Heavy, time.Second, mostPlay)
	}
}

func (c checker) length(key string, l Length) {
	c.word(key+"kind", l.Kind, world.Exponential, world.Lognormal, world.Pareto)
	c.between(key+"mean", l.Mean, time.Second, mostPlay)
	switch l.Kind {
	case world.Lognormal:
		c.number(key+"shape", l.Shape, 0.01, 3)
	case world.Pareto:
		c.number(key+"shape", l.Shape, 1.05, 100)
	}
	if m := c.Session.MaxLength; (m == 0 || m.Std() > mostPlay) && l.Kind == world.Pareto {
		c.d.Reject(key+"kind", "pareto lengths have no end: want session.max_length above 0 and at most %s", quantity.Duration(mostPlay))
	}
}

func (c checker) arrivals() {
	a := c.Arrivals
	if a.Rate == 0 && a.Flash.People == 0 {
		c.d.Reject("arrivals.rate", "nobody comes; want a rate such as 200/h, or arrivals.flash.people")
	}
	c.number("arrivals.bursts.factor", a.Bursts.Factor, 1, 1000)
	c.never("arrivals.bursts.last", a.Bursts.Last, time.Second)
	c.between("arrivals.bursts.calm", a.Bursts.Calm, time.Second, mostLength)
	c.atMost("arrivals.daily.swing", a.Daily.Swing, 1)
	c.between("arrivals.daily.day", a.Daily.Day, time.Minute, 365*24*time.Hour)
	c.count("arrivals.flash.people", a.Flash.People, 0, mostPeople)
	if a.Flash.People > 0 && a.Flash.At >= c.Length {
		c.d.Reject("arrivals.flash.at", "want less than the length of %s, got %s: nobody would come", c.Length, a.Flash.At)
	}
	peak := float64(a.Rate) * in(c.Length) / 3600 * (1 + a.Daily.Swing.Fraction()) * burst(a.Bursts)
	if peak > mostPeople {
		c.d.Reject("arrivals.rate", "about %.0f people could come in %s; want at most %d", peak, c.Length, mostPeople)
	}
}

func burst(b Bursts) float64 {
	if b.Last == 0 {
		return 1
	}
	return max(1, b.Factor)
}

func (c checker) people() {
	p := c.People
	c.never("people.patience", p.Patience, time.Second)
	c.between("people.answer", p.Answer, 0, time.Hour)
	c.atMost("people.ignore", p.Ignore, 1)
	c.between("people.connect", p.Connect, 0, time.Hour)
	c.never("people.drops_every", p.DropsEvery, time.Minute)
	c.between("people.drops_last", p.DropsLast, 0, mostPlay)
}

func (c checker) probe() {
	p := c.Probe
	c.between("probe.period", p.Period, 100*time.Millisecond, 10*time.Minute)
	c.between("probe.delay", p.Delay, 0, 10*time.Minute)
	c.atMost("probe.loss", p.Loss, 1)
	c.atMost("probe.noise", p.Noise, 1)
	c.never("probe.blackouts_every", p.BlackoutsEvery, time.Second)
	c.between("probe.blackouts_last", p.BlackoutsLast, 0, mostLength)
}

func (c checker) session() {
	if c.Session.Bitrate <= 0 {
		c.d.Reject("session.bitrate", `want a rate above 0 such as "8 Mbit/s", got %q`, c.Session.Bitrate)
	}
	c.never("session.max_length", c.Session.MaxLength, time.Second)
	c.between("session.reconnect_grace", c.Session.ReconnectGrace, 0, time.Hour)
	if b := c.Uplink.Budget; b > 0 && b < c.Session.Bitrate {
		c.d.Reject("uplink.budget", "%s carries not even one session of %s: nobody could ever play; want as much or more, or 0 for no budget", b, c.Session.Bitrate)
	}
	c.between("queue.offer_timeout", c.Queue.OfferTimeout, time.Second, time.Hour)
	c.count("placement.max_starting", c.Placement.MaxStarting, 1, 1000)
	c.between("placement.host_lost", c.Placement.HostLost, 5*time.Second, 24*time.Hour)
}

// word refuses a value that is none of those allowed.
func (c checker) word(key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	if near := document.Nearest(value, allowed); near != "" {
		c.d.Reject(key, "want %s, got %q: did you mean %q?", strings.Join(allowed, " or "), value, near)
		return
	}
	c.d.Reject(key, "want %s, got %q", strings.Join(allowed, " or "), value)
}

func (c checker) count(key string, n, least, most int) {
	if n < least || n > most {
		c.d.Reject(key, "want %d to %d, got %d", least, most, n)
	}
}

func (c checker) number(key string, x, least, most float64) {
	if !(x >= least && x <= most) {
		c.d.Reject(key, "want %v to %v, got %v", least, most, x)
	}
}

// fraction wants a share above 0 and at most 1.
func (c checker) fraction(key string, s quantity.Share) {
	if !(s > 0 && s <= 1) {
		c.d.Reject(key, `want above 0 and at most 100%%, such as "85%%", got %q`, s)
	}
}

func (c checker) atMost(key string, s, most quantity.Share) {
	if !(s <= most) {
		c.d.Reject(key, "want at most %s, got %s", most, s)
	}
}

func (c checker) between(key string, d quantity.Duration, least, most time.Duration) {
	if d.Std() < least || d.Std() > most {
		c.d.Reject(key, "want %s to %s, got %s", quantity.Duration(least), quantity.Duration(most), d)
	}
}

// never takes 0 for never, and else wants so much or more.
func (c checker) never(key string, d quantity.Duration, least time.Duration) {
	if d != 0 && (d.Std() < least || d.Std() > 365*24*time.Hour) {
		c.d.Reject(key, "want 0, or %s to 365d, got %s", quantity.Duration(least), d)
	}
}
