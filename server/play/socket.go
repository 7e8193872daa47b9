package play

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Opcodes of control frames that end no message.
const (
	opPing = 0x9
	opPong = 0xA
)

const (
	maxRest     = 64 << 10 // bytes that the kernel did not take yet
	sendBuffer  = 16 << 10 // asked of the kernel, which would keep megabytes for one who does not read
	maxControl  = 125
	headMost    = 14 // bytes of a frame's header at the most
	finAndMask  = 0x80
	lengthBits  = 0x7f
	length16    = 126
	length64    = 127
	opcodeBits  = 0x0f
	reservedBit = 0x70
)

var errBehind = errors.New("too much waits to be read")

// socket is what the WebSocket library reads from and writes to. It reads never
// past the end of a frame, so that between two frames nothing is left in a
// buffer and nobody has to wait in a call: a connection that is silent costs no
// goroutine. And it writes without waiting: what the kernel does not take at
// once is kept for flush.
type socket struct {
	conn net.Conn // nil: it is file; of others all writes are left to flush
	file

	// Owned by the one who reads.
	head [headMost]byte
	have uint8 // bytes of the head that are there
	sent uint8 // of which the library has so many
	left int64 // bytes of the payload to come

	mu     sync.Mutex
	rest   []byte
	closed bool
}

// Read gives the library bytes of the current frame, or of the next one's head.
func (s *socket) Read(p []byte) (int, error) {
	if s.sent < s.have {
		n := copy(p, s.head[s.sent:s.have])
		s.sent += uint8(n) //nolint:gosec // n is 14 at most
		s.rewind()
		return n, nil
	}
	if s.sent < s.headLength() {
		if err := s.readHead(s.headLength()); err != nil {
			return 0, err
		}
		return s.Read(p)
	}
	n, err := s.input(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	s.rewind()
	return n, err
}

// peek waits for the next frame and gives the first two bytes of its head.
func (s *socket) peek() ([2]byte, error) {
	err := s.readHead(2)
	return [2]byte(s.head[:2]), err
}

func (s *socket) readHead(to uint8) error {
	for s.have < to {
		n, err := s.input(s.head[s.have:to])
		s.have += uint8(n) //nolint:gosec // n is 14 at most
		if err != nil {
			return err
		}
	}
	if s.have == s.headLength() {
		s.left = s.payload()
	}
	return nil
}

// headLength is how long the head is, as far as can be told yet.
func (s *socket) headLength() uint8 {
	n := uint8(2)
	if s.have < 2 {
		return n
	}
	switch s.head[1] & lengthBits {
	case length16:
		n += 2
	case length64:
		n += 8
	}
	if s.head[1]&finAndMask != 0 {
		n += 4
	}
	return n
}

func (s *socket) payload() int64 {
	switch n := s.head[1] & lengthBits; n {
	case length16:
		return int64(binary.BigEndian.Uint16(s.head[2:]))
	case length64:
		// The library refuses a length with the highest bit set.
		return int64(binary.BigEndian.Uint64(s.head[2:]) & (1<<63 - 1)) //nolint:gosec // the bit is masked
	default:
		return int64(n)
	}
}

// rewind makes ready for the next frame when this one is through.
func (s *socket) rewind() {
	if s.left == 0 && s.sent >= 2 && s.sent == s.headLength() {
		s.have, s.sent = 0, 0
	}
}

// control takes a ping or a pong whole, so that the library, which would go on
// to wait for a message, never sees one between messages.
func (s *socket) control() (payload []byte, err error) {
	if err := s.readHead(s.headLength()); err != nil {
		return nil, err
	}
	payload = make([]byte, s.left)
	if _, err := io.ReadFull(inputOf{s}, payload); err != nil {
		return nil, err
	}
	for i := range payload {
		payload[i] ^= s.head[2+i%4]
	}
	s.have, s.sent, s.left = 0, 0, 0
	return payload, nil
}

// lone says whether a frame with that head is a whole, masked ping or pong.
func lone(head [2]byte) (op byte, ok bool) {
	op = head[0] & opcodeBits
	whole := head[0]&(finAndMask|reservedBit) == finAndMask && head[1]&finAndMask != 0
	return op, whole && (op == opPing || op == opPong) && head[1]&lengthBits <= maxControl
}

// Write writes what the kernel takes at once and keeps the rest.
func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rest)+len(p) > maxRest {
		return 0, errBehind
	}
	n := 0
	if len(s.rest) == 0 && s.conn == nil {
		if s.closed {
			return 0, net.ErrClosed
		}
		var err error
		if n, err = s.writeFile(p); err != nil {
			return n, err
		}
	}
	if n < len(p) {
		s.rest = append(s.rest, p[n:]...)
	}
	return len(p), nil
}

// stuck says whether something is left for flush.
func (s *socket) stuck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rest) > 0
}

// flush waits until the kernel has taken what Write kept.
func (s *socket) flush(timeout time.Duration) error {
	if !s.stuck() {
		return nil
	}
	if s.conn == nil {
		return s.flushFile(timeout)
	}
	s.mu.Lock()
	rest := s.rest
	s.mu.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := s.conn.Write(rest); err != nil {
		return err
	}
	s.mu.Lock()
	s.rest = nil
	s.mu.Unlock()
	return nil
}

// input reads what comes, wherever frames end.
func (s *socket) input(p []byte) (int, error) {
	if s.conn == nil {
		return s.readFile(p)
	}
	return s.conn.Read(p)
}

type inputOf struct{ *socket }

func (i inputOf) Read(p []byte) (int, error) { return i.input(p) }

// SetReadDeadline sets until when a Read may wait. Only the one who reads may
// call it.
func (s *socket) SetReadDeadline(t time.Time) error {
	if s.conn != nil {
		return s.conn.SetReadDeadline(t)
	}
	s.deadline = 0
	if !t.IsZero() {
		s.deadline = t.UnixNano()
	}
	return nil
}

// SetWriteDeadline does nothing: Write does not wait, and flush has its own.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is SetReadDeadline, since Write does not wait.
func (s *socket) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// LocalAddr and RemoteAddr are not kept.
func (s *socket) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (s *socket) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// finish says that nothing more is written.
func (s *socket) finish() {
	if s.conn == nil {
		s.finishFile()
	} else if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

// cut ends both directions, and every call that waits in them. What the kernel
// keeps of it is given back by Close, by the one who reads.
func (s *socket) cut() {
	if s.conn == nil {
		s.cutFile()
	} else {
		_ = s.conn.Close()
	}
}

// Close ends all. Only the one who reads may call it.
func (s *socket) Close() error {
	if s.conn == nil {
		return s.closeFile()
	}
	return s.conn.Close()
}
