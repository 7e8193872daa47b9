package admission

import "time"

// WhenFull says what happens when the uplink budget is used.
type WhenFull string

const (
	FullWait    WhenFull = "wait"    // nobody new; they wait, and are told why
	FullDegrade WhenFull = "degrade" // spectators step down to their low bitrate first
	FullAllow   WhenFull = "allow"   // no limit; the page warns
)

// Sharing says who may look on at a session.
type Sharing string

const (
	SharingOpen   Sharing = "open"
	SharingAsk    Sharing = "ask" // nobody until the player opens it; the player is told that somebody asks
	SharingClosed Sharing = "closed"
)

// OnLapse says what becomes of an entry whose offer lapsed.
type OnLapse string

const (
	LapseNext  OnLapse = "next"  // it keeps its place behind the next
	LapseLeave OnLapse = "leave" // it leaves the queue
)

// Order says which of the hosts that fit is taken.
type Order string

const (
	Spread Order = "spread" // the one with the most headroom
	Pack   Order = "pack"   // the one with the least headroom that still fits
)

// Policy is all that an operator may set of a pool, live. The zero value is
// not useful: start from [DefaultPolicy].
type Policy struct {
	Apps       map[string]Profile `json:"apps"` // by app name; at least one
	Threshold  Threshold          `json:"threshold"`
	Uplink     UplinkPolicy       `json:"uplink"`
	Session    SessionPolicy      `json:"session"`
	Spectators SpectatorPolicy    `json:"spectators"`
	Queue      QueuePolicy        `json:"queue"`
	Placement  PlacementPolicy    `json:"placement"`
}

// Threshold is the share of each resource that may be used, as a fraction (0 to 1].
type Threshold struct {
	CPU     float64 `json:"cpu"`
	GPU     float64 `json:"gpu"`
	VRAM    float64 `json:"vram"`
	Encoder float64 `json:"encoder"`
	Memory  float64 `json:"memory"`
	// Over is the share of time that a host may be over its threshold of CPU, a GPU
	// or an encoder while somebody waits: the margin that is kept free follows from it.
	// 0 means [DefaultOver].
	Over float64 `json:"over,omitempty"`
}

// DefaultOver is the share of time over the threshold that is accepted unless
// the policy says otherwise.
const DefaultOver = 0.01

// Bounds of what a policy may say: of [Threshold.Over] and [Profile.Doubt].
const (
	MostOver  = 0.5
	MostDoubt = 2.0
)

// UplinkPolicy is the pool's own uplink. BudgetBps 0 means no budget.
type UplinkPolicy struct {
	BudgetBps float64  `json:"budget_bps"`
	WhenFull  WhenFull `json:"when_full"`
}

// SessionPolicy is what holds for every session. Zero durations mean no limit.
type SessionPolicy struct {
	BitrateBps          float64       `json:"bitrate_bps"`
	MaxLength           time.Duration `json:"max_length"`
	IdleTimeout         time.Duration `json:"idle_timeout"`
	FirstConnectTimeout time.Duration `json:"first_connect_timeout"`
	ReconnectGrace      time.Duration `json:"reconnect_grace"`
	Sharing             Sharing       `json:"sharing"`
}

// SpectatorPolicy limits those who look on.
type SpectatorPolicy struct {
	MaxPerSession  int           `json:"max_per_session"`
	BitrateBps     float64       `json:"bitrate_bps"`
	LowBitrateBps  float64       `json:"low_bitrate_bps"` // where `degrade` steps down to
	YieldToPlayers bool          `json:"yield_to_players"`
	ReconnectGrace time.Duration `json:"reconnect_grace"` // of a view whose client is gone
}

// QueuePolicy is how people wait.
type QueuePolicy struct {
	MaxLength      int           `json:"max_length"`
	OfferTimeout   time.Duration `json:"offer_timeout"`
	OnLapse        OnLapse       `json:"on_lapse"`
	MaxLapses      int           `json:"max_lapses"` // an entry leaves at this many lapses
	ReconnectGrace time.Duration `json:"reconnect_grace"`
	Classes        []string      `json:"classes"` // the first goes first; the last is the default
}

// PlacementPolicy is where sessions go.
type PlacementPolicy struct {
	Order       Order         `json:"order"`
	MaxStarting int           `json:"max_starting"` // sessions that start on one host at once
	HostLost    time.Duration `json:"host_lost"`    // a host unheard of for so long is lost
}

// DefaultPolicy is the policy of an empty configuration, without apps.
func DefaultPolicy() Policy {
	return Policy{
		Apps:      map[string]Profile{},
		Threshold: Threshold{CPU: 0.85, GPU: 0.85, VRAM: 0.90, Encoder: 0.85, Memory: 0.90, Over: DefaultOver},
		Uplink:    UplinkPolicy{WhenFull: FullWait},
		Session: SessionPolicy{
			BitrateBps: 8e6, MaxLength: 30 * time.Minute, IdleTimeout: 5 * time.Minute,
			FirstConnectTimeout: time.Minute, ReconnectGrace: 30 * time.Second, Sharing: SharingOpen,
		},
		Spectators: SpectatorPolicy{
			MaxPerSession: 100, BitrateBps: 8e6, LowBitrateBps: 2e6,
			YieldToPlayers: true, ReconnectGrace: 15 * time.Second,
		},
		Queue: QueuePolicy{
			MaxLength: 10000, OfferTimeout: 20 * time.Second, OnLapse: LapseNext, MaxLapses: 2,
			ReconnectGrace: time.Minute, Classes: []string{"vip", "normal"},
		},
		Placement: PlacementPolicy{Order: Spread, MaxStarting: 1, HostLost: time.Minute},
	}
}

// Profile is what one session of an app costs, and how many fit on a host of
// the kind it was calibrated on. The zero cost is allowed and means that only
// what is measured counts.
type Profile struct {
	App     string  `json:"app"`
	Cost    Cost    `json:"cost"`
	Spread  Cost    `json:"spread"`           // standard deviation between sessions, same units
	Doubt   float64 `json:"doubt,omitempty"`  // standard deviation of the elastic costs for want of knowing better, of the cost; 0: by Seats
	Seats   int     `json:"seats"`            // calibrated sessions per host; 0 means not calibrated
	Machine Machine `json:"machine,omitzero"` // that it was measured on; zero: it does not say
	StartS  float64 `json:"start_s"`
	SettleS float64 `json:"settle_s"` // until a started session shows its full load, while no ramp is learned; 0 means 60 s
}

// Cost is what one session takes. CPU is in cores, so that it holds on hosts of
// different size; GPU and Encoder are fractions of one GPU.
type Cost struct {
	CPUCores        float64 `json:"cpu_cores"`
	MemoryBytes     float64 `json:"memory_bytes"`
	GPU             float64 `json:"gpu"`
	VRAMBytes       float64 `json:"vram_bytes"`
	Encoder         float64 `json:"encoder"`
	EncoderSessions float64 `json:"encoder_sessions"`
}

// NeedsGPU says whether a session must be given a GPU.
func (c Cost) NeedsGPU() bool {
	return c.GPU > 0 || c.VRAMBytes > 0 || c.Encoder > 0 || c.EncoderSessions > 0
}
