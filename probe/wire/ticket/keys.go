package ticket

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/rendergate/rendergate/probe/wire/keyset"
)

// Keys are public keys by key id.
type Keys map[string]ed25519.PublicKey

// Key gives the key with that id, or [ErrUnknownKey].
func (k Keys) Key(_ context.Context, id string) (ed25519.PublicKey, error) {
	if key, ok := k[id]; ok {
		return key, nil
	}
	return nil, ErrUnknownKey
}

// JWK is one Ed25519 public key as RFC 8037 writes it.
type JWK struct {
	Type  string `json:"kty"` // OKP
	Curve string `json:"crv"` // Ed25519
	Use   string `json:"use,omitempty"`
	Alg   string `json:"alg,omitempty"`
	ID    string `json:"kid"`
	X     string `json:"x"` // base64url, no padding
}

// JWKS is a key set as it is served at /.well-known/jwks.json.
type JWKS struct {
	Keys []JWK `json:"keys"`
}

// maxKeys bounds a key set; ours has two or three.
const maxKeys = 32

// ParseKeys reads a JWKS. Keys of other kinds and uses are left out; a set with
// no Ed25519 key, or with a malformed one, is an error.
func ParseKeys(data []byte) (Keys, error) {
	var set JWKS
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("reading the ticket keys: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the key set has %d keys; want at most %d", len(set.Keys), maxKeys)
	}
	keys := Keys{}
	for _, jwk := range set.Keys {
		if jwk.Type != "OKP" || jwk.Curve != "Ed25519" || (jwk.Use != "" && jwk.Use != "sig") {
			continue
		}
		x, err := base64.RawURLEncoding.DecodeString(jwk.X)
		if err != nil || len(x) != ed25519.PublicKeySize || jwk.ID == "" {
			return nil, fmt.Errorf("ticket key %q: want a kid and 32 bytes of base64url as x", jwk.ID)
		}
		keys[jwk.ID] = x
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set has no Ed25519 key")
	}
	return keys, nil
}

// Remote are the keys at a URL, fetched when they are needed; see [keyset.Set].
// Set all three fields. It is safe for concurrent use.
type Remote struct {
	URL    string
	Client *http.Client // with a time-out
	Now    func() time.Time

	once sync.Once
	set  *keyset.Set[ed25519.PublicKey]
}

// Key gives the key with that id; [ErrUnknownKey] if the set has none, another
// error if the set could not be had.
func (r *Remote) Key(ctx context.Context, id string) (ed25519.PublicKey, error) {
	r.once.Do(func() {
		r.set = keyset.New(keyset.Options[ed25519.PublicKey]{
			URL: r.URL, Client: r.Client, Now: r.Now,
			Parse: func(data []byte) (map[string]ed25519.PublicKey, error) { return ParseKeys(data) },
		})
	})
	key, err := r.set.Key(ctx, id)
	if errors.Is(err, keyset.ErrUnknown) {
		return nil, ErrUnknownKey
	}
	return key, err
}
