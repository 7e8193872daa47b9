package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/admission"
)

const (
	framesPerSecond = 20
	framesBurst     = 60
	mostUndecodable = 3 // in a row
)

// park has serve called when there is something to read.
func (h *Hub) park(c *conn) {
	if h.poll != nil {
		ok, err := h.poll.park(c)
		if err != nil {
			go h.gone(c)
			return
		}
		if ok {
			return
		}
	}
	go func() {
		_ = c.sock.SetReadDeadline(time.Time{})
		_, _ = c.sock.peek() // what is wrong is seen when it is read
		h.serve(c)
	}()
}

// serve reads what there is of one client. It runs in a goroutine of its own,
// never twice at once for a connection.
func (h *Hub) serve(c *conn) {
	if h.read(c) {
		h.park(c)
	} else {
		h.gone(c)
	}
}

// gone closes the connection and tells the pool that its client is gone, unless
// another connection has taken over.
func (h *Hub) gone(c *conn) {
	defer h.active.Done()
	c.hangUp()
	_ = c.sock.Close()
	c.release()
	if !h.forget(c) {
		return
	}
	if _, err := h.o.Owner.Do(h.ctx, admission.Disconnect{Client: c.id()}); err != nil {
		h.o.Log.Warn("a disconnect was not written down", "pool", h.o.Pool, "err", err)
	}
}

// read reads one frame, or message, and handles it; false if there is no more.
func (h *Hub) read(c *conn) (more bool) {
	defer func() {
		if r := recover(); r != nil {
			h.o.Log.Error("a connection failed", "pool", h.o.Pool, "panic", fmt.Sprint(r))
			more = false
		}
	}()
	_ = c.sock.SetReadDeadline(time.Now().Add(frameTimeout))
	if c.ends() { // read on, so that the close frame is not lost with what is unread
		_, _ = io.Copy(io.Discard, inputOf{&c.sock})
		return false
	}
	kind, frame, err := c.receive()
	c.heard.Store(time.Now().UnixNano())
	switch {
	case err != nil:
		return c.broken(err)
	case len(frame) > maxFrame:
		c.close(closeTooLarge, "a frame may hold 16 KiB")
	case !c.limit.allow(time.Now()):
		c.close(closeTooMany, "too many frames; 20 a second are the most")
	case kind == websocket.PingMessage:
		c.sendPong(frame)
	case kind == websocket.PongMessage:
	case kind != websocket.TextMessage:
		c.close(closeProtocol, "frames must be text")
	default:
		c.bad = h.frame(c, frame, c.bad)
	}
	return true
}

// broken ends the connection; true if the client may still hear why.
func (c *conn) broken(err error) bool {
	if _, ok := errors.AsType[*websocket.CloseError](err); ok {
		c.close(websocket.CloseNormalClosure, "")
		return true
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		c.close(closeSlow, "a frame took longer than 10 s")
		return true
	}
	return false
}

// receive reads a frame, of one that is too large one byte too many.
func (c *conn) receive() (kind int, frame []byte, err error) {
	head, err := c.sock.peek()
	if err != nil {
		return 0, nil, err
	}
	if op, ok := lone(head); ok {
		frame, err = c.sock.control()
		return int(op), frame, err
	}
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return 0, nil, err
	}
	frame, err = io.ReadAll(io.LimitReader(r, maxFrame+1))
	return kind, frame, err
}

// frame handles one frame and counts those in a row that were not understood.
func (h *Hub) frame(c *conn, frame []byte, bad int) int {
	m, err := Decode(frame)
	join, first := m.(Join)
	switch {
	case c.id() == "" && !first:
		c.close(closeProtocol, "the first frame must be a valid join")
		return 0
	case err != nil && bad+1 >= mostUndecodable:
		c.close(closeProtocol, err.Error())
		return 0
	case err != nil:
		c.send(Failure{"error", "bad_message", err.Error()})
		return bad + 1
	case first:
		h.join(c, join)
	default:
		h.handle(c, m)
	}
	return 0
}

