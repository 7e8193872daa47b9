package whole

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/server/simulate/trace"
)

// guest is somebody of a scripted evening at the demo. Times are seconds.
type guest struct {
	arrives  float64 // since the demo was ready
	patience float64 // in the queue
	ignores  int     // offers that they let lapse
	answers  float64 // until they accept one
	connects float64 // from seated to the gate; negative: they never open it
	plays    float64 // from the gate on
	detail   int     // of the scene, 1 to 4: how much there is to draw
	drops    float64 // after so much play the connection is lost for a moment; 0: it is not
}

// evening is who comes: some wait, one gives up, one lets an offer lapse, one
// never opens the gate, one loses the connection.
func evening() []guest {
	return []guest{
		{arrives: 2, connects: 0.5, plays: 60, detail: 2},
		{arrives: 8, connects: 1, plays: 45, detail: 1},
		{arrives: 13, connects: 0.4, plays: 75, detail: 3},
		{arrives: 18, patience: 200, answers: 2, connects: 0.8, plays: 40, detail: 2, drops: 15},
		{arrives: 22, patience: 200, answers: 4, connects: 1.5, plays: 50, detail: 1},
		{arrives: 24, patience: 4},
		{arrives: 32, patience: 200, ignores: 1, answers: 3, connects: 0.5, plays: 30, detail: 2},
		{arrives: 45, patience: 200, answers: 1, connects: 0.3, plays: 55, detail: 3},
		{arrives: 60, patience: 200, answers: 6, connects: -1, plays: 20},
		{arrives: 80, patience: 20, answers: 2, connects: 0.5, plays: 35, detail: 1},
		{arrives: 110, patience: 200, answers: 2, connects: 2, plays: 45, detail: 2},
		{arrives: 150, patience: 200, answers: 1, connects: 0.6, plays: 90, detail: 3}, // plays still when it ends
	}
}

// eveningLasts is when the demo is stopped.
const eveningLasts = 240 * time.Second

// TestTraceOfDemo records the demo while the evening's guests come and play, and
// writes the traces into the folder that RENDERGATE_TRACE names, gzipped.
func TestTraceOfDemo(t *testing.T) {
	folder := os.Getenv("RENDERGATE_TRACE")
	if folder == "" {
		t.Skip("RENDERGATE_TRACE=DIR records a trace of the demo, in four minutes")
	}
	record := t.TempDir()
	d := startDemo(t, record)
	began := time.Now()
	ctx, cancel := context.WithDeadline(t.Context(), began.Add(eveningLasts))
	defer cancel()
	var all sync.WaitGroup
	for n, g := range evening() {
		all.Go(func() {
			if err := g.come(ctx, &player{y: &d.system}, began); err != nil && ctx.Err() == nil {
				t.Errorf("guest %d: %v", n+1, err)
			}
		})
	}
	<-ctx.Done()
	all.Wait()
	d.demo.stop(syscall.SIGTERM)
	keep(t, record, folder)
}

// demo is a demo as a process.
type demo struct {
	system
	demo *process
}

// startDemo starts a demo that records, and waits until it is ready.
func startDemo(t *testing.T, record string) *demo {
	t.Helper()
	d := &demo{system: system{TB: t, dir: t.TempDir(), pool: "demo"}}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	d.demo = d.runTo(in, "demo", "--listen", "127.0.0.1:0", "--share", "1.5", "--json", "--data", filepath.Join(d.dir, "data"), "--record", record)
	_ = in.Close() // the demo has it; if it dies the line is not waited for
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ready struct{ URL string }
	if err != nil || json.Unmarshal(line, &ready) != nil {
		t.Fatalf("the demo says %q (%v)", line, err)
	}
	d.address = strings.Trim(strings.TrimPrefix(ready.URL, "http://"), "/")
	return d
}

