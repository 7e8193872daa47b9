package admission

// Resource names what a host or a pool can run short of. The names are those
// that browsers and operators see.
type Resource string

// The resources. CPU, GPU and Encoder are elastic: what a session takes of
// them varies and is projected from measurements. The others are hard: the sum
// of what is reserved and what is asked must fit, always.
const (
	CPU             Resource = "cpu"
	GPU             Resource = "gpu"
	VRAM            Resource = "vram"
	Memory          Resource = "memory"
	Encoder         Resource = "encoder"
	EncoderSessions Resource = "encoder_sessions"
	Seats           Resource = "seats"       // the calibrated number of sessions of a host
	Starting        Resource = "starting"    // sessions that start on a host at once
	UplinkHost      Resource = "uplink_host" // bits per second out of a host
	UplinkPool      Resource = "uplink_pool" // bits per second out of the pool
	Failing         Resource = "failing"     // starts of the app that failed on a host in a row
	Frames          Resource = "frames"      // what players report of delivered frames
	NoHost          Resource = "no_host"     // no host that serves the app is connected
	Stale           Resource = "stale"       // the newest sample is too old, or a value is unknown
	PausedResource  Resource = "paused"      // an operator has paused the pool, or drains the host
)

// Elastic says whether the resource is projected from measurements (true) or
// reserved by its ceiling (false).
func (r Resource) Elastic() bool { return r == CPU || r == GPU || r == Encoder }

// NoDevice is the device of a resource that a host has once, or of no host.
const NoDevice = -1

// Block is a reason why somebody is not admitted: the resource, where, and the
// figures. Loads are fractions of 1; VRAM and memory are bytes; uplinks are
// bits per second; seats, starting and encoder sessions are counts.
type Block struct {
	Resource  Resource `json:"resource"`
	Host      string   `json:"host"`             // empty for a resource of the pool
	Device    int      `json:"device,omitempty"` // GPU index; NoDevice or 0 elsewhere
	Projected float64  `json:"projected"`        // with the new session counted in
	Limit     float64  `json:"limit"`
}

// Reading is one measured value. Unknown is not zero: a host that cannot tell
// its load admits nobody on that resource.
type Reading struct {
	Value float64 `json:"value"`
	Known bool    `json:"known"`
}

// Known makes a known reading.
func Known(v float64) Reading { return Reading{Value: v, Known: true} }
