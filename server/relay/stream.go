package relay

import (
	"encoding/json"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/wire"
)

// ringChunks is how many chunks a stream remembers. At 30 frames a second that
// is more than four seconds: who is further behind skips to the newest key
// chunk in any case.
const ringChunks = 128

// chunk is one binary frame, framed once for all who look on.
type chunk struct {
	message *websocket.PreparedMessage
	size    int
	key     bool
}

// stream is what one publisher sends, remembered from the newest key chunk on.
// Spectators read it by a cursor of their own, so that a slow one costs nobody
// else anything and memory stays bounded.
type stream struct {
	mu     sync.Mutex
	info   wire.StreamInfo
	header []byte // info as JSON: the first frame of every spectator
	init   *chunk // initialization data, if the codec needs it
	ring   [ringChunks]chunk
	next   uint64        // sequence of the next chunk
	key    uint64        // sequence of the newest key chunk
	hasKey bool          // false until the first key chunk
	change chan struct{} // closed and replaced whenever something was added
	live   bool          // a publisher is connected
	epoch  int           // counts publishers: a new one needs a new header
}

func newStream() *stream { return &stream{change: make(chan struct{})} }

// begin starts a publisher's stream: earlier chunks are void.
func (s *stream) begin(info wire.StreamInfo) error {
	header, err := json.Marshal(info)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info, s.header, s.init, s.hasKey, s.live = info, header, nil, false, true
	s.epoch++
	s.wake()
	return nil
}

// add appends one publish frame. What comes before the first key chunk is
// dropped, since nobody could decode it.
func (s *stream) add(kind byte, data []byte) error {
	message, err := websocket.NewPreparedMessage(websocket.BinaryMessage, data)
	if err != nil {
		return err
	}
	c := chunk{message: message, size: len(data), key: kind == wire.ChunkKey}
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind == wire.ChunkInit {
		s.init = &c
		return nil
	}
	if c.key {
		s.key, s.hasKey = s.next, true
	}
	if !s.hasKey {
		return nil
	}
	s.ring[s.next%ringChunks] = c
	s.next++
	s.wake()
	return nil
}

// end says that the publisher of the epoch is gone.
func (s *stream) end(epoch int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != epoch {
		return
	}
	s.live = false
	s.wake()
}

func (s *stream) wake() {
	close(s.change)
	s.change = make(chan struct{})
}

func (s *stream) currentEpoch() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// cursor is one spectator's place in a stream.
type cursor struct {
	epoch int
	next  uint64
	thin  bool // it was over its bitrate: go on at the next key chunk only
}

// step is what a spectator is to do next: write header, init or chunk, or
// wait for a change.
type step struct {
	header []byte
	init   *chunk
	chunk  *chunk
	wait   <-chan struct{}
}

// maxLag is how many chunks a spectator may be behind before it skips to the
// newest key chunk.
const maxLag = 12

// read moves the cursor on. It never blocks.
func (s *stream) read(c *cursor) step {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch == 0 || !s.hasKey || !s.live && c.epoch != s.epoch {
		return step{wait: s.change}
	}
	if c.epoch != s.epoch {
		*c = cursor{epoch: s.epoch, next: s.key}
		return step{header: s.header, init: s.init}
	}
	s.catchUp(c)
	if c.next >= s.next {
		return step{wait: s.change}
	}
	found := s.ring[c.next%ringChunks]
	c.next++
	return step{chunk: &found}
}

// catchUp moves a cursor that is too far behind, or was thinned out, to the
// newest key chunk, if that is ahead of it.
func (s *stream) catchUp(c *cursor) {
	behind := s.next - c.next
	if s.key > c.next && (behind > maxLag || c.thin) {
		c.next = s.key
	}
	if behind >= ringChunks && s.key+ringChunks < s.next {
		c.next = s.next // a group longer than the ring: wait for the next key chunk
		c.thin = true
	}
	if !c.thin || c.next >= s.next {
		return
	}
	if s.ring[c.next%ringChunks].key {
		c.thin = false
		return
	}
	c.next = s.next
}
