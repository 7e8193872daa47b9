package relay

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	check "github.com/rendergate/rendergate/probe/wire/ticket"
	"github.com/rendergate/rendergate/server/owner"
	"github.com/rendergate/rendergate/server/ticket"
)

const issuer = "http://service"

// bench is a relay behind real sockets, with real tickets.
type bench struct {
	*testing.T
	relay  *Relay
	signer *ticket.Signer
	url    string
	stop   func()
	shift  atomic.Int64 // of the clock
	denied sync.Map     // clients whose view has ended
}

func (b *bench) now() time.Time { return time.Now().Add(time.Duration(b.shift.Load())) }

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t}
	log := slog.New(slog.DiscardHandler)
	var err error
	if b.signer, err = ticket.Open(ticket.Options{Dir: t.TempDir(), Issuer: issuer, Now: b.now, Log: log}); err != nil {
		t.Fatal(err)
	}
	verifier := check.New(check.Options{Keys: b.signer, Issuer: issuer, Audience: Instance, Now: b.now})
	b.relay = New(Options{
		Verify: func(token string) (wire.Claims, error) {
			return verifier.Verify(context.Background(), token, check.Want{Role: "spectator"})
		},
		View: func(_ context.Context, _, client, _ string) (float64, bool) {
			_, denied := b.denied.Load(client)
			return 0, !denied
		},
		OriginAllowed: func(r *http.Request) bool { return r.Header.Get("Origin") != "http://elsewhere" },
		Log:           log,
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/watch/{session}", func(w http.ResponseWriter, r *http.Request) {
		_ = b.relay.Watch(w, r, r.PathValue("session"))
	})
	mux.HandleFunc("/publish/{session}", func(w http.ResponseWriter, r *http.Request) {
		_ = b.relay.Publish(w, r, r.PathValue("session"))
	})
	server := httptest.NewServer(mux)
	b.url = "ws" + strings.TrimPrefix(server.URL, "http")
	b.stop = sync.OnceFunc(b.relay.Close)
	t.Cleanup(func() { b.stop(); server.Close() })
	return b
}

func (b *bench) dial(path, protocol, origin string) *websocket.Conn {
	b.Helper()
	d := websocket.Dialer{Subprotocols: []string{protocol}, HandshakeTimeout: 5 * time.Second}
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	ws, answer, err := d.DialContext(b.Context(), b.url+path, header)
	if err != nil {
		b.Fatal(err)
	}
	_ = answer.Body.Close()
	b.Cleanup(func() { _ = ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second))
	return ws
}

func claims(client string) wire.Claims {
	return wire.Claims{Audience: Instance, Client: client, Session: "s", Role: "spectator", Pool: "p"}
}

func (b *bench) issue(c wire.Claims) string {
	b.Helper()
	token, _, err := b.signer.Issue(c)
	if err != nil {
		b.Fatal(err)
	}
	return token
}

func (b *bench) watch(token string) *websocket.Conn {
	b.Helper()
	return b.dial("/watch/s?ticket="+token, wire.WatchProtocol, "http://service")
}

// publisher is a host's end of a session's stream.
func (b *bench) publisher() *websocket.Conn {
	b.Helper()
	ws := b.dial("/publish/s", wire.PublishProtocol, "")
	if err := ws.WriteJSON(wire.StreamInfo{Mime: "image/jpeg", Codec: "mjpeg", Width: 640, Height: 360, Rate: 20}); err != nil {
		b.Fatal(err)
	}
	return ws
}

// chunk sends a chunk that bears a number.
func (b *bench) chunk(ws *websocket.Conn, kind byte, n, size int) {
	b.Helper()
	data := make([]byte, max(size, 9))
	data[0] = kind
	binary.LittleEndian.PutUint64(data[1:], uint64(n)) //nolint:gosec // small
	_ = ws.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if err := ws.WriteMessage(websocket.BinaryMessage, data); err != nil {
		b.Fatal(err)
	}
}

func number(data []byte) int { return int(binary.LittleEndian.Uint64(data)) } //nolint:gosec // small

