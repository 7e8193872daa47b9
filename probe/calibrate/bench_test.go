package calibrate

import (
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkSettling is what one reading of one load costs the host that is
// being measured, early and late in the wait.
func BenchmarkSettling(b *testing.B) {
	for _, after := range []int{30, 170} {
		b.Run((time.Duration(after) * time.Second).String(), func(b *testing.B) {
			next := loop(20, 0.08)(rand.New(rand.NewChaCha8([32]byte{1}))) //nolint:gosec // repeatable
			s := NewSettling(DefaultRule(), time.Second)
			for range after {
				s.y = append(s.y, next())
			}
			for b.Loop() {
				s.judge()
			}
		})
	}
}
