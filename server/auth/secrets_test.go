package auth_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/server/auth"
)

func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := auth.EnsureSecrets(dir, auth.Need{Operator: true, Hosts: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Made) != 3 {
		t.Fatalf("made %d secrets, want 3", len(first.Made))
	}
	for _, m := range first.Made {
		data, err := os.ReadFile(m.File)
		if err != nil || strings.TrimSpace(string(data)) != m.Value || len(m.Value) < 26 {
			t.Errorf("%s: %q, %v", m.File, data, err)
		}
		if info, err := os.Stat(m.File); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", m.File, info.Mode(), err)
		}
	}
	if ok, err := auth.VerifyPassword(first.Operators[0].PasswordHash, first.Made[0].Value); err != nil || !ok {
		t.Fatalf("the password does not open: %v, %v", ok, err)
	}
	if first.APITokens[0].Hash != auth.HashToken(first.Made[1].Value) || first.Hosts[0].Hash != auth.HashToken(first.Made[2].Value) || first.Hosts[0].Name != auth.Wildcard {
		t.Fatalf("got %+v", first)
	}

	second, err := auth.EnsureSecrets(dir, auth.Need{Operator: true, Hosts: true})
	if err != nil || len(second.Made) != 0 {
		t.Fatalf("the second start made %v, %v", second.Made, err)
	}
	first.Made = nil
	if !reflect.DeepEqual(first, second) {
		t.Fatalf("the second start has %+v, the first had %+v", second, first)
	}
}

func TestNothingNeeded(t *testing.T) {
	dir := t.TempDir()
	s, err := auth.EnsureSecrets(dir, auth.Need{})
	if err != nil || !reflect.DeepEqual(s, auth.Secrets{}) {
		t.Fatalf("got %+v, %v", s, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Fatalf("made %v", left)
	}
}

func TestSecretsRefuse(t *testing.T) {
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{auth.PasswordFile, "a long enough password", 0o644, "chmod 600"},
		{auth.APITokenFile, "a long enough token", 0o660, "chmod 600"},
		{auth.HostFile, "a long enough token", 0o604, "chmod 600"},
		{auth.PasswordFile, "short", 0o600, "want 12 to"},
		{auth.PasswordFile, "\n", 0o600, "want 12 to"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := auth.EnsureSecrets(dir, auth.Need{Operator: true, Hosts: true})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s %o: got %v", c.name, c.mode, err)
		}
		if err != nil && strings.Contains(err.Error(), "long enough") {
			t.Errorf("the error carries the secret: %v", err)
		}
	}
}

func TestPasswordOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, auth.PasswordFile), []byte("chosen by the operator\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := auth.EnsureSecrets(dir, auth.Need{Operator: true})
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := auth.VerifyPassword(s.Operators[0].PasswordHash, "chosen by the operator"); err != nil || !ok {
		t.Fatalf("got %v, %v", ok, err)
	}
}
