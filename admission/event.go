package admission

import "time"

// Event is something that has happened to a pool. Events are journalled;
// replaying them gives the same pool. Each carries every outcome, so that
// applying it reads neither samples nor clocks.
type Event struct {
	At   time.Time
	Body Body
}

// Body is what happened: one of the types below, all of which name their JSON
// type in eventName. The set is closed.
type Body interface{ eventName() string }

// Why says why somebody or something left. Those that browsers see are named
// in the public interface.
type Why string

const (
	WhyLeft      Why = "left"
	WhyNoShow    Why = "no_show"
	WhyIdle      Why = "idle"
	WhyLength    Why = "length"
	WhyHostLost  Why = "host_lost"
	WhyRemoved   Why = "removed"
	WhyFailed    Why = "failed"
	WhyYielded   Why = "yielded"
	WhyPromoted  Why = "promoted"
	WhyGrace     Why = "grace"    // the disconnect outlasted its grace
	WhyLapsed    Why = "lapsed"   // too many offers lapsed
	WhyDeclined  Why = "declined" // the offer was declined
	WhySeated    Why = "seated"   // the view ended since its client has a seat
	WhySession   Why = "session"  // the view ended with its session
	WhyNotShared Why = "not_shared"
	WhyRecovered Why = "recovered" // the offer lapsed while nobody could answer
)

