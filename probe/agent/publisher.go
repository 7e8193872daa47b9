package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/wire"
)

// Limits of a published stream, as the relay has them.
const (
	maxInfoBytes  = 4 << 10
	maxChunkBytes = 4 << 20
	streamSilence = 30 * time.Second // an application that sends nothing for so long is asked anew
	chunkTimeout  = 10 * time.Second // one chunk on its way to the relay
	pingEvery     = 15 * time.Second
)

// publishers bring the streams of sessions to the relay, each once and only
// while the server wants it.
type publishers struct {
	source func(session string) string
	relay  func(session string) string // URL
	tokens *tokens
	log    *slog.Logger

	mu      sync.Mutex
	running map[string]context.CancelFunc
	closed  bool
	active  sync.WaitGroup
}

// set begins or ends the publishing of a session's stream. Saying the same
// again changes nothing.
func (p *publishers) set(session string, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.running[session]
	switch {
	case on && now == nil && !p.closed:
		source := p.source(session)
		if source == "" {
			p.log.Warn("the session's app does not publish; set its publish URL for spectators", "session", session)
			return
		}
		ctx, stop := context.WithCancel(context.Background())
		p.running[session] = stop
		p.active.Add(1)
		go func() { defer p.active.Done(); p.run(ctx, session, source) }()
	case !on && now != nil:
		now()
		delete(p.running, session)
	}
}

// close ends all publishers and waits for them.
func (p *publishers) close() {
	p.mu.Lock()
	p.closed = true
	for session, stop := range p.running {
		stop()
		delete(p.running, session)
	}
	p.mu.Unlock()
	p.active.Wait()
}

// run copies the stream until ctx ends, over as many connections as it takes.
func (p *publishers) run(ctx context.Context, session, source string) {
	log := p.log.With("session", session)
	log.Info("publishing")
	defer log.Info("publishing ended")
	var wait backoff
	for ctx.Err() == nil {
		began := time.Now()
		err := p.copy(ctx, session, source)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > steady {
			wait.reset()
		}
		d := wait.next()
		log.Warn("publishing interrupted", "err", err, "again_in", d.Round(time.Millisecond))
		pause(ctx, d)
	}
}

// copy brings one connection of the application to one of the relay. Its first
// frames are the stream's description, so that each relay connection has it.
func (p *publishers) copy(ctx context.Context, session, source string) error {
	app, err := dial(ctx, source, nil)
	if err != nil {
		return fmt.Errorf("the application's stream: %w", err)
	}
	defer app.Close() // nothing is left to do about it
	info, err := readInfo(app)
	if err != nil {
		return fmt.Errorf("the application's stream: %w", err)
	}
	relay, err := dial(ctx, p.relay(session), http.Header{"Authorization": {"Bearer " + p.tokens.current()}})
	if err != nil {
		return fmt.Errorf("the relay: %w", err)
	}
	defer relay.Close() // nothing is left to do about it
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(ctx, func() { _ = app.NetConn().Close(); _ = relay.NetConn().Close() })()
	queue := newChunks()
	var both sync.WaitGroup
	both.Go(func() { stop(readChunks(app, queue)) })
	both.Go(func() { stop(listen(relay)) })
	stop(sendChunks(ctx, relay, sending{info: info, queue: queue}))
	both.Wait()
	if queue.dropped > 0 {
		p.log.Info("the uplink was too slow for the stream", "session", session, "chunks_dropped", queue.dropped)
	}
	return context.Cause(ctx)
}

// dial opens a socket of a stream. Errors do not carry the header.
func dial(ctx context.Context, to string, header http.Header) (*websocket.Conn, error) {
	d := websocket.Dialer{
		HandshakeTimeout: 10 * time.Second, Subprotocols: []string{wire.PublishProtocol},
		ReadBufferSize: 64 << 10, WriteBufferSize: 64 << 10, Proxy: proxyFor(to),
	}
	conn, res, err := d.DialContext(ctx, to, header) //nolint:bodyclose // gorilla: it need not be
	if res != nil && err != nil {
		return nil, fmt.Errorf("%w: %s", err, res.Status)
	}
	return conn, err
}

// proxyFor lets the environment's proxy stand before the service, never before
// an application on this machine.
func proxyFor(to string) func(*http.Request) (*url.URL, error) {
	if u, err := url.Parse(to); err == nil && isLoopback(u.Hostname()) {
		return nil
	}
	return http.ProxyFromEnvironment
}

// readInfo reads a stream's first frame, its description.
func readInfo(app *websocket.Conn) ([]byte, error) {
	app.SetReadLimit(maxInfoBytes)
	if err := app.SetReadDeadline(time.Now().Add(streamSilence)); err != nil {
		return nil, err
	}
	kind, data, err := app.ReadMessage()
	if err != nil {
		return nil, err
	}
	var info wire.StreamInfo
	if kind != websocket.TextMessage {
		return nil, errors.New("the first frame must be text: the stream's description")
	}
	if err := json.Unmarshal(data, &info); err != nil {
		return nil, fmt.Errorf("the stream's description: %w", err)
	}
	if info.Mime == "" {
		return nil, errors.New(`the stream's description has no "mime", such as "image/jpeg"`)
	}
	app.SetReadLimit(maxChunkBytes)
	return data, nil
}

var errChunk = errors.New("a chunk is a binary frame: a kind byte (0 init, 1 key, 2 delta) and data")

// readChunks reads the application's stream into the queue until it ends.
func readChunks(app *websocket.Conn, into *chunks) error {
	extend := func() error { return app.SetReadDeadline(time.Now().Add(streamSilence)) }
	for {
		if err := extend(); err != nil {
			return err
		}
		kind, data, err := app.ReadMessage()
		if err != nil {
			return fmt.Errorf("the application's stream: %w", err)
		}
		if kind != websocket.BinaryMessage || len(data) < 2 || data[0] > wire.ChunkDelta {
			return errChunk
		}
		into.put(data)
	}
}

// listen answers the relay's pings and notices its end; it sends nothing else.
func listen(relay *websocket.Conn) error {
	relay.SetReadLimit(maxInfoBytes)
	for {
		if _, _, err := relay.NextReader(); err != nil {
			return fmt.Errorf("the relay: %w", err)
		}
	}
}

// sending is what a relay connection is sent.
type sending struct {
	info  []byte
	queue *chunks
}

func sendChunks(ctx context.Context, relay *websocket.Conn, s sending) error {
	if err := write(relay, websocket.TextMessage, s.info); err != nil {
		return err
	}
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-s.queue.wake:
			for _, chunk := range s.queue.take() {
				if err := write(relay, websocket.BinaryMessage, chunk); err != nil {
					return fmt.Errorf("the relay: %w", err)
				}
			}
		case <-ping.C:
			if err := relay.WriteControl(websocket.PingMessage, nil, time.Now().Add(chunkTimeout)); err != nil {
				return fmt.Errorf("the relay: %w", err)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func write(conn *websocket.Conn, kind int, data []byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(chunkTimeout)); err != nil {
		return err
	}
	return conn.WriteMessage(kind, data)
}
