package agent

import (
	"context"
	"math/rand/v2"
	"time"
)

// Waits between two tries.
const (
	firstWait = 200 * time.Millisecond
	mostWait  = 5 * time.Second
	steady    = 10 * time.Second // a connection that held so long starts the waits anew
)

// backoff is the wait before the next try: twice the last, with jitter, so that
// the hosts of a pool do not all come back at once. The zero value is ready.
type backoff struct{ last time.Duration }

// next gives the next wait: half to all of 0.2 s, 0.4 s, … 5 s.
func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, firstWait), mostWait)
	return b.last/2 + rand.N(b.last/2+1)
}

func (b *backoff) reset() { b.last = 0 }

// pause waits, or returns false when the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
