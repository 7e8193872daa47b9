package hosts

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// conn is one host's connection. The write loop owns writing; everybody else
// pushes into the outbox.
type conn struct {
	ws    *websocket.Conn
	host  string
	log   *slog.Logger
	hello wire.Hello // owned by serve
	pool  pool
	// calibrated hears of a calibration; set by serve
	calibrated func(*conn, calibration.Update)
	token      string // newly enrolled, for the welcome
	out        chan wire.ToHost
	quit       chan struct{}
	once       sync.Once
	code       int // written before quit is closed
	text       string
	skewS      atomicFloat
	seq        uint64 // newest sample; owned by the read loop
}

type atomicFloat struct{ bits atomic.Uint64 }

func (f *atomicFloat) load() float64   { return math.Float64frombits(f.bits.Load()) }
func (f *atomicFloat) store(v float64) { f.bits.Store(math.Float64bits(v)) }

func newConn(ws *websocket.Conn, host string, log *slog.Logger) *conn {
	return &conn{
		ws: ws, host: host, log: log.With("host", host),
		out: make(chan wire.ToHost, outbox), quit: make(chan struct{}),
	}
}

// push queues a frame; a host that has let the outbox fill up is cut off.
func (c *conn) push(frame wire.ToHost) {
	select {
	case c.out <- frame:
	default:
		c.shut(closeSlow, "the host does not read")
	}
}

// shut ends the connection with a close code. Only the first call counts.
func (c *conn) shut(code int, text string) {
	c.once.Do(func() {
		c.code, c.text = code, text
		close(c.quit)
		_ = c.ws.SetReadDeadline(time.Now()) // wakes the read loop
	})
}

func (c *conn) writeLoop() {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case frame := <-c.out:
			if err := c.write(frame); err != nil {
				c.shut(websocket.CloseAbnormalClosure, "")
			}
		case <-ping.C:
			if err := c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout)); err != nil {
				c.shut(websocket.CloseAbnormalClosure, "")
			}
		case <-c.quit:
			c.drain()
			return
		}
	}
}

// drain writes what was decided before the connection is closed.
func (c *conn) drain() {
	for len(c.out) > 0 {
		if c.write(<-c.out) != nil {
			return
		}
	}
	if c.code != websocket.CloseAbnormalClosure {
		_ = closeWith(c.ws, c.code, c.text)
	}
}

func (c *conn) write(frame wire.ToHost) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return c.ws.WriteJSON(frame)
}

// linger reads what is still on its way, so that the close code is not lost with
// a connection that is reset; for a moment, and only so much.
func (c *conn) linger() {
	if c.code == websocket.CloseAbnormalClosure {
		return
	}
	raw := c.ws.NetConn()
	if raw.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
		_, _ = io.CopyN(io.Discard, raw, lingerBytes)
	}
}

func closeWith(ws *websocket.Conn, code int, text string) error {
	if len(text) > 120 {
		text = text[:120]
	}
	return ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, text), time.Now().Add(writeTimeout))
}

func (c *conn) read() (*wire.FromHost, error) {
	kind, frame, err := c.ws.NextReader()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(frame, wire.MaxFrameBytes+1)) // the library's own limit has no close code of ours
	if err != nil {
		return nil, err
	}
	if len(data) > wire.MaxFrameBytes {
		return nil, refuse(closeTooLarge, "a frame of more than %d bytes", wire.MaxFrameBytes)
	}
	if kind != websocket.TextMessage {
		return nil, refuse(closeProtocol, "frames are JSON text, not binary")
	}
	return decode(data)
}

// decode reads one frame of a host. An error that is not a refusal concerns
// this frame alone.
func decode(data []byte) (*wire.FromHost, error) {
	var frame wire.FromHost
	if err := json.Unmarshal(data, &frame); err != nil {
		return nil, &badFrame{code: "not_understood", err: err}
	}
	switch {
	case frame.Type == "hello" && frame.Hello != nil,
		frame.Type == "sample" && frame.Sample != nil,
		frame.Type == "session" && frame.Session != nil,
		frame.Type == "calibration" && frame.Calibration != nil:
		return &frame, nil
	case frame.Type == "":
		return nil, &badFrame{code: "not_understood", err: errors.New(`no "type"; want hello, sample or session`)}
	}
	return nil, &badFrame{code: "not_understood", err: errors.New("type " + quoted(frame.Type) +
		` is unknown or its field is missing; want {"type":"sample","sample":{…}}, hello or session`)}
}

