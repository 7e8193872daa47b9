//go:build linux

package agent

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/probe/config"
	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/wire"
)

// TestMain makes the test binary an application, a guard or a probe, when a
// test has started it as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "app":
			app(os.Args[2:])
			return
		case "guard":
			must(launcher.Guard(os.Stdin, os.Args[2:]))
			return
		case "probe":
			probeMain(os.Args[2])
			return
		}
	}
	// Children of a race build would each lie a second at their end.
	must(os.Setenv("GORACE", "atexit_sleep_ms=0"))
	os.Exit(m.Run())
}

// app is a render application: a page, a socket that echoes, a stream.
func app(args []string) {
	switch args[0] {
	case "crash":
		os.Exit(3)
	case "never":
		select {}
	case "tree": // leaves a descendant that only SIGKILL ends
		cmd := exec.Command(os.Args[0], "app", "linger")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		must(cmd.Start())
	case "linger":
		signal.Ignore(syscall.SIGTERM)
		select {}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		for {
			kind, data, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, data) != nil {
				return
			}
		}
	})
	mux.HandleFunc("/publish", stream)
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:"+args[1])
	must(err)
	must((&http.Server{Handler: mux, ReadHeaderTimeout: time.Second}).Serve(l))
}

// stream publishes a description, initialization data, and numbered chunks, of
// which every tenth is a key chunk.
func stream(w http.ResponseWriter, r *http.Request) {
	conn, err := (&websocket.Upgrader{Subprotocols: []string{wire.PublishProtocol}}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close() // a test's own
	if conn.WriteJSON(wire.StreamInfo{Mime: "video/test", Codec: "test", Width: 2, Height: 2, Rate: 100}) != nil ||
		conn.WriteMessage(websocket.BinaryMessage, []byte{wire.ChunkInit, 'i'}) != nil {
		return
	}
	tick := time.NewTicker(5 * time.Millisecond)
	for n := 0; ; n++ {
		kind := wire.ChunkDelta
		if n%10 == 0 {
			kind = wire.ChunkKey
		}
		if conn.WriteMessage(websocket.BinaryMessage, fmt.Appendf([]byte{kind}, "%d", n)) != nil {
			return
		}
		<-tick.C
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// still is a sampler that knows nothing of the machine, so that what is tested
// is what the agent makes of samples.
type still struct {
	running func() []launcher.Running
	gpus    func() []wire.GPU
}

func (s still) Facts() Facts {
	return Facts{Cores: 2, Share: "a test", MemoryBytes: 1 << 30, GPUs: s.gpus()}
}

func (s still) Run(ctx context.Context, give func(wire.Sample)) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			sample := wire.Sample{At: now, WindowMS: 10, GPUs: make([]wire.GPUSample, len(s.gpus())), Sessions: []wire.SessionSample{}}
			for _, r := range s.running() {
				sample.Sessions = append(sample.Sessions, wire.SessionSample{Session: r.ID})
			}
			give(sample)
		case <-ctx.Done():
			return nil
		}
	}
}

func sampling(gpus func() []wire.GPU) Sampling {
	return func(running func() []launcher.Running) (Sampler, error) {
		return still{running: running, gpus: gpus}, nil
	}
}

func noGPUs() []wire.GPU { return nil }

// probeMain is a probe as a process of its own.
func probeMain(file string) {
	c, err := config.Load(file, config.Flags{})
	must(err)
	must(Run(context.Background(), Options{
		Config: c, Sampling: sampling(noGPUs), Token: "given", Guard: []string{os.Args[0], "guard"},
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}))
}
