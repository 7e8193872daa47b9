package scene

import (
	"bytes"
	"context"
	"encoding/json"
	"image/jpeg"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/wire"
)

// rig is a scene that serves, whose frames the test draws one by one.
type rig struct {
	*scene
	t     *testing.T
	addr  string
	began time.Time
	now   time.Time
	end   func() // ends it and waits
}

func newRig(t *testing.T) *rig {
	t.Helper()
	o := Options{Listen: "127.0.0.1:0", Width: 160, Height: 90, Session: "s-1", Log: slog.New(slog.DiscardHandler)}
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", o.Listen)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0)
	r := &rig{scene: newScene(o), t: t, addr: listener.Addr().String(), began: now, now: now}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.serve(ctx, listener) }()
	r.end = func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serving: %v", err)
		}
		served <- nil
	}
	t.Cleanup(func() { r.end() })
	return r
}

// draw draws one frame.
func (r *rig) draw() {
	r.now = r.now.Add(50 * time.Millisecond)
	r.frame(r.now, r.began)
}

func (r *rig) dial(path string, header http.Header) *websocket.Conn {
	r.t.Helper()
	conn, res, err := websocket.DefaultDialer.DialContext(r.t.Context(), "ws://"+r.addr+path, header)
	if err != nil {
		r.t.Fatalf("%s: %v", path, err)
	}
	_ = res.Body.Close()
	r.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	return conn
}

// first reads the first frame, which is text, into v. It comes only once the
// scene knows of the connection or is about to.
func first(t *testing.T, conn *websocket.Conn, v any) {
	t.Helper()
	kind, data, err := conn.ReadMessage()
	if err != nil || kind != websocket.TextMessage {
		t.Fatalf("first frame: kind %d, %v", kind, err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// picture draws until a picture comes over the connection.
func (r *rig) picture(conn *websocket.Conn) []byte {
	r.t.Helper()
	got := make(chan []byte, 1)
	go func() {
		defer close(got)
		for {
			kind, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if kind == websocket.BinaryMessage {
				got <- data
				return
			}
		}
	}()
	for {
		r.draw()
		select {
		case data, ok := <-got:
			if !ok {
				r.t.Fatal("the connection ended before a picture came")
			}
			return data
		default:
		}
	}
}

func checkPicture(t *testing.T, data []byte) {
	t.Helper()
	if data[0] != wire.ChunkKey {
		t.Fatalf("chunk of kind %d, want %d: each picture stands alone", data[0], wire.ChunkKey)
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(data[1:]))
	if err != nil || c.Width != 160 || c.Height != 90 {
		t.Fatalf("a picture of %dx%d, %v", c.Width, c.Height, err)
	}
}

func TestPlayerSeesAndActs(t *testing.T) {
	r := newRig(t)
	conn := r.dial("/stream", nil)
	var hello helloFrame
	first(t, conn, &hello)
	if hello.Type != "hello" || hello.Session != "s-1" || hello.Width != 160 || hello.Levels != levels {
		t.Fatalf("hello: %+v", hello)
	}
	checkPicture(t, r.picture(conn))
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"scene","level":4}`)); err != nil {
		t.Fatal(err)
	}
	for r.stage.level != 4 {
		r.picture(conn)
	}
}

func TestNobodyLooksNothingIsEncoded(t *testing.T) {
	r := newRig(t)
	for range 3 {
		r.draw()
	}
	if r.coder.debt != 0 {
		t.Errorf("%v bits were encoded for nobody", r.coder.debt)
	}
	if r.meter.frames != 3 {
		t.Errorf("%d frames drawn, want 3: the scene goes on unseen", r.meter.frames)
	}
}

func TestPublish(t *testing.T) {
	r := newRig(t)
	dialer := websocket.Dialer{Subprotocols: []string{wire.PublishProtocol}}
	conn, res, err := dialer.DialContext(t.Context(), "ws://"+r.addr+"/publish", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = res.Body.Close()
	if conn.Subprotocol() != wire.PublishProtocol {
		t.Errorf("subprotocol %q", conn.Subprotocol())
	}
	var info wire.StreamInfo
	first(t, conn, &info)
	if want := (wire.StreamInfo{Mime: "image/jpeg", Codec: "mjpeg", Width: 160, Height: 90, Rate: 20}); info != want {
		t.Errorf("the stream is %+v, want %+v", info, want)
	}
	checkPicture(t, r.picture(conn))
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"scene","level":4}`)); err != nil {
		t.Fatal(err)
	}
	wantClose(t, conn, closeProtocol)
	r.draw()
	if r.stage.level != normalLevel {
		t.Error("a publisher changed the scene")
	}
}

// wantClose reads until the connection is closed with that code.
func wantClose(t *testing.T, conn *websocket.Conn, code int) {
	t.Helper()
	for {
		_, _, err := conn.ReadMessage()
		if err == nil {
			continue
		}
		if !websocket.IsCloseError(err, code) {
			t.Errorf("closed with %v, want %d", err, code)
		}
		return
	}
}

