package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rendergate/rendergate/probe/wire/keyset"
)

// Why a player's identity is refused.
var (
	ErrIdentityNeeded = errors.New("this service wants players who are logged in: send an identity")
	ErrIdentity       = errors.New("the identity is not valid")
)

// PlayersOptions say where players' identities come from. Without a JWKSURL
// there are none, and whatever is sent is ignored.
type PlayersOptions struct {
	JWKSURL  string
	Issuer   string // wanted iss; empty: any
	Audience string // wanted aud; empty: any
	Required bool
	Client   *http.Client // with a time-out
	Now      func() time.Time
}

// Players checks the JWT with which a player says who it is. It is safe for
// concurrent use.
type Players struct {
	o      PlayersOptions
	keys   *keyset.Set[playerKey]
	parser *jwt.Parser
}

// Player is who somebody is by the operator's own login; zero: nobody known.
type Player struct {
	Identity string // the token's sub
	Class    string // the token's class; empty: the pool's default
}

const playerLeeway = 30 * time.Second

// NewPlayers makes the check. It fetches keys when the first token comes.
func NewPlayers(o PlayersOptions) *Players {
	options := []jwt.ParserOption{
		jwt.WithValidMethods(playerMethods()), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(playerLeeway), jwt.WithTimeFunc(o.Now), jwt.WithStrictDecoding(),
	}
	if o.Issuer != "" {
		options = append(options, jwt.WithIssuer(o.Issuer))
	}
	if o.Audience != "" {
		options = append(options, jwt.WithAudience(o.Audience))
	}
	return &Players{
		o: o, parser: jwt.NewParser(options...),
		keys: keyset.New(keyset.Options[playerKey]{URL: o.JWKSURL, Client: o.Client, Now: o.Now, Parse: parsePlayerKeys}),
	}
}

// playerClaims are the claims that are looked at.
type playerClaims struct {
	jwt.RegisteredClaims
	Class string `json:"class"`
}

// Check says who the token stands for. Without one it is nobody, or
// [ErrIdentityNeeded]. A token that is sent must be right, even where none is
// needed: else a lapsed login would go unnoticed.
func (p *Players) Check(ctx context.Context, token string) (Player, error) {
	switch {
	case p.o.JWKSURL == "":
		return Player{}, nil
	case token == "" && p.o.Required:
		return Player{}, ErrIdentityNeeded
	case token == "":
		return Player{}, nil
	case len(token) > maxToken:
		return Player{}, fmt.Errorf("%w: it has %d bytes, want at most %d", ErrIdentity, len(token), maxToken)
	}
	var c playerClaims
	_, err := p.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) { return p.key(ctx, t) })
	if err != nil {
		return Player{}, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	if c.Subject == "" || len(c.Subject) > maxIdentity || len(c.Class) > maxIdentity {
		return Player{}, fmt.Errorf("%w: sub has %d and class %d bytes, want 1 to %d and 0 to %d", ErrIdentity, len(c.Subject), len(c.Class), maxIdentity, maxIdentity)
	}
	return Player{Identity: c.Subject, Class: c.Class}, nil
}

const maxIdentity = 256

// key finds the token's key, and holds the token to that key's own algorithms:
// what a token says of its algorithm is not to be believed.
func (p *Players) key(ctx context.Context, t *jwt.Token) (any, error) {
	id, _ := t.Header["kid"].(string)
	k, err := p.keys.Key(ctx, id)
	if err != nil {
		return nil, err
	}
	if !k.allows(t.Method.Alg()) {
		return nil, fmt.Errorf("algorithm %s is not the key's", t.Method.Alg())
	}
	return k.public, nil
}
