package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/rendergate/rendergate/server/auth/secret"
)

// Files of the secrets folder; each can be read by its owner only.
const (
	PasswordFile = "operator-password" // the first operator's password
	APITokenFile = "operator-token"    // an API token
	HostFile     = "host-token"        // a token with which hosts enrol
)

// FirstOperator is the operator that the first start makes.
const FirstOperator = "admin"

// Need says what the config leaves out, so that it is to be made.
type Need struct {
	Operator bool // the config has no operators
	Hosts    bool // the config has no hosts
}

// Secrets are what stands in the files, as [Need] asked for; the rest is zero.
type Secrets struct {
	Operators []Operator
	APITokens []Token
	Hosts     []Token
	Made      []Made // made by this very start; empty at every later one
}

// Made is a secret that was just made: show it on a terminal once, never log it.
type Made struct {
	What, File, Value string
}

// EnsureSecrets reads the secrets of the folder, and makes those that are needed
// and absent. It refuses a file that others than its owner can read.
func EnsureSecrets(dir string, need Need) (Secrets, error) {
	var s Secrets
	if need.Operator {
		password, err := s.ensure(dir, Made{What: "password of operator " + FirstOperator, File: PasswordFile, Value: rand.Text()})
		if err != nil {
			return Secrets{}, err
		}
		token, err := s.ensure(dir, Made{What: "API token of operator " + FirstOperator, File: APITokenFile, Value: NewToken(APIToken)})
		if err != nil {
			return Secrets{}, err
		}
		s.Operators = []Operator{{Name: FirstOperator, PasswordHash: fileHash(password)}}
		s.APITokens = []Token{{Name: FirstOperator, Hash: HashToken(token)}}
	}
	if need.Hosts {
		token, err := s.ensure(dir, Made{What: "token with which hosts enrol", File: HostFile, Value: NewToken(HostToken)})
		if err != nil {
			return Secrets{}, err
		}
		s.Hosts = []Token{{Name: Wildcard, Hash: HashToken(token)}}
	}
	return s, nil
}

// ensure gives what stands in the file, or puts the value there.
func (s *Secrets) ensure(dir string, m Made) (string, error) {
	m.File = filepath.Join(dir, m.File)
	data, err := secret.Read(m.File)
	if errors.Is(err, fs.ErrNotExist) {
		s.Made = append(s.Made, m)
		return m.Value, secret.Write(m.File, []byte(m.Value+"\n"))
	}
	if err != nil {
		return "", err
	}
	value := strings.TrimSpace(string(data))
	if len(value) < minSecret || len(value) > MaxPassword {
		return "", fmt.Errorf("%s has %d characters; want %d to %d, or remove the file to have a new one made", m.File, len(value), minSecret, MaxPassword)
	}
	return value, nil
}

// minSecret keeps an operator from putting a word there.
const minSecret = 12

// fileHash hashes a password that stands in a file anyway. The salt follows from
// it, so that the hash is the same at every start and sessions stay valid; the
// hash itself is never stored.
func fileHash(password string) string {
	salt := sha256.Sum256([]byte("rendergate " + PasswordFile + "\x00" + password))
	h := hash{memoryKiB: 19 << 10, passes: 2, lanes: 1, salt: salt[:16]}
	h.key = h.derive(password, 32)
	return h.String()
}
