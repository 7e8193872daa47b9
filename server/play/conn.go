package play

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/admission"
)

const (
	maxFrame      = 16 << 10 // bytes of a client's frame
	maxImportant  = 64       // frames that wait to be written
	maxReason     = 123      // bytes of a close frame's text
	writeTimeout  = 5 * time.Second
	frameTimeout  = 10 * time.Second // from a frame's first byte to its last
	joinTimeout   = 10 * time.Second
	pongTimeout   = 60 * time.Second
	pingEach      = 20 * time.Second
	lingerTimeout = 2 * time.Second // for the client's answer to a close frame
)

// Close codes, as in the public interface.
const (
	closeProtocol  = 4400
	closeAuth      = 4401
	closeOrigin    = 4403
	closeSlow      = 4408
	closeTakenOver = 4409
	closeTooLarge  = 4413
	closeTooMany   = 4429
	closeGoingAway = 4503
)

// conn is one browser's socket. Nobody waits on it: what is to be sent is
// queued, and one of a few writers sends it as far as the kernel takes it. What
// it sends is read by a goroutine that exists only while there is something.
type conn struct {
	ws        *websocket.Conn
	sock      socket
	writers   *writers
	address   string
	watchBase string
	release   func()

	// Owned by the one who reads; register sets some of it before.
	bad    int // frames in a row that were not understood
	limit  pace
	resume string

	heard atomic.Int64 // when the client was last heard of, in ns since 1970

	mu      sync.Mutex
	client  string // empty before the join
	intent  admission.Intent
	out     [][]byte
	queued  []byte        // the newest place; replaces the one before it
	place   told          // the last, to send only what has changed
	moved   admission.Why // why the next place is worse
	told    string        // session and host of the last starting
	pong    []byte        // the payload of a ping to be answered
	ping    bool
	writing bool
	closing bool      // nothing is queued any more
	until   time.Time // the socket is cut then, if the close takes so long
	code    int
	reason  string
}

// send queues a message that must arrive.
func (c *conn) send(m any) {
	frame, err := json.Marshal(m)
	if err != nil {
		c.close(closeProtocol, "a message could not be encoded")
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue(frame)
}

func (c *conn) queue(frame []byte) {
	if c.closing {
		return
	}
	if len(c.out) >= maxImportant {
		c.shut(closeSlow, "too many messages wait to be read")
		return
	}
	if c.queued != nil { // older than this, so it must not follow it
		c.out = append(c.out, c.queued)
		c.queued = nil
	}
	c.out = append(c.out, frame)
	c.start()
}

func (c *conn) sendPing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		c.ping = true
		c.start()
	}
}

func (c *conn) sendPong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		c.pong = append([]byte{}, payload...)
		c.start()
	}
}

// close sends what is queued, then the close frame, and hangs up.
func (c *conn) close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut(code, reason)
}

func (c *conn) shut(code int, reason string) {
	if c.closing {
		return
	}
	c.closing, c.code, c.reason = true, code, short(reason)
	c.until = time.Now().Add(writeTimeout + lingerTimeout)
	if code == closeSlow {
		c.out, c.queued = nil, nil
	}
	c.start()
}

// short is a text that fits into a close frame.
func short(s string) string {
	if len(s) <= maxReason {
		return s
	}
	s = s[:maxReason]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// start has a writer write what is queued, unless one does already.
func (c *conn) start() {
	if !c.writing {
		c.writing = true
		c.writers.push(c)
	}
}

// next is the next frame to write; none is left if more is false.
func (c *conn) next() (kind int, frame []byte, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case len(c.out) > 0:
		frame, c.out = c.out[0], c.out[1:]
		if len(c.out) == 0 {
			c.out = nil
		}
		return websocket.TextMessage, frame, true
	case c.queued != nil:
		frame, c.queued = c.queued, nil
		return websocket.TextMessage, frame, true
	case c.closing:
		return websocket.CloseMessage, websocket.FormatCloseMessage(c.code, c.reason), true
	case c.pong != nil:
		frame, c.pong = c.pong, nil
		return websocket.PongMessage, frame, true
	case c.ping:
		c.ping = false
		return websocket.PingMessage, nil, true
	}
	c.writing = false
	return 0, nil, false
}

// said follows the close frame: the client has a moment to answer it, so that
// the frame is not lost with what else is on its way.
func (c *conn) said() {
	c.mu.Lock()
	c.until = time.Now().Add(lingerTimeout)
	c.mu.Unlock()
	c.sock.finish()
}

// hangUp ends the socket; the one who reads hears of it and forgets it.
func (c *conn) hangUp() {
	c.mu.Lock()
	c.closing, c.out, c.queued, c.pong = true, nil, nil, nil
	c.mu.Unlock()
	c.sock.cut()
}

func (c *conn) id() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client
}

// pace is how many frames a client may still send: a token bucket that costs no
// more than two words.
type pace struct {
	tokens float32
	since  int64 // ns since 1970; 0: it is full
}

func (p *pace) allow(now time.Time) bool {
	at := now.UnixNano()
	if p.since == 0 {
		p.tokens = framesBurst
	} else {
		p.tokens = min(framesBurst, p.tokens+float32(time.Duration(at-p.since).Seconds()*framesPerSecond))
	}
	p.since = at
	if p.tokens < 1 {
		return false
	}
	p.tokens--
	return true
}

// wish notes what the client came for.
func (c *conn) wish(i admission.Intent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.intent = i
}

func (c *conn) wants() admission.Intent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.intent
}

// ends says whether the connection is about to end.
func (c *conn) ends() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// sweep ends what has taken too long.
func (c *conn) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	silent := now.Sub(time.Unix(0, c.heard.Load()))
	switch {
	case c.closing && now.After(c.until):
		c.sock.cut()
	case c.closing:
	case c.client == "" && silent > joinTimeout:
		c.shut(closeProtocol, "want a join within 10 s")
	case silent > pongTimeout:
		c.shut(closeSlow, "nothing was heard for 60 s")
	}
}
