package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// hash is an argon2id hash of a password, as the PHC string format has it:
// $argon2id$v=19$m=65536,t=3,p=4$SALT$HASH.
type hash struct {
	memoryKiB, passes uint32
	lanes             uint8
	salt, key         []byte
}

// Bounds of a hash's cost: below them a stolen hash is soon guessed, above them a
// config makes each login take minutes, or all memory.
const (
	minMemoryKiB = 8 << 10   // 8 MiB
	maxMemoryKiB = 256 << 10 // 256 MiB
	maxPasses    = 16
	maxWorkKiB   = 1 << 20 // memory times passes: about a second
	maxLanes     = 16
	minSalt      = 8
	minKey       = 16
	maxField     = 64
	maxHashText  = 512
)

// MaxPassword bounds a password, in bytes.
const MaxPassword = 1024

// HashPassword hashes a password with argon2id (64 MiB, 3 passes, 4 lanes: RFC
// 9106's second choice) for the config's password_hash.
func HashPassword(password string) (string, error) {
	if password == "" || len(password) > MaxPassword {
		return "", fmt.Errorf("the password has %d bytes; want 1 to %d", len(password), MaxPassword)
	}
	h := hash{memoryKiB: 64 << 10, passes: 3, lanes: 4, salt: make([]byte, 16)}
	_, _ = rand.Read(h.salt) // never fails
	h.key = h.derive(password, 32)
	return h.String(), nil
}

// CheckHash says what is wrong with a password hash; nil if it can be used.
func CheckHash(text string) error {
	_, err := parseHash(text)
	return err
}

// VerifyPassword says whether the password is the hash's. Comparing takes the
// same time wherever the two differ.
func VerifyPassword(hashText, password string) (bool, error) {
	h, err := parseHash(hashText)
	if err != nil {
		return false, err
	}
	return h.matches(password), nil
}

func (h hash) derive(password string, n uint32) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memoryKiB, h.lanes, n)
}

func (h hash) matches(password string) bool {
	if len(password) > MaxPassword {
		return false
	}
	key := h.derive(password, uint32(len(h.key))) //nolint:gosec // at most maxField
	return subtle.ConstantTimeCompare(key, h.key) == 1
}

// String gives the PHC form.
func (h hash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memoryKiB, h.passes, h.lanes,
		b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

var errHash = errors.New(`want an argon2id hash such as $argon2id$v=19$m=65536,t=3,p=4$SALT$HASH; "rendergate config hash-password" makes one`)

// parseHash reads the PHC form and refuses costs out of bounds.
func parseHash(text string) (hash, error) {
	parts := strings.Split(text, "$")
	if len(text) > maxHashText || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return hash{}, errHash
	}
	if parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return hash{}, fmt.Errorf("want argon2id version v=%d, got %q", argon2.Version, parts[2])
	}
	h, err := parseCosts(parts[3])
	if err != nil {
		return hash{}, err
	}
	if h.salt, err = parseField("salt", parts[4], minSalt); err != nil {
		return hash{}, err
	}
	h.key, err = parseField("hash", parts[5], minKey)
	return h, err
}

// parseCosts reads "m=65536,t=3,p=4", in that order as the format has it.
func parseCosts(text string) (hash, error) {
	var values [3]uint32
	parts := strings.Split(text, ",")
	for i, prefix := range []string{"m=", "t=", "p="} {
		if len(parts) != len(values) {
			return hash{}, errHash
		}
		digits, ok := strings.CutPrefix(parts[i], prefix)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || strconv.FormatUint(n, 10) != digits {
			return hash{}, errHash
		}
		values[i] = uint32(n)
	}
	m, t, p := values[0], values[1], values[2]
	switch {
	case m < minMemoryKiB || m > maxMemoryKiB:
		return hash{}, fmt.Errorf("argon2id memory m=%d is out of bounds; want %d to %d KiB", m, minMemoryKiB, maxMemoryKiB)
	case t < 1 || t > maxPasses || uint64(m)*uint64(t) > maxWorkKiB:
		return hash{}, fmt.Errorf("argon2id passes t=%d are out of bounds; want 1 to %d, and memory times passes at most %d KiB", t, maxPasses, maxWorkKiB)
	case p < 1 || p > maxLanes:
		return hash{}, fmt.Errorf("argon2id lanes p=%d are out of bounds; want 1 to %d", p, maxLanes)
	}
	return hash{memoryKiB: m, passes: t, lanes: uint8(p)}, nil //nolint:gosec // at most maxLanes
}

func parseField(name, text string, least int) ([]byte, error) {
	data, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || len(data) < least || len(data) > maxField {
		return nil, fmt.Errorf("the %s of the argon2id hash is damaged; want %d to %d bytes of base64 without padding", name, least, maxField)
	}
	return data, nil
}