func quoted(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return `"` + s + `"`
}

// badFrame is a frame that was not taken; the connection stays.
type badFrame struct {
	code string
	err  error
}

func (b *badFrame) Error() string { return b.err.Error() }

func (c *conn) readHello() (*wire.Hello, error) {
	if err := c.ws.SetReadDeadline(time.Now().Add(helloTimeout)); err != nil {
		return nil, err
	}
	frame, err := c.read()
	if err != nil {
		var bad *badFrame
		if errors.As(err, &bad) {
			return nil, refuse(closeProtocol, "the first frame must be hello: %v", bad)
		}
		return nil, err
	}
	if frame.Type != "hello" {
		return nil, refuse(closeProtocol, "the first frame must be hello, not %q", frame.Type)
	}
	return frame.Hello, nil
}

func (c *conn) readLoop(ctx context.Context) error {
	limit := rate.NewLimiter(framesPerS, frameBurst)
	extend := func(string) error { return c.ws.SetReadDeadline(time.Now().Add(silence)) }
	c.ws.SetPongHandler(extend)
	for {
		select {
		case <-c.quit:
			return nil
		default:
		}
		if err := extend(""); err != nil {
			return err
		}
		frame, err := c.read()
		var bad *badFrame
		switch {
		case !limit.Allow():
			return refuse(closeTooMany, "more than %d frames a second", framesPerS)
		case errors.As(err, &bad):
			c.complain(bad)
		case err != nil:
			return err
		default:
			if err := c.take(ctx, frame); err != nil {
				return err
			}
		}
	}
}

// complain tells the host, and the log, what was wrong with a frame.
func (c *conn) complain(bad *badFrame) {
	c.log.Warn("frame of a host not taken", "code", bad.code, "err", bad.err)
	c.push(wire.ToHost{Type: "error", Error: &wire.Error{Code: bad.code, Message: bad.Error()}})
}

// take acts on a frame. An error ends the connection.
func (c *conn) take(ctx context.Context, frame *wire.FromHost) error {
	switch frame.Type {
	case "sample":
		c.takeSample(frame.Sample, time.Now())
	case "session":
		return c.takeSession(ctx, frame.Session)
	case "calibration":
		c.calibrated(c, *frame.Calibration)
	default:
		c.complain(&badFrame{code: "unexpected", err: errors.New("hello comes once, first")})
	}
	return nil
}

func (c *conn) takeSession(ctx context.Context, s *wire.Session) error {
	state := admission.SessionState(s.State)
	switch state {
	case admission.StateStarting, admission.StateReady, admission.StateConnected,
		admission.StateDropped, admission.StateEnded:
	default:
		c.complain(&badFrame{code: "bad_session", err: errors.New("state " + quoted(s.State) +
			" is unknown; want starting, ready, connected, dropped or ended")})
		return nil
	}
	_, err := c.pool.Do(ctx, admission.Report{Host: c.host, Session: s.Session, State: state, Reason: s.Reason, Attempt: s.Attempt})
	if err != nil {
		return refuse(closeGoingAway, "not recorded: %v", err) // the host says it again when it is back
	}
	return nil
}

func (c *conn) takeSample(s *wire.Sample, now time.Time) {
	if s.Seq <= c.seq {
		c.complain(&badFrame{code: "bad_sample", err: errors.New("seq must rise with every sample")})
		return
	}
	if err := checkSample(s, len(c.hello.GPUs)); err != nil {
		c.complain(&badFrame{code: "bad_sample", err: err})
		return
	}
	c.seq = s.Seq
	ack := wire.Ack{Sample: s.Seq, ClockSkewS: c.noteSkew(s.At, now)}
	if err := c.pool.Observe(sample(c, s, now)); err != nil {
		c.complain(&badFrame{code: "bad_sample", err: err})
		return
	}
	c.push(wire.ToHost{Type: "ack", Ack: &ack})
}

// clockTolerance is how far a host's clock may be off before anybody is told.
// The rule itself does not use the host's clock.
const clockTolerance = 5 * time.Second

func (c *conn) noteSkew(at, now time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	skew := at.Sub(now)
	if skew.Abs() <= clockTolerance {
		c.skewS.store(0)
		return 0
	}
	if c.skewS.load() == 0 {
		c.log.Warn("the host's clock is off; its samples are placed by the server's clock", "by", skew.Round(time.Second))
	}
	c.skewS.store(skew.Seconds())
	return skew.Seconds()
}
