package sampler

import (
	"log/slog"
	"os"
	"testing"
	"time"
)

// BenchmarkRead is one sample of this machine with twenty sessions.
func BenchmarkRead(b *testing.B) {
	var sessions []Session
	for range 20 {
		sessions = append(sessions, Session{ID: "s", RootPID: os.Getpid(), GPU: -1})
	}
	s, err := New(b.Context(), Options{
		Share: 1, Period: time.Hour, Log: slog.New(slog.DiscardHandler), Sessions: func() []Session { return sessions },
	})
	if err != nil {
		b.Fatal(err)
	}
	table, err := processTable(s.proc())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Read(b.Context())
	}
	b.ReportMetric(float64(len(table.all)), "processes")
}
