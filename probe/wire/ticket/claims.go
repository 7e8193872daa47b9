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

// claims gives [wire.Claims] the methods golang-jwt asks for. It validates
// nothing here, so only their shape matters.
type claims struct{ wire.Claims }

func date(unix int64) (*jwt.NumericDate, error) { return jwt.NewNumericDate(time.Unix(unix, 0)), nil }

func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Expires) }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return date(c.IssuedAt) }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return date(c.NotBefore) }
func (c *claims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c *claims) GetSubject() (string, error)                  { return c.Client, nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return jwt.ClaimStrings{c.Audience}, nil }

const maxField = 256

// complete refuses a ticket that lacks a claim, or has an absurd one.
func (c *claims) complete() error {
	for _, f := range []struct{ name, value string }{
		{"iss", c.Claims.Issuer}, {"aud", c.Claims.Audience}, {"sub", c.Client}, {"sid", c.Session},
		{"jti", c.ID}, {"pool", c.Pool}, {"role", c.Role},
	} {
		if f.value == "" || len(f.value) > maxField {
			return fmt.Errorf("%w: claim %s has %d bytes, want 1 to %d", ErrMalformed, f.name, len(f.value), maxField)
		}
	}
	if c.Role != Player && c.Role != Spectator {
		return fmt.Errorf("%w: role %.20q, want player or spectator", ErrMalformed, c.Role)
	}
	for _, t := range []int64{c.Claims.IssuedAt, c.Claims.NotBefore, c.Expires} {
		if t <= 0 || t > maxUnix {
			return fmt.Errorf("%w: a time is %d, want seconds since 1970", ErrMalformed, t)
		}
	}
	if ms := c.IssuedAtMS; ms != 0 && ms/1000 != c.Claims.IssuedAt {
		return fmt.Errorf("%w: iat_ms %d and iat %d differ", ErrMalformed, ms, c.Claims.IssuedAt)
	}
	return nil
}

// maxUnix is in the year 9999: no sum of times below it overflows.
const maxUnix = 253402300799
