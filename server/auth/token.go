package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
)

// Token kinds: the front of a token says what it is, so that one that has leaked
// is told at sight, and one in the wrong place too.
const (
	APIToken  = "rg_api_"
	HostToken = "rg_host_"
)

const hashPrefix = "sha256:"

// NewToken makes a token of that kind with 256 random bits.
func NewToken(kind string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return kind + base64.RawURLEncoding.EncodeToString(b[:])
}

// HashToken gives the form in which tokens are kept: "sha256:" and 64 hex
// digits. Nothing slower is needed, since nobody guesses 256 random bits.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hashPrefix + hex.EncodeToString(sum[:])
}

// CheckTokenHash says what is wrong with a token_hash; nil if it can be used.
func CheckTokenHash(text string) error {
	digits, ok := strings.CutPrefix(text, hashPrefix)
	if raw, err := hex.DecodeString(digits); !ok || err != nil || len(raw) != sha256.Size || digits != strings.ToLower(digits) {
		return errors.New(`want "sha256:" and 64 hex digits in lower case, the SHA-256 of the token`)
	}
	return nil
}

// sameHash compares two token hashes in constant time.
func sameHash(a, b string) bool {
	return len(a) == len(b) && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

const maxToken = 4096

// Bearer takes the token from "Authorization: Bearer TOKEN"; "" if there is none.
func Bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || len(token) > maxToken {
		return ""
	}
	return strings.TrimSpace(token)
}
