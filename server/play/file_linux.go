package play

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"
)

const (
	wakeIn   = syscall.EPOLLIN | syscall.EPOLLRDHUP
	wakeOut  = syscall.EPOLLOUT
	wakeEnd  = syscall.EPOLLHUP | syscall.EPOLLERR // always told
	wakeOnce = 1 << 30                             // EPOLLONESHOT
)

// file is a TCP connection taken out of Go's net package, whose bookkeeping
// costs more than all of ours. The poller tells when it can be read or written.
// All but fd and deadline is guarded by the socket's mu.
type file struct {
	poll     *poller
	fd       int32
	number   int32  // with the poller; 0: none yet
	want     uint32 // what the poller is to tell of
	deadline int64  // of reading, in ns since 1970; 0: none; owned by the one who reads
	in, out  chan struct{}
}

// adopt takes the connection over, if it can be; c is then of no more use.
func (s *socket) adopt(p *poller, c net.Conn) (bool, error) {
	tcp, ok := c.(*net.TCPConn)
	if !ok || p == nil {
		return false, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false, err
	}
	fd, errno := uintptr(0), syscall.Errno(0)
	err = raw.Control(func(from uintptr) {
		fd, _, errno = syscall.Syscall(syscall.SYS_FCNTL, from, syscall.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil && errno != 0 {
		err = errno
	}
	if err != nil {
		return false, err
	}
	s.poll, s.fd = p, int32(fd) //nolint:gosec // a file's number
	return true, tcp.Close()
}

func (s *socket) readFile(p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(s.fd), p)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			return 0, io.EOF
		case errors.Is(err, syscall.EAGAIN):
			if err := s.wait(&s.in, wakeIn, s.deadline); err != nil {
				return 0, err
			}
		case !errors.Is(err, syscall.EINTR):
			return 0, os.NewSyscallError("read", err)
		}
	}
}

// writeFile writes what the kernel takes at once. The caller holds mu. Since that
// never waits, Go's scheduler need not be told of the call, which saves a
// fiftieth of the cost of a push.
func (s *socket) writeFile(p []byte) (int, error) {
	for {
		n, _, err := syscall.RawSyscall(
			syscall.SYS_WRITE, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		)
		switch {
		case err == 0:
			return int(n), nil
		case err == syscall.EAGAIN:
			return 0, nil
		case err != syscall.EINTR:
			return 0, os.NewSyscallError("write", err)
		}
	}
}

// wait waits until the poller tells of what, which it does through the channel.
func (s *socket) wait(told *chan struct{}, what uint32, deadline int64) error {
	s.mu.Lock()
	ch := make(chan struct{})
	*told = ch
	err := s.arm(what)
	s.mu.Unlock()
	if err != nil || deadline == 0 {
		if err == nil {
			<-ch
		}
		return err
	}
	timer := time.NewTimer(time.Until(time.Unix(0, deadline)))
	defer timer.Stop()
	select {
	case <-ch:
		return nil
	case <-timer.C:
		s.mu.Lock()
		defer s.mu.Unlock()
		if *told == ch { // nobody waits for it any more
			*told = nil
		}
		return os.ErrDeadlineExceeded
	}
}

// arm has the poller tell of what, too, once. The caller holds mu.
func (s *socket) arm(what uint32) error {
	if s.closed {
		return net.ErrClosed
	}
	s.want |= what
	return s.poll.arm(s)
}

// woken notes that the poller has told of events, wakes who waits for them, and
// says whether a parked connection can be read.
func (s *socket) woken(events uint32) (parked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if events&(wakeIn|wakeEnd) != 0 && s.want&wakeIn != 0 {
		s.want &^= wakeIn
		parked = !wakeUp(&s.in)
	}
	if events&(wakeOut|wakeEnd) != 0 && s.want&wakeOut != 0 {
		s.want &^= wakeOut
		wakeUp(&s.out)
	}
	if s.want != 0 {
		_ = s.poll.arm(s) // an error is one of the file, which whoever reads it meets too
	}
	return parked
}

func wakeUp(ch *chan struct{}) bool {
	if *ch == nil {
		return false
	}
	close(*ch)
	*ch = nil
	return true
}

// flushFile waits until the kernel has taken what Write kept.
func (s *socket) flushFile(timeout time.Duration) error {
	deadline := time.Now().Add(timeout).UnixNano()
	for {
		s.mu.Lock()
		n, err := 0, net.ErrClosed
		if !s.closed {
			n, err = s.writeFile(s.rest)
		}
		if s.rest = s.rest[n:]; len(s.rest) == 0 {
			s.rest = nil
		}
		done := s.rest == nil
		s.mu.Unlock()
		if err != nil || done {
			return err
		}
		if err := s.wait(&s.out, wakeOut, deadline); err != nil {
			return err
		}
	}
}

// shut ends directions of the connection: syscall.SHUT_WR or SHUT_RDWR.
func (s *socket) shut(how int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		_ = syscall.Shutdown(int(s.fd), how) // one that is over already has no need of it
	}
}

func (s *socket) finishFile() { s.shut(syscall.SHUT_WR) }
func (s *socket) cutFile()    { s.shut(syscall.SHUT_RDWR) }

func (s *socket) closeFile() error {
	s.poll.forget(s.number)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	wakeUp(&s.out)
	return syscall.Close(int(s.fd))
}