// come is a guest's visit.
func (g guest) come(ctx context.Context, p *player, began time.Time) error {
	if !rest(ctx, time.Until(began.Add(seconds(g.arrives)))) {
		return nil
	}
	if err := p.dial(ctx); err != nil {
		return err
	}
	defer p.close()
	stop := context.AfterFunc(ctx, p.close)
	defer stop()
	messages := p.messages()
	defer func() { p.close(); drain(messages) }()
	gaveUp := time.After(seconds(max(g.patience, 1)))
	if g.patience == 0 {
		gaveUp = nil
	}
	for {
		select {
		case m, open := <-messages:
			if !open {
				return errors.New("the connection was lost")
			}
			switch m.Type {
			case "offered":
				if g.ignores--; g.ignores < 0 && rest(ctx, seconds(g.answers)) {
					if err := p.send(map[string]any{"type": "accept", "offer": m.Offer}); err != nil {
						return err
					}
				}
			case "seated":
				return g.play(ctx, p, m, messages)
			case "refused", "error":
				return fmt.Errorf("%s: %s", m.Code, m.Message)
			}
		case <-gaveUp:
			return p.send(map[string]any{"type": "leave"})
		case <-ctx.Done():
			return nil
		}
	}
}

// messages reads until the connection ends, however long nothing is said.
func (p *player) messages() <-chan message {
	all := make(chan message)
	go func() {
		defer close(all)
		for {
			var m message
			if err := p.conn.ReadJSON(&m); err != nil {
				return
			}
			all <- m
		}
	}()
	return all
}

// play opens the gate, looks on for as long as the guest plays, and leaves.
func (g guest) play(ctx context.Context, p *player, seat message, messages <-chan message) error {
	go drain(messages)
	if g.connects < 0 {
		rest(ctx, seconds(g.plays))
		return p.send(map[string]any{"type": "leave"})
	}
	rest(ctx, seconds(g.connects))
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	page, err := (&http.Client{Jar: jar, Timeout: 10 * time.Second}).Get(seat.URL) //nolint:noctx // a page of this machine
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, page.Body)
	_ = page.Body.Close()
	stream := strings.Replace(strings.Split(seat.URL, "?")[0], "http", "ws", 1) + "stream"
	if g.drops > 0 {
		if err := g.look(ctx, jar, stream, g.drops); err != nil || !rest(ctx, 2*time.Second) {
			return err
		}
	}
	if err := g.look(ctx, jar, stream, g.plays-g.drops); err != nil || ctx.Err() != nil {
		return err
	}
	return p.send(map[string]any{"type": "leave"})
}

// look is at the stream for so long, with something done now and then.
func (g guest) look(ctx context.Context, jar http.CookieJar, stream string, lasts float64) error {
	d := websocket.Dialer{Jar: jar}
	conn, answer, err := d.DialContext(ctx, stream, nil)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	defer conn.Close()
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	})
	defer func() { _ = conn.Close(); reading.Wait() }()
	if err := conn.WriteJSON(map[string]any{"type": "scene", "level": g.detail}); err != nil {
		return err
	}
	until := time.Now().Add(seconds(lasts))
	for time.Now().Before(until) && rest(ctx, min(time.Second, time.Until(until))) {
		if err := conn.WriteJSON(map[string]any{"type": "orbit", "dx": 0.05, "dy": 0.01}); err != nil {
			return err
		}
	}
	return nil
}

// drain takes what is said, and does nothing about it.
func drain(messages <-chan message) {
	for range messages {
		continue
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// rest waits, and says whether ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// keep gzips the traces into the folder, by what recorded them, and says what is
// in them.
func keep(t *testing.T, record, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(record, "*.jsonl"))
	if err != nil || len(files) != 2 {
		t.Fatalf("the traces are %q (%v), want one of the service and one of the probe", files, err)
	}
	tr, err := trace.Read(files, trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f s, %d people, %d samples, %q", tr.LengthS, len(tr.People), tr.Hosts[0].Samples, tr.Notes)
	for _, file := range files {
		kind, _, _ := strings.Cut(filepath.Base(file), "-")
		data, err := os.ReadFile(file) //nolint:gosec // of this test
		if err != nil {
			t.Fatal(err)
		}
		zip(t, filepath.Join(folder, kind+".jsonl.gz"), data)
		t.Logf("%s: %d bytes, %.1f MB an hour", kind, len(data), float64(len(data))/tr.LengthS*3600/1e6)
	}
}

func zip(t *testing.T, name string, data []byte) {
	t.Helper()
	f, err := os.Create(name) //nolint:gosec // the caller's folder
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(data)
	}
	if err = errors.Join(err, z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}
