package owner_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/journal"
)

// past writes a journal of n events in which a thousand wait in the end, and
// gives the pool that it makes.
func past(b *testing.B, store *journal.Pool, n int) (*admission.Pool, uint64) {
	b.Helper()
	p, now, seq := admission.New(), time.Now().Add(-time.Hour), uint64(0)
	var events []admission.Event
	write := func() {
		data, err := admission.EncodeEvents(events)
		if err != nil {
			b.Fatal(err)
		}
		if seq, err = store.Append(context.Background(), journal.Record{ID: fmt.Sprint(seq), After: seq, Data: data}); err != nil {
			b.Fatal(err)
		}
		events = events[:0]
	}
	do := func(c admission.Command) int {
		more, _ := p.Run(now, c)
		events = append(events, more...)
		if len(events) > 500 {
			write()
		}
		return len(more)
	}
	count := do(admission.Open{ID: "past", Name: "bench", Policy: policy()})
	for i := 0; count < n; i++ {
		now = now.Add(time.Millisecond)
		count += do(join(i))
		if i >= 1000 {
			count += do(admission.Leave{Client: join(i - 1000).Client})
		}
	}
	write()
	return p, seq
}

// BenchmarkStart is how long an owner takes to stand where it stood, with a
// million events behind it: from the journal alone, and from a snapshot.
func BenchmarkStart(b *testing.B) {
	dir := folder(b)
	j, err := journal.Open(b.Context(), journal.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	store, err := j.Pool(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	p, seq := past(b, store, 1_000_000)
	j.Close()
	start := func(name string) {
		b.Run(name, func(b *testing.B) {
			began := time.Now()
			o := run(b, dir, policy())
			b.ReportMetric(time.Since(began).Seconds(), "s")
			b.ReportMetric(0, "ns/op")
			waiting := 0
			if err := o.Read(b.Context(), func(_ time.Time, p *admission.Pool) { waiting = p.View().Waiting }); err != nil || waiting != 1000 {
				b.Fatalf("%d wait, want 1000 (%v)", waiting, err)
			}
		})
	}
	start("replaying 1,000,000 events")
	j, err = journal.Open(b.Context(), journal.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	if store, err = j.Pool(b.Context(), "bench"); err != nil {
		b.Fatal(err)
	}
	data, err := p.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	if err := store.SaveSnapshot(b.Context(), seq, data); err != nil {
		b.Fatal(err)
	}
	j.Close()
	start("from a snapshot")
}
