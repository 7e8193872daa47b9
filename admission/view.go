package admission

import "time"

// What readers see of a pool: plain values, copied out. A reader must be the
// pool's owner, or be called by it, while the pool stands at what the journal
// has acknowledged.

// ClientView is a person: somebody with a place, a seat or a view.
type ClientView struct {
	ID        string
	Secret    string // hash of the resume secret
	Identity  string
	Class     string
	App       string
	Connected bool
	Since     time.Time // of Connected
	Entry     string    // place in the queue (waiting or offered); empty for none
	Session   string    // seat; empty for none
	Watching  string    // session looked on at; empty for none
	ViewBps   float64
}

// EntryView is a place in the queue.
type EntryView struct {
	ID        string
	Client    string
	Class     string
	App       string
	Intent    Intent
	Since     time.Time
	Lapses    int
	Connected bool
	Offer     string // set while an offer is out
	Session   string // the offered session
	ExpiresAt time.Time
	Position  int // 1 is next; counts all ahead, in higher classes too; 0 while offered
	Length    int // of its queue, all classes
	Wait      *Wait
}

// Wait is a range in which the wait ends, in seconds from now.
type Wait struct {
	P50S float64 `json:"p50_s"`
	P90S float64 `json:"p90_s"`
}

// SessionPhase is where a session stands.
type SessionPhase string

const (
	PhaseOffered   SessionPhase = "offered"
	PhasePending   SessionPhase = "pending"  // accepted, waits for its turn to start
	PhaseStarting  SessionPhase = "starting" // the host was told
	PhaseReady     SessionPhase = "ready"    // waits for its player's first connection
	PhaseConnected SessionPhase = "connected"
	PhaseDropped   SessionPhase = "dropped"  // the player is gone; the seat is kept for the grace
	PhaseStopping  SessionPhase = "stopping" // over for its player; the host still holds it
)

// SessionView is one session.
type SessionView struct {
	Grant
	ID       string
	Client   string // empty while stopping
	Phase    SessionPhase
	Since    time.Time // of the phase
	ReadyAt  time.Time // when it first was ready; zero before
	Until    time.Time // the phase's deadline; zero: none
	EndsAt   time.Time // zero: no limit
	Attempt  int
	Watchers int
}

// HostView is one host.
type HostView struct {
	HostFacts
	Connected        bool
	Since            time.Time // of Connected
	Draining         bool
	SampleAge        time.Duration // negative: no sample yet
	Sessions         []string      // sorted
	Foreign          []string      // apps whose profile is of another kind of machine
	SpectatorStreams int           // sessions published once to the relay
	UplinkUsedBps    float64
	Last             *Sample // the newest; do not change
}

// PoolView is the pool at a glance.
type PoolView struct {
	ID, Name                       string
	Paused                         bool
	SeatsUsed                      int // seats of players, from pending to dropped
	Offered                        int
	Calibrated                     int // seats of all connected hosts, by profile; 0 while a profile has none
	Spectators                     int
	Waiting                        int // to play
	WatchQueue                     int // to watch
	UplinkUsedBps, UplinkBudgetBps float64
	Hosts, HostsConnected          int
}

// Verdict is what the rule says of one resource of one host for the next player.
// Of elastic resources it tells what made it:
//
//	projected = new + max(now, usual + margin)
type Verdict struct {
	Resource  Resource `json:"resource"`
	Device    int      `json:"device"`    // GPU index; NoDevice for the host's only one
	Measured  *float64 `json:"measured"`  // null while unknown
	Reserved  float64  `json:"reserved"`  // of the projection, what is not yet visible in the measurement
	Now       float64  `json:"now"`       // of elastic resources: what shows, less who has left, and what does not show yet
	Usual     float64  `json:"usual"`     // likewise: what the sessions there take in the long run
	Margin    float64  `json:"margin"`    // likewise: what is kept free above usual
	New       float64  `json:"new"`       // likewise: what the next session is expected to take
	Projected float64  `json:"projected"` // with the next session counted in
	Limit     float64  `json:"limit"`
	Verdict   string   `json:"verdict"` // ok, full, stale, unknown, paused, draining, disconnected, unlimited
}

// HostExplanation is the rule's word on one host.
type HostExplanation struct {
	Host      string    `json:"host"`
	Admits    bool      `json:"admits"`
	Resources []Verdict `json:"resources"`
}

// Explanation says why the next player of an app would or would not get in.
type Explanation struct {
	App       string            `json:"app"`
	Admits    bool              `json:"admits"`
	Items     []HostExplanation `json:"items"`
	BlockedBy *Block            `json:"blocked_by"`
}
