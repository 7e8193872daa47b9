package ticket

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
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

// Remote are the keys at a URL, fetched when they are needed: an unknown id asks
// again, though never more than once in 5 s, however many forged tickets come.
// Set all three fields. It is safe for concurrent use.
type Remote struct {
	URL    string
	Client *http.Client // with a time-out
	Now    func() time.Time

	mu      sync.Mutex // held while fetching: one fetch serves all who wait
	keys    Keys
	fetched time.Time
	tried   time.Time
}

const (
	keysMaxAge   = time.Minute     // less than a new key is shown before it signs
	keysRetry    = 5 * time.Second // between two tries
	keysMaxBytes = 64 << 10
)

// Key gives the key with that id; [ErrUnknownKey] if the set has none, another
// error if the set could not be had.
func (r *Remote) Key(ctx context.Context, id string) (ed25519.PublicKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Now()
	key, known := r.keys[id]
	if known && now.Sub(r.fetched) < keysMaxAge {
		return key, nil
	}
	if r.tried.IsZero() || now.Sub(r.tried) >= keysRetry {
		r.tried = now
		keys, err := r.fetch(ctx)
		if err == nil {
			r.keys, r.fetched = keys, now
		} else if !known {
			return nil, fmt.Errorf("fetching the ticket keys: %w", err)
		}
	}
	// Old keys serve on while the service cannot be reached: it issues no ticket
	// meanwhile, so none is wrongly trusted.
	return r.keys.Key(ctx, id)
}

func (r *Remote) fetch(ctx context.Context) (Keys, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return nil, err
	}
	resp, err := r.Client.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, keysMaxBytes+1))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK || len(body) > keysMaxBytes {
		return nil, fmt.Errorf("%s answered %s with %d bytes", r.URL, resp.Status, len(body))
	}
	return ParseKeys(body)
}
