package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Limits of the host socket.
const (
	welcomeTimeout = 15 * time.Second
	writeTimeout   = 10 * time.Second
	silence        = 45 * time.Second // a server unheard of for so long is dialled anew
	rivalWait      = 5 * time.Second  // before this host displaces another that displaced it
)

// closeTakenOver is the server's close code for a host that connected anew.
const closeTakenOver = 4409

// keepConnected holds the host socket open until ctx ends, then sends what is
// left to say and closes it.
func (a *agent) keepConnected(ctx context.Context) {
	var wait backoff
	for ctx.Err() == nil {
		began := time.Now()
		err := a.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > steady {
			wait.reset()
		}
		d := wait.next()
		if websocket.IsCloseError(err, closeTakenOver) {
			a.log.Error("another probe has connected as this host; end one of the two", "host", a.o.Config.Host)
			d = rivalWait
		}
		a.log.Warn("not connected to the service; sessions go on", "err", err, "again_in", d.Round(time.Millisecond))
		pause(ctx, d)
	}
}

// connect dials the server, says hello, and serves the connection until it ends.
func (a *agent) connect(ctx context.Context) error {
	conn, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // nothing is left to do about it
	conn.SetReadLimit(wire.MaxFrameBytes)
	l := &link{agent: a, conn: conn, welcomed: make(chan struct{}), broken: make(chan struct{})}
	var reading sync.WaitGroup
	reading.Go(func() {
		l.err = l.read()
		close(l.broken)
	})
	err = l.write(ctx)
	a.calibrator.cancel()      // who asked for it is gone
	_ = conn.NetConn().Close() // wakes the reader
	reading.Wait()
	if err == nil || errors.Is(err, errBroken) {
		err = l.err // why the reader ended says more
	}
	return err
}

func (a *agent) dial(ctx context.Context) (*websocket.Conn, error) {
	d := websocket.Dialer{
		HandshakeTimeout: 10 * time.Second, Subprotocols: []string{wire.HostProtocol},
		ReadBufferSize: 4096, WriteBufferSize: 4096, Proxy: proxyFor(a.hostURL("connect")),
	}
	header := http.Header{"Authorization": {"Bearer " + a.tokens.current()}}
	conn, res, err := d.DialContext(ctx, a.hostURL("connect"), header) //nolint:bodyclose // gorilla: it need not be
	if err != nil {
		return nil, a.dialError(res, err)
	}
	if conn.Subprotocol() != wire.HostProtocol {
		return nil, errors.Join(fmt.Errorf("the server speaks %q, not %s", conn.Subprotocol(), wire.HostProtocol), conn.Close())
	}
	return conn, nil
}

// dialError says what to do about an answer that was no upgrade.
func (a *agent) dialError(res *http.Response, err error) error {
	if res == nil {
		return err
	}
	switch res.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		a.tokens.refused()
		return fmt.Errorf("the service does not take this host's token (%s): is it for host %q?", res.Status, a.o.Config.Host)
	case http.StatusNotFound:
		return fmt.Errorf("%s: is %s the service's URL?", res.Status, a.o.Config.Server)
	}
	return fmt.Errorf("%w: %s", err, res.Status)
}

// link is one connection to the server. Its write loop alone writes.
type link struct {
	agent    *agent
	conn     *websocket.Conn
	gpus     int           // in the hello; owned by write
	welcomed chan struct{} // closed by the reader
	broken   chan struct{} // closed when the reader has ended
	err      error         // why; read it after broken
	greeted  bool          // owned by read
}

var errBroken = errors.New("the connection broke")

// write says hello, and after the welcome all there is to say.
func (l *link) write(ctx context.Context) error {
	if err := l.hello(); err != nil {
		return err
	}
	timeout := time.NewTimer(welcomeTimeout)
	defer timeout.Stop()
	select {
	case <-l.welcomed:
	case <-l.broken:
		return errBroken
	case <-timeout.C:
		return fmt.Errorf("no welcome within %v", welcomeTimeout)
	case <-ctx.Done():
		return l.leave()
	}
	return l.pump(ctx)
}

func (l *link) hello() error {
	h := l.agent.hello()
	l.gpus = len(h.GPUs)
	l.agent.o.Record.Hello(h)
	return l.send(wire.FromHost{Type: "hello", Hello: &h})
}

