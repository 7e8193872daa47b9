package admission

import "time"

// HostFacts is what a host says of itself when its probe connects. It changes
// rarely and is journalled.
type HostFacts struct {
	Host        string     `json:"host"`
	Version     string     `json:"version"`
	Cores       float64    `json:"cores"`        // what counts as the host: the machine's, or its share
	MemoryBytes float64    `json:"memory_bytes"` // 0 means unknown
	GPUs        []GPUFacts `json:"gpus,omitempty"`
	UplinkBps   float64    `json:"uplink_bps"` // 0 means no limit of its own
	GateURL     string     `json:"gate_url"`   // where browsers reach the host's gate, no trailing slash
	Apps        []string   `json:"apps"`
	Share       string     `json:"share,omitempty"` // what the cores and the load refer to, in words
}

// GPUFacts is one GPU of a host. Its place in the list is its index.
type GPUFacts struct {
	UUID            string  `json:"uuid"`
	Name            string  `json:"name"`
	VRAMBytes       float64 `json:"vram_bytes"`       // 0 means unknown
	EncoderSessions int     `json:"encoder_sessions"` // the most at once; 0 means unknown, no limit
}

// Sample is one reading of a host by its probe. Values that the probe could
// not read are not Known, and missing is unknown, never zero.
type Sample struct {
	Host      string
	Seq       uint64        // rises with every sample of one connection
	Received  time.Time     // when the server received it: its age counts from here
	WindowEnd time.Time     // end of the window it speaks of, on the server's clock
	Window    time.Duration // how long the window was
	Period    time.Duration // how often the probe samples; stale after 5 of them

	CPU       Reading // fraction of HostFacts.Cores
	Memory    Reading // bytes in use
	EgressBps Reading
	GPUs      []GPUSample // by index
	Sessions  []SessionSample
}

// GPUSample is the load of one GPU.
type GPUSample struct {
	Util            Reading // fraction
	Encoder         Reading // fraction
	EncoderSessions Reading // count
	VRAM            Reading // bytes in use
}

// SessionSample is what one session was seen to use itself.
type SessionSample struct {
	Session  string
	CPU      Reading // fraction of HostFacts.Cores
	Memory   Reading // bytes
	GPU      Reading // fraction of its GPU
	Encoder  Reading // fraction of its GPU's encoder
	VRAM     Reading // bytes
	IdleForS Reading // seconds since the player last sent anything
}
