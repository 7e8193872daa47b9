package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/rendergate/rendergate/server/auth/secret"
)

// HostTokensFile keeps the hashes of the tokens that hosts were given.
const HostTokensFile = "host-tokens.json"

// Why a host is refused. [ErrUnknownToken] is another reason.
var (
	ErrNoToken      = errors.New("no token: want Authorization: Bearer TOKEN")
	ErrWrongHost    = errors.New("the token is for another host")
	ErrHasToken     = errors.New("the host has a token of its own already")
	ErrBadHostName  = errors.New("not a host's name")
	ErrHostNotKnown = errors.New("no such host has enrolled")
)

// Hosts knows which token is whose. It is safe for concurrent use.
type Hosts struct {
	path   string
	config []Token // of the config and of the first start; the name [Wildcard] only enrols

	mu   sync.Mutex
	file map[string]enrolled // by host
}

// enrolled is a host that was given a token. Until the token has been used the
// host may enrol again: it may never have got it.
type enrolled struct {
	Hash string `json:"token_hash"`
	Used bool   `json:"used"`
}

type hostFile struct {
	Version int                 `json:"version"`
	Hosts   map[string]enrolled `json:"hosts"`
}

// OpenHosts reads the tokens that hosts were given, from the secrets folder.
func OpenHosts(dir string, config []Token) (*Hosts, error) {
	h := &Hosts{path: filepath.Join(dir, HostTokensFile), config: config, file: map[string]enrolled{}}
	var file hostFile
	if err := readState(h.path, "restore it, or remove it and let every host enrol again", &file); err != nil {
		return nil, err
	}
	if file.Hosts != nil {
		h.file = file.Hosts
	}
	return h, nil
}

// Grant is what a host's token allows.
type Grant struct {
	Host  string
	Enrol bool // the token only enrols: give the host one of its own with [Hosts.Enrol]
}

// Check says whether the token lets the named host in. The error is one of this
// package's, with the host that the token is for, never with the token.
func (h *Hosts) Check(token, host string) (Grant, error) {
	switch {
	case !ValidName(host):
		return Grant{}, fmt.Errorf(`%w: want 1 to 64 letters, digits, ".", "_" or "-", got %.80q`, ErrBadHostName, host)
	case token == "":
		return Grant{}, ErrNoToken
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	owner, ok := h.owner(HashToken(token))
	switch {
	case !ok:
		return Grant{}, ErrUnknownToken
	case owner == host:
		return Grant{Host: host}, h.markUsed(host, HashToken(token))
	case owner != Wildcard:
		return Grant{}, fmt.Errorf("%w: for %q, not for %q", ErrWrongHost, owner, host)
	}
	if err := h.mayEnrol(host); err != nil {
		return Grant{}, err
	}
	return Grant{Host: host, Enrol: true}, nil
}

// owner finds whose token it is, comparing with all of them.
func (h *Hosts) owner(hash string) (name string, ok bool) {
	for _, t := range h.config {
		if sameHash(hash, t.Hash) {
			name, ok = t.Name, true
		}
	}
	for host, e := range h.file {
		if sameHash(hash, e.Hash) {
			name, ok = host, true
		}
	}
	return name, ok
}

// mayEnrol refuses a host that has a token: who holds the one that only enrols
// must not take over the name of a host that works.
func (h *Hosts) mayEnrol(host string) error {
	inConfig := slices.ContainsFunc(h.config, func(t Token) bool { return t.Name == host })
	if inConfig || h.file[host].Used {
		return fmt.Errorf("%w: %q connects with that one; if it is lost, revoke it and the host can enrol again", ErrHasToken, host)
	}
	return nil
}

func (h *Hosts) markUsed(host, hash string) error {
	e, ok := h.file[host]
	if !ok || e.Used || !sameHash(hash, e.Hash) {
		return nil
	}
	e.Used = true
	return h.change(func(m map[string]enrolled) { m[host] = e })
}

// maxHosts bounds how many hosts can enrol.
const maxHosts = 10_000

// Enrol makes a token for the host, and returns it this once: only its hash is
// kept. A host that has used its token is refused until [Hosts.Revoke].
func (h *Hosts) Enrol(host string) (token string, err error) {
	if !ValidName(host) {
		return "", ErrBadHostName
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.mayEnrol(host); err != nil {
		return "", err
	}
	if _, known := h.file[host]; !known && len(h.file) >= maxHosts {
		return "", fmt.Errorf("%d hosts have enrolled, which is the most: revoke those that are gone", maxHosts)
	}
	token = NewToken(HostToken)
	return token, h.change(func(m map[string]enrolled) { m[host] = enrolled{Hash: HashToken(token)} })
}

// Revoke makes the token that the host was given worthless; the host can enrol
// again. A token in the config is revoked there.
func (h *Hosts) Revoke(host string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.file[host]; !ok {
		return fmt.Errorf("revoking the token of %.80q: %w", host, ErrHostNotKnown)
	}
	return h.change(func(m map[string]enrolled) { delete(m, host) })
}

// Enrolled are the hosts that were given a token, in order.
func (h *Hosts) Enrolled() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.file))
}

// change writes the changed tokens, and takes them over once they are on disk.
func (h *Hosts) change(f func(map[string]enrolled)) error {
	next := maps.Clone(h.file)
	f(next)
	data, err := json.MarshalIndent(hostFile{Version: stateVersion, Hosts: next}, "", "  ")
	if err != nil {
		return err
	}
	if err := secret.Write(h.path, append(data, '\n')); err != nil {
		return err
	}
	h.file = next
	return nil
}
