package ticket_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
	check "github.com/rendergate/rendergate/probe/wire/ticket"
	"github.com/rendergate/rendergate/server/ticket"
)

const issuer = "https://gate.example.com"

func open(t *testing.T, dir string) *ticket.Signer {
	t.Helper()
	s, err := ticket.Open(ticket.Options{Dir: dir, Issuer: issuer, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func grant() wire.Claims {
	return wire.Claims{Audience: "render-1", Client: "c1", Session: "s1", Role: "player", Pool: "showroom"}
}

// gate is a verifier that knows the keys as they are now.
func gate(t *testing.T, s *ticket.Signer) *check.Verifier {
	t.Helper()
	data, err := s.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := check.ParseKeys(data)
	if err != nil {
		t.Fatal(err)
	}
	return check.New(check.Options{Keys: keys, Issuer: issuer, Audience: "render-1", Now: time.Now})
}

func TestIssue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		g := gate(t, s)
		token, expires, err := s.Issue(grant())
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Until(expires); d > wire.TicketLifetime || d < wire.TicketLifetime-time.Second {
			t.Fatalf("valid for %s", d)
		}
		c, err := g.Verify(t.Context(), token, check.Want{Session: "s1", Role: "player"})
		if err != nil || c.Client != "c1" || c.Pool != "showroom" || c.Expires != expires.Unix() || len(c.ID) < 26 {
			t.Fatalf("got %+v, %v", c, err)
		}
		if again, _, _ := s.Issue(grant()); again == token {
			t.Fatal("two tickets are the same")
		}
	})
}

func TestIssueRefusesIncomplete(t *testing.T) {
	s := open(t, t.TempDir())
	for name, change := range map[string]func(*wire.Claims){
		"audience": func(c *wire.Claims) { c.Audience = "" }, "client": func(c *wire.Claims) { c.Client = "" },
		"session": func(c *wire.Claims) { c.Session = "" }, "role": func(c *wire.Claims) { c.Role = "admin" },
		"pool": func(c *wire.Claims) { c.Pool = strings.Repeat("x", 300) },
	} {
		c := grant()
		change(&c)
		if token, _, err := s.Issue(c); err == nil {
			t.Errorf("without %s: got %s; want an error", name, token)
		}
	}
}

func TestTicketsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		g := gate(t, s)
		token, expires, _ := s.Issue(grant())
		time.Sleep(time.Until(expires)) // the bubble's clock
		if _, err := g.Verify(t.Context(), token, check.Want{}); !errors.Is(err, check.ErrExpired) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestKeysSurviveRestart(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	g := gate(t, first)
	info, err := os.Stat(filepath.Join(dir, ticket.File))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key file is %v, %v; want mode 0600", info, err)
	}
	token, _, err := open(t, dir).Issue(grant())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Verify(t.Context(), token, check.Want{}); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	path := filepath.Join(dir, ticket.File)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"no JSON", "x", "restore it"}, {"empty", "{}", "version 0 with 0 keys"},
		{"another version", `{"version": 2, "keys": [{}]}`, "version 2"},
		{"damaged", strings.Replace(string(good), `"kid": "`, `"kid": "x`, 1), "damaged"},
		{"short seed", `{"version": 1, "keys": [{"kid": "a", "seed": "AAAA"}]}`, "damaged"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ticket.Open(ticket.Options{Dir: dir, Now: time.Now})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v; want %q", c.name, err, c.want)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ticket.Open(ticket.Options{Dir: dir, Now: time.Now}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by all: got %v", err)
	}
}

// TestRotateCutsNobodyOff lives through two rotations second by second, with a
// gate that looks at the keys once a minute, and restarts of the service between.
func TestRotateCutsNobodyOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		var old *check.Verifier
		used := map[string]bool{}
		var waiting []string // the tickets of the last minute, oldest first
		for second := range 1800 {
			switch second {
			case 61, 900:
				if _, err := s.Rotate(); err != nil {
					t.Fatal(err)
				}
			case 70, 400, 1300:
				s = open(t, dir)
			}
			if second%60 == 0 {
				old = gate(t, s)
			}
			token, _, err := s.Issue(grant())
			if err != nil {
				t.Fatal(err)
			}
			used[header(token)] = true
			if waiting = append(waiting, token); len(waiting) == 60 {
				knowsKey(t, old, waiting[0]) // with keys up to a minute old
				knowsKey(t, gate(t, s), waiting[0])
				waiting = waiting[1:]
			}
			time.Sleep(time.Second) // the bubble's clock
		}
		if len(used) != 3 {
			t.Fatalf("%d keys signed, want 3", len(used))
		}
		if data, _ := s.JWKS(); strings.Count(string(data), `"kid"`) != 1 {
			t.Fatalf("old keys are still shown: %s", data)
		}
	})
}

// knowsKey presents a ticket 59 s after it was issued, at its last moment. The
// gates of this test are younger than that, which they are told after they have
// found the signature right.
func knowsKey(t *testing.T, v *check.Verifier, token string) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token, check.Want{}); err != nil && !errors.Is(err, check.ErrBeforeStart) {
		t.Fatal(err)
	}
}

func header(token string) string { h, _, _ := strings.Cut(token, "."); return h }

func TestRotateTwiceAnnouncesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		first, err := s.Rotate()
		if err != nil || !first.Equal(time.Now().Add(ticket.Announce)) {
			t.Fatalf("got %v, %v", first, err)
		}
		time.Sleep(time.Minute)
		if second, err := s.Rotate(); err != nil || !second.Equal(first) {
			t.Fatalf("got %v, %v; want the one announced, %v", second, err, first)
		}
	})
}

func TestRunRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		before, _, _ := s.Issue(grant())
		time.Sleep(ticket.KeyLife + 2*time.Hour)
		after, _, _ := s.Issue(grant())
		if header(before) == header(after) {
			t.Fatal("the key is the same after its life")
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatalf("Run ended with %v", err)
		}
	})
}

func TestKeyForTheRelay(t *testing.T) {
	s := open(t, t.TempDir())
	v := check.New(check.Options{Keys: s, Issuer: issuer, Audience: "relay", Now: time.Now})
	c := grant()
	c.Audience, c.Role = "relay", "spectator"
	token, _, err := s.Issue(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), token, check.Want{Role: check.Spectator}); err != nil {
		t.Fatal(err)
	}
	other := open(t, t.TempDir())
	forged, _, _ := other.Issue(c)
	if _, err := v.Verify(t.Context(), forged, check.Want{}); !errors.Is(err, check.ErrUnknownKey) {
		t.Fatalf("of another service: %v", err)
	}
}

func FuzzKeyFile(f *testing.F) {
	f.Add([]byte(`{"version": 1, "keys": [{"kid": "a", "seed": "AAAA", "signs_from": "2026-11-20T12:00:00Z"}]}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ticket.File), data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := ticket.Open(ticket.Options{Dir: dir, Issuer: issuer, Now: time.Now})
		if err != nil {
			return
		}
		if _, _, err := s.Issue(grant()); err != nil {
			t.Fatalf("a key file that was read does not sign: %v", err)
		}
	})
}
