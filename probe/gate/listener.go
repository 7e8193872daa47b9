package gate

import (
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A player whose network is gone sends no goodbye: the kernel notices by these.
const (
	probeAfter = 10 * time.Second
	probeEvery = 5 * time.Second
	probeCount = 3
	unackedFor = 15 * time.Second // what was sent and not acknowledged ends a connection
)

func listenConfig() net.ListenConfig {
	return net.ListenConfig{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeAfter, Interval: probeEvery, Count: probeCount},
		Control:         control,
	}
}

// listener bounds how many connections one address has, and for how long one
// may take nothing of what is sent to it.
type listener struct {
	net.Listener
	most   int
	log    *slog.Logger
	loud   *rate.Limiter
	mu     sync.Mutex
	counts map[string]int
}

func newListener(l net.Listener, most int, log *slog.Logger) *listener {
	return &listener{Listener: l, most: most, log: log, loud: rate.NewLimiter(rate.Every(10*time.Second), 1), counts: map[string]int{}}
}

// Accept gives the next connection of an address that may have one more.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := address(c)
		if l.take(from) {
			return &conn{Conn: c, done: func() { l.give(from) }}, nil
		}
		if l.loud.Allow() {
			l.log.Warn("too many connections from one address", "from", from, "limit", l.most)
		}
		if err := c.Close(); err != nil {
			l.log.Debug("gate", "err", err)
		}
	}
}

func address(c net.Conn) string {
	host, _, err := net.SplitHostPort(c.RemoteAddr().String())
	if err != nil {
		return c.RemoteAddr().String()
	}
	return host
}

func (l *listener) take(from string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts[from] >= l.most {
		return false
	}
	l.counts[from]++
	return true
}

func (l *listener) give(from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts[from]--; l.counts[from] <= 0 {
		delete(l.counts, from)
	}
}

// conn is a client's connection.
type conn struct {
	net.Conn
	once sync.Once
	done func()
}

// Write gives a client writeTimeout to take what is sent.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// CloseWrite lets the proxy hand on that one direction has ended.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// Close closes the connection and gives its place to another.
func (c *conn) Close() error {
	c.once.Do(c.done)
	return c.Conn.Close()
}
