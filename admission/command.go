package admission

// Command is something that is asked of a pool. See [Pool.Decide].
type Command interface{ isCommand() }

// Intent is what somebody came for.
type Intent string

const (
	Play Intent = "play"
	View Intent = "watch"
)

// Join asks for a seat or a view, or resumes what one already has: by the
// resume secret, else by the identity. The server makes the ids and secrets,
// since the core has no randomness.
type Join struct {
	Client            string // a fresh id, taken if nothing is resumed
	Resume            string // hash of the resume secret that was shown; empty for none
	Secret            string // hash of a fresh secret, taken unless Resume matched
	Identity          string // who it is, from a verified identity token; empty for nobody known
	Class             string // empty means the last class of the policy
	App               string // may be empty where the pool serves one app
	Intent            Intent
	Session           string // View: which session; empty means any
	WatchWhileWaiting bool
}

// Accept takes an offer. Decline gives it up, which counts as a lapse.
type (
	Accept  struct{ Client, Offer string }
	Decline struct{ Client, Offer string }
)

// Leave gives up place, seat and view at once.
type Leave struct{ Client string }

// Watch starts to look on at a session (any open one if Session is empty);
// Unwatch stops. Both keep the place in the queue.
type (
	Watch   struct{ Client, Session string }
	Unwatch struct{ Client string }
)

// SetSharing says who may look on; only the player of the session may.
type SetSharing struct {
	Client, Session string
	Mode            Sharing
}

// Disconnect says that a client's socket is gone. [Join] with Resume or
// Identity brings it back.
type Disconnect struct{ Client string }

// HostUp says that a host's probe has connected and which sessions it runs.
type HostUp struct {
	Facts   HostFacts
	Running []RunningSession
}

// HostDown says that a host's probe is no longer connected.
type HostDown struct{ Host string }

// SessionState is a state that a host reports of a session.
type SessionState string

const (
	StateStarting  SessionState = "starting"  // the process runs, not yet ready
	StateReady     SessionState = "ready"     // ready for its player
	StateConnected SessionState = "connected" // the player is at the gate
	StateDropped   SessionState = "dropped"   // the player was, and is gone
	StateEnded     SessionState = "ended"     // no process is left
)

// RunningSession is a session that a host runs.
type RunningSession struct {
	Session string
	State   SessionState
	Attempt int // of the start it is about; 0: not told
}

// Report is a host's word on one of its sessions. Reason tells more of an end:
// "exited", "start_failed", "stopped".
type Report struct {
	Host, Session string
	State         SessionState
	Reason        string
	Attempt       int // of the start it is about; 0: not told
}

// What operators do; By is the operator's name.
type (
	Pause       struct{ By string }
	Unpause     struct{ By string }
	Drain       struct{ Host, By string }
	Undrain     struct{ Host, By string }
	EndSession  struct{ Session, By string }
	RemoveEntry struct{ Entry, By string }
	Promote     struct{ Entry, By string }
	SetPolicy   struct {
		Policy     Policy
		By         string
		Configured bool // it comes from the configuration; see [Pool.Configured]
	}
)

// Open makes the pool's first event. ID is random and becomes part of every id
// that the pool makes, so that ids of different journals differ.
type Open struct {
	ID, Name string
	Policy   Policy
}

// Recover is given once by an owner that has replayed the journal: every
// connection is gone, and nobody could answer meanwhile.
type Recover struct{}

// Tick does what is due: lapses, graces, limits, and the next offer or seat.
// One Tick gives one step; [Pool.Run] repeats it until nothing is due.
type Tick struct{}

func (Join) isCommand()        {}
func (Accept) isCommand()      {}
func (Decline) isCommand()     {}
func (Leave) isCommand()       {}
func (Watch) isCommand()       {}
func (Unwatch) isCommand()     {}
func (SetSharing) isCommand()  {}
func (Disconnect) isCommand()  {}
func (HostUp) isCommand()      {}
func (HostDown) isCommand()    {}
func (Report) isCommand()      {}
func (Pause) isCommand()       {}
func (Unpause) isCommand()     {}
func (Drain) isCommand()       {}
func (Undrain) isCommand()     {}
func (EndSession) isCommand()  {}
func (RemoveEntry) isCommand() {}
func (Promote) isCommand()     {}
func (SetPolicy) isCommand()   {}
func (Open) isCommand()        {}
func (Recover) isCommand()     {}
func (Tick) isCommand()        {}

// Outcome is the answer to a command, beside its events.
type Outcome struct {
	Client  string   // Join: whose entry, seat or view it is now
	Resumed bool     // Join: it was there before
	Refused *Refusal // nil if the command was taken
}

// Refusal is a denial: a value, not an error.
type Refusal struct {
	Code        RefusalCode
	Message     string // a plain English sentence with the figures
	Blocked     *Block
	RetryAfterS float64 // 0 means that trying again later does not help by itself
}

// RefusalCode is why a command was not taken.
type RefusalCode string

const (
	RefusedQueueFull      RefusalCode = "queue_full"
	RefusedUnknownApp     RefusalCode = "unknown_app"
	RefusedUnknownClass   RefusalCode = "unknown_class"
	RefusedUnknownOffer   RefusalCode = "unknown_offer"   // lapsed, or not this client's
	RefusedUnknownSession RefusalCode = "unknown_session" // not there, or not this client's
	RefusedUnknownEntry   RefusalCode = "unknown_entry"
	RefusedUnknownHost    RefusalCode = "unknown_host"
	RefusedUnknownClient  RefusalCode = "unknown_client"
	RefusedIdentity       RefusalCode = "identity_mismatch" // the resumed client is somebody else's
	RefusedNotShared      RefusalCode = "not_shared"        // the player lets nobody look on
	RefusedNothingToWatch RefusalCode = "nothing_to_watch"
	RefusedWatchersFull   RefusalCode = "watchers_full"
	RefusedUplink         RefusalCode = "uplink_full"
	RefusedInvalid        RefusalCode = "invalid"
)
