package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/rendergate/rendergate/admission"
)

const (
	framesPerSecond = 20
	framesBurst     = 60
	mostUndecodable = 3 // in a row
)

// serve reads one client until it is gone.
func (h *Hub) serve(c *conn, allowed bool) {
	defer h.active.Done()
	defer h.gone(c)
	defer func() {
		if r := recover(); r != nil {
			h.o.Log.Error("a connection failed", "pool", h.o.Pool, "panic", fmt.Sprint(r))
		}
	}()
	release, ok := h.o.Connect(c.address)
	if ok {
		c.release = release
	}
	switch {
	case !allowed:
		c.close(closeOrigin, "this origin is not allowed")
	case !ok:
		c.close(closeTooMany, "too many connections from this address")
	case c.ws.Subprotocol() != Protocol:
		c.close(closeProtocol, "want the subprotocol "+Protocol)
	}
	h.read(c)
}

// gone tells the pool that its client is, unless another connection took over.
func (h *Hub) gone(c *conn) {
	c.release()
	current := h.forget(c)
	c.finish()
	if !current {
		return
	}
	if _, err := h.o.Owner.Do(h.ctx, admission.Disconnect{Client: c.id()}); err != nil {
		h.o.Log.Warn("a disconnect was not written down", "pool", h.o.Pool, "err", err)
	}
}

func (h *Hub) read(c *conn) {
	_ = c.ws.SetReadDeadline(time.Now().Add(joinTimeout))
	c.ws.SetPongHandler(func(string) error {
		if c.id() == "" {
			return nil
		}
		return c.ws.SetReadDeadline(time.Now().Add(pongTimeout))
	})
	limit, bad := rate.NewLimiter(framesPerSecond, framesBurst), 0
	for {
		kind, frame, err := c.receive()
		switch {
		case err != nil:
			if c.id() == "" {
				c.close(closeProtocol, "want a join within 10 s")
			}
			return
		case c.ends():
			// Read on, so that the close frame is not lost with what is unread.
		case len(frame) > maxFrame:
			c.close(closeTooLarge, "a frame may hold 16 KiB")
		case !limit.Allow():
			c.close(closeTooMany, "too many frames; 20 a second are the most")
		case kind != websocket.TextMessage:
			c.close(closeProtocol, "frames must be text")
		default:
			bad = h.frame(c, frame, bad)
		}
	}
}

// receive reads a frame, of one that is too large one byte too many.
func (c *conn) receive() (kind int, frame []byte, err error) {
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
		c.close(closeProtocol, err.Error()[:min(100, len(err.Error()))])
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
		h.enter(c, entering{client: out.Client, fresh: fresh, resume: resume, resumed: out.Resumed})
	}
}

type entering struct {
	client, fresh, resume string
	resumed               bool
}

// enter registers the connection and sends what its client has, both on the
// owner's goroutine, so that no event is missed or told twice.
func (h *Hub) enter(c *conn, e entering) {
	away := false
	err := h.o.Owner.Read(h.ctx, func(now time.Time, p *admission.Pool) {
		v, ok := p.Client(e.client)
		c.resume = e.fresh
		if ok && e.resume != "" && v.Secret == hash(e.resume) {
			c.resume = e.resume
		}
		c.secret, away = v.Secret, ok && !v.Connected
		h.register(c, e.client)
		c.send(Welcome{"welcome", e.client, c.resume, e.resumed, now.UTC()})
		h.state(c, now, p)
	})
	if err != nil {
		c.close(closeGoingAway, "try again")
		return
	}
	_ = c.ws.SetReadDeadline(time.Now().Add(pongTimeout))
	if away {
		h.back(c.secret)
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
		h.inRead(func(now time.Time, p *admission.Pool) { h.ticket(c, p, m.Session) })
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
