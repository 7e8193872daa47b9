package admission

import "cmp"

// timerKind is what a deadline is about; the order breaks ties.
type timerKind uint8

const (
	timerHost    timerKind = iota // a silent host is lost
	timerSession                  // the end of a session's phase
	timerLength                   // a session's length: first the warning, then the end
	timerIdle                     // a player who does nothing, as the newest sample says
	timerEntry                    // a disconnected client's place
	timerView                     // a disconnected client's view
	timerFresh                    // a sample goes stale
	timerRest                     // a host on which starts failed gets another chance
)

// timer is one deadline in a heap. Ties are broken by kind and by the number
// of its owner, never by the heap's layout, so that replay is exact.
type timer struct {
	at    instant
	seq   uint64
	pos   int
	kind  timerKind
	owner any // *host, *session, *entry or *client, as the kind says
}

func (t *timer) before(u *timer) bool {
	if c := cmp.Compare(t.at, u.at); c != 0 {
		return c < 0
	}
	if t.kind != u.kind {
		return t.kind < u.kind
	}
	return t.seq < u.seq
}

// timers is a binary heap of deadlines that knows where each of them is.
type timers struct{ heap []*timer }

func (h *timers) top() *timer {
	if len(h.heap) == 0 {
		return nil
	}
	return h.heap[0]
}

// set arms, moves or (at 0) disarms the timer in slot, which is nil while it is
// not armed.
func (h *timers) set(slot **timer, want timer) {
	switch {
	case want.at == 0 && *slot == nil:
	case want.at == 0:
		h.remove((*slot).pos)
		*slot = nil
	case *slot == nil:
		want.pos = len(h.heap)
		*slot = &want
		h.heap = append(h.heap, *slot)
		h.up(want.pos)
	case (*slot).at != want.at:
		(*slot).at = want.at
		h.down(h.up((*slot).pos))
	}
}

func (h *timers) remove(i int) {
	last := len(h.heap) - 1
	h.swap(i, last)
	h.heap[last] = nil
	h.heap = h.heap[:last]
	if i < last {
		h.down(h.up(i))
	}
}

func (h *timers) swap(i, j int) {
	h.heap[i], h.heap[j] = h.heap[j], h.heap[i]
	h.heap[i].pos, h.heap[j].pos = i, j
}

func (h *timers) up(i int) int {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.heap[i].before(h.heap[parent]) {
			break
		}
		h.swap(i, parent)
		i = parent
	}
	return i
}

func (h *timers) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.heap); child++ {
			if h.heap[child].before(h.heap[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}
