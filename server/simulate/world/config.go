package world

import (
	"math"

	"github.com/rendergate/rendergate/admission"
)

// Config is a world. The zero value is not useful; package scenario has what
// can be written in a file, with its defaults and checks.
type Config struct {
	Name    string
	LengthS float64 // simulated, of which the first WarmUpS do not count
	WarmUpS float64
	Hosts   int
	GPUs    int     // of each host; 0: CPU only
	Cores   float64 // of each host
	// Machines are the hosts where they are not alike: as many as Hosts says. GPUs
	// and Cores do not count then.
	Machines []Machine
	Apps     []App

	Threshold float64 // of CPU, each GPU and each encoder
	Arrivals  Arrivals
	People    People
	Probe     Probe
	Failures  Failures

	// Contention makes sessions take more the fuller the resource is: a demand of
	// D shows as D (1 + Contention D^2). 0: they do not hinder each other.
	Contention float64

	BitrateBps      float64 // of a session
	UplinkBps       float64 // of the pool; 0: no budget
	MaxLengthS      float64 // of a session; 0: no limit
	OfferS          float64 // how long an offer stands
	GraceS          float64 // how long a place or a seat outlives its connection
	MaxStarting     int     // sessions that start on a host at once, where the gate limits that
	HostLostS       float64 // a host silent for so long is lost
	TraceOfSessions bool    // reserved for the judge: keep what each decision foresaw
}

// App is a program and what its sessions cost. Costs are the true means over a
// session's play, on the world's hosts.
type App struct {
	Name     string
	Share    float64 // of those who come; the shares of all apps are weighed
	CPUCores float64
	GPU      float64            // fraction of one GPU
	Encoder  float64            // fraction of one GPU's encoder
	Declared float64            // what the profile says over the truth: 0.5 is half
	Profile  *admission.Profile // the profile, where there is a real one: Declared does not count then
	Sigma    float64            // between sessions: of the lognormal factor that a session keeps
	Noise    float64            // within a stage: standard deviation, of the cost
	NoiseS   float64            // its correlation time
	Stages   Stages
	RampS    float64 // until a session's load shows in full
	StartS   float64 // mean, from the order to ready
	Length   Length
}

// DeclaredCost is what the profile says that a session takes: cores, and fractions
// of one GPU and of its encoder.
func (a *App) DeclaredCost() (cpuCores, gpu, encoder float64) {
	if p := a.Profile; p != nil {
		return p.Cost.CPUCores, p.Cost.GPU, p.Cost.Encoder
	}
	return a.Declared * a.CPUCores, a.Declared * a.GPU, a.Declared * a.Encoder
}

// NeedsGPU says whether sessions of the app run on a GPU.
func (a *App) NeedsGPU() bool { return a.GPU > 0 || a.Encoder > 0 }

// Stages are what a session goes through: a menu, loading, and then play, from
// time to time with a heavy scene. Levels are of the cost in play.
type Stages struct {
	MenuS, MenuLevel       float64
	LoadingS, LoadingLevel float64
	HeavyEveryS, HeavyS    float64 // means; 0: no heavy scenes
	HeavyLevel             float64
}

// Kinds of length.
const (
	Exponential = "exponential"
	Lognormal   = "lognormal"
	Pareto      = "pareto"
)

// Length is how long people play.
type Length struct {
	Kind  string // exponential, lognormal or pareto
	MeanS float64
	Shape float64 // sigma of the lognormal, alpha (above 1) of the Pareto
}

// Arrivals is when people come.
type Arrivals struct {
	PerHour float64
	// Bursts alternate with calm: in a burst BurstFactor times as many come (a
	// Markov-modulated Poisson process). BurstS 0: none.
	BurstFactor, BurstS, CalmS float64
	// Daily makes the rate go up and down by this share over DayS.
	Daily, DayS float64
	// A flash crowd of FlashPeople comes within FlashS from FlashAtS on.
	FlashPeople      int
	FlashAtS, FlashS float64
}

// People is how they behave.
type People struct {
	PatienceS float64 // mean, exponential; 0: nobody gives up
	AnswerS   float64 // mean until an offer is accepted
	Ignores   float64 // share of offers that nobody answers
	ConnectS  float64 // mean, from ready to the player's connection
	Drops     float64 // connections lost an hour, while waiting and while playing
	DropS     float64 // mean until they are back
}

// Probe is how hosts are measured.
type Probe struct {
	PeriodS   float64
	DelayS    float64 // mean, exponential, from a window's end to its arrival
	Loss      float64 // share of samples that never arrive
	BlackoutS float64 // mean; during a blackout no sample arrives
	BlackoutN float64 // blackouts an hour and host
	Sessions  bool    // each session is seen by itself
	Noise     float64 // standard deviation of a measurement, as a fraction of the resource
}

// Machine is one host.
type Machine struct {
	Cores float64
	GPUs  []string   // what they are called, by index
	Idle  Loads      // what it takes with nobody on it; as many GPUs and encoders as GPUs
	Up    []Interval // when it is alive, in order; nil: from the start, until it fails
}

// Interval is a stretch of time. Its end may be Never.
type Interval struct{ FromS, ToS float64 }

// Machine is the i-th host's.
func (c *Config) Machine(i int) Machine {
	if c.Machines != nil {
		return c.Machines[i]
	}
	m := Machine{Cores: c.Cores, Idle: Loads{CPU: hostCPU, GPU: make([]float64, c.GPUs), Encoder: make([]float64, c.GPUs)}}
	for range c.GPUs {
		m.GPUs = append(m.GPUs, "GPU")
	}
	return m
}

// Failures is how often hosts die, and when they are back.
type Failures struct {
	PerHour float64 // of each host
	LastsS  float64 // mean
}

// Never is a time that does not come.
var Never = math.Inf(1) //nolint:gochecknoglobals // a constant that Go cannot write as one
