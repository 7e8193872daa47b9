// Package scenario reads the scenarios of the simulator: a YAML file each, of
// which every key has a default. The standard set is built in. The reference of
// all keys is docs/scenario.md of package simulate.
package scenario

import (
	"strconv"
	"time"

	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/plan"
)

// Scenario is a file. Start from [Default], [Parse] or [Load].
type Scenario struct {
	Name      string            `yaml:"name"`
	About     string            `yaml:"about"`   // one sentence: what it is there for
	Length    quantity.Duration `yaml:"length"`  // simulated
	WarmUp    quantity.Duration `yaml:"warm_up"` // of it, does not count
	Threshold quantity.Share    `yaml:"threshold"`
	Hosts     Hosts             `yaml:"hosts"`
	Apps      map[string]App    `yaml:"apps"`
	Arrivals  Arrivals          `yaml:"arrivals"`
	People    People            `yaml:"people"`
	Probe     Probe             `yaml:"probe"`
	Session   Session           `yaml:"session"`
	Uplink    Uplink            `yaml:"uplink"`
	Queue     Queue             `yaml:"queue"`
	Placement Placement         `yaml:"placement"`
}

// Hosts are the machines that render, all alike.
type Hosts struct {
	Count      int               `yaml:"count"`
	GPUs       int               `yaml:"gpus"`  // of each; 0: CPU only
	Cores      float64           `yaml:"cores"` // of each
	Contention float64           `yaml:"contention"`
	FailEvery  quantity.Duration `yaml:"fail_every"` // mean, of each; 0: never
	FailFor    quantity.Duration `yaml:"fail_for"`   // mean
}

// App is a program, and what its sessions take.
type App struct {
	Weight    float64           `yaml:"weight"` // of those who come, beside the other apps'
	Cost      Cost              `yaml:"cost"`
	Declared  float64           `yaml:"declared"` // what the profile says over the truth
	Spread    quantity.Share    `yaml:"spread"`   // between sessions
	Noise     quantity.Share    `yaml:"noise"`    // within a session
	NoiseTime quantity.Duration `yaml:"noise_time"`
	Stages    Stages            `yaml:"stages"`
	Ramp      quantity.Duration `yaml:"ramp"`
	Start     quantity.Duration `yaml:"start"`
	Length    Length            `yaml:"length"`
}

// Cost is the mean of a session in play.
type Cost struct {
	CPUCores float64        `yaml:"cpu_cores"`
	GPU      quantity.Share `yaml:"gpu"`     // of one GPU
	Encoder  quantity.Share `yaml:"encoder"` // of one GPU's encoder
}

// Stages are what a session goes through. Levels are of its cost in play.
type Stages struct {
	Menu         quantity.Duration `yaml:"menu"`
	MenuLevel    quantity.Share    `yaml:"menu_level"`
	Loading      quantity.Duration `yaml:"loading"`
	LoadingLevel quantity.Share    `yaml:"loading_level"`
	HeavyEvery   quantity.Duration `yaml:"heavy_every"` // mean; 0: no heavy scenes
	Heavy        quantity.Duration `yaml:"heavy"`       // mean
	HeavyLevel   quantity.Share    `yaml:"heavy_level"`
}

// Length is how long people play.
type Length struct {
	Kind  string            `yaml:"kind"` // exponential, lognormal, pareto
	Mean  quantity.Duration `yaml:"mean"`
	Shape float64           `yaml:"shape"`
}

// Arrivals is when people come.
type Arrivals struct {
	Rate   Rate   `yaml:"rate"`
	Bursts Bursts `yaml:"bursts"`
	Daily  Daily  `yaml:"daily"`
	Flash  Flash  `yaml:"flash"`
}

// Bursts alternate with calm.
type Bursts struct {
	Factor float64           `yaml:"factor"` // of the rate in calm
	Last   quantity.Duration `yaml:"last"`   // mean; 0: no bursts
	Calm   quantity.Duration `yaml:"calm"`   // mean
}

// Daily is the rate's way over a day.
type Daily struct {
	Swing quantity.Share    `yaml:"swing"`
	Day   quantity.Duration `yaml:"day"`
}

// Flash is a crowd that comes at once.
type Flash struct {
	People int               `yaml:"people"`
	At     quantity.Duration `yaml:"at"`
	Within quantity.Duration `yaml:"within"`
}

