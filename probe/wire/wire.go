// Package wire is what a host's probe and the server say to each other, over
// the host socket (subprotocol [HostProtocol]), the publish socket
// ([PublishProtocol]) and in tickets. Both ends are tested against the same
// golden JSON in testdata.
package wire

import (
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Subprotocols and paths.
const (
	HostProtocol    = "rendergate.host.v1"    // GET /v1/hosts/{host}/connect
	PublishProtocol = "rendergate.publish.v1" // GET /v1/hosts/{host}/publish/{session}
	WatchProtocol   = "rendergate.watch.v1"   // GET /v1/watch/{session}
)

// MaxFrameBytes bounds every JSON frame on the host socket.
const MaxFrameBytes = 1 << 20

// Reading is one measured value; null in JSON means unknown, never zero.
type Reading = *float64

// FromHost is any frame from a host; Type says which field is set.
type FromHost struct {
	Type    string   `json:"type"` // hello, sample, session, calibration
	Hello   *Hello   `json:"hello,omitempty"`
	Sample  *Sample  `json:"sample,omitempty"`
	Session *Session `json:"session,omitempty"`
	// Calibration says how a calibration goes that the server asked for.
	Calibration *calibration.Update `json:"calibration,omitempty"`
}

// Hello is the first frame of a host.
type Hello struct {
	Host        string    `json:"host"`
	Pool        string    `json:"pool"`
	Version     string    `json:"version"`
	Cores       float64   `json:"cores"`
	Share       string    `json:"share,omitempty"` // what counts as the host, in words
	MemoryBytes float64   `json:"memory_bytes"`
	GPUs        []GPU     `json:"gpus"`
	UplinkBps   float64   `json:"uplink_bps"`
	GateURL     string    `json:"gate_url"`
	Apps        []string  `json:"apps"`
	PeriodS     float64   `json:"period_s"` // between samples
	Journal     string    `json:"journal"`  // identity of the journal it last obeyed; empty for none
	Seq         uint64    `json:"seq"`      // newest journal sequence it obeyed
	Running     []Session `json:"running"`
	// Orphans run here but were unknown to the journal that came after another
	// one. The host does not stop them: the operator decides.
	Orphans []string `json:"orphans,omitempty"`
}

// GPU is one GPU of a host.
type GPU struct {
	UUID            string  `json:"uuid"`
	Name            string  `json:"name"`
	VRAMBytes       float64 `json:"vram_bytes"`
	EncoderSessions int     `json:"encoder_sessions"` // the most at once; 0 unknown
}

// Sample is one reading. Times are relative to when the frame was sent, so
// that the clocks of the two ends need not agree; At is for people.
type Sample struct {
	Seq       uint64          `json:"seq"`
	At        time.Time       `json:"at"`
	WindowMS  float64         `json:"window_ms"`
	AgeMS     float64         `json:"age_ms"` // since the window's end
	CPU       Reading         `json:"cpu"`    // fraction of cores
	Memory    Reading         `json:"memory_bytes"`
	EgressBps Reading         `json:"egress_bps"`
	GPUs      []GPUSample     `json:"gpus"`
	Sessions  []SessionSample `json:"sessions"`
}

// GPUSample is the load of one GPU, in the order of Hello.GPUs.
type GPUSample struct {
	Util            Reading `json:"util"`
	Encoder         Reading `json:"encoder"`
	EncoderSessions Reading `json:"encoder_sessions"`
	VRAM            Reading `json:"vram_bytes"`
}

// SessionSample is what one session uses itself.
type SessionSample struct {
	Session string  `json:"session"`
	CPU     Reading `json:"cpu"`
	Memory  Reading `json:"memory_bytes"`
	GPU     Reading `json:"gpu"`
	Encoder Reading `json:"encoder"`
	VRAM    Reading `json:"vram_bytes"`
	IdleS   Reading `json:"idle_s"` // since the player last sent anything
}

// Session is a change of a session's state on its host.
type Session struct {
	Session string `json:"session"`
	State   string `json:"state"` // starting, ready, connected, dropped, ended
	Reason  string `json:"reason,omitempty"`
	Attempt int    `json:"attempt,omitempty"` // the start that it is about; 0: not told
}

// ToHost is any frame to a host; Type says which field is set. Journal and Seq
// say which decision it follows from: a host refuses an older one than it has
// seen, except that start is idempotent.
type ToHost struct {
	Type    string   `json:"type"` // welcome, start, stop, drain, publish, calibrate, ack, error
	Journal string   `json:"journal"`
	Seq     uint64   `json:"seq"`
	Welcome *Welcome `json:"welcome,omitempty"`
	Start   *Start   `json:"start,omitempty"`
	Stop    *Stop    `json:"stop,omitempty"`
	Drain   *Drain   `json:"drain,omitempty"`
	Publish *Publish `json:"publish,omitempty"`
	// Calibrate follows from no decision: a host takes it whatever its Seq.
	Calibrate *Calibrate `json:"calibrate,omitempty"`
	Ack       *Ack       `json:"ack,omitempty"`
	Error     *Error     `json:"error,omitempty"`
}

// Calibrate says to calibrate an app, on a host that is drained; or, with On
// false, to end that and tell what was measured so far. It lives as long as the
// connection it came by.
type Calibrate struct {
	ID    string            `json:"id"`
	On    bool              `json:"on"`
	Order calibration.Order `json:"order,omitzero"`
}

// Welcome answers hello. Sessions are all that the pool knows on this host: the
// host stops what it runs besides, unless the journal is another one than it
// last obeyed; then it stops nothing and says so.
type Welcome struct {
	Token          string   `json:"token,omitempty"` // a token of its own, after enrolling with a wildcard
	Issuer         string   `json:"issuer"`          // of tickets
	JWKSURL        string   `json:"jwks_url"`        // path or URL
	Sessions       []string `json:"sessions"`
	Draining       bool     `json:"draining"`
	FrameAncestors []string `json:"frame_ancestors"` // origins that may embed the gate's pages
}

// Start says to start a session.
type Start struct {
	Session    string  `json:"session"`
	App        string  `json:"app"`
	GPU        int     `json:"gpu"` // index, -1 for none
	BitrateBps float64 `json:"bitrate_bps"`
	Attempt    int     `json:"attempt"` // a higher one than is running restarts it
}

// Stop says to end a session and its whole process tree.
type Stop struct {
	Session string `json:"session"`
	Reason  string `json:"reason"` // shown to the player
}

// Drain says whether the host is to take no more sessions.
type Drain struct {
	On bool `json:"on"`
}

// Publish says whether a session's stream is wanted at the relay.
type Publish struct {
	Session string `json:"session"`
	On      bool   `json:"on"`
}

// Ack says that the server took a frame: for a sample Seq is its sequence.
type Ack struct {
	Sample     uint64  `json:"sample,omitempty"`
	ClockSkewS float64 `json:"clock_skew_s,omitempty"` // how far the host's clock is off, if more than 5 s
}

// Error says that a frame was not taken; the connection stays.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Claims of a ticket: a JWT signed with EdDSA (Ed25519). It opens one connection.
type Claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"` // the host, or the relay's instance
	Client   string `json:"sub"`
	Session  string `json:"sid"`
	Role     string `json:"role"` // player or spectator
	Pool     string `json:"pool"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	// IssuedAtMS is IssuedAt in milliseconds: within one second it tells what was
	// issued before a gate started from what was issued after. 0: not told.
	IssuedAtMS int64 `json:"iat_ms,omitempty"`
	NotBefore  int64 `json:"nbf"`
	Expires    int64 `json:"exp"` // at most TicketLifetime after iat
}

// Issued is when the ticket was issued, as exactly as it says.
func (c Claims) Issued() time.Time {
	if c.IssuedAtMS != 0 {
		return time.UnixMilli(c.IssuedAtMS)
	}
	return time.Unix(c.IssuedAt, 0)
}

// TicketLifetime is the longest a ticket may be valid.
const TicketLifetime = 60 * time.Second

// Publish frames: after one text frame (a StreamInfo), binary frames whose
// first byte says what follows. The relay strips it before it fans out.
const (
	ChunkInit  byte = 0
	ChunkKey   byte = 1
	ChunkDelta byte = 2
)

// StreamInfo describes a stream: the first, text, frame of publish and watch.
type StreamInfo struct {
	Mime   string  `json:"mime"`
	Codec  string  `json:"codec"`
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Rate   float64 `json:"rate"` // frames per second
	Audio  bool    `json:"audio"`
}
