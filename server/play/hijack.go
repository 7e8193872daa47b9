package play

import (
	"bufio"
	"errors"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

// hijacker puts a socket between the connection and the WebSocket library.
type hijacker struct {
	http.ResponseWriter
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
		if h.socket.raw, err = tcp.SyscallConn(); err != nil {
			return nil, nil, errors.Join(err, c.Close())
		}
	}
	h.socket.Conn = c
	return h.socket, rw, nil
}

// upgrade answers the request; the library then works on the socket.
func upgrade(up *websocket.Upgrader, w http.ResponseWriter, r *http.Request) (*websocket.Conn, *socket, error) {
	s := &socket{}
	ws, err := up.Upgrade(hijacker{w, s}, r, nil)
	return ws, s, err
}