// The events.
type (
	// PoolOpened is the first event of a journal.
	PoolOpened struct {
		ID     string `json:"id"`
		Name   string `json:"name"`
		Policy Policy `json:"policy"`
	}
	// PolicySet: Configured says that the policy comes from the configuration, and
	// not from an operator's live change.
	PolicySet struct {
		Policy     Policy `json:"policy"`
		By         string `json:"by,omitempty"`
		Configured bool   `json:"configured,omitempty"`
	}
	Paused struct {
		By string `json:"by,omitempty"`
	}
	Unpaused struct {
		By string `json:"by,omitempty"`
	}
	// Recovered: an owner took the pool over. Every client is disconnected and
	// every host silent from now on, and the graces start anew.
	Recovered struct{}

	// HostConnected: a probe connected; the facts replace the earlier ones.
	HostConnected struct {
		Facts HostFacts `json:"facts"`
	}
	HostDisconnected struct {
		Host string `json:"host"`
	}
	// HostLost: silent for Placement.HostLost; its sessions end or move.
	HostLost struct {
		Host string `json:"host"`
	}
	HostDrained struct {
		Host string `json:"host"`
		By   string `json:"by,omitempty"`
	}
	HostUndrained struct {
		Host string `json:"host"`
		By   string `json:"by,omitempty"`
	}

	// Enqueued: somebody new has a place. Key orders entries within their class.
	// The place replaces a watch entry, if the client had one.
	Enqueued struct {
		Entry             string `json:"entry"`
		Client            string `json:"client"`
		Secret            string `json:"secret"` // hash of the resume secret
		Identity          string `json:"identity,omitempty"`
		Class             string `json:"class"`
		App               string `json:"app"`
		Intent            Intent `json:"intent"`
		Session           string `json:"session,omitempty"` // what to watch
		WatchWhileWaiting bool   `json:"watch_while_waiting,omitempty"`
		Key               int64  `json:"key"`
		Known             bool   `json:"known,omitempty"` // the client was there already (a spectator who joins the queue)
		Wait              *Wait  `json:"wait,omitempty"`  // as it was told first; nil: unknown, or nobody had to wait
	}
	// Resumed: a client is connected again. Secret is set if it changed.
	Resumed struct {
		Client string `json:"client"`
		Secret string `json:"secret,omitempty"`
	}
	Disconnected struct {
		Client string `json:"client"`
	}
	// EntryLeft: the place is given up, and with it the seat that was offered to
	// it, if one was.
	EntryLeft struct {
		Entry  string `json:"entry"`
		Client string `json:"client"`
		Reason Why    `json:"reason"`
		By     string `json:"by,omitempty"`
	}
	// EntryMoved: the entry has another key. Reason is shown to whom it moves back.
	EntryMoved struct {
		Entry  string `json:"entry"`
		Client string `json:"client"`
		Key    int64  `json:"key"`
		Reason Why    `json:"reason"`
		By     string `json:"by,omitempty"`
	}

	// Offered: a seat is reserved for the entry until ExpiresAt.
	Offered struct {
		Offer     string    `json:"offer"`
		Entry     string    `json:"entry"`
		Client    string    `json:"client"`
		ExpiresAt time.Time `json:"expires_at"`
		Grant     Grant     `json:"grant"`
	}
	// OfferLapsed: the seat is free again; the entry is back in its queue.
	OfferLapsed struct {
		Offer   string `json:"offer"`
		Entry   string `json:"entry"`
		Client  string `json:"client"`
		Session string `json:"session"`
		Key     int64  `json:"key"`
		Counted bool   `json:"counted"`
		Reason  Why    `json:"reason"` // lapsed, declined, recovered, host_lost
	}
	// OfferAccepted: the entry is gone, the session is to be started.
	OfferAccepted struct {
		Offer   string `json:"offer"`
		Entry   string `json:"entry"`
		Client  string `json:"client"`
		Session string `json:"session"`
	}
	// Admitted: a seat without an offer, for one who never had to wait.
	Admitted struct {
		Entry  string `json:"entry"`
		Client string `json:"client"`
		Grant  Grant  `json:"grant"`
	}

	// SessionStarting: a host is told to start the session. Attempt counts from 1.
	SessionStarting struct {
		Session string    `json:"session"`
		Client  string    `json:"client"`
		Host    string    `json:"host"`
		GPU     int       `json:"gpu"`
		Attempt int       `json:"attempt"`
		Until   time.Time `json:"until"` // given up then
	}
	// SessionPending: the session's process is gone, or never came up; the host is
	// told to start it again when it is its turn there.
	SessionPending struct {
		Session string `json:"session"`
		Client  string `json:"client"`
		Host    string `json:"host"`
		Reason  Why    `json:"reason"`
	}
	SessionReady struct {
		Session string    `json:"session"`
		Client  string    `json:"client"`
		Until   time.Time `json:"until"`            // the player must have connected by then; zero: no limit
		EndsAt  time.Time `json:"ends_at,omitzero"` // of the session; zero: no limit
	}
	SessionConnected struct {
		Session string `json:"session"`
		Client  string `json:"client"`
	}
	SessionDropped struct {
		Session string    `json:"session"`
		Client  string    `json:"client"`
		Until   time.Time `json:"until"` // the seat is kept until then
	}
	// SessionMoved: the start failed and is tried on another host, or the host
	// was lost. The old host's part is released in the books; whatever still runs
	// there is to be stopped.
	SessionMoved struct {
		Session string `json:"session"`
		Client  string `json:"client"`
		Reason  Why    `json:"reason"`
		Grant   Grant  `json:"grant"`
	}
	// EndingSoon: the session ends at EndsAt unless something changes.
	EndingSoon struct {
		Session string    `json:"session"`
		Client  string    `json:"client"`
		Reason  Why       `json:"reason"` // length or idle
		EndsAt  time.Time `json:"ends_at"`
	}
	// SessionEnded: over for its player. The host's part stays reserved until
	// SessionReleased. Requeued is the entry that puts the player at the head
	// of the queue, where it was no fault of the player's.
	SessionEnded struct {
		Session  string `json:"session"`
		Client   string `json:"client"`
		Reason   Why    `json:"reason"`
		By       string `json:"by,omitempty"`
		Requeued string `json:"requeued,omitempty"`
		Key      int64  `json:"key,omitempty"`
	}
	// SessionReleased: nothing of the session is left on its host.
	SessionReleased struct {
		Session string `json:"session"`
		Host    string `json:"host"`
	}
	SharingSet struct {
		Session string  `json:"session"`
		Client  string  `json:"client"`
		Mode    Sharing `json:"mode"`
	}

	// ViewStarted: a client looks on at a session. Entry is the watch entry it
	// waited with, if it did.
	ViewStarted struct {
		Client     string  `json:"client"`
		Session    string  `json:"session"`
		Entry      string  `json:"entry,omitempty"`
		BitrateBps float64 `json:"bitrate_bps"`
	}
	// ViewRated: degraded, or back to the full bitrate.
	ViewRated struct {
		Client     string  `json:"client"`
		Session    string  `json:"session"`
		BitrateBps float64 `json:"bitrate_bps"`
	}
	ViewEnded struct {
		Client  string `json:"client"`
		Session string `json:"session"`
		Reason  Why    `json:"reason"`
		Keep    bool   `json:"keep,omitempty"` // another view of the client follows
	}
	// WishSet: whether a waiting client wants to watch meanwhile.
	WishSet struct {
		Client string `json:"client"`
		Watch  bool   `json:"watch,omitempty"`
	}

	// CostsLearned: what sessions were measured to cost, by app; at most once a minute.
	CostsLearned struct {
		Apps map[string]Learned `json:"apps"`
		// Margin is how many standard deviations are kept free; 0: as before.
		Margin float64 `json:"margin,omitempty"`
	}
)

