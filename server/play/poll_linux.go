package play

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// poller tells when there is something to read on connections that are parked,
// of which tens of thousands then cost no goroutine and no stack.
type poller struct {
	fd   int
	file *os.File // the same, as Go's own poller waits on it

	closed atomic.Bool

	mu     sync.Mutex
	parked map[int32]*conn
	last   int32
}

const wake = syscall.EPOLLIN | syscall.EPOLLRDHUP | 1<<30 // EPOLLONESHOT: one who reads at a time

func newPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("epoll: %w", err), syscall.Close(fd))
	}
	return &poller{fd: fd, file: os.NewFile(uintptr(fd), "epoll"), parked: map[int32]*conn{}}, nil
}

// park has readable called once, when there is something to read on c. False:
// this connection cannot be watched so.
func (p *poller) park(c *conn) (bool, error) {
	if c.sock.raw == nil {
		return false, nil
	}
	op := syscall.EPOLL_CTL_MOD
	p.mu.Lock()
	if c.number == 0 {
		c.number, op = p.number(c), syscall.EPOLL_CTL_ADD
	}
	p.mu.Unlock()
	// The number tells a late event of a closed file from one of its successor.
	event := syscall.EpollEvent{Events: wake, Fd: c.number}
	var err error
	failed := c.sock.raw.Control(func(fd uintptr) { err = syscall.EpollCtl(p.fd, op, int(fd), &event) }) //nolint:gosec // a file's number
	return err == nil && failed == nil, errors.Join(failed, err)
}

// number gives c a number that no other connection has.
func (p *poller) number(c *conn) int32 {
	for {
		p.last = max(0, p.last) + 1
		if p.last > 0 && p.parked[p.last] == nil {
			p.parked[p.last] = c
			return p.last
		}
	}
}

// forget is called before the connection is closed.
func (p *poller) forget(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.number != 0 {
		delete(p.parked, c.number)
	}
}

// run calls readable, which must not block, until close.
func (p *poller) run(readable func(*conn)) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	events := make([]syscall.EpollEvent, 256)
	for {
		n := 0
		failed := raw.Read(func(uintptr) bool {
			n, err = syscall.EpollWait(p.fd, events, 0)
			return n > 0 || (err != nil && !errors.Is(err, syscall.EINTR))
		})
		switch {
		case failed != nil && p.closed.Load():
			return nil
		case failed != nil || (err != nil && !errors.Is(err, syscall.EINTR)):
			return fmt.Errorf("epoll: %w", errors.Join(failed, err))
		}
		for _, e := range events[:max(0, n)] {
			if c := p.at(e.Fd); c != nil {
				readable(c)
			}
		}
	}
}

func (p *poller) at(number int32) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.parked[number]
}

// close is called when no connection is left.
func (p *poller) close() error {
	p.closed.Store(true)
	return p.file.Close()
}
