package auth

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// LimiterOptions are all needed.
type LimiterOptions struct {
	ConnectionsPerAddress int
	JoinsPerMinute        int
	Now                   func() time.Time
}

// Limiter holds each address to so many connections and joins. An IPv6 address
// counts as its /64. It is safe for concurrent use, and its memory is bounded.
type Limiter struct {
	most  int
	mu    sync.Mutex
	conns map[string]int // by address, those open now
	joins *buckets
}

// limitedAddresses bounds the addresses whose joins are counted each by itself.
const limitedAddresses = 100_000

// NewLimiter makes a limiter that has counted nothing yet.
func NewLimiter(o LimiterOptions) *Limiter {
	return &Limiter{
		most: o.ConnectionsPerAddress, conns: map[string]int{},
		joins: newBuckets(bucketOptions{every: time.Minute / time.Duration(o.JoinsPerMinute), burst: o.JoinsPerMinute, most: limitedAddresses, now: o.Now}),
	}
}

// Connect counts a connection from the address. False: it has as many as it may.
// Call release once it is closed; calling it again does nothing.
func (l *Limiter) Connect(address string) (release func(), ok bool) {
	key := addressKey(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns[key] >= l.most {
		return func() {}, false
	}
	l.conns[key]++
	return sync.OnceFunc(func() { l.release(key) }), true
}

func (l *Limiter) release(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns[key]--; l.conns[key] <= 0 {
		delete(l.conns, key)
	}
}

// Join counts a join from the address. Above zero: it has joined as often as it
// may, and may again after so long.
func (l *Limiter) Join(address string) (wait time.Duration) { return l.joins.take(addressKey(address)) }

// bucketOptions are a token bucket's for each key: one token every so often, as
// many as burst at once, and at most so many keys.
type bucketOptions struct {
	every time.Duration
	burst int
	most  int
	now   func() time.Time
}

// buckets is a token bucket for each key.
type buckets struct {
	o     bucketOptions
	mu    sync.Mutex
	byKey map[string]*rate.Limiter
	swept time.Time
}

func newBuckets(o bucketOptions) *buckets {
	return &buckets{o: o, byKey: map[string]*rate.Limiter{}, swept: o.now()}
}

// take takes a token; if there is none, it says how long until there is.
func (b *buckets) take(key string) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.o.now()
	l := b.find(key, now)
	if l.AllowN(now, 1) {
		return 0
	}
	return b.until(l, now)
}

// look says how long until there is a token, and takes none.
func (b *buckets) look(key string) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.o.now()
	l, ok := b.byKey[key]
	if !ok || l.TokensAt(now) >= 1 {
		return 0
	}
	return b.until(l, now)
}

func (b *buckets) until(l *rate.Limiter, now time.Time) time.Duration {
	return max(time.Millisecond, time.Duration((1-l.TokensAt(now))*float64(b.o.every)))
}

// find gives the key's bucket. When there are too many keys, new ones share one,
// so that a flood of addresses costs no memory.
func (b *buckets) find(key string, now time.Time) *rate.Limiter {
	if l, ok := b.byKey[key]; ok {
		return l
	}
	if now.Sub(b.swept) >= time.Minute || len(b.byKey) >= b.o.most {
		b.sweep(now)
	}
	if len(b.byKey) >= b.o.most {
		key = shared
		if l, ok := b.byKey[key]; ok {
			return l
		}
	}
	l := rate.NewLimiter(rate.Every(b.o.every), b.o.burst)
	b.byKey[key] = l
	return l
}

// shared is the key of those that found no room; no address or name is it.
const shared = "\x00"

// sweep forgets the full buckets, which are as new ones; at most once a second.
func (b *buckets) sweep(now time.Time) {
	if now.Sub(b.swept) < time.Second {
		return
	}
	b.swept = now
	for key, l := range b.byKey {
		if l.TokensAt(now) >= float64(b.o.burst) {
			delete(b.byKey, key)
		}
	}
}
