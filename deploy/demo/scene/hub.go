package scene

import (
	"slices"
	"sync"
)

// hub knows who looks: at most one player, and a few publishers.
type hub struct {
	fps float64

	mu         sync.Mutex
	player     *viewer
	publishers []*viewer
	closed     bool
	ready      []*viewer // owned by the render loop
}

// maxPublishers is how many publishers there may be: one that is going and one
// that is coming, and one to spare.
const maxPublishers = 3

func newHub(o Options) *hub { return &hub{fps: o.FPS} }

// Close codes, as the play socket has them.
const (
	closeProtocol  = 4400
	closeTakenOver = 4409
	closeTooLarge  = 4413
	closeTooMany   = 4429
	closeGoing     = 1001
)

// enter makes v the player; the one before has to go.
func (h *hub) enter(v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		v.stop(closeGoing, ended)
		return
	}
	if h.player != nil {
		h.player.stop(closeTakenOver, "opened elsewhere")
	}
	h.player = v
}

// ended is why everybody has to go at the end.
const ended = "the scene has ended"

// publish adds a publisher, if there is room for one.
func (h *hub) publish(v *viewer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.publishers) >= maxPublishers {
		return false
	}
	h.publishers = append(h.publishers, v)
	return true
}

// leave takes a viewer off. It says whether it was still the player.
func (h *hub) leave(v *viewer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.player == v {
		h.player = nil
		return true
	}
	if i := slices.Index(h.publishers, v); i >= 0 {
		h.publishers = slices.Delete(h.publishers, i, i+1)
	}
	return false
}

// close sends everybody away, for good.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.each(func(v *viewer) { v.stop(closeGoing, ended) })
}

func (h *hub) each(f func(*viewer)) {
	if h.player != nil {
		f(h.player)
	}
	for _, v := range h.publishers {
		f(v)
	}
}

// waiting gives those who have room for a frame now; the others skip it. The
// slice is good until the next call.
func (h *hub) waiting() []*viewer {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready = h.ready[:0]
	h.each(func(v *viewer) {
		if v.flight.room() {
			h.ready = append(h.ready, v)
		}
	})
	return h.ready
}

// give sends a frame to those viewers and lets go of it.
func give(to []*viewer, f *frame) {
	for _, v := range to {
		v.give(f)
	}
	f.release()
}

// tell sends the player the figures of the last second.
func (h *hub) tell(f figures) {
	h.mu.Lock()
	v := h.player
	h.mu.Unlock()
	if v != nil {
		v.note(f.frame(v.flight.told()))
	}
}