func (h *Hub) join(c *conn, j Join) {
	if !h.o.Join(c.address) {
		c.close(closeTooMany, "too many joins from this address")
		return
	}
	identity, class, err := h.o.Identify(h.ctx, j.Identity)
	if err != nil {
		c.close(closeAuth, "the identity was not accepted")
		return
	}
	resume := j.Resume
	if c.id() != "" {
		resume = c.resume // who this is was settled by the first join
	}
	fresh := random()
	cmd := admission.Join{
		Client: random(), Secret: hash(fresh), Identity: identity, Class: class, App: j.App,
		Intent: j.Intent, WatchWhileWaiting: j.WatchWhileWaiting,
	}
	if resume != "" {
		cmd.Resume = hash(resume)
	}
	c.wish(j.Intent)
	out, err := h.o.Owner.Do(h.ctx, cmd)
	switch {
	case err != nil:
		c.close(closeGoingAway, "try again")
	case out.Refused != nil && out.Refused.Code == admission.RefusedIdentity:
		c.close(closeAuth, "the resume secret belongs to another identity")
	case out.Refused != nil:
		c.send(refusal(out.Refused))
	}
	if err == nil && out.Client != "" {
		h.welcome(c, entering{client: out.Client, fresh: fresh, resume: resume, resumed: out.Resumed})
	}
}

type entering struct {
	client, fresh, resume string
	resumed               bool
}

// welcome registers the connection and sends what its client has, both on the
// owner's goroutine, so that no event is missed or told twice.
func (h *Hub) welcome(c *conn, e entering) {
	away, secret := false, ""
	err := h.o.Owner.Read(h.ctx, func(now time.Time, p *admission.Pool) {
		v, ok := p.Client(e.client)
		c.resume = e.fresh
		if ok && e.resume != "" && v.Secret == hash(e.resume) {
			c.resume = e.resume
		}
		secret, away = v.Secret, ok && !v.Connected
		h.register(c, e.client)
		c.send(Welcome{"welcome", e.client, c.resume, e.resumed, now.UTC()})
		h.state(c, now, p)
	})
	if err != nil {
		c.close(closeGoingAway, "try again")
		return
	}
	if away {
		h.back(secret)
	}
}

// back connects a client again that the pool takes for gone while its socket
// is here: an older one's end was written down late, or an owner took over.
func (h *Hub) back(secret string) {
	cmd := admission.Join{Client: random(), Resume: secret, Secret: hash(random()), Intent: admission.View}
	if _, err := h.o.Owner.Do(h.ctx, cmd); err != nil {
		h.o.Log.Warn("a client was not connected again", "pool", h.o.Pool, "err", err)
	}
}

func (h *Hub) handle(c *conn, m any) {
	client := c.id()
	switch m := m.(type) {
	case Answer:
		if m.Type == "accept" {
			h.do(c, admission.Accept{Client: client, Offer: m.Offer})
		} else {
			h.do(c, admission.Decline{Client: client, Offer: m.Offer})
		}
	case WatchRequest:
		if m.Type == "watch" {
			h.do(c, admission.Watch{Client: client, Session: m.Session})
		} else {
			h.do(c, admission.Unwatch{Client: client})
		}
	case SetSharing:
		h.do(c, admission.SetSharing{Client: client, Session: m.Session, Mode: m.Mode})
	case Leave:
		h.do(c, admission.Leave{Client: client})
	case TicketRequest:
		h.inRead(func(now time.Time, p *admission.Pool) { h.ticket(c, now, p, m.Session) })
	case Report:
		h.inRead(func(_ time.Time, p *admission.Pool) { h.report(client, p, m) })
	}
}

func (h *Hub) inRead(f func(now time.Time, p *admission.Pool)) {
	if err := h.o.Owner.Read(h.ctx, f); err != nil && !errors.Is(err, context.Canceled) {
		h.o.Log.Warn("a question was not answered", "pool", h.o.Pool, "err", err)
	}
}

func (h *Hub) do(c *conn, cmd admission.Command) {
	out, err := h.o.Owner.Do(h.ctx, cmd)
	if err != nil {
		c.send(Failure{"error", "unavailable", "this was not carried out; try again"})
		return
	}
	if out.Refused == nil {
		return
	}
	switch cmd.(type) {
	case admission.Watch:
		c.send(refusal(out.Refused))
	default: // place and seat are what they were
		c.send(Failure{"error", string(out.Refused.Code), out.Refused.Message})
	}
}

func refusal(r *admission.Refusal) Refused {
	m := Refused{Type: "refused", Code: string(r.Code), Message: r.Message, BlockedBy: r.Blocked}
	if r.RetryAfterS > 0 {
		m.RetryAfterS = &r.RetryAfterS
	}
	return m
}
