package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"github.com/rendergate/rendergate/server/auth/secret"
)

// SessionsFile keeps operators' sessions over a restart, by the hash of their
// cookie.
const SessionsFile = "operator-sessions.json"

const (
	sessionLife = 12 * time.Hour
	maxSessions = 200 // at once; the oldest goes first
)

// session is one login of an operator.
type session struct {
	Name     string    `json:"name"`
	Password string    `json:"password"` // fingerprint: another password ends the session
	Expires  time.Time `json:"expires"`
}

// sessions is what is logged in. Every change is on disk before it counts.
type sessions struct {
	path string
	now  func() time.Time
	mu   sync.Mutex
	byID map[string]session // by the hash of the cookie's value
}

type sessionFile struct {
	Version  int                `json:"version"`
	Sessions map[string]session `json:"sessions"`
}

func openSessions(dir string, now func() time.Time) (*sessions, error) {
	s := &sessions{path: filepath.Join(dir, SessionsFile), now: now, byID: map[string]session{}}
	var file sessionFile
	if err := readState(s.path, "remove it, and operators log in again", &file); err != nil {
		return nil, err
	}
	if file.Sessions != nil {
		s.byID = file.Sessions
	}
	return s, nil
}

func (s *sessions) find(id string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.byID[HashToken(id)]
	return found, ok && s.now().Before(found.Expires)
}

// start makes a session and gives the value of its cookie.
func (s *sessions) start(name, password string) (id string, err error) {
	id = NewToken("")
	now := s.now()
	err = s.change(func(m map[string]session) {
		m[HashToken(id)] = session{Name: name, Password: password, Expires: now.Add(sessionLife)}
		if len(m) > maxSessions {
			delete(m, oldest(m))
		}
	})
	return id, err
}

func (s *sessions) end(id string) error {
	return s.change(func(m map[string]session) { delete(m, HashToken(id)) })
}

// change writes the changed sessions, without the expired ones, and takes them
// over once they are on disk.
func (s *sessions) change(f func(map[string]session)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(s.byID)
	now := s.now()
	maps.DeleteFunc(next, func(_ string, x session) bool { return !now.Before(x.Expires) })
	f(next)
	if maps.Equal(next, s.byID) {
		return nil
	}
	data, err := json.Marshal(sessionFile{Version: stateVersion, Sessions: next})
	if err != nil {
		return err
	}
	if err := secret.Write(s.path, data); err != nil {
		return err
	}
	s.byID = next
	return nil
}

func oldest(m map[string]session) (id string) {
	for k, x := range m {
		if id == "" || x.Expires.Before(m[id].Expires) {
			id = k
		}
	}
	return id
}

// fingerprint tells one password hash from another; who reads it has still to
// guess through argon2id.
func fingerprint(h hash) string {
	sum := sha256.Sum256([]byte(h.String()))
	return hex.EncodeToString(sum[:16])
}
