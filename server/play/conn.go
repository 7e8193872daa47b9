package play

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxFrame     = 16 << 10 // bytes of a client's frame
	maxImportant = 64       // frames that wait to be written
	writeTimeout = 5 * time.Second
	joinTimeout  = 10 * time.Second
	pongTimeout  = 60 * time.Second
	pingEach     = 20 * time.Second
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
// queued, and a goroutine writes it that exists only while there is something
// to write, so a client that does not read delays nobody.
type conn struct {
	ws        *websocket.Conn
	address   string
	watchBase string
	release   func()
	active    *sync.WaitGroup

	// Owned by the reading goroutine, until the client is registered.
	resume, secret string

	mu      sync.Mutex
	client  string // empty before the join
	out     [][]byte
	queued  []byte // the newest place; replaces the one before it
	last    Queued // as sent, to send only what has changed
	told    string // session and host of the last starting
	ping    bool
	writing bool
	closing bool // nothing is queued any more
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

// sendQueued queues a place if it differs from the last one; the newest counts.
func (c *conn) sendQueued(m Queued) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || (m.Moved == "" && samePlace(m, c.last)) {
		return
	}
	frame, err := json.Marshal(m)
	if err != nil {
		return
	}
	c.queued, c.last = frame, m
	c.start()
}

func samePlace(a, b Queued) bool {
	same := a.Entry == b.Entry && a.Position == b.Position && a.Length == b.Length && a.Class == b.Class
	return same && equal(a.Wait, b.Wait) && equal(a.BlockedBy, b.BlockedBy)
}

func equal[T comparable](a, b *T) bool {
	return a == b || (a != nil && b != nil && *a == *b)
}

func (c *conn) sendPing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		c.ping = true
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
	c.closing, c.code, c.reason = true, code, reason
	if code == closeSlow {
		c.out, c.queued = nil, nil
		_ = c.ws.NetConn().SetWriteDeadline(time.Now()) // ends a write that is stuck
	}
	c.start()
}

// start has a goroutine write what is queued, unless one does already.
func (c *conn) start() {
	if c.writing {
		return
	}
	c.writing = true
	c.active.Go(c.write)
}

func (c *conn) write() {
	for {
		kind, frame, more := c.next()
		if !more {
			return
		}
		deadline := time.Now().Add(writeTimeout)
		err := c.ws.SetWriteDeadline(deadline)
		if err == nil && kind == websocket.TextMessage {
			err = c.ws.WriteMessage(kind, frame)
		} else if err == nil {
			err = c.ws.WriteControl(kind, frame, deadline)
		}
		if err != nil || kind == websocket.CloseMessage {
			c.hangUp()
			return
		}
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
	case c.ping:
		c.ping = false
		return websocket.PingMessage, nil, true
	}
	c.writing = false
	return 0, nil, false
}

// hangUp ends the socket, and with it the reading goroutine.
func (c *conn) hangUp() {
	c.mu.Lock()
	c.closing, c.out, c.queued = true, nil, nil
	c.mu.Unlock()
	_ = c.ws.Close()
}

func (c *conn) id() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client
}

// ends says whether the connection is about to end.
func (c *conn) ends() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// finish hangs up, unless a last frame is being written, after which it does.
func (c *conn) finish() {
	c.mu.Lock()
	writing := c.writing && c.code != 0
	c.mu.Unlock()
	if !writing {
		c.hangUp()
	}
}
