package owner_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/rendergate/rendergate/server/journal"
)

// natsServer is an external NATS server, as an operator runs one.
func natsServer(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true, NoLog: true,
		MaxPayload: journal.MaxRecordBytes,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server did not start")
	}
	return s
}

// TestAnExternalServerThatGoesAway: while it is gone nothing is announced, and
// each request happens once when it is back.
func TestAnExternalServerThatGoesAway(t *testing.T) {
	dir := t.TempDir()
	nats := natsServer(t, dir, server.RANDOM_PORT)
	address, ok := nats.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("the server listens on %v", nats.Addr())
	}
	defer func() { nats.Shutdown(); nats.WaitForShutdown() }()
	j, err := journal.Open(t.Context(), journal.Options{URL: nats.ClientURL(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var h heard
	o, stop := start(t, j, &h)
	defer stop()
	const callers = 40
	var all sync.WaitGroup
	joined := make(chan struct{}, callers)
	for i := range callers {
		all.Go(func() {
			if i >= callers/2 { // these come while it goes away, or is gone
				<-joined
			}
			if _, err := o.Do(context.Background(), join(i)); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
			joined <- struct{}{}
		})
	}
	<-joined
	nats.Shutdown()
	nats.WaitForShutdown()
	for deadline := time.After(10 * time.Second); o.Ready() == nil; {
		select {
		case <-deadline:
			t.Fatal("it is ready while its journal is gone")
		case <-time.After(time.Millisecond):
		}
	}
	nats = natsServer(t, dir, address.Port)
	all.Wait()
	entries := map[string]bool{}
	for _, id := range queue(t, o) {
		if entries[id] {
			t.Errorf("entry %s is there twice", id)
		}
		entries[id] = true
	}
	if len(entries) != callers {
		t.Errorf("%d entries of %d callers", len(entries), callers)
	}
}
