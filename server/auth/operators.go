package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Operator may log in with a password.
type Operator struct {
	Name         string
	PasswordHash string // argon2id, PHC form
}

// Token is a token's hash, and whose it is: an operator's name, or a host's.
type Token struct {
	Name string
	Hash string // of [HashToken]
}

// Why an operator's call or login is refused.
var (
	ErrNotLoggedIn   = errors.New("not logged in: want Authorization: Bearer TOKEN, or the cookie of POST /v1/login")
	ErrUnknownToken  = errors.New("the token is not known here, or was revoked")
	ErrWrongPassword = errors.New("the name or the password is wrong")
)

// TooManyError says that somebody must wait before trying again.
type TooManyError struct{ RetryAfter time.Duration }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("too many tries: wait %s", e.RetryAfter.Round(time.Second))
}

// OperatorsOptions are all needed; Operators and Tokens may be empty.
type OperatorsOptions struct {
	Dir       string // the secrets folder, where sessions are kept over restarts
	Operators []Operator
	Tokens    []Token
	Secure    bool // the service is reached by HTTPS
	Now       func() time.Time
}

// Operators knows who may operate. It is safe for concurrent use.
type Operators struct {
	o        OperatorsOptions
	hashes   map[string]hash // by name
	decoy    hash            // compared with when the name is unknown
	sessions *sessions
	byAddr   *buckets
	byName   *buckets
	hashing  chan struct{} // bounds how many passwords are hashed at once
}

// Login limits: tries from one address, and wrong ones for one name, so that a
// password is not guessed from many addresses either.
const (
	loginEvery     = 6 * time.Second
	loginBurst     = 10
	wrongEvery     = 3 * time.Second
	wrongBurst     = 20
	hashesAtOnce   = 2 // of up to 256 MiB each
	loginAddresses = 10_000
)

// OpenOperators reads the sessions that are still valid.
func OpenOperators(o OperatorsOptions) (*Operators, error) {
	out := &Operators{
		o: o, hashes: map[string]hash{}, decoy: hash{memoryKiB: 19 << 10, passes: 2, lanes: 1, salt: make([]byte, 16), key: make([]byte, 32)},
		byAddr:  newBuckets(bucketOptions{every: loginEvery, burst: loginBurst, most: loginAddresses, now: o.Now}),
		byName:  newBuckets(bucketOptions{every: wrongEvery, burst: wrongBurst, most: loginAddresses, now: o.Now}),
		hashing: make(chan struct{}, hashesAtOnce),
	}
	for _, op := range o.Operators {
		h, err := parseHash(op.PasswordHash)
		if err != nil {
			return nil, fmt.Errorf("password of operator %s: %w", op.Name, err)
		}
		out.hashes[op.Name] = h
		out.decoy.memoryKiB, out.decoy.passes, out.decoy.lanes = h.memoryKiB, h.passes, h.lanes
	}
	var err error
	out.sessions, err = openSessions(o.Dir, o.Now)
	return out, err
}

// Operator names who makes the call: by an API token, or else by the cookie of a
// session, which the second result says. A call with a wrong token is refused
// even if it has a cookie too.
func (o *Operators) Operator(r *http.Request) (name string, cookie bool, err error) {
	if token := Bearer(r); token != "" {
		name, err = o.byToken(token)
		return name, false, err
	}
	c, err := r.Cookie(o.cookieName())
	if err != nil {
		return "", false, ErrNotLoggedIn
	}
	s, ok := o.sessions.find(c.Value)
	h, known := o.hashes[s.Name]
	if !ok || !known || s.Password != fingerprint(h) {
		return "", false, ErrNotLoggedIn
	}
	return s.Name, true, nil
}

// byToken compares with every token, so that the time tells nothing.
func (o *Operators) byToken(token string) (name string, err error) {
	h, err := HashToken(token), ErrUnknownToken
	for _, t := range o.o.Tokens {
		if sameHash(h, t.Hash) {
			name, err = t.Name, nil
		}
	}
	return name, err
}

// Credentials are what somebody logs in with, and from where.
type Credentials struct {
	Name, Password string
	Address        string // as [Proxies.Client] gives it
}

// Login checks a password and gives the session's cookie. The error is
// [ErrWrongPassword] or a [TooManyError].
func (o *Operators) Login(ctx context.Context, c Credentials) (*http.Cookie, error) {
	if wait := o.byAddr.take(addressKey(c.Address)); wait > 0 {
		return nil, &TooManyError{wait}
	}
	if wait := o.byName.look(nameKey(c.Name)); wait > 0 {
		return nil, &TooManyError{wait}
	}
	h, known := o.hashes[c.Name]
	if !known {
		h = o.decoy
	}
	right, err := o.matches(ctx, h, c.Password)
	if err != nil {
		return nil, err
	}
	if !known || !right {
		o.byName.take(nameKey(c.Name))
		return nil, ErrWrongPassword
	}
	id, err := o.sessions.start(c.Name, fingerprint(h))
	if err != nil {
		return nil, fmt.Errorf("starting a session: %w", err)
	}
	return o.cookie(id, sessionLife), nil
}

// nameKey keeps what is no name at all from taking memory.
func nameKey(name string) string {
	if !ValidName(name) {
		return ""
	}
	return name
}

// matches hashes the password when it is its turn.
func (o *Operators) matches(ctx context.Context, h hash, password string) (bool, error) {
	select {
	case o.hashing <- struct{}{}:
		defer func() { <-o.hashing }()
		return h.matches(password), nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Logout ends the session of the call's cookie for good, and gives the cookie
// that makes the browser forget it.
func (o *Operators) Logout(r *http.Request) (*http.Cookie, error) {
	forget := o.cookie("", -time.Second)
	for _, c := range r.CookiesNamed(o.cookieName()) {
		if err := o.sessions.end(c.Value); err != nil {
			return forget, err
		}
	}
	return forget, nil
}

func (o *Operators) cookieName() string {
	if o.o.Secure {
		return "__Host-rendergate" // browsers take it over HTTPS for this host alone
	}
	return "rendergate_session"
}

func (o *Operators) cookie(value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: o.cookieName(), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: o.o.Secure, SameSite: http.SameSiteStrictMode,
	}
}
