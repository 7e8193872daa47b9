// Package ticket checks tickets: the signed grants with which a browser connects
// to a host's gate or to the relay. Both use this one check. Signing is the
// service's own (server/ticket).
package ticket

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rendergate/rendergate/probe/wire"
)

// Why a ticket is refused. Each is wrapped with what was seen and what would be
// right; none carries the ticket itself.
var (
	ErrMalformed   = errors.New("not a ticket")
	ErrAlgorithm   = errors.New("the ticket's algorithm is not EdDSA")
	ErrUnknownKey  = errors.New("the ticket is signed with an unknown key")
	ErrSignature   = errors.New("the ticket's signature is wrong")
	ErrIssuer      = errors.New("the ticket is from another service")
	ErrAudience    = errors.New("the ticket is for another place")
	ErrSession     = errors.New("the ticket is for another session")
	ErrRole        = errors.New("the ticket is for another role")
	ErrLifetime    = errors.New("the ticket is valid for too long")
	ErrNotYet      = errors.New("the ticket is not valid yet")
	ErrExpired     = errors.New("the ticket has expired")
	ErrBeforeStart = errors.New("the ticket was issued before this gate started")
	ErrUsed        = errors.New("the ticket has been used already")
	ErrBusy        = errors.New("too many tickets at once")
)

// Source finds the public key with an id: [Keys] or [Remote].
type Source interface {
	Key(ctx context.Context, id string) (ed25519.PublicKey, error)
}

// Options of a verifier. All are needed.
type Options struct {
	Keys     Source
	Issuer   string // the service's public URL
	Audience string // the host's name, or the relay's instance
	Now      func() time.Time
}

const (
	// MaxBytes bounds a ticket.
	MaxBytes = 4096
	// Leeway is how far the issuer's clock may be ahead of this one. There is none
	// for the expiry: a clock that is behind makes tickets short, not long.
	Leeway = 10 * time.Second
	// maxUsed bounds the memory for used tickets, about 20 MiB. Past it tickets are
	// refused: forgetting one would let it be used twice.
	maxUsed = 200_000
)

// Verifier checks tickets and remembers the used ones until they expire. It is
// safe for concurrent use.
type Verifier struct {
	o       Options
	parser  *jwt.Parser
	started time.Time

	mu    sync.Mutex
	used  map[string]time.Time // expiry by jti
	swept time.Time
}

// New makes a verifier. Tickets issued before now are refused by it for ever,
// since it cannot know which of them were used.
func New(o Options) *Verifier {
	now := o.Now()
	return &Verifier{
		o: o, started: now.Truncate(time.Millisecond), used: map[string]time.Time{}, swept: now,
		// The claims are checked below, one by one, for an error of their own each.
		parser: jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
			jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding()),
	}
}

// Want is what the ticket must be for; an empty field is not checked.
type Want struct {
	Session string
	Role    string // player or spectator
}

// Verify checks the ticket and uses it up: a second time it is [ErrUsed]. A
// ticket refused for any other reason is not used up.
func (v *Verifier) Verify(ctx context.Context, token string, want Want) (wire.Claims, error) {
	c, err := v.parse(ctx, token)
	if err != nil {
		return wire.Claims{}, err
	}
	now := v.o.Now()
	for _, err := range []error{v.checkPlace(c), checkWant(c, want), v.checkTime(c, now)} {
		if err != nil {
			return wire.Claims{}, err
		}
	}
	if err := v.use(c, now); err != nil {
		return wire.Claims{}, err
	}
	return c, nil
}

