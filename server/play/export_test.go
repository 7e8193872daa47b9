package play

import (
	"time"

	"github.com/rendergate/rendergate/admission"
)

// PushPlaces is a round of places, as the hub makes one each second.
func (h *Hub) PushPlaces(now time.Time, p *admission.Pool) {
	h.dirty.Store(false)
	h.places.judge(now, p)
	h.writers.push(h.offerPlaces(now, p)...)
}

// Quiet says whether nothing is left to be written.
func (h *Hub) Quiet() bool {
	h.writers.mu.Lock()
	left := len(h.writers.todo)
	h.writers.mu.Unlock()
	if left > 0 {
		return false
	}
	for _, c := range h.all() {
		c.mu.Lock()
		writing := c.writing
		c.mu.Unlock()
		if writing {
			return false
		}
	}
	return true
}

// PlaceFrame is a place as it goes over the wire, head and all.
func PlaceFrame(at *admission.Place, block *admission.Block) []byte {
	text := endPlace(appendPlace(nil, at, appendJSON(nil, block)), "")
	head := []byte{0x81, byte(len(text))}
	if len(text) > 125 {
		head = []byte{0x81, 126, byte(len(text) >> 8), byte(len(text))}
	}
	return append(head, text...)
}

// Writers is the number of goroutines that write, and SendBuffer what they ask
// of the kernel for each connection.
const (
	Writers    = writerCount
	SendBuffer = sendBuffer
)
