package play_test

import (
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// chat is a server of the design that the WebSocket library's chat example
// shows, against which ours is measured: for each client two goroutines, a
// channel of 256 messages, buffers of 1024 bytes and a ticker.
type chat struct {
	clients   map[*chatter]bool
	enter     chan *chatter
	leave     chan *chatter
	broadcast chan []byte
	up        websocket.Upgrader
}

type chatter struct {
	hub  *chat
	ws   *websocket.Conn
	send chan []byte
}

const (
	chatWrite = 10 * time.Second
	chatPong  = 60 * time.Second
	chatPing  = chatPong * 9 / 10
)

func newChat() *chat {
	return &chat{
		clients: map[*chatter]bool{}, enter: make(chan *chatter), leave: make(chan *chatter), broadcast: make(chan []byte),
		up: websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024},
	}
}

func (h *chat) run() {
	for {
		select {
		case c := <-h.enter:
			h.clients[c] = true
		case c := <-h.leave:
			h.drop(c)
		case m := <-h.broadcast:
			for c := range h.clients {
				select {
				case c.send <- m:
				default:
					h.drop(c)
				}
			}
		}
	}
}

func (h *chat) drop(c *chatter) {
	if h.clients[c] {
		delete(h.clients, c)
		close(c.send)
	}
}

func (h *chat) serve(w http.ResponseWriter, r *http.Request) {
	ws, err := h.up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &chatter{hub: h, ws: ws, send: make(chan []byte, 256)}
	h.enter <- c
	go c.write()
	go c.read()
}

func (c *chatter) read() {
	defer func() {
		c.hub.leave <- c
		_ = c.ws.Close()
	}()
	c.ws.SetReadLimit(512)
	_ = c.ws.SetReadDeadline(time.Now().Add(chatPong))
	c.ws.SetPongHandler(func(string) error { return c.ws.SetReadDeadline(time.Now().Add(chatPong)) })
	for {
		if _, _, err := c.ws.ReadMessage(); err != nil {
			return
		}
	}
}

func (c *chatter) write() {
	ping := time.NewTicker(chatPing)
	defer func() {
		ping.Stop()
		_ = c.ws.Close()
	}()
	for {
		select {
		case m, ok := <-c.send:
			_ = c.ws.SetWriteDeadline(time.Now().Add(chatWrite))
			if !ok || !c.pass(m) {
				return
			}
		case <-ping.C:
			_ = c.ws.SetWriteDeadline(time.Now().Add(chatWrite))
			if c.ws.WriteMessage(websocket.PingMessage, nil) != nil {
				return
			}
		}
	}
}

// pass writes a message and those that have come meanwhile as one.
func (c *chatter) pass(m []byte) bool {
	w, err := c.ws.NextWriter(websocket.TextMessage)
	if err != nil {
		return false
	}
	_, _ = w.Write(m)
	for range len(c.send) {
		_, _ = w.Write([]byte{'\n'})
		_, _ = w.Write(<-c.send)
	}
	return w.Close() == nil
}
