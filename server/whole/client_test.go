package whole

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// message is any message of the service, as the interface has it.
type message struct {
	Type      string    `json:"type"`
	Client    string    `json:"client"`
	Resume    string    `json:"resume"`
	Resumed   bool      `json:"resumed"`
	Entry     string    `json:"entry"`
	Position  int       `json:"position"`
	Length    int       `json:"length"`
	Moved     string    `json:"moved"`
	Offer     string    `json:"offer"`
	Session   string    `json:"session"`
	ExpiresAt time.Time `json:"expires_at"`
	URL       string    `json:"url"`
	Ticket    string    `json:"ticket"`
	Role      string    `json:"role"`
	Reason    string    `json:"reason"`
	Code      string    `json:"code"`
	Message   string    `json:"message"`
}

// player is a browser: it joins, and comes back with its secret whenever the
// connection is lost.
type player struct {
	y      *system
	resume string
	conn   *websocket.Conn
}

// dial connects and joins. An error is a lost connection.
func (p *player) dial(ctx context.Context) error {
	d := websocket.Dialer{Subprotocols: []string{"rendergate.v1"}, HandshakeTimeout: 5 * time.Second}
	conn, answer, err := d.DialContext(ctx, "ws://"+p.y.address+"/v1/pools/"+cmp.Or(p.y.pool, "pool")+"/play", http.Header{"Origin": {"http://" + p.y.address}})
	if answer != nil && answer.Body != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		return err
	}
	p.conn = conn
	join := map[string]any{"type": "join", "intent": "play"}
	if p.resume != "" {
		join["resume"] = p.resume
	}
	return p.send(join)
}

func (p *player) send(m map[string]any) error {
	_ = p.conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	return p.conn.WriteJSON(m)
}

// next reads one message.
func (p *player) next() (message, error) {
	var m message
	_ = p.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	_, data, err := p.conn.ReadMessage()
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(data, &m)
}

func (p *player) close() {
	if p.conn != nil {
		_ = p.conn.Close()
	}
}

// connect dials until it is there.
func (p *player) connect(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		err := p.dial(ctx)
		if err == nil {
			return nil
		}
		wait := time.Duration(min(attempt, 10)) * 20 * time.Millisecond
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(wait/2 + rand.N(wait)): //nolint:gosec // jitter
		}
	}
}

// until reads until a message of that type.
func (p *player) until(kind string) message {
	p.y.Helper()
	for {
		m, err := p.next()
		if err != nil {
			p.y.Fatalf("waiting for %s: %v", kind, err)
		}
		if m.Resume != "" {
			p.resume = m.Resume
		}
		if m.Type == kind {
			return m
		}
	}
}

// come connects a player who is welcome.
func (y *system) come() *player {
	y.Helper()
	p := &player{y: y}
	if err := p.connect(y.Context()); err != nil {
		y.Fatal(err)
	}
	y.Cleanup(p.close)
	p.until("welcome")
	return p
}