func TestWhoIsRefused(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct {
		path   string
		header http.Header
	}{
		"a page of another site":      {"/stream", http.Header{"Origin": {"https://elsewhere.example"}}},
		"a browser at publish":        {"/publish", http.Header{"Origin": {"http://" + r.addr}}},
		"publish through a proxy":     {"/publish", http.Header{"X-Forwarded-For": {"192.0.2.1"}}},
		"a path that is not there":    {"/other", nil},
		"the page, as if a WebSocket": {"/style.css", nil},
	} {
		_, res, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+r.addr+c.path, c.header)
		if err == nil {
			t.Errorf("%s was let in", name)
			continue
		}
		if res != nil {
			_ = res.Body.Close()
		}
	}
	for range maxPublishers {
		var info wire.StreamInfo
		first(t, r.dial("/publish", nil), &info)
	}
	wantClose(t, r.dial("/publish", nil), closeTooMany)
}

func TestNewerPlayerTakesOver(t *testing.T) {
	r := newRig(t)
	old := r.dial("/stream", nil)
	var hello helloFrame
	first(t, old, &hello)
	newer := r.dial("/stream", nil)
	first(t, newer, &hello)
	wantClose(t, old, closeTakenOver)
	checkPicture(t, r.picture(newer))
}

func TestGarbageIsToldAndIgnored(t *testing.T) {
	r := newRig(t)
	conn := r.dial("/stream", nil)
	var hello helloFrame
	first(t, conn, &hello)
	for _, garbage := range []string{"", "\xff\xfe", "{", `{"type":"quit"}`, strings.Repeat("x", maxInputBytes)} {
		if err := conn.WriteMessage(websocket.BinaryMessage, []byte(garbage)); err != nil {
			t.Fatal(err)
		}
	}
	var complaint errorFrame
	first(t, conn, &complaint)
	if complaint.Type != "error" || complaint.Code != "bad_input" || complaint.Message == "" {
		t.Errorf("the answer to garbage: %+v", complaint)
	}
	checkPicture(t, r.picture(conn))
	if err := conn.WriteMessage(websocket.TextMessage, make([]byte, maxInputBytes+1)); err != nil {
		t.Fatal(err)
	}
	wantClose(t, conn, closeTooLarge)
}

func TestFloodIsCutOff(t *testing.T) {
	r := newRig(t)
	conn := r.dial("/stream", nil)
	var hello helloFrame
	first(t, conn, &hello)
	go func() { // until the connection is cut off
		for conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"paint"}`)) == nil {
			continue
		}
	}()
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return // closed with 4429, unless the kernel has thrown it away with what was still unread
		}
	}
}

// TestSlowReaderDelaysNobody has a player who takes nothing: a few frames are
// under way to it and no more, and a publisher beside it gets all of its own.
func TestSlowReaderDelaysNobody(t *testing.T) {
	r := newRig(t)
	slow := r.dial("/stream", nil)
	var hello helloFrame
	first(t, slow, &hello) // and nothing more
	publisher := r.dial("/publish", nil)
	var info wire.StreamInfo
	first(t, publisher, &info)
	for range 50 {
		r.picture(publisher)
	}
	r.hub.mu.Lock()
	player := r.hub.player
	r.hub.mu.Unlock()
	player.flight.mu.Lock()
	defer player.flight.mu.Unlock()
	if n := player.flight.begun; n > leastInFlight {
		t.Errorf("%d frames were sent to one who takes none, want at most %d", n, leastInFlight)
	}
	if player.flight.skipped < 40 {
		t.Errorf("%d frames counted as skipped, want 40 at least", player.flight.skipped)
	}
}

func TestEnd(t *testing.T) {
	r := newRig(t)
	conn := r.dial("/stream", nil)
	var hello helloFrame
	first(t, conn, &hello)
	r.end()
	wantClose(t, conn, closeGoing)
}

func TestRun(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	addr := make(chan net.Addr, 1)
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{
			Listen: "127.0.0.1:0", Width: 160, Height: 90, FPS: 60, Log: slog.New(slog.DiscardHandler),
			Listening: func(a net.Addr) { addr <- a },
		})
	}()
	r := &rig{t: t, addr: (<-addr).String()}
	conn := r.dial("/stream", nil)
	for n := 0; n < 5; {
		kind, data, err := conn.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if kind == websocket.BinaryMessage {
			checkPicture(t, data)
			n++
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestPages(t *testing.T) {
	r := newRig(t)
	for path, want := range map[string]string{
		"/": "<canvas", "/scene.js": "createImageBitmap", "/words.js": "展厅", "/style.css": "#overlay", "/healthz": "ok",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		_, err = body.ReadFrom(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(body.String(), want) {
			t.Errorf("%s: %s, %v, without %q", path, res.Status, err, want)
		}
		if path == "/" && !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: no policy", path)
		}
		if strings.Contains(body.String(), `="/`) {
			t.Errorf("%s: an address that does not work behind a prefix", path)
		}
	}
}

func TestOptions(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for want, o := range map[string]Options{
		"Log is needed":       {Listen: "127.0.0.1:0"},
		"width: want":         {Listen: "127.0.0.1:0", Log: log, Width: 161},
		"height: want":        {Listen: "127.0.0.1:0", Log: log, Height: 4000},
		"fps: want":           {Listen: "127.0.0.1:0", Log: log, FPS: 61},
		"detail: want":        {Listen: "127.0.0.1:0", Log: log, Detail: -1},
		"bitrate: want":       {Listen: "127.0.0.1:0", Log: log, BitrateBps: 1},
		"listen: want":        {Listen: "8080", Log: log},
		"address on loopback": {Listen: ":8080", Log: log},
	} {
		if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want an error with %q", o, err, want)
		}
	}
}
