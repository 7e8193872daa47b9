package play

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	writerCount = 4
	writerTakes = 64 // connections at a time
)

// writers are the few goroutines that write for all connections. None of them
// ever waits for a client: one that does not read gets a goroutine of its own
// until it does, or is cut.
type writers struct {
	mu      sync.Mutex
	some    sync.Cond
	todo    []*conn
	stopped bool
	active  sync.WaitGroup
}

func newWriters() *writers {
	w := &writers{}
	w.some.L = &w.mu
	return w
}

// push has the connections written to, of which no writer knows yet.
func (w *writers) push(list ...*conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.todo = append(w.todo, list...)
	switch len(list) {
	case 0:
	case 1:
		w.some.Signal()
	default:
		w.some.Broadcast()
	}
}

func (w *writers) start() {
	for range writerCount {
		w.active.Go(w.run)
	}
}

// stop returns when nothing is being written.
func (w *writers) stop() {
	w.mu.Lock()
	w.stopped = true
	w.some.Broadcast()
	w.mu.Unlock()
	w.active.Wait()
}

func (w *writers) run() {
	list := make([]*conn, 0, writerTakes)
	for {
		list = w.take(list[:0])
		if len(list) == 0 {
			return
		}
		for i, c := range list {
			w.write(c)
			list[i] = nil
		}
	}
}

// take waits for connections to write to; none means that it is over.
func (w *writers) take(list []*conn) []*conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.todo) == 0 && !w.stopped {
		w.some.Wait()
	}
	n := min(len(w.todo), writerTakes)
	list = append(list, w.todo[:n]...)
	clear(w.todo[:n])
	if w.todo = w.todo[n:]; len(w.todo) == 0 {
		w.todo = nil // what a burst needed is not kept
	}
	return list
}

// write sends what is queued for c, as far as the kernel takes it.
func (w *writers) write(c *conn) {
	for {
		kind, frame, more := c.next()
		if !more {
			return
		}
		var err error
		if kind == websocket.TextMessage {
			err = c.ws.WriteMessage(kind, frame)
		} else {
			err = c.ws.WriteControl(kind, frame, time.Time{})
		}
		switch {
		case err != nil:
			c.hangUp()
			return
		case c.sock.stuck():
			w.active.Go(func() { w.wait(c, kind) })
			return
		case kind == websocket.CloseMessage:
			c.said()
			return
		}
	}
}

// wait gives a client time to read, then goes on, or cuts it.
func (w *writers) wait(c *conn, kind int) {
	switch err := c.sock.flush(writeTimeout); {
	case err != nil:
		c.hangUp()
	case kind == websocket.CloseMessage:
		c.said()
	default:
		w.push(c)
	}
}
