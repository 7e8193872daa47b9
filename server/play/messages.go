package play

import (
	"time"

	"github.com/rendergate/rendergate/admission"
)

// The messages of the browser WebSocket, as in docs/messages.md. Fields that
// may be null are pointers; units are in the names.
type (
	// Join asks for a seat or a view, or resumes one.
	Join struct {
		Type              string           `json:"type"`
		Intent            admission.Intent `json:"intent"`
		App               string           `json:"app,omitempty"`
		WatchWhileWaiting bool             `json:"watch_while_waiting,omitempty"`
		Resume            string           `json:"resume,omitempty"`
		Identity          string           `json:"identity,omitempty"`
	}
	// Answer takes an offer (accept) or gives it up (decline).
	Answer struct {
		Type  string `json:"type"`
		Offer string `json:"offer"`
	}
	// TicketRequest asks for a fresh ticket of what one has.
	TicketRequest struct {
		Type    string `json:"type"`
		Session string `json:"session"`
	}
	// WatchRequest starts (watch) or stops (unwatch) looking on.
	WatchRequest struct {
		Type    string `json:"type"`
		Session string `json:"session,omitempty"`
	}
	// SetSharing says who may look on.
	SetSharing struct {
		Type    string            `json:"type"`
		Session string            `json:"session"`
		Mode    admission.Sharing `json:"mode"`
	}
	// Report is what a player sees of the stream.
	Report struct {
		Type          string  `json:"type"`
		FPS           float64 `json:"fps"`
		RTTMs         float64 `json:"rtt_ms"`
		BitrateBps    float64 `json:"bitrate_bps"`
		FramesDropped float64 `json:"frames_dropped"`
	}
	// Leave gives up place, seat or view.
	Leave struct {
		Type string `json:"type"`
	}

	// Welcome is the first message after a join.
	Welcome struct {
		Type       string    `json:"type"`
		Client     string    `json:"client"`
		Resume     string    `json:"resume"`
		Resumed    bool      `json:"resumed"`
		ServerTime time.Time `json:"server_time"`
	}
	// Queued is a place in a queue.
	Queued struct {
		Type      string           `json:"type"`
		Entry     string           `json:"entry"`
		Intent    admission.Intent `json:"intent"`
		Position  int              `json:"position"`
		Length    int              `json:"length"`
		Class     string           `json:"class"`
		Wait      *admission.Wait  `json:"wait"`
		BlockedBy *admission.Block `json:"blocked_by"`
		Moved     admission.Why    `json:"moved,omitempty"`
	}
	// Offered is a seat that is reserved until ExpiresAt.
	Offered struct {
		Type      string    `json:"type"`
		Offer     string    `json:"offer"`
		Session   string    `json:"session"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	// Starting says that the application is being started.
	Starting struct {
		Type      string  `json:"type"`
		Session   string  `json:"session"`
		Host      string  `json:"host"`
		ExpectedS float64 `json:"expected_s"`
	}
	// Seated is a seat that is ready, with a ticket for it.
	Seated struct {
		Type      string            `json:"type"`
		Session   string            `json:"session"`
		Host      string            `json:"host"`
		URL       string            `json:"url"`
		Ticket    string            `json:"ticket"`
		ExpiresAt time.Time         `json:"expires_at"`
		EndsAt    *time.Time        `json:"ends_at"`
		Sharing   admission.Sharing `json:"sharing"`
		Watchers  int               `json:"watchers"`
	}
	// Watching is a view, with a ticket for it.
	Watching struct {
		Type       string  `json:"type"`
		Session    string  `json:"session"`
		URL        string  `json:"url"`
		Ticket     string  `json:"ticket"`
		Mime       string  `json:"mime"`
		BitrateBps float64 `json:"bitrate_bps"`
	}
	// Refused is a denial and its reason.
	Refused struct {
		Type        string           `json:"type"`
		Code        string           `json:"code"`
		Message     string           `json:"message"`
		BlockedBy   *admission.Block `json:"blocked_by"`
		RetryAfterS *float64         `json:"retry_after_s"`
	}
	// Notice is something worth knowing that changes no state.
	Notice struct {
		Type     string     `json:"type"`
		Code     string     `json:"code"`
		Message  string     `json:"message"`
		EndsAt   *time.Time `json:"ends_at,omitempty"`
		Watchers *int       `json:"watchers,omitempty"`
	}
	// Ended is the end of a seat or a view.
	Ended struct {
		Type    string        `json:"type"`
		Session string        `json:"session"`
		Role    string        `json:"role"`
		Reason  admission.Why `json:"reason"`
	}
	// Failure says that a frame was not understood, or not carried out.
	Failure struct {
		Type    string `json:"type"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
)
