package agent

import (
	"sync"

	"github.com/rendergate/rendergate/probe/wire"
)

// Bounds of what waits for a slow uplink.
const (
	maxQueued     = 64
	maxQueuedSize = 8 << 20
	skipAt        = 8 // chunks waiting when a key chunk comes: they are skipped
)

// chunks is what a stream's reader hands to its sender. When the sender is
// slow, what waits is dropped, up to a key chunk, so that spectators are late
// by little and never see a broken picture.
type chunks struct {
	mu      sync.Mutex
	waiting [][]byte
	size    int
	needKey bool // until a key chunk comes, nothing can be decoded
	dropped int
	wake    chan struct{}
}

func newChunks() *chunks { return &chunks{wake: make(chan struct{}, 1), needKey: true} }

// put adds a chunk with its kind byte in front.
func (c *chunks) put(chunk []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := chunk[0] == wire.ChunkKey
	full := len(c.waiting) >= maxQueued || c.size+len(chunk) > maxQueuedSize
	if full || key && len(c.waiting) >= skipAt {
		c.drop()
	}
	switch {
	case chunk[0] == wire.ChunkInit:
	case key:
		c.needKey = false
	case c.needKey:
		c.dropped++
		return
	}
	c.waiting = append(c.waiting, chunk)
	c.size += len(chunk)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// drop forgets what waits, the newest initialization data excepted.
func (c *chunks) drop() {
	var kept [][]byte
	for _, w := range c.waiting {
		if w[0] == wire.ChunkInit {
			kept = [][]byte{w}
		}
	}
	c.dropped += len(c.waiting) - len(kept)
	c.waiting, c.size, c.needKey = kept, 0, true
	for _, w := range kept {
		c.size += len(w)
	}
}

// take gives all that waits.
func (c *chunks) take() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.waiting
	c.waiting, c.size = nil, 0
	return all
}
