package ticket

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rendergate/rendergate/probe/wire"
)

// Roles of a ticket.
const (
	Player    = "player"
	Spectator = "spectator"
)

// Claims gives [wire.Claims] the methods golang-jwt asks for. It validates
// nothing here, so only their shape matters.
type Claims struct{ wire.Claims }

func date(unix int64) (*jwt.NumericDate, error) { return jwt.NewNumericDate(time.Unix(unix, 0)), nil }

// GetExpirationTime is for golang-jwt.
func (c Claims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Expires) }

// GetIssuedAt is for golang-jwt.
func (c Claims) GetIssuedAt() (*jwt.NumericDate, error) { return date(c.IssuedAt) }

// GetNotBefore is for golang-jwt.
func (c Claims) GetNotBefore() (*jwt.NumericDate, error) { return date(c.NotBefore) }

// GetIssuer is for golang-jwt.
func (c Claims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject is for golang-jwt.
func (c Claims) GetSubject() (string, error) { return c.Client, nil }

// GetAudience is for golang-jwt.
func (c Claims) GetAudience() (jwt.ClaimStrings, error) { return jwt.ClaimStrings{c.Audience}, nil }

const maxField = 256

// Complete refuses a ticket that lacks a claim, or has an absurd one.
func (c Claims) Complete() error {
	for _, f := range []struct{ name, value string }{
		{"iss", c.Issuer}, {"aud", c.Audience}, {"sub", c.Client}, {"sid", c.Session},
		{"jti", c.ID}, {"pool", c.Pool}, {"role", c.Role},
	} {
		if f.value == "" || len(f.value) > maxField {
			return fmt.Errorf("%w: claim %s has %d bytes, want 1 to %d", ErrMalformed, f.name, len(f.value), maxField)
		}
	}
	if c.Role != Player && c.Role != Spectator {
		return fmt.Errorf("%w: role %.20q, want player or spectator", ErrMalformed, c.Role)
	}
	for _, t := range []int64{c.IssuedAt, c.NotBefore, c.Expires} {
		if t <= 0 || t > maxUnix {
			return fmt.Errorf("%w: a time is %d, want seconds since 1970", ErrMalformed, t)
		}
	}
	if ms := c.IssuedAtMS; ms != 0 && ms/1000 != c.IssuedAt {
		return fmt.Errorf("%w: iat_ms %d and iat %d differ", ErrMalformed, ms, c.IssuedAt)
	}
	return nil
}

// maxUnix is in the year 9999: no sum of times below it overflows.
const maxUnix = 253402300799