// closed reads to the end, and says with which code it came.
func closed(t *testing.T, ws *websocket.Conn) (int, string) {
	t.Helper()
	for {
		_, _, err := ws.ReadMessage()
		var end *websocket.CloseError
		if errors.As(err, &end) {
			return end.Code, end.Text
		}
		if err != nil {
			t.Fatalf("it ended with %v", err)
		}
	}
}

// TestTicketsThatDoNotOpen: none of them shows anything of the stream.
func TestTicketsThatDoNotOpen(t *testing.T) {
	b := newBench(t)
	p := b.publisher()
	b.chunk(p, wire.ChunkKey, 1, 100)
	good := b.issue(claims("ann"))
	used := b.issue(claims("bob"))
	first := b.watch(used)
	if kind, _, err := first.ReadMessage(); err != nil || kind != websocket.TextMessage {
		t.Fatalf("a good ticket does not open: %v", err)
	}
	another := func(change func(*wire.Claims)) string {
		c := claims("cem")
		change(&c)
		return b.issue(c)
	}
	b.denied.Store("gone", true)
	for name, tt := range map[string]struct{ token, says string }{
		"none":                {"", "ticket"},
		"nonsense":            {"a.b.c", "ticket"},
		"forged":              {forged(good), ""},
		"alg none":            {unsigned(good), ""},
		"used before":         {used, "used"},
		"another audience":    {another(func(c *wire.Claims) { c.Audience = "render-1" }), ""},
		"a player's":          {another(func(c *wire.Claims) { c.Role = "player" }), ""},
		"another session":     {another(func(c *wire.Claims) { c.Session = "s2" }), "session"},
		"a view that is over": {b.issue(claims("gone")), "ended"},
	} {
		t.Run(name, func(t *testing.T) {
			code, text := closed(t, b.watch(tt.token))
			if code != 4401 || !strings.Contains(text, tt.says) || text == "" {
				t.Errorf("closed with %d %q, want 4401 and %q", code, text, tt.says)
			}
		})
	}
	expired := b.issue(claims("dot"))
	b.shift.Store(int64(2 * time.Minute))
	if code, text := closed(t, b.watch(expired)); code != 4401 || text == "" {
		t.Errorf("expired: closed with %d %q", code, text)
	}
	b.shift.Store(0)
	if code, _ := closed(t, b.dial("/watch/s?ticket="+good, wire.WatchProtocol, "http://elsewhere")); code != 4403 {
		t.Errorf("another origin: closed with %d, want 4403", code)
	}
}

// forged changes what a ticket grants, and keeps its signature.
func forged(token string) string {
	parts := strings.Split(token, ".")
	body, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = base64.RawURLEncoding.EncodeToString(bytes.Replace(body, []byte(`"ann"`), []byte(`"eve"`), 1))
	return strings.Join(parts, ".")
}

