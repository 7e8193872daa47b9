package play_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/server/play"
)

const patience = 20 * time.Second

// client is a browser in a test.
type client struct {
	t  *testing.T
	ws *websocket.Conn
}

// said is any message of the server.
type said struct {
	Type      string `json:"type"`
	Client    string `json:"client"`
	Resume    string `json:"resume"`
	Resumed   bool   `json:"resumed"`
	Entry     string `json:"entry"`
	Intent    string `json:"intent"`
	Position  int    `json:"position"`
	Length    int    `json:"length"`
	Moved     string `json:"moved"`
	Offer     string `json:"offer"`
	Session   string `json:"session"`
	Host      string `json:"host"`
	URL       string `json:"url"`
	Ticket    string `json:"ticket"`
	Role      string `json:"role"`
	Reason    string `json:"reason"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	BlockedBy *struct {
		Resource  string  `json:"resource"`
		Projected float64 `json:"projected"`
	} `json:"blocked_by"`
}

func (s *scene) dial(t *testing.T, header http.Header) *client {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{play.Protocol}, TLSClientConfig: s.trust}
	ws, answer, err := d.DialContext(t.Context(), s.url, header)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	return &client{t: t, ws: ws}
}

// join dials and joins; more are fields of the message.
func (s *scene) join(t *testing.T, more string) *client {
	t.Helper()
	c := s.dial(t, nil)
	c.say(`{"type":"join","intent":"play"` + more + `}`)
	return c
}

func (c *client) say(frame string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) next() said {
	c.t.Helper()
	_, frame, err := c.ws.ReadMessage()
	if err != nil {
		c.t.Fatal(err)
	}
	var m said
	if err := json.Unmarshal(frame, &m); err != nil {
		c.t.Fatalf("%s: %v", frame, err)
	}
	return m
}

// until reads on to a message of the type.
func (c *client) until(kind string) said {
	c.t.Helper()
	return c.find(func(m said) bool { return m.Type == kind })
}

func (c *client) find(ok func(said) bool) said {
	c.t.Helper()
	for {
		if m := c.next(); ok(m) {
			return m
		}
	}
}

// closed reads on to the close frame and wants its code.
func (c *client) closed(code int) {
	c.t.Helper()
	for {
		_, _, err := c.ws.ReadMessage()
		if e, ok := errors.AsType[*websocket.CloseError](err); ok && e.Code == code {
			return
		}
		if err != nil {
			c.t.Fatalf("ended with %v; want %d", err, code)
		}
	}
}
