package relay

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/wire"
)

// spectator is one who looks on: a write loop of its own and a read loop that
// reads nothing but control frames.
type spectator struct {
	conn *websocket.Conn
	bps  atomic.Uint64 // what it may take
	quit chan struct{}
	once sync.Once
	code int
	text string
}

func (v *spectator) stop(code int, text string) {
	v.once.Do(func() {
		v.code, v.text = code, text
		close(v.quit)
	})
}

// Watch serves GET /v1/watch/{session}?ticket=….
func (r *Relay) Watch(w http.ResponseWriter, req *http.Request, session string) error {
	up := websocket.Upgrader{
		Subprotocols: []string{wire.WatchProtocol}, ReadBufferSize: 512, WriteBufferSize: 512,
		CheckOrigin: func(*http.Request) bool { return true }, // refused below with a close code browsers can read
	}
	allowed := r.o.OriginAllowed(req)
	claims, bps, refusal := r.admit(req, session)
	conn, err := up.Upgrade(w, req, nil)
	if err != nil {
		return nil //nolint:nilerr // the upgrader has answered
	}
	switch {
	case !allowed:
		return closeWith(conn, 4403, "origin not allowed")
	case refusal != "":
		return closeWith(conn, 4401, refusal)
	}
	v := &spectator{conn: conn, quit: make(chan struct{})}
	v.bps.Store(uint64(bps))
	r.enter(session, claims.Client, v)
	go r.serve(session, claims.Client, v)
	return nil
}

// admit checks the ticket, then that the view it was issued for still stands.
func (r *Relay) admit(req *http.Request, session string) (wire.Claims, float64, string) {
	claims, err := r.o.Verify(req.URL.Query().Get("ticket"))
	if err != nil {
		return claims, 0, err.Error()
	}
	if claims.Session != session || claims.Role != "spectator" {
		return claims, 0, "the ticket is for another session or role"
	}
	bps, ok := r.o.View(req.Context(), claims.Pool, claims.Client, session)
	if !ok {
		return claims, 0, "this view has ended"
	}
	return claims, bps, ""
}

func closeWith(conn *websocket.Conn, code int, text string) error {
	if len(text) > 120 {
		text = text[:120]
	}
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, text), time.Now().Add(writeTimeout))
	return conn.Close()
}

// enter registers the spectator; a newer connection of the same client
// displaces the older.
func (r *Relay) enter(session, client string, v *spectator) {
	r.active.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.viewers[session] == nil {
		r.viewers[session] = map[string]*spectator{}
	}
	if old := r.viewers[session][client]; old != nil {
		old.stop(4409, "taken over by a newer connection")
	}
	r.viewers[session][client] = v
}

func (r *Relay) exit(session, client string, v *spectator) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.viewers[session][client] == v {
		delete(r.viewers[session], client)
	}
	if len(r.viewers[session]) == 0 {
		delete(r.viewers, session)
	}
}

func (r *Relay) serve(session, client string, v *spectator) {
	defer r.active.Done()
	defer r.exit(session, client, v)
	read := make(chan struct{})
	go func() { defer close(read); v.readControl() }()
	r.write(r.stream(session), v)
	v.stop(0, "") // from here on the code stands
	if v.code != 0 {
		_ = closeWith(v.conn, v.code, v.text)
	}
	_ = v.conn.Close()
	<-read
}

// readControl answers pings and notices that the peer is gone. Data frames
// break the protocol: a spectator has no input path whatsoever.
func (v *spectator) readControl() {
	defer v.stop(0, "")
	v.conn.SetReadLimit(maxSpectatorIn)
	extend := func(string) error { return v.conn.SetReadDeadline(time.Now().Add(pongTimeout)) }
	v.conn.SetPongHandler(extend)
	if extend("") != nil {
		return
	}
	_, _, err := v.conn.NextReader()
	if err == nil {
		v.stop(4400, "a spectator sends nothing")
	}
}

// write copies the stream to the spectator until either ends.
func (r *Relay) write(s *stream, v *spectator) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	var at cursor
	pace := bucket{since: time.Now()}
	for {
		next := s.read(&at)
		if next.wait != nil {
			select {
			case <-next.wait:
			case <-ping.C:
				if v.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout)) != nil {
					return
				}
			case <-v.quit:
				return
			case <-r.done:
				v.stop(4503, "this server is going away")
				return
			}
			continue
		}
		if err := r.send(v, &at, &pace, next); err != nil {
			return
		}
		select {
		case <-v.quit:
			return
		default:
		}
	}
}

func (r *Relay) send(v *spectator, at *cursor, pace *bucket, next step) error {
	if err := v.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if next.header != nil {
		if err := v.conn.WriteMessage(websocket.TextMessage, next.header); err != nil {
			return err
		}
		if next.init == nil {
			return nil
		}
		return v.conn.WritePreparedMessage(next.init.message)
	}
	if !pace.take(time.Now(), next.chunk.size, float64(v.bps.Load())) {
		at.thin = true // over its bitrate: on at a later key chunk
		return nil
	}
	r.bytes.Add(uint64(next.chunk.size))
	return v.conn.WritePreparedMessage(next.chunk.message)
}

// bucket holds a spectator to its bitrate: it may be ahead by one second's worth.
type bucket struct {
	bits  float64
	since time.Time
}

// take says whether a chunk may be sent now. A rate of 0 means no limit.
func (b *bucket) take(now time.Time, size int, bps float64) bool {
	if bps <= 0 {
		return true
	}
	b.bits = max(0, b.bits-now.Sub(b.since).Seconds()*bps)
	b.since = now
	if b.bits > bps {
		return false
	}
	b.bits += float64(size) * 8
	return true
}