// Grant is a seat: the capacity reserved for a session on a host.
type Grant struct {
	Session    string  `json:"session"`
	App        string  `json:"app"`
	Host       string  `json:"host"`
	GPU        int     `json:"gpu"` // index; NoDevice if it needs none
	Cost       Cost    `json:"cost"`
	BitrateBps float64 `json:"bitrate_bps"`
	Sharing    Sharing `json:"sharing"`
}

// Learned is what the measurements say of one app's elastic costs.
type Learned struct {
	Mean   Cost    `json:"mean"`
	Spread Cost    `json:"spread"`          // between sessions
	Swing  Cost    `json:"swing,omitzero"`  // of one session over time
	Unsure Cost    `json:"unsure,omitzero"` // standard deviation of Mean, for want of knowing better
	Weight float64 `json:"weight"`          // sessions remembered, bounded
	// Ramp is how much of a session's load shows 2, 6, 10, … seconds after its
	// player has connected; empty while it is not known.
	Ramp []float64 `json:"ramp,omitempty"`
}

func (PoolOpened) eventName() string       { return "pool_opened" }
func (PolicySet) eventName() string        { return "policy_set" }
func (Paused) eventName() string           { return "paused" }
func (Unpaused) eventName() string         { return "unpaused" }
func (Recovered) eventName() string        { return "recovered" }
func (HostConnected) eventName() string    { return "host_connected" }
func (HostDisconnected) eventName() string { return "host_disconnected" }
func (HostLost) eventName() string         { return "host_lost" }
func (HostDrained) eventName() string      { return "host_drained" }
func (HostUndrained) eventName() string    { return "host_undrained" }
func (Enqueued) eventName() string         { return "enqueued" }
func (Resumed) eventName() string          { return "resumed" }
func (Disconnected) eventName() string     { return "disconnected" }
func (EntryLeft) eventName() string        { return "entry_left" }
func (EntryMoved) eventName() string       { return "entry_moved" }
func (Offered) eventName() string          { return "offered" }
func (OfferLapsed) eventName() string      { return "offer_lapsed" }
func (OfferAccepted) eventName() string    { return "offer_accepted" }
func (Admitted) eventName() string         { return "admitted" }
func (SessionStarting) eventName() string  { return "session_starting" }
func (SessionPending) eventName() string   { return "session_pending" }
func (SessionReady) eventName() string     { return "session_ready" }
func (SessionConnected) eventName() string { return "session_connected" }
func (SessionDropped) eventName() string   { return "session_dropped" }
func (SessionMoved) eventName() string     { return "session_moved" }
func (EndingSoon) eventName() string       { return "ending_soon" }
func (SessionEnded) eventName() string     { return "session_ended" }
func (SessionReleased) eventName() string  { return "session_released" }
func (SharingSet) eventName() string       { return "sharing_set" }
func (ViewStarted) eventName() string      { return "view_started" }
func (ViewRated) eventName() string        { return "view_rated" }
func (ViewEnded) eventName() string        { return "view_ended" }
func (WishSet) eventName() string          { return "wish_set" }
func (CostsLearned) eventName() string     { return "costs_learned" }

// Name is the event's type as it stands in the journal and the audit trail.
func (e Event) Name() string { return e.Body.eventName() }
