package play_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/play"
)

const (
	pushClients = 2_000
	pushRounds  = 500
)

// BenchmarkPushes reports the processor time of this process for a million
// places pushed to 2,000 clients, each to one of them, over that of writing the
// same bytes to as many plain TCP sockets from as many goroutines, in the same
// run, round by round in turn. The clients are another process. It does its
// work once, whatever b.N is.
func BenchmarkPushes(b *testing.B) {
	raiseFiles()
	s := newPushScene(b)
	var ours, floor time.Duration
	for i := range pushRounds {
		now := time.Now().Add(time.Duration(i+1) * time.Hour) // every round is due
		s.promote(now)
		frames := s.frames(now)
		if i%2 == 0 {
			floor += s.raw(b, frames)
		}
		ours += s.push(b, now)
		if i%2 == 1 {
			floor += s.raw(b, frames)
		}
	}
	s.check(b)
	for b.Loop() { //nolint:revive // the work is done
	}
	million := 1e6 / float64(pushClients*pushRounds)
	b.ReportMetric(ours.Seconds()*million, "cpu-s/Mpush")
	b.ReportMetric(floor.Seconds()*million, "cpu-s/Mpush-floor")
	b.ReportMetric(ours.Seconds()/floor.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

// local is a pool without a journal, with which time can be turned.
type local struct {
	mu   sync.Mutex
	pool *admission.Pool
}

func (l *local) Do(_ context.Context, c admission.Command) (admission.Outcome, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, out := l.pool.Run(time.Now(), c)
	return out, nil
}

func (l *local) Read(_ context.Context, f func(now time.Time, p *admission.Pool)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(time.Now(), l.pool)
	return nil
}

type pushScene struct {
	*local
	hub  *play.Hub
	raws []net.Conn
	sink *child
}

func newPushScene(b *testing.B) *pushScene {
	b.Helper()
	s := &pushScene{local: &local{pool: admission.New()}}
	policy := admission.DefaultPolicy()
	policy.Apps["showroom"] = admission.Profile{App: "showroom"}
	s.pool.Run(time.Now(), admission.Open{ID: "x", Policy: policy})
	o := playOptions(nil, slog.New(slog.DiscardHandler))
	o.Owner = s.local
	s.hub = play.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.hub.Run(ctx) }()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.hub.Connect(w, r, "") }))
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		web.Close()
	})
	s.connect(b, "ws"+strings.TrimPrefix(web.URL, "http"))
	return s
}

// connect has the child open both kinds of sockets.
func (s *pushScene) connect(b *testing.B, url string) {
	b.Helper()
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s.sink = startChild(b, "sink")
	accepted := make(chan error, 1)
	go func() {
		for range pushClients {
			c, err := l.Accept()
			if err != nil {
				accepted <- err
				return
			}
			_ = c.(*net.TCPConn).SetWriteBuffer(play.SendBuffer) //nolint:errcheck // it is TCP
			s.raws = append(s.raws, c)
		}
		accepted <- nil
	}()
	if said := s.sink.ask(fmt.Sprintf("%s %s %d", url, l.Addr(), pushClients)); said != "ok" {
		b.Fatal(said)
	}
	if err := <-accepted; err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		for _, c := range s.raws {
			_ = c.Close()
		}
	})
}

// promote moves the last to the front, so that every position changes.
func (s *pushScene) promote(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := ""
	s.pool.EachPlace(func(at *admission.Place) { last = at.Entry })
	s.pool.Run(now, admission.Promote{Entry: last})
}

func (s *pushScene) frames(now time.Time) (list [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	block := s.pool.BlockedBy(now, "showroom", admission.Play)
	s.pool.EachPlace(func(at *admission.Place) { list = append(list, play.PlaceFrame(at, block)) })
	return list
}

func (s *pushScene) push(b *testing.B, now time.Time) time.Duration {
	return processorTime(b, func() error {
		s.mu.Lock()
		s.hub.PushPlaces(now, s.pool)
		s.mu.Unlock()
		for !s.hub.Quiet() {
			time.Sleep(3 * time.Millisecond)
		}
		return nil
	})
}

// check wants that the clients were sent as much both ways.
func (s *pushScene) check(b *testing.B) {
	b.Helper()
	var ws, raw float64
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, err := fmt.Sscan(s.sink.ask("bytes"), &ws, &raw); err != nil {
			b.Fatal(err)
		}
		if raw > 0 && ws > 0.99*raw && ws < 1.01*raw {
			return
		}
	}
	b.Errorf("%.0f bytes were pushed, and %.0f written plainly", ws, raw)
}

func (s *pushScene) raw(b *testing.B, frames [][]byte) time.Duration {
	return processorTime(b, func() error {
		var all errgroup.Group
		for w := range play.Writers {
			all.Go(func() error {
				for i := w; i < len(s.raws); i += play.Writers {
					if _, err := s.raws[i].Write(frames[i%len(frames)]); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return all.Wait()
	})
}

// processorTime is what this process used of all processors meanwhile.
func processorTime(b *testing.B, f func() error) time.Duration {
	b.Helper()
	before := used()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return used() - before
}

func used() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// childSink opens WebSockets that join and plain sockets, and reads from all.
func childSink() error {
	var ws, raw counter
	return answer(func(line string) string {
		if line == "bytes" {
			return fmt.Sprint(ws.Load(), " ", raw.Load())
		}
		var url, addr string
		var n int
		if _, err := fmt.Sscan(line, &url, &addr, &n); err != nil {
			return err.Error()
		}
		for range n {
			if err := sink(url, addr, [2]*counter{&ws, &raw}); err != nil {
				return err.Error()
			}
		}
		return "ok"
	})
}

// counter counts what is written to it.
type counter struct{ atomic.Int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.Add(int64(len(p)))
	return len(p), nil
}

func sink(url, addr string, to [2]*counter) error {
	d := websocket.Dialer{Subprotocols: []string{play.Protocol}}
	ws, _, err := d.Dial(url, nil) //nolint:noctx // ends with the process
	if err != nil {
		return err
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"join","intent":"play"}`)); err != nil {
		return err
	}
	for range 2 { // it is in when it has its welcome and its place
		if _, _, err := ws.ReadMessage(); err != nil {
			return err
		}
	}
	c, err := net.Dial("tcp", addr) //nolint:noctx // ends with the process
	if err != nil {
		return err
	}
	for i, from := range []net.Conn{ws.NetConn(), c} {
		go func() {
			_, _ = io.CopyBuffer(to[i], struct{ io.Reader }{from}, make([]byte, 1024))
		}()
	}
	return nil
}
