package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/wire"
)

// Frames says how the frames are counted that copies deliver. One of them is
// set, or none.
type Frames struct {
	Line    *regexp.Regexp    // whose first group is the frames a second, in what a copy prints
	Stream  launcher.Template // ws URL on which a copy publishes its stream; its chunks are counted
	Reports bool              // a page or a script sends `report` messages to RENDERGATE_REPORT_URL
}

// reportVariable tells a copy and its scene where reports go.
const reportVariable = "RENDERGATE_REPORT_URL"

// stale is how long what was told last holds.
const stale = 3 * time.Second

// Limits of reports and streams.
const (
	maxReport = 4 << 10
	maxChunk  = 4 << 20
	silence   = 30 * time.Second
	again     = time.Second
)

// counters count each copy's frames.
type counters struct {
	o        Frames
	log      *slog.Logger
	listener net.Listener // for reports; nil without

	mu      sync.Mutex
	copies  map[int]*counter
	streams sync.WaitGroup
}

// counter is one copy's.
type counter struct {
	told   float64
	at     time.Time // of told
	counts bool      // its stream is read, and count is of its chunks
	count  int       // chunks since
	since  time.Time
	stop   context.CancelFunc
}

func newCounters(ctx context.Context, o Frames, log *slog.Logger) (*counters, error) {
	c := &counters{o: o, log: log, copies: map[int]*counter{}}
	if o.Reports {
		var err error
		if c.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("listening for reports: %w", err)
		}
	}
	return c, nil
}

// environment tells copies where their reports go.
func (c *counters) environment(env []launcher.EnvVar) ([]launcher.EnvVar, error) {
	if c.listener == nil {
		return env, nil
	}
	url, err := launcher.ParseTemplate("http://" + c.listener.Addr().String() + "/copies/{{.Copy}}/report")
	return append(env, launcher.EnvVar{Name: reportVariable, Value: url}), err
}

// run takes reports until ctx ends, and waits for the streams.
func (c *counters) run(ctx context.Context) error {
	defer c.streams.Wait()
	if c.listener == nil {
		<-ctx.Done()
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /copies/{copy}/report", c.report)
	server := http.Server{Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: maxReport}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(c.listener); ctx.Err() == nil {
		return fmt.Errorf("reports: %w", err)
	}
	return nil
}

// report takes one, as a player's page sends it to the service.
func (c *counters) report(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*") // a page of the copy's own sends it
	n, err := strconv.Atoi(r.PathValue("copy"))
	var report struct {
		FPS *float64 `json:"fps"`
	}
	if err == nil {
		err = json.NewDecoder(io.LimitReader(r.Body, maxReport)).Decode(&report)
	}
	if err != nil || report.FPS == nil || !(*report.FPS >= 0 && *report.FPS < 1e4) {
		http.Error(w, `want {"type": "report", "fps": 30}, with 0 to 10000`, http.StatusBadRequest)
		return
	}
	c.tell(n, *report.FPS)
	w.WriteHeader(http.StatusNoContent)
}

// line reads the frames from what a copy prints.
func (c *counters) line(n int, text string) {
	if c.o.Line == nil {
		return
	}
	if found := c.o.Line.FindStringSubmatch(text); len(found) > 1 {
		if f, err := strconv.ParseFloat(found[1], 64); err == nil && f >= 0 {
			c.tell(n, f)
		}
	}
}

func (c *counters) tell(n int, frames float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x := c.copies[n]; x != nil {
		x.told, x.at = frames, time.Now()
	}
}

// follow begins to count a copy's frames; its stream, if it has one, is read
// until unfollow, as a player or a relay would: some applications encode only
// while somebody looks on.
func (c *counters) follow(ctx context.Context, n int, stream string) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.mu.Lock()
	x := &counter{stop: stop, since: time.Now(), counts: stream != ""}
	c.copies[n] = x
	c.mu.Unlock()
	if stream == "" {
		return
	}
	c.streams.Add(1)
	go func() {
		defer c.streams.Done()
		for ctx.Err() == nil {
			if err := c.read(ctx, x, stream); err != nil && ctx.Err() == nil {
				c.log.Warn("a copy's stream", "copy", n, "err", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(again):
			}
		}
	}()
}

func (c *counters) read(ctx context.Context, x *counter, stream string) error {
	d := websocket.Dialer{HandshakeTimeout: 10 * time.Second, Subprotocols: []string{wire.PublishProtocol}}
	conn, _, err := d.DialContext(ctx, stream, nil) //nolint:bodyclose // gorilla: it need not be
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.NetConn().Close() })()
	conn.SetReadLimit(maxChunk)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return err
		}
		kind, r, err := conn.NextReader()
		if err != nil {
			return err
		}
		first := []byte{wire.ChunkInit}
		if _, err := io.ReadFull(r, first); err != nil {
			continue // an empty one is no frame
		}
		if kind == websocket.BinaryMessage && first[0] != wire.ChunkInit {
			c.mu.Lock()
			x.count++
			c.mu.Unlock()
		}
	}
}

func (c *counters) unfollow(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x := c.copies[n]; x != nil {
		x.stop()
		delete(c.copies, n)
	}
}

// frames is how many a second a copy delivers; nil where nothing tells.
func (c *counters) frames(n int) *float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.copies[n]
	if x == nil {
		return nil
	}
	if x.counts {
		now := time.Now()
		f := float64(x.count) / max(0.1, now.Sub(x.since).Seconds())
		x.count, x.since = 0, now
		return &f
	}
	if x.at.IsZero() {
		return nil
	}
	if time.Since(x.at) > stale {
		none := 0.0 // it has told before: it stands still
		return &none
	}
	f := x.told
	return &f
}
