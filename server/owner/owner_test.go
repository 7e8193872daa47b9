package owner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/journal"
	"github.com/rendergate/rendergate/server/owner"
)

// heard keeps what a listener was told, and the state at the last commit.
type heard struct {
	mu      sync.Mutex
	commits int
	events  int
	state   []byte
}

func (h *heard) Committed(c owner.Commit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commits++
	h.events += len(c.Events)
	h.state, _ = c.Pool.Snapshot()
}

func (h *heard) last() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

func policy() admission.Policy {
	p := admission.DefaultPolicy()
	p.Apps["showroom"] = admission.Profile{App: "showroom", Cost: admission.Cost{CPUCores: 1}}
	return p
}

func open(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// start runs an owner and gives a function that stops it.
func start(t *testing.T, j *journal.Journal, h *heard) (*owner.Owner, func()) {
	t.Helper()
	store, err := j.Pool(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	o := owner.New(owner.Options{Name: "test", Policy: policy(), Journal: store, Log: slog.New(slog.DiscardHandler)})
	o.Listen(h)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	// A read is answered once the pool stands.
	if err := o.Read(t.Context(), func(time.Time, *admission.Pool) {}); err != nil {
		t.Fatal(err)
	}
	return o, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the owner ended with %v", err)
		}
	}
}

func join(i int) admission.Join {
	return admission.Join{
		Client: fmt.Sprintf("c%d", i), Secret: fmt.Sprintf("hash%d", i), Intent: admission.Play, App: "showroom",
	}
}

func TestAPlaceOutlivesTheOwner(t *testing.T) {
	dir := t.TempDir()
	var before, after heard
	j := open(t, dir)
	o, stop := start(t, j, &before)
	for i := range 5 {
		if _, err := o.Do(t.Context(), join(i)); err != nil {
			t.Fatal(err)
		}
	}
	order := queue(t, o)
	stop()
	j.Close()

	j = open(t, dir)
	defer j.Close()
	o, stop = start(t, j, &after)
	defer stop()
	if got := queue(t, o); fmt.Sprint(got) != fmt.Sprint(order) || len(got) != 5 {
		t.Errorf("queue after the restart %v, want %v", got, order)
	}
}

func queue(t *testing.T, o *owner.Owner) []string {
	t.Helper()
	var ids []string
	err := o.Read(t.Context(), func(_ time.Time, p *admission.Pool) {
		for _, e := range p.Queue("", 100) {
			ids = append(ids, e.ID)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestManyCallersShareRecords(t *testing.T) {
	j := open(t, t.TempDir())
	defer j.Close()
	var h heard
	o, stop := start(t, j, &h)
	defer stop()
	const callers = 500
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			if _, err := o.Do(context.Background(), join(i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.commits >= callers {
		t.Errorf("%d records for %d callers: nothing was grouped", h.commits, callers)
	}
	if h.events < callers {
		t.Errorf("%d events heard, want at least %d", h.events, callers)
	}
}

// TestTheDeposedCannotWrite has two owners on one journal: the one that writes
// second is refused, rebuilds, and then stands as the other does.
func TestTheDeposedCannotWrite(t *testing.T) {
	j := open(t, t.TempDir())
	defer j.Close()
	var first, second heard
	a, stopA := start(t, j, &first)
	defer stopA()
	b, stopB := start(t, j, &second)
	defer stopB()
	if _, err := b.Do(t.Context(), join(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Do(t.Context(), join(2)); !errors.Is(err, owner.ErrRetry) {
		t.Fatalf("the deposed owner answers %v, want ErrRetry", err)
	}
	if got := queue(t, a); len(got) != 1 {
		t.Errorf("after rebuilding the queue is %v, want the one entry that was written", got)
	}
	if _, err := a.Do(t.Context(), join(2)); err != nil {
		t.Errorf("made again it fails: %v", err)
	}
}

func TestStateIsWhatTheJournalSays(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	var h heard
	o, stop := start(t, j, &h)
	for i := range 20 {
		if _, err := o.Do(t.Context(), join(i)); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	store, err := j.Pool(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	replayed := admission.New()
	_, err = store.Replay(t.Context(), 0, func(_ uint64, record []byte) error {
		events, err := admission.DecodeEvents(record)
		for _, e := range events {
			replayed.Apply(e)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := replayed.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, h.last()) {
		t.Errorf("replay gives\n%s\nwant\n%s", got, h.last())
	}
	j.Close()
}
