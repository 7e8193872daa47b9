package play

import (
	"bufio"
	"errors"
	"net"
	"net/http"
)

// hijacker puts a socket between the connection and the WebSocket library.
type hijacker struct {
	http.ResponseWriter
	poll   *poller
	socket *socket
}

// Hijack takes the connection over from the HTTP server.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
	ours, err := h.socket.adopt(h.poll, c)
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	if !ours {
		h.socket.conn = c
	}
	return h.socket, rw, nil
}
