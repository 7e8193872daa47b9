package owner

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
)

// TestSnapshotsAreMadeBesideTheOwner: one each so many events, and a start
// reads only what came after it.
func TestSnapshotsAreMadeBesideTheOwner(t *testing.T) {
	p := auditPool(t)
	policy := admission.DefaultPolicy()
	policy.Apps["app"] = admission.Profile{App: "app"}
	var log bytes.Buffer
	run := func(f func(o *Owner)) (state []byte) {
		o := New(Options{Name: "test", Policy: policy, Journal: p, Log: slog.New(slog.NewTextHandler(&log, nil))})
		o.each = 20
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- o.Run(ctx) }()
		f(o)
		err := o.Read(t.Context(), func(_ time.Time, pool *admission.Pool) {
			var err error
			if state, err = pool.Snapshot(); err != nil {
				t.Error(err)
			}
		})
		cancel()
		if ended := <-done; err != nil || ended != nil {
			t.Fatal(err, ended)
		}
		return state
	}
	run(func(o *Owner) {
		for i := range 100 {
			if _, err := o.Do(t.Context(), admission.Join{Client: fmt.Sprint("c", i), Secret: fmt.Sprint("k", i), Intent: admission.Play}); err != nil {
				t.Fatal(err)
			}
			if i == 60 { // until one is there
				for deadline := time.After(10 * time.Second); snapshots(t, o) == 0; {
					select {
					case <-deadline:
						t.Fatal("no snapshot was made")
					case <-time.After(time.Millisecond):
					}
				}
			}
		}
	})
	log.Reset()
	run(func(*Owner) {})
	var replayed int
	for line := range strings.Lines(log.String()) {
		if _, after, found := strings.Cut(line, "replayed_events="); found {
			if _, err := fmt.Sscanf(after, "%d", &replayed); err != nil {
				t.Fatal(err)
			}
		}
	}
	if replayed == 0 || replayed > 60 {
		t.Errorf("the second start read %d events, want those after a snapshot\n%s", replayed, log.String())
	}
}

// snapshots counts what is there.
func snapshots(t *testing.T, o *Owner) (n uint64) {
	t.Helper()
	n, err := o.o.Journal.Snapshots(t.Context(), func([]byte) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}
