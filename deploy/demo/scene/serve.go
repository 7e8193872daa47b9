package scene

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/rendergate/rendergate/probe/wire"
)

//go:embed static
var static embed.FS

// policy lets the page load from here alone. Who may embed it is the gate's to say.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'"

// server is the scene's HTTP side.
type server struct {
	*scene
	active sync.WaitGroup // sockets
}

// serve answers until ctx ends, then sends everybody away and waits for them.
func (s *scene) serve(ctx context.Context, listener net.Listener) error {
	srv := &server{scene: s}
	h := &http.Server{
		Handler: srv.routes(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		s.hub.close()
		late, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer stop()
		if h.Shutdown(late) != nil {
			_ = h.Close()
		}
	}()
	err := h.Serve(listener)
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("scene: %w", err)
	}
	<-stopped
	srv.active.Wait()
	return nil
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	for path, file := range map[string]string{"/{$}": "index.html", "/scene.js": "scene.js", "/words.js": "words.js", "/style.css": "style.css"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { asset(w, r, file) })
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }) //nolint:errcheck // the client's loss
	mux.HandleFunc("GET /stream", s.stream)
	mux.HandleFunc("GET /publish", s.publish)
	return mux
}

func asset(w http.ResponseWriter, r *http.Request, file string) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, static, "static/"+file)
}

func upgrader(protocols ...string) *websocket.Upgrader {
	return &websocket.Upgrader{
		HandshakeTimeout: 5 * time.Second, ReadBufferSize: 1 << 10, WriteBufferSize: 4 << 10, Subprotocols: protocols,
	}
}

// helloFrame is the first frame to the player.
type helloFrame struct {
	Type    string  `json:"type"` // "hello"
	Session string  `json:"session"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	FPS     float64 `json:"fps"`
	Levels  int     `json:"levels"`
}

// stream serves the player: pictures out, input in. Scripts of other origins are
// refused by the upgrader.
func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader().Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	v := newViewer(conn, s.o.FPS, text(helloFrame{Type: "hello", Session: s.o.Session, Width: s.o.Width, Height: s.o.Height, FPS: s.o.FPS, Levels: levels}))
	s.hub.enter(v)
	player := &player{viewer: v, inbox: s.inbox, input: rate.NewLimiter(inputRate, inputBurst), complaints: rate.NewLimiter(2, 4)}
	s.run(v, player.got)
}

// publish serves the probe: the stream for spectators, and no way in. It is not
// for those who come through the gate.
func (s *server) publish(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") != "" || r.Header.Get("X-Forwarded-For") != "" {
		http.Error(w, "this stream is for the probe of this machine; spectators look on at the service", http.StatusForbidden)
		return
	}
	conn, err := upgrader(wire.PublishProtocol).Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	v := newViewer(conn, s.o.FPS, text(wire.StreamInfo{Mime: "image/jpeg", Codec: "mjpeg", Width: s.o.Width, Height: s.o.Height, Rate: s.o.FPS}))
	if !s.hub.publish(v) {
		v.stop(closeTooMany, "published often enough")
	}
	s.run(v, func([]byte) { v.stop(closeProtocol, "nothing is read here") })
}

// run serves a socket until it ends.
func (s *server) run(v *viewer, got func([]byte)) {
	s.active.Add(1)
	defer s.active.Done()
	wrote := make(chan struct{})
	go func() { defer close(wrote); v.write() }()
	v.read(got)
	if s.hub.leave(v) {
		s.inbox.put(input{kind: inMove}) // no key is held any more
	}
	<-wrote
	_ = v.conn.Close()
	if v.late != nil {
		v.late.Stop()
	}
}

func text(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return []byte("{}") // never: plain values
	}
	return data
}

// What a player may send a second, and at once.
const (
	inputRate   = 120
	inputBurst  = 120
	maxIgnored  = 2000 // frames over the rate; then the connection ends
	maxErrorLen = 300
)

// player turns the player's frames into input.
type player struct {
	*viewer
	inbox      *inbox
	input      *rate.Limiter
	complaints *rate.Limiter
	ignored    int
}

// errorFrame says that a frame was not taken.
type errorFrame struct {
	Type    string `json:"type"` // "error"
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (p *player) got(data []byte) {
	if !p.input.Allow() {
		p.complain("too_many", fmt.Sprintf("more than %d frames a second: some are ignored", inputRate))
		if p.ignored++; p.ignored > maxIgnored {
			p.stop(closeTooMany, "too many frames")
		}
		return
	}
	in, err := parseInput(bytes.TrimSpace(data))
	if err != nil {
		message := err.Error()
		p.complain("bad_input", message[:min(len(message), maxErrorLen)])
		return
	}
	p.inbox.put(in)
}

// complain tells the player what was wrong, not too often.
func (p *player) complain(code, message string) {
	if p.complaints.Allow() {
		p.note(text(errorFrame{Type: "error", Code: code, Message: message}))
	}
}
