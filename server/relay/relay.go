// Package relay fans out the streams of sessions to spectators: one encoded
// stream leaves the host once, any number look on. Each spectator reads by a
// cursor of its own, so a slow one never delays another.
package relay

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/server/owner"
)

// Limits of the sockets.
const (
	maxChunkBytes   = 4 << 20
	maxInfoBytes    = 4 << 10
	writeTimeout    = 5 * time.Second
	pingEvery       = 20 * time.Second
	pongTimeout     = 60 * time.Second
	maxSpectatorIn  = 125 // nothing a spectator sends is read, control frames aside
	publisherSilent = 30 * time.Second
)

// Instance is the audience of spectators' tickets.
const Instance = "relay"

// Options of a relay. All are needed.
type Options struct {
	// Verify checks a spectator's ticket.
	Verify func(token string) (wire.Claims, error)
	// View says at what bitrate the client may look on at the session, or that
	// it may not, by what the journal has acknowledged.
	View func(ctx context.Context, pool, client, session string) (bps float64, ok bool)
	// OriginAllowed is the origin check of browsers' sockets.
	OriginAllowed func(*http.Request) bool
	Log           *slog.Logger
}

// Relay holds all streams of this server.
type Relay struct {
	o       Options
	mu      sync.Mutex
	streams map[string]*stream               // by session
	viewers map[string]map[string]*spectator // by session and client
	bytes   atomic.Uint64
	done    chan struct{}
	active  sync.WaitGroup
}

// New makes a relay without streams.
func New(o Options) *Relay {
	return &Relay{
		o: o, streams: map[string]*stream{},
		viewers: map[string]map[string]*spectator{}, done: make(chan struct{}),
	}
}

// SentBytes is what has been sent to spectators since the start.
func (r *Relay) SentBytes() uint64 { return r.bytes.Load() }

// Mime is the media type of a session's stream, "image/jpeg" until it is known.
func (r *Relay) Mime(session string) string {
	r.mu.Lock()
	s := r.streams[session]
	r.mu.Unlock()
	if s == nil {
		return "image/jpeg"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.info.Mime == "" {
		return "image/jpeg"
	}
	return s.info.Mime
}

// Committed follows the pool: who may no longer look on is cut off, who was
// degraded is thinned, and an ended session's stream is forgotten.
func (r *Relay) Committed(c owner.Commit) {
	for _, e := range c.Events {
		switch b := e.Body.(type) {
		case admission.ViewEnded:
			r.drop(b.Session, b.Client, string(b.Reason))
		case admission.ViewRated:
			r.rate(b.Session, b.Client, b.BitrateBps)
		case admission.SessionEnded:
			r.forget(b.Session)
		}
	}
}

// Close cuts everybody off and waits for them.
func (r *Relay) Close() {
	close(r.done)
	r.active.Wait()
}

func (r *Relay) drop(session, client, reason string) {
	r.mu.Lock()
	v := r.viewers[session][client]
	r.mu.Unlock()
	if v != nil {
		v.stop(websocket.CloseNormalClosure, reason)
	}
}

func (r *Relay) rate(session, client string, bps float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.viewers[session][client]; v != nil {
		v.bps.Store(uint64(bps))
	}
}

func (r *Relay) forget(session string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.streams, session)
}

func (r *Relay) stream(session string) *stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.streams[session]
	if s == nil {
		s = newStream()
		r.streams[session] = s
	}
	return s
}

var errFrame = errors.New("a publish frame is a kind byte (0 init, 1 key, 2 delta) and data")

// Publish takes a session's stream from its host. The caller has checked that
// the host may publish it.
func (r *Relay) Publish(w http.ResponseWriter, req *http.Request, session string) error {
	up := websocket.Upgrader{
		Subprotocols: []string{wire.PublishProtocol}, ReadBufferSize: 64 << 10, WriteBufferSize: 512,
		CheckOrigin: func(*http.Request) bool { return true }, // hosts are not browsers; the token decides
	}
	conn, err := up.Upgrade(w, req, nil)
	if err != nil {
		return nil //nolint:nilerr // the upgrader has answered
	}
	r.active.Add(1)
	defer r.active.Done()
	defer conn.Close() //nolint:errcheck // nothing is left to do about it
	stopped := make(chan struct{})
	defer close(stopped)
	go func() {
		select {
		case <-r.done:
			_ = conn.Close()
		case <-stopped:
		}
	}()
	if err := r.receive(conn, r.stream(session)); err != nil {
		r.o.Log.Debug("publisher gone", "session", session, "err", err)
	}
	return nil
}

func (r *Relay) receive(conn *websocket.Conn, s *stream) error {
	conn.SetReadLimit(maxInfoBytes)
	if err := conn.SetReadDeadline(time.Now().Add(publisherSilent)); err != nil {
		return err
	}
	var info wire.StreamInfo
	if err := conn.ReadJSON(&info); err != nil {
		return err
	}
	if err := s.begin(info); err != nil {
		return err
	}
	defer s.end(s.currentEpoch())
	conn.SetReadLimit(maxChunkBytes)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(publisherSilent)); err != nil {
			return err
		}
		kind, data, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		if kind != websocket.BinaryMessage || len(data) < 2 || data[0] > wire.ChunkDelta {
			return errFrame
		}
		if err := s.add(data[0], data[1:]); err != nil {
			return err
		}
	}
}