// unsigned says that it needs no signature.
func unsigned(token string) string {
	parts := strings.Split(token, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
}

// TestWhatASpectatorGets: the description, then chunks from a key chunk on; and
// all of it anew when the publisher is another.
func TestWhatASpectatorGets(t *testing.T) {
	b := newBench(t)
	p := b.publisher()
	for i := range 3 {
		b.chunk(p, wire.ChunkKey, i, 100)
	}
	v := b.watch(b.issue(claims("ann")))
	kind, data, err := v.ReadMessage()
	if err != nil || kind != websocket.TextMessage || !bytes.Contains(data, []byte(`"codec":"mjpeg"`)) {
		t.Fatalf("first came %d %s, %v", kind, data, err)
	}
	b.chunk(p, wire.ChunkKey, 3, 100)
	for {
		kind, data, err = v.ReadMessage()
		if err != nil || kind != websocket.BinaryMessage {
			t.Fatalf("then came %d, %v", kind, err)
		}
		if number(data) == 3 {
			break
		}
	}
	_ = p.Close()
	p = b.publisher()
	b.chunk(p, wire.ChunkKey, 7, 100)
	if kind, _, err := v.ReadMessage(); err != nil || kind != websocket.TextMessage {
		t.Fatalf("after another publisher came %d, %v", kind, err)
	}
	if _, data, err := v.ReadMessage(); err != nil || number(data) != 7 {
		t.Fatalf("then came %v, %v", data, err)
	}
	if b.relay.SentBytes() == 0 {
		t.Error("nothing was counted")
	}
}

// TestASlowSpectatorDelaysNobody: one never reads, the other gets the last
// chunk all the same, and nothing piles up.
func TestASlowSpectatorDelaysNobody(t *testing.T) {
	b := newBench(t)
	p := b.publisher()
	b.chunk(p, wire.ChunkKey, 0, 100)
	slow, quick := b.watch(b.issue(claims("slow"))), b.watch(b.issue(claims("quick")))
	_ = slow
	const last = 600
	var got sync.WaitGroup
	got.Go(func() {
		for {
			kind, data, err := quick.ReadMessage()
			if err != nil {
				t.Errorf("the quick one: %v", err)
				return
			}
			if kind == websocket.BinaryMessage && number(data) == last {
				return
			}
		}
	})
	for i := 1; i <= last; i++ {
		b.chunk(p, wire.ChunkKey, i, 64<<10)
	}
	got.Wait()
}

func TestPublishersThatCannotBe(t *testing.T) {
	b := newBench(t)
	for name, do := range map[string]func(ws *websocket.Conn){
		"no description": func(ws *websocket.Conn) { _ = ws.WriteMessage(websocket.TextMessage, []byte("hello")) },
		"a description that is too large": func(ws *websocket.Conn) {
			_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"mime":"`+strings.Repeat("x", maxInfoBytes)+`"}`))
		},
		"text": func(ws *websocket.Conn) {
			_ = ws.WriteJSON(wire.StreamInfo{Mime: "image/jpeg"})
			_ = ws.WriteMessage(websocket.TextMessage, []byte("x"))
		},
		"an unknown kind": func(ws *websocket.Conn) {
			_ = ws.WriteJSON(wire.StreamInfo{Mime: "image/jpeg"})
			_ = ws.WriteMessage(websocket.BinaryMessage, []byte{9, 1, 2})
		},
		"a chunk that is too large": func(ws *websocket.Conn) {
			_ = ws.WriteJSON(wire.StreamInfo{Mime: "image/jpeg"})
			_ = ws.WriteMessage(websocket.BinaryMessage, make([]byte, maxChunkBytes+2))
		},
	} {
		t.Run(name, func(t *testing.T) {
			ws := b.dial("/publish/s", wire.PublishProtocol, "")
			do(ws)
			if _, _, err := ws.ReadMessage(); err == nil || strings.Contains(err.Error(), "timeout") {
				t.Errorf("the publisher is still there: %v", err)
			}
		})
	}
}

func TestSpectatorsAreCutOff(t *testing.T) {
	b := newBench(t)
	p := b.publisher()
	b.chunk(p, wire.ChunkKey, 0, 100)
	for name, tt := range map[string]struct {
		do   func(client string, ws *websocket.Conn)
		code int
	}{
		"whose view ends": {func(client string, _ *websocket.Conn) {
			b.relay.Committed(owner.Commit{Events: []admission.Event{{Body: admission.ViewEnded{Session: "s", Client: client, Reason: admission.WhyYielded}}}})
		}, websocket.CloseNormalClosure},
		"who send something": {func(_ string, ws *websocket.Conn) { _ = ws.WriteMessage(websocket.TextMessage, []byte("hi")) }, 4400},
		"who come again":     {func(client string, _ *websocket.Conn) { b.watch(b.issue(claims(client))) }, 4409},
	} {
		t.Run(name, func(t *testing.T) {
			client := fmt.Sprint(tt.code)
			ws := b.watch(b.issue(claims(client)))
			if _, _, err := ws.ReadMessage(); err != nil {
				t.Fatal(err)
			}
			tt.do(client, ws)
			if code, _ := closed(t, ws); code != tt.code {
				t.Errorf("closed with %d, want %d", code, tt.code)
			}
		})
	}
}

// TestTheRelayStops: who looks on when the service stops is told to come back.
func TestTheRelayStops(t *testing.T) {
	b := newBench(t)
	p := b.publisher()
	b.chunk(p, wire.ChunkKey, 0, 100)
	ws := b.watch(b.issue(claims("ann")))
	if _, _, err := ws.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	b.stop()
	if code, _ := closed(t, ws); code != 4503 {
		t.Errorf("closed with %d, want 4503", code)
	}
}