// parse checks the form and the signature.
func (v *Verifier) parse(ctx context.Context, token string) (wire.Claims, error) {
	if token == "" || len(token) > MaxBytes {
		return wire.Claims{}, fmt.Errorf("%w: it has %d bytes, want 1 to %d", ErrMalformed, len(token), MaxBytes)
	}
	var c Claims
	var keyErr error
	parsed, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		var key ed25519.PublicKey
		id, _ := t.Header["kid"].(string)
		key, keyErr = v.o.Keys.Key(ctx, id)
		return key, keyErr
	})
	switch {
	case keyErr != nil:
		return wire.Claims{}, keyErr
	case err != nil:
		return wire.Claims{}, parseError(parsed, err)
	case parsed.Header["crit"] != nil:
		return wire.Claims{}, fmt.Errorf("%w: it has critical headers that are not known here", ErrMalformed)
	}
	return c.Claims, c.Complete()
}

// parseError finds which error of ours golang-jwt's is.
func parseError(parsed *jwt.Token, err error) error {
	if parsed != nil {
		if alg, ok := parsed.Header["alg"]; ok && alg != jwt.SigningMethodEdDSA.Alg() {
			return fmt.Errorf("%w but %.20q", ErrAlgorithm, fmt.Sprint(alg))
		}
	}
	if errors.Is(err, jwt.ErrTokenSignatureInvalid) {
		return ErrSignature
	}
	return fmt.Errorf("%w: want a signed JWT", ErrMalformed)
}

func (v *Verifier) checkPlace(c wire.Claims) error {
	if c.Issuer != v.o.Issuer {
		return fmt.Errorf("%w: from %.80q, want %q", ErrIssuer, c.Issuer, v.o.Issuer)
	}
	if c.Audience != v.o.Audience {
		return fmt.Errorf("%w: for %.80q, this is %q", ErrAudience, c.Audience, v.o.Audience)
	}
	return nil
}

func checkWant(c wire.Claims, want Want) error {
	if want.Session != "" && c.Session != want.Session {
		return fmt.Errorf("%w: for %.80q, this is %.80q", ErrSession, c.Session, want.Session)
	}
	if want.Role != "" && c.Role != want.Role {
		return fmt.Errorf("%w: for a %.20s, this is for a %s", ErrRole, c.Role, want.Role)
	}
	return nil
}

func (v *Verifier) checkTime(c wire.Claims, now time.Time) error {
	issued, expires := c.Issued(), time.Unix(c.Expires, 0)
	switch ahead := now.Add(Leeway); {
	case c.Expires-c.IssuedAt > int64(wire.TicketLifetime/time.Second) || c.Expires < c.IssuedAt:
		return fmt.Errorf("%w: %d s, want 0 to %s", ErrLifetime, c.Expires-c.IssuedAt, wire.TicketLifetime)
	case !now.Before(expires):
		return fmt.Errorf("%w: %s ago; ask for a fresh one", ErrExpired, now.Sub(expires).Round(time.Second))
	case time.Unix(c.NotBefore, 0).After(ahead) || issued.After(ahead):
		return fmt.Errorf("%w: it is from %s ahead of this clock; compare the two clocks", ErrNotYet, issued.Sub(now).Round(time.Second))
	case issued.Before(v.started):
		return fmt.Errorf("%w; ask for a fresh one", ErrBeforeStart)
	}
	return nil
}

// use notes the ticket as used.
func (v *Verifier) use(c wire.Claims, now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, used := v.used[c.ID]; used {
		return fmt.Errorf("%w: a ticket opens one connection; ask for a fresh one", ErrUsed)
	}
	if now.Sub(v.swept) >= wire.TicketLifetime/2 || len(v.used) >= maxUsed {
		v.sweep(now)
	}
	if len(v.used) >= maxUsed {
		return ErrBusy
	}
	v.used[c.ID] = time.Unix(c.Expires, 0)
	return nil
}

// sweep forgets the tickets that have expired, at most once a second.
func (v *Verifier) sweep(now time.Time) {
	if now.Sub(v.swept) < time.Second {
		return
	}
	v.swept = now
	for id, expires := range v.used {
		if !now.Before(expires) {
			delete(v.used, id)
		}
	}
}
