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
	fd     int
	file   *os.File // the same, as Go's own poller waits on it
	closed atomic.Bool

	mu    sync.Mutex
	conns map[int32]*conn
	last  int32
}

func newPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("epoll: %w", err), syscall.Close(fd))
	}
	return &poller{fd: fd, file: os.NewFile(uintptr(fd), "epoll"), conns: map[int32]*conn{}}, nil
}

// add makes the connection known before it is waited for.
func (p *poller) add(c *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c.sock.number == 0 { // a late event must find no other connection under its number
		p.last = max(0, p.last) + 1
		if p.last > 0 && p.conns[p.last] == nil {
			c.sock.number = p.last
		}
	}
	p.conns[p.last] = c
	event := syscall.EpollEvent{Events: wakeOnce, Fd: c.sock.number}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, int(c.sock.fd), &event))
}

// park has readable called once, when there is something to read on c. False:
// this connection cannot be watched so.
func (p *poller) park(c *conn) (bool, error) {
	if c.sock.conn != nil {
		return false, nil
	}
	c.sock.mu.Lock()
	defer c.sock.mu.Unlock()
	return true, c.sock.arm(wakeIn)
}

// arm has the kernel tell once of what the socket wants.
func (p *poller) arm(s *socket) error {
	event := syscall.EpollEvent{Events: wakeOnce | s.want, Fd: s.number}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_MOD, int(s.fd), &event))
}

func (p *poller) forget(number int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, number)
}

// run calls readable, which must not block, until close.
func (p *poller) run(readable func(*conn)) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	events := make([]syscall.EpollEvent, 256)
	for {
		n, err := 0, error(nil)
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
			if c := p.at(e.Fd); c != nil && c.sock.woken(e.Events) {
				readable(c)
			}
		}
	}
}

func (p *poller) at(number int32) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns[number]
}

// close is called when no connection is left.
func (p *poller) close() error {
	p.closed.Store(true)
	return p.file.Close()
}
