package owner_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/journal"
	"github.com/rendergate/rendergate/server/owner"
)

// folder is on the disk that the tests are on, and not in memory, as /tmp may be.
func folder(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp(".", "bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	whole, err := filepath.Abs(dir)
	if err != nil {
		b.Fatal(err)
	}
	return whole
}

// BenchmarkDurableDecisions is joins and leaves, each on disk before it is
// answered, beside what the disk does bare and what a seat counter in Redis
// does with 64 clients, in the same run.
func BenchmarkDurableDecisions(b *testing.B) {
	record := make([]byte, 400) // a join and its seat or place
	_, _ = rand.Read(record)
	bare := fsyncs(b, folder(b), record)
	counter := redisDecisions(b, folder(b), 64)
	for _, callers := range []int{64, 1000} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			o := run(b, folder(b), policy())
			var all sync.WaitGroup
			counts := make([]int, callers)
			b.ResetTimer()
			began := time.Now()
			for c := range callers {
				all.Go(func() {
					for i := c; time.Since(began) < 3*time.Second; i += callers {
						counts[c] += decide(b, o, join(i))
						counts[c] += decide(b, o, admission.Leave{Client: join(i).Client})
					}
				})
			}
			all.Wait()
			sum := 0
			for _, n := range counts {
				sum += n
			}
			rate := float64(sum) / time.Since(began).Seconds()
			b.ReportMetric(rate, "decisions/s")
			b.ReportMetric(bare, "fsyncs/s")
			b.ReportMetric(counter, "redis/s")
			b.ReportMetric(rate/bare, "x-fsync")
			b.ReportMetric(rate/counter, "x-redis")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func decide(b *testing.B, o *owner.Owner, c admission.Command) int {
	b.Helper()
	if _, err := o.Do(context.Background(), c); err != nil {
		b.Error(err)
	}
	return 1
}

// run runs an owner on a folder until the benchmark ends.
func run(b *testing.B, dir string, p admission.Policy) *owner.Owner {
	b.Helper()
	j, err := journal.Open(b.Context(), journal.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	store, err := j.Pool(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	o := owner.New(owner.Options{Name: "bench", Policy: p, Journal: store, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		j.Close()
	})
	if err := o.Read(b.Context(), func(time.Time, *admission.Pool) {}); err != nil {
		b.Fatal(err)
	}
	return o
}
