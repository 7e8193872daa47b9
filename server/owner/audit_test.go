package owner

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/journal"
)

func auditPool(t *testing.T) *journal.Pool {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	p, err := j.Pool(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// record appends a record of n events, and gives it to the auditors.
func record(t *testing.T, p *journal.Pool, after uint64, n int) (uint64, []admission.Event) {
	t.Helper()
	var events []admission.Event
	for i := range n {
		events = append(events, admission.Event{
			At: time.Unix(1e9, 0), Body: admission.Disconnected{Client: fmt.Sprintf("%d.%d", after+1, i)},
		})
	}
	data, err := admission.EncodeEvents(events)
	if err != nil {
		t.Fatal(err)
	}
	seq, err := p.Append(t.Context(), journal.Record{ID: fmt.Sprint(after), After: after, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return seq, events
}

// TestTheTrailIsWhole: whatever the auditor could not hold, or an earlier run
// did not write, the trail has every event once and in order.
func TestTheTrailIsWhole(t *testing.T) {
	const records, each = 60, 7
	for name, tt := range map[string]struct{ held, before int }{
		"all is held":              {auditHeld, 0},
		"little is held":           {3 * each, 0},
		"nothing is held":          {0, 0},
		"an earlier run was short": {auditHeld, 20},
	} {
		t.Run(name, func(t *testing.T) {
			p := auditPool(t)
			a := newAuditor(Options{Name: "test", Journal: p, Log: slog.New(slog.DiscardHandler)})
			a.held = tt.held
			a.begin(0, 0)
			var seq uint64
			for i := range tt.before { // only the first of these was written
				var events []admission.Event
				seq, events = record(t, p, seq, each)
				if i == 0 {
					if err := a.write(t.Context(), []auditRecord{{seq, events}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			if tt.before > 0 {
				a.begin(1, seq)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { a.run(ctx) })
			for range records - tt.before {
				var events []admission.Event
				seq, events = record(t, p, seq, each)
				a.add(seq, events)
			}
			cancel()
			running.Wait()
			entries, err := p.List(t.Context(), 0, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) != records*each {
				t.Fatalf("%d entries in the trail, want %d", len(entries), records*each)
			}
			for i, e := range entries {
				if want := fmt.Sprintf(`{"client":"%d.%d"}`, i/each+1, i%each); string(e.Data) != want {
					t.Fatalf("entry %d is %s, want %s", i, e.Data, want)
				}
			}
		})
	}
}
