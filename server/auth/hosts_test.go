package auth_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/server/auth"
)

type gatehouse struct {
	dir, own, wildcard string
	*auth.Hosts
}

func newGatehouse(t *testing.T) *gatehouse {
	g := &gatehouse{dir: t.TempDir(), own: auth.NewToken(auth.HostToken), wildcard: auth.NewToken(auth.HostToken)}
	g.restart(t)
	return g
}

func (g *gatehouse) restart(t *testing.T) {
	t.Helper()
	h, err := auth.OpenHosts(g.dir, []auth.Token{{Name: "render-1", Hash: auth.HashToken(g.own)}, {Name: auth.Wildcard, Hash: auth.HashToken(g.wildcard)}})
	if err != nil {
		t.Fatal(err)
	}
	g.Hosts = h
}

func TestHostTokens(t *testing.T) {
	g := newGatehouse(t)
	minted, err := g.Enrol("render-2")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, token, host string
		want              auth.Grant
		err               error
		say               string
	}{
		{"its own, of the config", g.own, "render-1", auth.Grant{Host: "render-1"}, nil, ""},
		{"its own, minted", minted, "render-2", auth.Grant{Host: "render-2"}, nil, ""},
		{"another's", g.own, "render-2", auth.Grant{}, auth.ErrWrongHost, `for "render-1", not for "render-2"`},
		{"another's, minted", minted, "render-1", auth.Grant{}, auth.ErrWrongHost, `for "render-2", not for "render-1"`},
		{"the wildcard, for a new host", g.wildcard, "render-3", auth.Grant{Host: "render-3", Enrol: true}, nil, ""},
		{"the wildcard, for one of the config", g.wildcard, "render-1", auth.Grant{}, auth.ErrHasToken, "revoke"},
		{"the wildcard, for one that enrolled", g.wildcard, "render-2", auth.Grant{}, auth.ErrHasToken, "revoke"},
		{"the wildcard, as a host", g.wildcard, "*", auth.Grant{}, auth.ErrBadHostName, ""},
		{"a bad name", g.wildcard, "../x", auth.Grant{}, auth.ErrBadHostName, ""},
		{"none", "", "render-1", auth.Grant{}, auth.ErrNoToken, "Bearer"},
		{"unknown", auth.NewToken(auth.HostToken), "render-1", auth.Grant{}, auth.ErrUnknownToken, ""},
		{"the hash", auth.HashToken(g.own), "render-1", auth.Grant{}, auth.ErrUnknownToken, ""},
	} {
		got, err := g.Check(c.token, c.host)
		if got != c.want || !errors.Is(err, c.err) || (err != nil && !strings.Contains(err.Error(), c.say)) {
			t.Errorf("%s: got %+v, %v", c.what, got, err)
		}
		if err != nil && c.token != "" && strings.Contains(err.Error(), c.token) {
			t.Errorf("%s: the error carries the token", c.what)
		}
	}
}

func TestEnrol(t *testing.T) {
	g := newGatehouse(t)
	first, err := g.Enrol("render-9")
	if err != nil {
		t.Fatal(err)
	}
	// The answer was lost: the host comes with the wildcard again, and may.
	if got, err := g.Check(g.wildcard, "render-9"); err != nil || !got.Enrol {
		t.Fatalf("before its token was used: %+v, %v", got, err)
	}
	second, err := g.Enrol("render-9")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Check(first, "render-9"); !errors.Is(err, auth.ErrUnknownToken) {
		t.Fatalf("the token that was never used: %v", err)
	}
	g.restart(t)
	if _, err := g.Check(second, "render-9"); err != nil {
		t.Fatalf("after a restart: %v", err)
	}
	for range 2 { // used now, and known to be after a restart too
		if _, err := g.Check(g.wildcard, "render-9"); !errors.Is(err, auth.ErrHasToken) {
			t.Fatalf("the wildcard for a host that works: %v", err)
		}
		if _, err := g.Enrol("render-9"); !errors.Is(err, auth.ErrHasToken) {
			t.Fatalf("enrolling a host that works: %v", err)
		}
		g.restart(t)
	}
	if err := g.Revoke("render-9"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Check(second, "render-9"); !errors.Is(err, auth.ErrUnknownToken) {
		t.Fatalf("a revoked token: %v", err)
	}
	if _, err := g.Enrol("render-9"); err != nil {
		t.Fatalf("enrolling after it was revoked: %v", err)
	}
	if err := g.Revoke("render-1"); err == nil {
		t.Fatal("a token of the config cannot be revoked here")
	}
	if _, err := g.Enrol("render-1"); !errors.Is(err, auth.ErrHasToken) {
		t.Fatalf("enrolling a host of the config: %v", err)
	}
	if got := g.Enrolled(); len(got) != 1 || got[0] != "render-9" {
		t.Fatalf("enrolled: %v", got)
	}
}

func TestHostTokensFile(t *testing.T) {
	g := newGatehouse(t)
	token, err := g.Enrol("render-2")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(g.dir, auth.HostTokensFile)
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), token) {
		t.Fatalf("the file carries the token: %s, %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	for text, want := range map[string]string{"x": "cannot be read", `{"version": 3}`: "version 3", "": "cannot be read"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := auth.OpenHosts(g.dir, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.OpenHosts(g.dir, nil); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by the group: got %v", err)
	}
}

// TestEnrolNeedsDisk checks that a token that could not be written down is not given.
func TestEnrolNeedsDisk(t *testing.T) {
	g := newGatehouse(t)
	if err := os.MkdirAll(filepath.Join(g.dir, auth.HostTokensFile, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Enrol("render-2"); err == nil {
		t.Fatal("want an error")
	}
	if len(g.Enrolled()) != 0 {
		t.Fatal("enrolled all the same")
	}
}