func (l *link) pump(ctx context.Context) error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-l.agent.book.wake:
			err = l.flush()
		case s := <-l.agent.samples:
			err = l.sample(s)
		case u := <-l.agent.calibrator.updates:
			err = l.update(u)
		case <-ping.C:
			err = l.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout))
		case <-l.broken:
			return errBroken
		case <-ctx.Done():
			return l.leave()
		}
		if err != nil {
			return err
		}
	}
}

// flush sends all news of sessions.
func (l *link) flush() error {
	for {
		s, ok := l.agent.book.next()
		if !ok {
			return nil
		}
		if err := l.send(wire.FromHost{Type: "session", Session: &s}); err != nil {
			return err
		}
	}
}

// update tells how a calibration goes. A result whose readings do not fit into a
// frame goes without them: they are for drawing alone.
func (l *link) update(u calibration.Update) error {
	frame := wire.FromHost{Type: "calibration", Calibration: &u}
	if data, err := json.Marshal(frame); err != nil || len(data) > wire.MaxFrameBytes {
		if u.Result == nil {
			return err
		}
		for i := range u.Result.Steps {
			u.Result.Steps[i].Trace = nil
		}
	}
	return l.send(frame)
}

func (l *link) sample(s taken) error {
	if len(s.sample.GPUs) != l.gpus {
		return errors.New("the host's GPUs have changed: it says hello anew")
	}
	s.sample.AgeMS += float64(time.Since(s.at)) / float64(time.Millisecond)
	return l.send(wire.FromHost{Type: "sample", Sample: &s.sample})
}

// leave says the last news and goodbye.
func (l *link) leave() error {
	if err := l.flush(); err != nil {
		return err
	}
	text := websocket.FormatCloseMessage(websocket.CloseGoingAway, "the probe is stopping")
	return l.conn.WriteControl(websocket.CloseMessage, text, time.Now().Add(writeTimeout))
}

func (l *link) send(frame wire.FromHost) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return l.conn.WriteJSON(frame)
}

// read takes the server's frames until the connection ends.
func (l *link) read() error {
	extend := func() error { return l.conn.SetReadDeadline(time.Now().Add(silence)) }
	pong := l.conn.PingHandler()
	l.conn.SetPingHandler(func(data string) error { return errors.Join(extend(), pong(data)) })
	l.conn.SetPongHandler(func(string) error { return extend() })
	for {
		if err := extend(); err != nil {
			return err
		}
		kind, data, err := l.conn.ReadMessage()
		if err != nil {
			return err
		}
		if kind != websocket.TextMessage {
			return errors.New("the server sent a binary frame")
		}
		frame, err := decode(data)
		if err != nil {
			l.agent.log.Warn("frame of the server not understood", "err", err)
			continue
		}
		if err := l.take(frame); err != nil {
			return err
		}
	}
}

// take acts on a frame. The first one that counts is the welcome: before it
// nothing is obeyed, since it says whose decisions these are.
func (l *link) take(frame *wire.ToHost) error {
	if frame.Type == "welcome" && !l.greeted {
		if err := l.agent.welcome(frame); err != nil {
			return err
		}
		l.greeted = true
		close(l.welcomed)
		return nil
	}
	if !l.greeted && frame.Type != "error" {
		return fmt.Errorf("the server sent %s before its welcome", frame.Type)
	}
	l.agent.act(frame)
	return nil
}

// decode reads one frame of the server.
func decode(data []byte) (*wire.ToHost, error) {
	var f wire.ToHost
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	for kind, there := range map[string]bool{
		"welcome": f.Welcome != nil, "start": f.Start != nil, "stop": f.Stop != nil, "drain": f.Drain != nil,
		"publish": f.Publish != nil, "calibrate": f.Calibrate != nil, "ack": f.Ack != nil, "error": f.Error != nil,
	} {
		if kind == f.Type {
			if !there {
				return nil, fmt.Errorf("a frame of type %s without its field %q", kind, kind)
			}
			return &f, nil
		}
	}
	return nil, fmt.Errorf("type %.40q is unknown; a newer server?", f.Type)
}
