package gate

import (
	"sync"
	"time"
)

// How long a player counts as here without a socket.
const (
	afterSocket  = time.Second      // a page that reloads asks for itself within that
	afterRequest = 15 * time.Second // a page that loads, or an application without sockets
)

// presence tells whether a session's player is here: while a WebSocket is open,
// for a moment after the last has closed, and for some time after a request
// made without one. So a reload does not flap, and a closed tab is noticed at once.
type presence struct {
	tell func(here bool) // called under mu: in order

	mu       sync.Mutex
	here     bool
	closed   bool
	sockets  int
	requests int // that began while no socket was open
	until    time.Time
	timer    *time.Timer
	input    time.Time // when the player last sent something
}

func newPresence(tell func(bool)) *presence { return &presence{tell: tell} }

// socket notes that a WebSocket has opened; call the result once it is closed.
func (p *presence) socket() (gone func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sockets++
	p.input = time.Now()
	p.judge()
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.sockets--; p.sockets == 0 {
			p.until = time.Now().Add(afterSocket)
		}
		p.judge()
	})
}

// request notes that a request has begun; call the result when it is done. One
// that is made while a socket is open says nothing of who is here: the page
// that goes away may have begun it.
func (p *presence) request() (done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.input = time.Now()
	if p.sockets > 0 {
		return func() {}
	}
	p.requests++
	p.judge()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.requests--
		if p.sockets == 0 {
			p.until = time.Now().Add(afterRequest)
		}
		p.judge()
	}
}

// sent notes that the player has sent something.
func (p *presence) sent() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.input = time.Now()
}

func (p *presence) idle() (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.input), p.here
}

// close ends the presence: nobody is told of anything any more.
func (p *presence) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

// judge decides whether the player is here, tells a change, and sets when to
// look again.
func (p *presence) judge() {
	if p.closed {
		return
	}
	left := time.Until(p.until)
	steady := p.sockets > 0 || p.requests > 0
	if p.timer != nil {
		p.timer.Stop()
	}
	if !steady && left > 0 {
		p.timer = time.AfterFunc(left, p.look)
	}
	if here := steady || left > 0; here != p.here {
		p.here = here
		p.tell(here)
	}
}

func (p *presence) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judge()
}
