package play_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/journal"
	"github.com/rendergate/rendergate/server/owner"
	"github.com/rendergate/rendergate/server/play"
)

// serve runs a hub over a real owner and gives its address.
func serve(t *testing.T) string {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	store, err := j.Pool(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	policy := admission.DefaultPolicy()
	policy.Apps["showroom"] = admission.Profile{App: "showroom", Cost: admission.Cost{CPUCores: 1}}
	o := owner.New(owner.Options{Name: "test", Policy: policy, Journal: store, Log: slog.New(slog.DiscardHandler)})
	hub := play.New(play.Options{
		Pool: "test", Owner: o, Log: slog.New(slog.DiscardHandler),
		PlayerTicket:    func(_, _, _ string) (string, time.Time, error) { return "t", time.Now(), nil },
		SpectatorTicket: func(_, _ string) (string, error) { return "t", nil },
		Mime:            func(string) string { return "" },
		WatchBase:       func(r *http.Request) string { return "ws://" + r.Host },
		OriginAllowed:   func(r *http.Request) bool { return r.Header.Get("Origin") != "http://evil" },
		Connect:         func(string) (func(), bool) { return func() {}, true },
		Join:            func(string) bool { return true },
		Identify:        func(context.Context, string) (string, string, error) { return "", "", nil },
	})
	o.Listen(hub)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- o.Run(ctx) }()
	go func() { done <- hub.Run(ctx) }()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hub.Connect(w, r, "a") }))
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, <-done); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		s.Close()
	})
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

func dial(t *testing.T, url, first string) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{play.Protocol}}
	ws, answer, err := d.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second))
	if err := ws.WriteMessage(websocket.TextMessage, []byte(first)); err != nil {
		t.Fatal(err)
	}
	return ws
}

func want[T any](t *testing.T, ws *websocket.Conn) T {
	t.Helper()
	var m T
	if err := ws.ReadJSON(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAPlaceIsResumedAndTakenOver(t *testing.T) {
	url := serve(t)
	first := dial(t, url, `{"type":"join","intent":"play"}`)
	w, q := want[play.Welcome](t, first), want[play.Queued](t, first)
	if w.Type != "welcome" || w.Resumed || q.Type != "queued" || q.Position != 1 || q.BlockedBy == nil {
		t.Fatalf("%+v, %+v", w, q)
	}
	second := dial(t, url, `{"type":"join","intent":"play","resume":"`+w.Resume+`"}`)
	w2, q2 := want[play.Welcome](t, second), want[play.Queued](t, second)
	if !w2.Resumed || w2.Client != w.Client || w2.Resume != w.Resume || q2.Entry != q.Entry {
		t.Fatalf("%+v, %+v", w2, q2)
	}
	wantClose(t, first, 4409)
}

func TestTheFirstFrameMustBeAJoin(t *testing.T) {
	url := serve(t)
	for _, frame := range []string{`x`, `{"type":"leave"}`, `{"type":"join"}`} {
		wantClose(t, dial(t, url, frame), 4400)
	}
	wantClose(t, dial(t, url, strings.Repeat("x", 17<<10)), 4413)
}

func wantClose(t *testing.T, ws *websocket.Conn, code int) {
	t.Helper()
	for {
		_, _, err := ws.ReadMessage()
		if e, ok := errors.AsType[*websocket.CloseError](err); ok && e.Code == code {
			return
		}
		if err != nil {
			t.Fatalf("ended with %v; want %d", err, code)
		}
	}
}
