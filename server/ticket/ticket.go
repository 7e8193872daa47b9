// Package ticket signs tickets, and keeps the keys they are signed with. Gates
// and the relay check them with probe/wire/ticket.
package ticket

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rendergate/rendergate/probe/wire"
	check "github.com/rendergate/rendergate/probe/wire/ticket"
)

// File is the name of the key file in the data folder.
const File = "ticket-keys.json"

const (
	// Announce is how long a new key is shown before it signs: gates look at the
	// keys once a minute, so all of them know it by then.
	Announce = 5 * time.Minute
	// KeyLife is how long a key signs before [Signer.Run] makes the next one.
	KeyLife = 30 * 24 * time.Hour
	// keep is how long a key is shown after its last ticket: the ticket's life, and
	// as much again for clocks that differ.
	keep = 2 * wire.TicketLifetime
)

// Options of a signer. All are needed.
type Options struct {
	Dir    string // the data folder
	Issuer string // the service's public URL
	Now    func() time.Time
	Log    *slog.Logger
}

// Signer issues tickets. It is safe for concurrent use.
type Signer struct {
	o    Options
	mu   sync.RWMutex
	keys []key // oldest first; one at least
}

// Open reads the keys of the data folder, or makes the first one. It refuses a
// key file that others than its owner can read.
func Open(o Options) (*Signer, error) {
	keys, err := load(o.Dir, o.Now())
	if err != nil {
		return nil, fmt.Errorf("ticket keys: %w", err)
	}
	return &Signer{o: o, keys: keys}, nil
}

// Issue signs a ticket for what the claims name: Audience, Client, Session, Role
// and Pool. The rest is filled in: issuer, times, and a random id of 128 bits or
// more. It is valid from now for [wire.TicketLifetime], for one connection.
func (s *Signer) Issue(c wire.Claims) (token string, expires time.Time, err error) {
	now := s.o.Now()
	c.Issuer, c.ID = s.o.Issuer, rand.Text()
	c.IssuedAtMS = now.UnixMilli()
	c.IssuedAt = c.IssuedAtMS / 1000
	c.NotBefore = c.IssuedAt
	c.Expires = c.IssuedAt + int64(wire.TicketLifetime/time.Second)
	claims := check.Claims{Claims: c}
	if err := claims.Complete(); err != nil {
		return "", time.Time{}, fmt.Errorf("issuing a ticket: %w", err)
	}
	k := s.signing(now)
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	t.Header["kid"] = k.ID
	token, err = t.SignedString(k.private())
	if err != nil {
		return "", time.Time{}, fmt.Errorf("signing a ticket: %w", err)
	}
	return token, time.Unix(c.Expires, 0).UTC(), nil
}

// signing is the newest key that signs already.
func (s *Signer) signing(now time.Time) key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := len(s.keys) - 1; i > 0; i-- {
		if !now.Before(s.keys[i].SignsFrom) {
			return s.keys[i]
		}
	}
	return s.keys[0]
}

// shown are the keys that gates are to know now.
func (s *Signer) shown() []key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return current(s.keys, s.o.Now())
}

// JWKS is the public half of the keys, as served at /.well-known/jwks.json.
func (s *Signer) JWKS() ([]byte, error) {
	set := check.JWKS{Keys: []check.JWK{}}
	for _, k := range s.shown() {
		set.Keys = append(set.Keys, check.JWK{
			Type: "OKP", Curve: "Ed25519", Use: "sig", Alg: jwt.SigningMethodEdDSA.Alg(), ID: k.ID,
			X: base64.RawURLEncoding.EncodeToString(k.public()),
		})
	}
	return json.Marshal(set)
}

// Key gives the public key with that id to a verifier in this process, such as
// the relay's; [check.ErrUnknownKey] if there is none.
func (s *Signer) Key(_ context.Context, id string) (ed25519.PublicKey, error) {
	for _, k := range s.shown() {
		if k.ID == id {
			return k.public(), nil
		}
	}
	return nil, check.ErrUnknownKey
}

// Rotate makes the next key and gives the time from which it signs, [Announce]
// from now. Tickets of the older key stay valid until they expire, so nobody is
// cut off. While a key is announced already, that one stays the next.
func (s *Signer) Rotate() (signsFrom time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	if newest := s.keys[len(s.keys)-1]; now.Before(newest.SignsFrom) {
		return newest.SignsFrom, nil
	}
	next := newKey(now.Add(Announce))
	keys := append(current(s.keys, now), next)
	if err := save(s.o.Dir, keys); err != nil {
		return time.Time{}, fmt.Errorf("rotating the ticket keys: %w", err)
	}
	s.keys = keys
	s.o.Log.Info("ticket key made", "kid", next.ID, "signs_from", next.SignsFrom)
	return next.SignsFrom, nil
}

// Run makes a new key whenever the newest is older than [KeyLife], until ctx ends.
func (s *Signer) Run(ctx context.Context) error {
	every := time.NewTicker(time.Hour)
	defer every.Stop()
	for {
		if s.age() >= KeyLife {
			if _, err := s.Rotate(); err != nil {
				s.o.Log.Error("ticket keys stay as they are", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

func (s *Signer) age() time.Duration {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.o.Now().Sub(s.keys[len(s.keys)-1].SignsFrom)
}
