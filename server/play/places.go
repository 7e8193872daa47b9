package play

import (
	"context"
	"hash/maphash"
	"math"
	"time"

	"github.com/rendergate/rendergate/admission"
)

const (
	chunkBytes = 32 << 10               // of frames that share a piece of memory
	frameMost  = 1024                   // a frame with a place is smaller, or else costs an allocation
	placeEach  = 950 * time.Millisecond // between two places of a client; a ticker's second may be short
	blockMoves = 0.01                   // of the limit: a projection that moves by less is no news
	waitsMove  = 5 * time.Second        // waits get shorter while nothing else happens; they are told so often
)

// line is those who wait for the same: they wait for the same reason.
type line struct {
	app    string
	intent admission.Intent
}

// places keeps everybody who waits told of the newest place. It is used on the
// owner's goroutine alone.
type places struct {
	seed   maphash.Seed
	blocks map[line]*block
	worse  admission.Why // the newest reason for which others were let ahead
	walked time.Time     // when all were last told
}

// block is why a line waits, as it was last told.
type block struct {
	*admission.Block
	text []byte // its JSON
	seen bool   // in this walk
}

func newPlaces() *places { return &places{seed: maphash.MakeSeed(), blocks: map[line]*block{}} }

// sendPlaces sends everybody who waits the newest place, if it has changed: the
// queue, or why it waits, which samples alone can change, or in a while how long.
// Call it once a second.
func (h *Hub) sendPlaces(ctx context.Context) {
	err := h.o.Owner.Read(ctx, func(now time.Time, p *admission.Pool) {
		moved := h.dirty.Swap(false)
		if h.places.judge(now, p) || moved || now.Sub(h.places.walked) >= waitsMove {
			h.writers.push(h.offerPlaces(now, p)...)
		}
	})
	if err != nil && ctx.Err() == nil {
		h.o.Log.Warn("places were not sent", "pool", h.o.Pool, "err", err)
	}
}

// judge looks anew at why the known lines wait, and says whether that is news.
func (l *places) judge(now time.Time, p *admission.Pool) (news bool) {
	for k, b := range l.blocks {
		if is := p.BlockedBy(now, k.app, k.intent); differs(b.Block, is) {
			b.Block, b.text, news = is, appendJSON(nil, is), true
		}
	}
	return news
}

// differs says whether people would read another text.
func differs(a, b *admission.Block) bool {
	if a == nil || b == nil {
		return a != b
	}
	x, y := *a, *b
	x.Projected, y.Projected = 0, 0
	return x != y || math.Abs(a.Projected-b.Projected) >= blockMoves*max(math.Abs(a.Limit), 1e-9)
}

// block is why a line waits; all of the line are told the same.
func (l *places) block(now time.Time, p *admission.Pool, k line) *block {
	b := l.blocks[k]
	if b == nil {
		is := p.BlockedBy(now, k.app, k.intent)
		b = &block{Block: is, text: appendJSON(nil, is)}
		l.blocks[k] = b
	}
	b.seen = true
	return b
}

// prune forgets the lines in which nobody waits any more.
func (l *places) prune() {
	for k, b := range l.blocks {
		if !b.seen {
			delete(l.blocks, k)
		}
		b.seen = false
	}
}

// offerPlaces gives each connection its newest place and returns those that a
// writer is to be told of.
func (h *Hub) offerPlaces(now time.Time, p *admission.Pool) []*conn {
	h.places.walked = now
	w := walk{h: h, now: now, pool: p, worse: h.places.worse}
	h.places.worse = ""
	h.mu.Lock()
	defer h.mu.Unlock()
	p.EachPlace(w.visit)
	h.places.prune()
	if w.early {
		h.dirty.Store(true)
	}
	return w.tell
}

// walk is one round over all who wait.
type walk struct {
	h     *Hub
	now   time.Time
	pool  *admission.Pool
	worse admission.Why
	line  line
	block *block
	free  []byte // frames share pieces of memory
	tell  []*conn
	early bool // somebody was told less than a second ago
}

func (w *walk) visit(at *admission.Place) {
	if k := (line{at.App, at.Intent}); w.block == nil || k != w.line {
		w.line, w.block = k, w.h.places.block(w.now, w.pool, k)
	}
	c := w.h.clients[at.Client]
	if c == nil {
		return
	}
	if cap(w.free)-len(w.free) < frameMost {
		w.free = make([]byte, 0, chunkBytes)
	}
	b := appendPlace(w.free[len(w.free):], at, w.block.text)                           // where the piece ends, in a new one
	t := told{maphash.Bytes(w.h.places.seed, b), int32(at.Position), w.now.UnixNano()} //nolint:gosec // no queue is longer
	d := c.offerPlace(b, t, w.worse)
	w.early = w.early || d.early
	if n := len(w.free) + len(d.kept); cap(d.kept) == cap(w.free)-len(w.free) {
		w.free = w.free[:n]
	}
	if d.tell {
		w.tell = append(w.tell, c)
	}
}

// told is a place as a client is told of it.
type told struct {
	print    uint64 // a fingerprint of the frame
	position int32
	at       int64 // ns since 1970
}

// taken is what became of it.
type taken struct {
	kept  []byte // the frame; nil: it was not taken
	tell  bool   // a writer is to be told
	early bool   // it has to wait, since the last place was sent less than a second ago
}

// offerPlace queues a place, which lacks its end, if it differs from the last
// one; the newest counts. Worse is why, if the position got worse.
func (c *conn) offerPlace(place []byte, t told, worse admission.Why) taken {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing || (t.print == c.place.print && c.moved == ""):
		return taken{}
	case t.at-c.place.at < int64(placeEach):
		return taken{early: true}
	case c.moved == "" && c.place.position > 0 && t.position > c.place.position:
		c.moved = worse
	}
	place = endPlace(place, c.moved)
	c.queued = place[:len(place):len(place)]
	c.placed(t)
	d := taken{kept: place, tell: !c.writing}
	c.writing = true
	return d
}

func (c *conn) placed(t told) { c.place, c.moved = t, "" }
