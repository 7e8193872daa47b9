// Package keyset fetches public keys from a JWKS address and keeps them. Asking
// for an unknown key asks the address again, though never more than once in
// [Retry], however many forged tokens come.
package keyset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// MaxAge is how old the keys may be before they are looked at again: less than
	// a new ticket key is shown before it signs.
	MaxAge = time.Minute
	// Retry is the least time between two tries.
	Retry = 5 * time.Second
	// MaxBytes bounds what is read.
	MaxBytes = 64 << 10
)

// ErrUnknown says that the address has no such key.
var ErrUnknown = errors.New("unknown key")

// Options of a set. All are needed.
type Options[K any] struct {
	URL    string
	Client *http.Client // with a time-out
	Now    func() time.Time
	Parse  func(data []byte) (map[string]K, error) // keys by id
}

// Set are the keys of one address. It is safe for concurrent use.
type Set[K any] struct {
	o Options[K]

	mu      sync.Mutex // held while fetching: one fetch serves all who wait
	keys    map[string]K
	fetched time.Time
	tried   time.Time
}

// New makes a set that fetches when it is first asked.
func New[K any](o Options[K]) *Set[K] { return &Set[K]{o: o} }

// Key gives the key with that id: [ErrUnknown] if the address has none, another
// error if it could not be asked.
func (s *Set[K]) Key(ctx context.Context, id string) (K, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	key, known := s.keys[id]
	if known && now.Sub(s.fetched) < MaxAge {
		return key, nil
	}
	if s.tried.IsZero() || now.Sub(s.tried) >= Retry {
		s.tried = now
		// Whoever asked first may hang up; the others still want the keys.
		keys, err := s.fetch(context.WithoutCancel(ctx))
		if err == nil {
			s.keys, s.fetched = keys, now
		} else if !known {
			return key, fmt.Errorf("fetching the keys: %w", err)
		}
	}
	// Old keys serve on while the address cannot be reached: an outage of the one
	// who issues is no reason to refuse what was issued.
	if key, known = s.keys[id]; !known {
		return key, ErrUnknown
	}
	return key, nil
}

func (s *Set[K]) fetch(ctx context.Context) (map[string]K, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.o.URL, nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.o.Client.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBytes+1))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK || len(body) > MaxBytes {
		return nil, fmt.Errorf("%s answered %s with %d bytes", s.o.URL, resp.Status, len(body))
	}
	return s.o.Parse(body)
}
