package ticket_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/ticket"
)

const (
	issuer = "https://gate.example.com"
	host   = "render-1"
	kid    = "k1"
)

// bench is a verifier with a clock that the test sets.
type bench struct {
	now    time.Time
	key    ed25519.PrivateKey
	verify *ticket.Verifier
}

func start() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 400e6, time.UTC) }

func newBench() *bench {
	b := &bench{now: start(), key: ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", 32)))}
	b.verify = ticket.New(ticket.Options{
		Keys:   ticket.Keys{kid: b.key.Public().(ed25519.PublicKey)},
		Issuer: issuer, Audience: host, Now: func() time.Time { return b.now },
	})
	b.now = b.now.Add(10 * time.Second)
	return b
}

func (b *bench) claims() wire.Claims {
	return wire.Claims{
		Issuer: issuer, Audience: host, Client: "c1", Session: "s1", Role: "player", Pool: "showroom", ID: "j1",
		IssuedAt: b.now.Unix(), IssuedAtMS: b.now.UnixMilli(), NotBefore: b.now.Unix(), Expires: b.now.Unix() + 60,
	}
}

func (b *bench) sign(c wire.Claims) string {
	return encode(map[string]any{"alg": "EdDSA", "typ": "JWT", "kid": kid}, c, func(s string) []byte {
		return ed25519.Sign(b.key, []byte(s))
	})
}

func encode(header, claims any, sign func(string) []byte) string {
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	text := base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(c)
	return text + "." + base64.RawURLEncoding.EncodeToString(sign(text))
}

func TestAccepts(t *testing.T) {
	b := newBench()
	want := b.claims()
	got, err := b.verify.Verify(t.Context(), b.sign(want), ticket.Want{Session: "s1", Role: ticket.Player})
	if err != nil || got != want {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestRefuses(t *testing.T) {
	with := func(change func(*wire.Claims)) func(*bench) string {
		return func(b *bench) string {
			c := b.claims()
			change(&c)
			return b.sign(c)
		}
	}
	otherKey := ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", 32)))
	for _, c := range []struct {
		name  string
		token func(*bench) string
		want  error
	}{
		{"empty", func(*bench) string { return "" }, ticket.ErrMalformed},
		{"no JWT", func(*bench) string { return "hello" }, ticket.ErrMalformed},
		{"too long", func(*bench) string { return strings.Repeat("a", ticket.MaxBytes+1) }, ticket.ErrMalformed},
		{"three dots", func(b *bench) string { return b.sign(b.claims()) + ".x" }, ticket.ErrMalformed},
		{"forged with another key", func(b *bench) string {
			return encode(map[string]any{"alg": "EdDSA", "kid": kid}, b.claims(), func(s string) []byte { return ed25519.Sign(otherKey, []byte(s)) })
		}, ticket.ErrSignature},
		{"signature of another ticket", func(b *bench) string {
			c := b.claims()
			c.Session = "s2"
			mine, others := strings.Split(b.sign(b.claims()), "."), strings.Split(b.sign(c), ".")
			return others[0] + "." + others[1] + "." + mine[2]
		}, ticket.ErrSignature},
		{"no signature", func(b *bench) string {
			parts := strings.Split(b.sign(b.claims()), ".")
			return parts[0] + "." + parts[1] + "."
		}, ticket.ErrSignature},
		{"alg none", func(b *bench) string {
			return encode(map[string]any{"alg": "none", "kid": kid}, b.claims(), func(string) []byte { return nil })
		}, ticket.ErrAlgorithm},
		{"alg None", func(b *bench) string {
			return encode(map[string]any{"alg": "None", "kid": kid}, b.claims(), func(string) []byte { return nil })
		}, ticket.ErrAlgorithm},
		{"HS256 with the public key", func(b *bench) string {
			return encode(map[string]any{"alg": "HS256", "kid": kid}, b.claims(), func(s string) []byte {
				sig, _ := jwt.SigningMethodHS256.Sign(s, []byte(b.key.Public().(ed25519.PublicKey)))
				return sig
			})
		}, ticket.ErrAlgorithm},
		{"no alg", func(b *bench) string {
			return encode(map[string]any{"kid": kid}, b.claims(), func(s string) []byte { return ed25519.Sign(b.key, []byte(s)) })
		}, ticket.ErrMalformed},
		{"alg that is no text", func(b *bench) string {
			return encode(map[string]any{"alg": 5, "kid": kid}, b.claims(), func(s string) []byte { return ed25519.Sign(b.key, []byte(s)) })
		}, ticket.ErrAlgorithm},
		{"unknown kid", func(b *bench) string {
			return encode(map[string]any{"alg": "EdDSA", "kid": "other"}, b.claims(), func(s string) []byte { return ed25519.Sign(b.key, []byte(s)) })
		}, ticket.ErrUnknownKey},
		{"no kid", func(b *bench) string {
			return encode(map[string]any{"alg": "EdDSA"}, b.claims(), func(s string) []byte { return ed25519.Sign(b.key, []byte(s)) })
		}, ticket.ErrUnknownKey},
		{"critical header", func(b *bench) string {
			return encode(map[string]any{"alg": "EdDSA", "kid": kid, "crit": []string{"x"}}, b.claims(), func(s string) []byte { return ed25519.Sign(b.key, []byte(s)) })
		}, ticket.ErrMalformed},
		{"issuer", with(func(c *wire.Claims) { c.Issuer = "https://evil.example.com" }), ticket.ErrIssuer},
		{"audience", with(func(c *wire.Claims) { c.Audience = "render-2" }), ticket.ErrAudience},
		{"audience list", func(b *bench) string {
			return encode(map[string]any{"alg": "EdDSA", "kid": kid}, map[string]any{"aud": []string{host}}, func(s string) []byte { return ed25519.Sign(b.key, []byte(s)) })
		}, ticket.ErrMalformed},
		{"session", with(func(c *wire.Claims) { c.Session = "s2" }), ticket.ErrSession},
		{"role", with(func(c *wire.Claims) { c.Role = "spectator" }), ticket.ErrRole},
		{"unknown role", with(func(c *wire.Claims) { c.Role = "admin" }), ticket.ErrMalformed},
		{"no jti", with(func(c *wire.Claims) { c.ID = "" }), ticket.ErrMalformed},
		{"no sub", with(func(c *wire.Claims) { c.Client = "" }), ticket.ErrMalformed},
		{"no exp", with(func(c *wire.Claims) { c.Expires = 0 }), ticket.ErrMalformed},
		{"expired now", with(func(c *wire.Claims) { c.IssuedAt -= 5; c.IssuedAtMS = 0; c.Expires = c.IssuedAt + 5 }), ticket.ErrExpired},
		{"too long a life", with(func(c *wire.Claims) { c.Expires = c.IssuedAt + 61 }), ticket.ErrLifetime},
		{"expires before issued", with(func(c *wire.Claims) { c.Expires = c.IssuedAt - 1 }), ticket.ErrLifetime},
		{"absurd expiry", with(func(c *wire.Claims) { c.Expires = 1 << 62 }), ticket.ErrMalformed},
		{"issued an hour ahead", with(func(c *wire.Claims) { c.IssuedAt += 3600; c.IssuedAtMS = 0; c.Expires += 3600 }), ticket.ErrNotYet},
		{"not before", with(func(c *wire.Claims) { c.NotBefore += 11 }), ticket.ErrNotYet},
		{"before the start", with(func(c *wire.Claims) { c.IssuedAt -= 11; c.IssuedAtMS = 0; c.Expires -= 11 }), ticket.ErrBeforeStart},
		{"just before the start", with(func(c *wire.Claims) {
			ms := start().UnixMilli() - 1
			c.IssuedAt, c.IssuedAtMS, c.Expires = ms/1000, ms, ms/1000+60
		}), ticket.ErrBeforeStart},
		{"iat_ms of another second", with(func(c *wire.Claims) { c.IssuedAtMS += 1000 }), ticket.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			token := c.token(b)
			_, err := b.verify.Verify(t.Context(), token, ticket.Want{Session: "s1", Role: ticket.Player})
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if len(token) > 20 && strings.Contains(err.Error(), token[10:20]) {
				t.Fatalf("the error carries the ticket: %v", err)
			}
			// None of these uses up the genuine ticket with the same jti.
			if _, err := b.verify.Verify(t.Context(), b.sign(b.claims()), ticket.Want{}); err != nil {
				t.Fatalf("the genuine ticket after it: %v", err)
			}
		})
	}
}

func TestStartIsExact(t *testing.T) {
	b := newBench()
	c := b.claims()
	ms := start().UnixMilli()
	c.IssuedAt, c.IssuedAtMS, c.NotBefore, c.Expires = ms/1000, ms, ms/1000, ms/1000+60
	if _, err := b.verify.Verify(t.Context(), b.sign(c), ticket.Want{}); err != nil {
		t.Fatalf("issued in the millisecond of the start: %v", err)
	}
}

func TestUsedOnce(t *testing.T) {
	b := newBench()
	token := b.sign(b.claims())
	for i, want := range []error{nil, ticket.ErrUsed, ticket.ErrUsed} {
		if _, err := b.verify.Verify(t.Context(), token, ticket.Want{}); !errors.Is(err, want) {
			t.Fatalf("time %d: got %v, want %v", i+1, err, want)
		}
	}
	// It stays refused in every second until it has expired, whatever is swept.
	for range 70 {
		b.now = b.now.Add(time.Second)
		c := b.claims()
		c.ID = strconv.FormatInt(b.now.Unix(), 10)
		if _, err := b.verify.Verify(t.Context(), b.sign(c), ticket.Want{}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.verify.Verify(t.Context(), token, ticket.Want{}); !errors.Is(err, ticket.ErrUsed) && !errors.Is(err, ticket.ErrExpired) {
			t.Fatalf("after %s: %v", b.now.Sub(start()), err)
		}
	}
}

func TestUsedOnceAmongMany(t *testing.T) {
	b := newBench()
	token := b.sign(b.claims())
	var passed atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := b.verify.Verify(context.Background(), token, ticket.Want{}); err == nil {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	if passed.Load() != 1 {
		t.Fatalf("%d of 50 passed, want 1", passed.Load())
	}
}

// FuzzVerify checks that nothing but a ticket signed by the key passes, and that
// nothing ends the process.
func FuzzVerify(f *testing.F) {
	b := newBench()
	good := b.sign(b.claims())
	f.Add(good)
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add(encode(map[string]any{"alg": "none"}, b.claims(), func(string) []byte { return nil }))
	f.Add("..")
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := newBench().verify.Verify(t.Context(), token, ticket.Want{}); err == nil && token != good {
			t.Fatalf("passed: %q", token)
		}
	})
}
