package gate_test

import (
	"context"
	"crypto/ed25519"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/gate"
)

// BenchmarkEcho is one message to the application and back, without the gate
// and through it: the ratio is what the gate costs.
func BenchmarkEcho(b *testing.B) {
	a := &app{}
	a.Server = httptest.NewServer(a)
	defer a.Close()
	upstream, err := url.Parse(a.URL)
	if err != nil {
		b.Fatal(err)
	}
	g, err := gate.New(gate.Options{
		Listen: "127.0.0.1:0", PublicURL: upstream, Notify: func(string, bool) {}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	addr, err := g.Listen(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	t := &bench{t: b}
	_, t.key, _ = ed25519.GenerateKey(nil)
	g.Trust(t.verifier())
	g.Open("s1", upstream)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	defer func() { stop(); <-done }()

	for name, address := range map[string]string{
		"direct": "ws" + strings.TrimPrefix(a.URL, "http") + "/ws",
		"gate":   "ws://" + addr.String() + "/s/s1/ws?ticket=" + t.ticket(nil),
	} {
		conn, _, err := websocket.DefaultDialer.DialContext(b.Context(), address, nil) // an upgrade has no body
		if err != nil {
			b.Fatal(name, err)
		}
		for _, size := range []int{64, 64 << 10} {
			payload := make([]byte, size)
			b.Run(name+"/"+map[int]string{64: "64B", 64 << 10: "64KiB"}[size], func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					if err := conn.WriteMessage(websocket.BinaryMessage, payload); err != nil {
						b.Fatal(err)
					}
					if _, r, err := conn.NextReader(); err != nil {
						b.Fatal(err)
					} else if _, err := io.Copy(io.Discard, r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		if err := conn.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
