package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// playerKey is a public key of the operator's login, and what it may sign with.
type playerKey struct {
	public  crypto.PublicKey
	methods []string
}

func (k playerKey) allows(method string) bool { return slices.Contains(k.methods, method) }

// playerMethods are all algorithms that are taken: asymmetric ones, never none.
func playerMethods() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// jwk is a key as RFC 7517 writes it.
type jwk struct {
	Type  string `json:"kty"`
	Use   string `json:"use"`
	Alg   string `json:"alg"`
	ID    string `json:"kid"`
	Curve string `json:"crv"`
	X     string `json:"x"`
	Y     string `json:"y"`
	N     string `json:"n"`
	E     string `json:"e"`
}

const maxPlayerKeys = 64

// parsePlayerKeys reads a JWKS. Keys for other uses or of other kinds are left
// out, as a login may have those too; one that is damaged is an error.
func parsePlayerKeys(data []byte) (map[string]playerKey, error) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, err
	}
	if len(set.Keys) > maxPlayerKeys {
		return nil, fmt.Errorf("the key set has %d keys, want at most %d", len(set.Keys), maxPlayerKeys)
	}
	keys := map[string]playerKey{}
	for _, j := range set.Keys {
		if j.Use != "" && j.Use != "sig" {
			continue
		}
		k, err := j.key()
		if err != nil {
			return nil, fmt.Errorf("key %.80q: %w", j.ID, err)
		}
		if j.Alg != "" {
			k.methods = slices.DeleteFunc(k.methods, func(m string) bool { return m != j.Alg })
		}
		if len(k.methods) > 0 {
			keys[j.ID] = k
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set has no key that can sign")
	}
	return keys, nil
}

// key gives the zero key for a kind that is not taken.
func (j jwk) key() (playerKey, error) {
	switch j.Type {
	case "RSA":
		return j.rsa()
	case "EC":
		return j.ec()
	case "OKP":
		return j.ed25519()
	}
	return playerKey{}, nil
}

func (j jwk) rsa() (playerKey, error) {
	n, err := bytesOf("n", j.N)
	if err != nil {
		return playerKey{}, err
	}
	e, err := bytesOf("e", j.E)
	if err != nil {
		return playerKey{}, err
	}
	const least, most = 2048, 8192
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if bits := modulus.BitLen(); bits < least || bits > most || len(e) > 4 || exponent.Int64() < 3 || exponent.Bit(0) == 0 {
		return playerKey{}, fmt.Errorf("an RSA key of %d bits; want %d to %d, with a small odd exponent", bits, least, most)
	}
	return playerKey{
		public:  &rsa.PublicKey{N: modulus, E: int(exponent.Int64())},
		methods: []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
	}, nil
}

func (j jwk) ec() (playerKey, error) {
	var curve elliptic.Curve
	var method string
	switch j.Curve {
	case "P-256":
		curve, method = elliptic.P256(), "ES256"
	case "P-384":
		curve, method = elliptic.P384(), "ES384"
	case "P-521":
		curve, method = elliptic.P521(), "ES512"
	default:
		return playerKey{}, nil
	}
	x, err := bytesOf("x", j.X)
	if err != nil {
		return playerKey{}, err
	}
	y, err := bytesOf("y", j.Y)
	if err != nil {
		return playerKey{}, err
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(x) > size || len(y) > size {
		return playerKey{}, errors.New("x or y is too long for its curve")
	}
	point := make([]byte, 1+2*size) // uncompressed: 4, x, y
	point[0] = 4
	copy(point[1+size-len(x):], x)
	copy(point[1+2*size-len(y):], y)
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point) // refuses what is not on the curve
	return playerKey{public: public, methods: []string{method}}, err
}

func (j jwk) ed25519() (playerKey, error) {
	if j.Curve != "Ed25519" {
		return playerKey{}, nil
	}
	x, err := bytesOf("x", j.X)
	if err != nil || len(x) != ed25519.PublicKeySize {
		return playerKey{}, errors.New("want 32 bytes of base64url as x")
	}
	return playerKey{public: ed25519.PublicKey(x), methods: []string{"EdDSA"}}, nil
}

func bytesOf(name, text string) ([]byte, error) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(data) == 0 {
		return nil, fmt.Errorf("want base64url as %s", name)
	}
	return data, nil
}
