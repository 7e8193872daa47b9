// Package trace reads what a real server and its probes have recorded
// (`--record`) and makes of it what a simulation asks for: the hosts, the policy,
// and the people who came, each with when they came, how long they would wait,
// play and take over an offer, and what their session took of its host.
//
// docs/trace.md tells the format line by line.
package trace

import (
	"time"

	"github.com/rendergate/rendergate/admission"
)

// Trace is what was recorded, in a neutral form. Times are seconds since Start.
type Trace struct {
	Start   time.Time // of the recording, by the server's clock; of a probe alone, by the probe's
	LengthS float64
	Period  time.Duration // between samples, as most hosts have it; 0: there is no sample
	Pool    string
	Hosts   []Host           // by name
	Policy  admission.Policy // the pool's at the start
	// Assumed says that no server's trace was given: the policy is the default, with
	// profiles that cost nothing, and people are the hosts' sessions.
	Assumed bool
	People  []Person // in the order in which they came
	// Notes say what is missing in the trace: damaged ends, dropped lines, clocks
	// that cannot be compared.
	Notes []string
}

// Host is a host and when it was there.
type Host struct {
	admission.HostFacts            // as it said last
	Up                  []Interval // while its probe was connected; of a probe alone, while it ran
	Overhead            Overhead
	Samples             int
}

// Interval is a stretch of time.
type Interval struct{ FromS, ToS float64 }

// Overhead is what a host uses besides its sessions: what is measured less what
// the sessions are seen to use, in samples in which all of it is known. It may
// come out a little below zero.
type Overhead struct {
	CPU    Stat   // cores
	Memory Stat   // bytes
	GPUs   []Load // by index
}

// Load is the overhead of one GPU.
type Load struct{ Util, Encoder, VRAM Stat } // fractions, bytes

// Stat is a mean with the standard deviation of single readings.
type Stat struct {
	Mean, Spread float64
	N            int // readings; 0: unknown
}

// Person is somebody who came to play.
type Person struct {
	ID    string // the client's; of a probe alone, the session's
	App   string // empty: a probe alone does not know
	Class string
	// ArrivesS is when they joined the queue. It is negative for those who were
	// there when the recording began: since when they waited or, of those who
	// played, since when their session was ready.
	ArrivesS float64
	// PatienceS is how long they were in the queue until they left it; +Inf for
	// those who did not: they got a seat, or waited still when the trace ended.
	PatienceS float64
	WaitedS   float64 // in the queue, offers included, until the seat, the leaving or the trace's end
	Left      admission.Why
	// AnswerS is how long they took to accept the offer that they accepted, or
	// else the last one. It is negative if that was not accepted: since when it
	// stood when it lapsed, was declined, or they left. 0: there was none.
	AnswerS float64
	Answers []float64 // the same, of every offer in order
	StartS  float64   // from the grant of the seat to ready; negative: it was never ready, or was before the recording
	BootS   float64   // of it, from when the host was told; negative: unknown
	// ConnectS is from ready to the player's first connection; negative: the
	// player never connected.
	ConnectS float64
	// LengthS is from the first connection, or from ready where there was none, to
	// the end of the session; 0 without a session. Where a session was lost and
	// the person seated anew, it is the sum.
	LengthS  float64
	Censored bool          // they played or were about to when the trace ended
	Ended    admission.Why // how the session ended: left, no_show, idle, length, …; empty if it did not
	Host     string        // of the session, the last one
	GPU      int           // its index there; [admission.NoDevice] for none, or unknown
	Load     []Point       // in order
}

// Seated says whether they got a seat.
func (p *Person) Seated() bool { return p.Host != "" }

// Point is what a session used over a window, by itself.
type Point struct {
	AtS     float64           // the window's end, since the player connected (or since ready, if none did); negative before
	ForS    float64           // how long the window was
	CPU     admission.Reading // cores
	GPU     admission.Reading // fraction of its GPU
	Encoder admission.Reading // fraction of its GPU's encoder
	Memory  admission.Reading // bytes
	VRAM    admission.Reading // bytes
}
