package ticket_test

import (
	"crypto/ed25519"
	"log/slog"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
	check "github.com/rendergate/rendergate/probe/wire/ticket"
	"github.com/rendergate/rendergate/server/ticket"
)

// bare is what one Ed25519 operation costs in this run, in nanoseconds.
func bare(f func()) float64 {
	const n = 200
	started := time.Now()
	for range n {
		f()
	}
	return float64(time.Since(started).Nanoseconds()) / n
}

func signer(b *testing.B) *ticket.Signer {
	s, err := ticket.Open(ticket.Options{Dir: b.TempDir(), Issuer: issuer, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkIssue reports what a ticket costs over a bare signature.
func BenchmarkIssue(b *testing.B) {
	s, text := signer(b), make([]byte, 400)
	_, key, _ := ed25519.GenerateKey(nil)
	floor := bare(func() { ed25519.Sign(key, text) })
	for b.Loop() {
		if _, _, err := s.Issue(grant()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/floor, "x-bare")
}

// BenchmarkVerify reports what the check of a ticket costs over a bare check of
// a signature.
func BenchmarkVerify(b *testing.B) {
	s, text := signer(b), make([]byte, 400)
	v := check.New(check.Options{Keys: s, Issuer: issuer, Audience: "render-1", Now: time.Now})
	public, key, _ := ed25519.GenerateKey(nil)
	sig := ed25519.Sign(key, text)
	floor := bare(func() { ed25519.Verify(public, text, sig) })
	token, _, err := s.Issue(wire.Claims{Audience: "elsewhere", Client: "c", Session: "s", Role: check.Player, Pool: "p"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() { // refused for its audience, after the signature was checked
		if _, err := v.Verify(b.Context(), token, check.Want{}); err == nil {
			b.Fatal("passed")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/floor, "x-bare")
}
