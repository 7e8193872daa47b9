package rig

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/calibrate"
	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/wire"
)

func counting(t *testing.T, o Frames) *counters {
	t.Helper()
	c, err := newCounters(t.Context(), o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { c.unfollow(1); cancel(); running.Wait() })
	c.follow(t.Context(), 1, "")
	return c
}

func TestFramesOfALine(t *testing.T) {
	c := counting(t, Frames{Line: regexp.MustCompile(`fps=\s*([0-9.]+)`)})
	if c.frames(1) != nil || c.frames(2) != nil {
		t.Error("nothing was told, and it is not unknown")
	}
	c.line(1, "frame=1 fps= 29.5 q=1")
	c.line(1, "no number here, fps=.")
	c.line(2, "fps=5") // no such copy
	if f := c.frames(1); f == nil || *f != 29.5 {
		t.Errorf("%v", f)
	}
}

func TestFramesOfReports(t *testing.T) {
	c := counting(t, Frames{Reports: true})
	env, err := c.environment(nil)
	if err != nil || len(env) != 1 || env[0].Name != "RENDERGATE_REPORT_URL" {
		t.Fatalf("%v, %v", env, err)
	}
	url, err := env[0].Value.Expand(launcher.Values{Copy: 1})
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]int{
		`{"type": "report", "fps": 24.5, "rtt_ms": 9}`: http.StatusNoContent,
		`{"type": "report"}`:                           http.StatusBadRequest,
		`{"fps": -1}`:                                  http.StatusBadRequest,
		`what`:                                         http.StatusBadRequest,
		`{"fps": "` + strings.Repeat("9", 9000) + `"}`: http.StatusBadRequest,
	} {
		res, err := http.Post(url, "application/json", strings.NewReader(body)) //nolint:gosec,noctx // our own
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%.40s: %s", body, res.Status)
		}
	}
	if f := c.frames(1); f == nil || *f != 24.5 {
		t.Errorf("%v", f)
	}
}

// TestFramesOfAStream counts chunks, not what describes them.
func TestFramesOfAStream(t *testing.T) {
	sent := make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{Subprotocols: []string{wire.PublishProtocol}}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.Close()
		write := func(kind int, data string) {
			if err := ws.WriteMessage(kind, []byte(data)); err != nil {
				t.Error(err)
			}
		}
		write(websocket.TextMessage, `{"mime":"video/mp4"}`)
		write(websocket.BinaryMessage, "")
		write(websocket.BinaryMessage, "\x00init")
		for range 10 {
			write(websocket.BinaryMessage, "\x02chunk")
		}
		close(sent)
		_, _, _ = ws.ReadMessage() // until it is closed
	}))
	defer app.Close()
	c := counting(t, Frames{})
	c.follow(t.Context(), 3, "ws"+strings.TrimPrefix(app.URL, "http"))
	defer c.unfollow(3)
	<-sent
	deadline, tick := time.Now().Add(10*time.Second), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		c.mu.Lock()
		n := c.copies[3].count
		c.mu.Unlock()
		if n == 10 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d frames, want 10", n)
		}
	}
	if f := c.frames(3); f == nil || *f <= 0 {
		t.Errorf("%v frames a second", f)
	}
}

// TestFolders: what programs write to is copied, what is large is shared where
// it can be, and all of it goes.
func TestFolders(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "app")
	large := strings.Repeat("x", smallest)
	for name, text := range map[string]string{"bin/run": "#!/bin/sh", "settings": "ours", "data/pak": large} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil { // a program among them
			t.Fatal(err)
		}
	}
	if err := os.Symlink("bin/run", filepath.Join(dir, "start")); err != nil {
		t.Fatal(err)
	}
	f, err := NewFolders(dir)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 2; n++ {
		if err := f.make(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	own := filepath.Join(f.folder(1), "settings")
	if err := os.WriteFile(own, []byte("its"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		filepath.Join(dir, "settings"): "ours", filepath.Join(f.folder(2), "settings"): "ours",
		filepath.Join(f.folder(1), "data/pak"): large, filepath.Join(f.folder(1), "start"): "#!/bin/sh",
	} {
		if text, err := os.ReadFile(file); err != nil || string(text) != want {
			t.Errorf("%s: %.20q, %v", file, text, err)
		}
	}
	if info, err := os.Stat(filepath.Join(f.folder(1), "bin/run")); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("the program cannot be run: %v", err)
	}
	from, _ := os.Stat(filepath.Join(dir, "data/pak"))
	to, _ := os.Stat(filepath.Join(f.folder(1), "data/pak"))
	if how := f.how(); how.links && !how.clones && !os.SameFile(from, to) {
		t.Error("what is large was copied where it could be linked")
	}
	f.remove(1)
	if _, err := os.Stat(f.folder(1)); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := f.make(ended, 3); err == nil {
		t.Error("it was copied to the end")
	}
	if _, err := os.Stat(f.folder(3)); !os.IsNotExist(err) {
		t.Error("half a copy was left")
	}
	if err := os.RemoveAll(f.scratch()); err != nil {
		t.Fatal(err)
	}
}

// TestAFolderTooLargeForTheDisk is found before anything is copied.
func TestAFolderTooLargeForTheDisk(t *testing.T) {
	dir, elsewhere := t.TempDir(), "/dev/shm"
	where, err := os.MkdirTemp(elsewhere, "rendergate-test-")
	if err != nil {
		t.Skip("no second file system here")
	}
	defer func() { _ = os.RemoveAll(where) }()
	huge := filepath.Join(dir, "huge")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 1<<42); err != nil { // holes take no room here, and would there
		t.Skip(err)
	}
	if err := (Folders{Dir: dir, Where: where}).fits(); err == nil || !strings.Contains(err.Error(), "needs 4398.0 GB") {
		t.Errorf("%v", err)
	}
}

func TestHeatIsSeen(t *testing.T) {
	root := t.TempDir()
	put := func(core, count string) {
		t.Helper()
		dir := filepath.Join(root, "sys/devices/system/cpu", core, "thermal_throttle")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "core_throttle_count"), []byte(count+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("cpu0", "7")
	put("cpu1", "0")
	b := beside{root: root}
	for _, c := range []struct{ count, want string }{{"0", ""}, {"0", ""}, {"2", "CPU: heat"}, {"2", ""}} {
		put("cpu1", c.count)
		var r calibrate.Reading
		if b.read(t.Context(), 1, &r); r.Throttled != c.want {
			t.Errorf("with %s: %q, want %q", c.count, r.Throttled, c.want)
		}
	}
}
