package play_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/play"
)

const seatedJoins = 500

// BenchmarkJoinToSeated reports the time from a join to its seated, on loopback,
// over a journal that is on disk each time before anybody hears of it. The host
// is ready at once, so that it is our own time. Several joins are measured
// whatever b.N is.
func BenchmarkJoinToSeated(b *testing.B) {
	s := newScene(b, options{policy: func(p *admission.Policy) {
		p.Apps["showroom"] = admission.Profile{App: "showroom", Seats: 1000}
	}})
	s.host("h1")
	var took []time.Duration
	for range seatedJoins {
		took = append(took, joinToSeated(b, s.url))
	}
	for b.Loop() { //nolint:revive // the work is done
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1e3, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

func joinToSeated(b *testing.B, url string) time.Duration {
	b.Helper()
	d := websocket.Dialer{Subprotocols: []string{play.Protocol}}
	ws, _, err := d.DialContext(b.Context(), url, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = ws.Close() }()
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	began := time.Now()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"join","intent":"play"}`)); err != nil {
		b.Fatal(err)
	}
	until(b, ws, "seated")
	took := time.Since(began)
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"leave"}`)); err != nil {
		b.Fatal(err)
	}
	until(b, ws, "ended")
	return took
}

func until(b *testing.B, ws *websocket.Conn, kind string) {
	b.Helper()
	for m := (said{}); m.Type != kind; {
		m = said{}
		if err := ws.ReadJSON(&m); err != nil {
			b.Fatal(err)
		}
	}
}
