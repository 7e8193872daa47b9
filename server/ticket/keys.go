package ticket

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/rendergate/rendergate/server/auth/secret"
)

// key is a signing key as the key file holds it.
type key struct {
	ID        string    `json:"kid"`
	Seed      []byte    `json:"seed"` // 32 bytes, from which both halves follow
	SignsFrom time.Time `json:"signs_from"`
}

type keyFile struct {
	Version int   `json:"version"`
	Keys    []key `json:"keys"`
}

func (k key) private() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k.Seed) }

func (k key) public() ed25519.PublicKey {
	return ed25519.PublicKey(k.private()[ed25519.SeedSize:]) // RFC 8032: the public half stands behind the seed
}

// newKey makes a key whose id follows from its public half, so that it is the
// same wherever it is worked out.
func newKey(signsFrom time.Time) key {
	k := key{Seed: make([]byte, ed25519.SeedSize), SignsFrom: signsFrom.UTC()}
	_, _ = rand.Read(k.Seed) // never fails; it ends the process instead
	k.ID = k.fingerprint()
	return k
}

func (k key) fingerprint() string {
	sum := sha256.Sum256(k.public())
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// current leaves out the keys whose last ticket is long expired: those whose
// successor has signed for longer than [keep]. A new slice.
func current(keys []key, now time.Time) []key {
	var kept []key
	for i, k := range keys {
		if i == len(keys)-1 || now.Before(keys[i+1].SignsFrom.Add(keep)) {
			kept = append(kept, k)
		}
	}
	return kept
}

// load reads the key file; without one it makes the first key, which signs at once.
func load(dir string, now time.Time) ([]key, error) {
	path := filepath.Join(dir, File)
	data, err := secret.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		keys := []key{newKey(now)}
		return keys, save(dir, keys)
	}
	if err != nil {
		return nil, err
	}
	keys, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; restore it, or remove it to start with a new key", path, err)
	}
	return keys, nil
}

func parse(data []byte) ([]key, error) {
	var file keyFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Version != 1 || len(file.Keys) == 0 {
		return nil, fmt.Errorf("version %d with %d keys; want version 1 with one or more", file.Version, len(file.Keys))
	}
	for _, k := range file.Keys {
		if len(k.Seed) != ed25519.SeedSize || k.ID != k.fingerprint() {
			return nil, fmt.Errorf("key %q is damaged", k.ID)
		}
	}
	if !slices.IsSortedFunc(file.Keys, func(a, b key) int { return a.SignsFrom.Compare(b.SignsFrom) }) {
		return nil, errors.New("the keys are not in order")
	}
	return file.Keys, nil
}

func save(dir string, keys []key) error {
	data, err := json.MarshalIndent(keyFile{Version: 1, Keys: keys}, "", "  ")
	if err != nil {
		return err
	}
	return secret.Write(filepath.Join(dir, File), append(data, '\n'))
}