// People is how they behave. Durations are means.
type People struct {
	Patience   quantity.Duration `yaml:"patience"` // 0: nobody gives up
	Answer     quantity.Duration `yaml:"answer"`
	Ignore     quantity.Share    `yaml:"ignore"` // of offers
	Connect    quantity.Duration `yaml:"connect"`
	DropsEvery quantity.Duration `yaml:"drops_every"` // 0: never
	DropsLast  quantity.Duration `yaml:"drops_last"`
}

// Probe is how hosts are measured.
type Probe struct {
	Period         quantity.Duration `yaml:"period"`
	Delay          quantity.Duration `yaml:"delay"` // mean
	Loss           quantity.Share    `yaml:"loss"`
	Noise          quantity.Share    `yaml:"noise"`
	SeesSessions   bool              `yaml:"sees_sessions"`
	BlackoutsEvery quantity.Duration `yaml:"blackouts_every"` // mean, of each host; 0: never
	BlackoutsLast  quantity.Duration `yaml:"blackouts_last"`  // mean
}

// Session is what holds for every session.
type Session struct {
	Bitrate        quantity.Rate     `yaml:"bitrate"`
	MaxLength      quantity.Duration `yaml:"max_length"` // 0: no limit
	ReconnectGrace quantity.Duration `yaml:"reconnect_grace"`
}

// Uplink is the pool's.
type Uplink struct {
	Budget quantity.Rate `yaml:"budget"` // 0: no budget
}

// Queue is how people wait.
type Queue struct {
	OfferTimeout quantity.Duration `yaml:"offer_timeout"`
}

// Placement is how hosts are used.
type Placement struct {
	MaxStarting int               `yaml:"max_starting"`
	HostLost    quantity.Duration `yaml:"host_lost"`
}

// Default is the scenario of an empty file.
func Default() *Scenario {
	var a App
	a.SetDefaults()
	return &Scenario{
		Name: "scenario", Length: hours(2.5), WarmUp: minutes(30), Threshold: 0.85,
		Hosts:    Hosts{Count: 4, GPUs: 1, Cores: 16, FailFor: minutes(2)},
		Apps:     map[string]App{"app": a},
		Arrivals: Arrivals{Rate: 200, Bursts: Bursts{Factor: 1, Calm: minutes(10)}, Daily: Daily{Day: hours(24)}, Flash: Flash{Within: seconds(10)}},
		People: People{
			Patience: minutes(10), Answer: seconds(3), Ignore: 0.03, Connect: seconds(2),
			DropsEvery: hours(2), DropsLast: seconds(8),
		},
		Probe:     Probe{Period: seconds(1), Delay: seconds(0.1), Noise: 0.005, SeesSessions: true, BlackoutsLast: seconds(20)},
		Session:   Session{Bitrate: 8e6, MaxLength: minutes(30), ReconnectGrace: seconds(30)},
		Queue:     Queue{OfferTimeout: seconds(20)},
		Placement: Placement{MaxStarting: 1, HostLost: minutes(1)},
	}
}

// SetDefaults is what an app starts from: about ten sessions fill a GPU.
func (a *App) SetDefaults() {
	*a = App{
		Weight: 1, Cost: Cost{CPUCores: 0.8, GPU: 0.075, Encoder: 0.04}, Declared: 1,
		Spread: 0.2, Noise: 0.08, NoiseTime: seconds(5),
		Stages: Stages{
			Menu: seconds(15), MenuLevel: 0.4, Loading: seconds(5), LoadingLevel: 1.1,
			HeavyEvery: minutes(2), Heavy: seconds(20), HeavyLevel: 1.4,
		},
		Ramp: seconds(6), Start: seconds(6), Length: Length{Kind: "exponential", Mean: minutes(15), Shape: 2},
	}
}

func seconds(n float64) quantity.Duration {
	return quantity.Duration(n * float64(time.Second))
}
func minutes(n float64) quantity.Duration { return seconds(60 * n) }
func hours(n float64) quantity.Duration   { return seconds(3600 * n) }

// Rate is how many come, an hour: "120/h", "2/min", "0.5/s"; 0 for nobody.
type Rate float64

// UnmarshalText reads it.
func (r *Rate) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*r = 0
		return nil
	}
	var a plan.Arrivals
	if err := a.UnmarshalText(text); err != nil {
		return err
	}
	*r = Rate(a.PerHour())
	return nil
}

// String gives the rate as a file would.
func (r Rate) String() string {
	if r == 0 {
		return "0"
	}
	return strconv.FormatFloat(float64(r), 'f', -1, 64) + "/h"
}
