package gate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// socketWriter hands the proxy a connection that the gate listens in on.
type socketWriter struct {
	http.ResponseWriter
	presence *presence
	cut      context.Context // its end cuts the connection
}

// Unwrap is for [http.ResponseController].
func (s *socketWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Hijack gives the connection to the proxy once the application has agreed to
// the upgrade: from here on the player is connected.
func (s *socketWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, nil, err
	}
	c := &socket{Conn: conn, in: conn, presence: s.presence, gone: s.presence.socket()}
	if n := rw.Reader.Buffered(); n > 0 {
		// What came ahead of the answer: the proxy would not look for it there.
		early, err := rw.Peek(n)
		if err != nil {
			return nil, nil, err
		}
		c.in = io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn)
	}
	set := make(chan struct{})
	c.uncut = context.AfterFunc(s.cut, func() {
		<-set         // one who is cut off already would be closed without uncut
		_ = c.Close() // closed is closed
	})
	close(set)
	return c, rw, nil
}

// socket is a player's WebSocket. It notes data frames of the player, and is
// gone at the first error of reading: an application may not notice it.
type socket struct {
	net.Conn
	in       io.Reader
	frames   frames // owned by Read
	presence *presence
	gone     func()
	uncut    func() bool
	once     sync.Once
}

func (s *socket) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if s.frames.data(p[:n]) {
		s.presence.sent()
	}
	if err != nil {
		s.gone()
	}
	return n, err
}

// Close closes the connection, once.
func (s *socket) Close() (err error) {
	s.once.Do(func() {
		s.uncut()
		s.gone()
		err = s.Conn.Close()
	})
	return err
}

// frames finds the frames in what a WebSocket's client sends (RFC 6455, 5.2).
type frames struct {
	header [14]byte
	have   int    // bytes of the header so far
	left   uint64 // of the payload
}

// data takes the next bytes and says whether a frame of data began among them.
// Pings and pongs, which browsers send by themselves, are none.
func (f *frames) data(p []byte) bool {
	found := false
	for len(p) > 0 {
		if f.left > 0 {
			n := min(f.left, uint64(len(p)))
			p, f.left = p[n:], f.left-n
			continue
		}
		f.header[f.have] = p[0]
		f.have++
		p = p[1:]
		if f.have < 2 || f.have < f.length() {
			continue
		}
		found = found || f.header[0]&0x0f < 8
		f.left, f.have = f.payload(), 0
	}
	return found
}

// length is how long the header is, by its second byte.
func (f *frames) length() int {
	n := 2
	switch f.header[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if f.header[1]&0x80 != 0 {
		n += 4
	}
	return n
}

func (f *frames) payload() uint64 {
	switch size := f.header[1] & 0x7f; size {
	case 126:
		return uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		return binary.BigEndian.Uint64(f.header[2:])
	default:
		return uint64(size)
	}
}

// limitBody bounds what a request may carry, and how slowly.
func limitBody(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	r.Body = &body{ReadCloser: http.MaxBytesReader(w, r.Body, maxBodyBytes), rc: http.NewResponseController(w)}
}

// body gives its sender bodyTimeout for each part.
type body struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.rc.SetReadDeadline(time.Now().Add(bodyTimeout)); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF { // Read gives it unwrapped
		// The deadline is for the body alone: the answer may take longer.
		if err := b.rc.SetReadDeadline(time.Time{}); err != nil {
			return n, err
		}
	}
	return n, err
}
