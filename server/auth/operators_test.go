package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/server/auth"
)

type desk struct {
	dir string
	now time.Time
	*auth.Operators
	token string
}

func newDesk(t *testing.T, secure bool) *desk {
	d := &desk{dir: t.TempDir(), now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), token: auth.NewToken(auth.APIToken)}
	d.restart(t, secure, "secret")
	return d
}

func (d *desk) restart(t *testing.T, secure bool, password string) {
	t.Helper()
	o, err := auth.OpenOperators(auth.OperatorsOptions{
		Dir: d.dir, Secure: secure, Now: func() time.Time { return d.now },
		Operators: []auth.Operator{{Name: "ops", PasswordHash: auth.CheapHash(password)}},
		Tokens:    []auth.Token{{Name: "ci", Hash: auth.HashToken(auth.NewToken(auth.APIToken))}, {Name: "script", Hash: auth.HashToken(d.token)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Operators = o
}

func call(cookie *http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/pools", nil)
	if cookie != nil {
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	return r
}

func (d *desk) login(t *testing.T) *http.Cookie {
	t.Helper()
	c, err := d.Login(t.Context(), auth.Credentials{Name: "ops", Password: "secret", Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCookie(t *testing.T) {
	plain, secure := newDesk(t, false).login(t), newDesk(t, true).login(t)
	for _, c := range []*http.Cookie{plain, secure} {
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge != 12*3600 || c.Domain != "" || len(c.Value) < 43 {
			t.Errorf("got %+v", c)
		}
	}
	if plain.Secure || !secure.Secure || !strings.HasPrefix(secure.Name, "__Host-") {
		t.Errorf("got %+v and %+v", plain, secure)
	}
}

func TestSessionLives(t *testing.T) {
	d := newDesk(t, false)
	cookie := d.login(t)
	check := func(what string, want bool) {
		t.Helper()
		name, byCookie, err := d.Operator(call(cookie))
		if got := err == nil; got != want || (got && (name != "ops" || !byCookie)) {
			t.Fatalf("%s: got %q, %v, %v", what, name, byCookie, err)
		}
	}
	check("at once", true)
	d.restart(t, false, "secret")
	check("after a restart", true)
	d.now = d.now.Add(12*time.Hour - time.Second)
	check("shortly before its end", true)
	d.now = d.now.Add(time.Second)
	check("at its end", false)

	cookie = d.login(t)
	d.restart(t, false, "other")
	check("after the password was changed", false)
	d.restart(t, false, "secret")
	check("and back", true)
	if _, err := d.Logout(call(cookie)); err != nil {
		t.Fatal(err)
	}
	check("after the logout", false)
	d.restart(t, false, "secret")
	check("after the logout and a restart", false)
}

func TestSessionsFile(t *testing.T) {
	d := newDesk(t, false)
	cookie := d.login(t)
	path := filepath.Join(d.dir, auth.SessionsFile)
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), cookie.Value) {
		t.Fatalf("the file carries the cookie: %s, %v", data, err)
	}
	for _, c := range []struct {
		text string
		mode os.FileMode
		want string
	}{
		{string(data), 0o644, "chmod 600"}, {"x", 0o600, "cannot be read"}, {`{"version": 2}`, 0o600, "version 2"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := auth.OpenOperators(auth.OperatorsOptions{Dir: d.dir, Now: time.Now}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

func TestSessionsAreBounded(t *testing.T) {
	d := newDesk(t, false)
	first := d.login(t)
	for i := range 200 {
		d.now = d.now.Add(time.Second)
		if _, err := d.Login(t.Context(), auth.Credentials{Name: "ops", Password: "secret", Address: fmt.Sprintf("10.0.%d.%d", i/250, i%250)}); err != nil {
			t.Fatal(err)
		}
		if i == 1 { // the cookies of early logins are good until there are too many
			if _, _, err := d.Operator(call(first)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, _, err := d.Operator(call(first)); !errors.Is(err, auth.ErrNotLoggedIn) {
		t.Fatalf("the oldest of 201 sessions: %v", err)
	}
}

func TestOperatorRefuses(t *testing.T) {
	d := newDesk(t, false)
	cookie := d.login(t)
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   error
	}{
		"nothing":             {func(r *http.Request) { r.Header.Del("Cookie") }, auth.ErrNotLoggedIn},
		"another cookie":      {func(r *http.Request) { r.Header.Set("Cookie", cookie.Name+"=x") }, auth.ErrNotLoggedIn},
		"empty cookie":        {func(r *http.Request) { r.Header.Set("Cookie", cookie.Name+"=") }, auth.ErrNotLoggedIn},
		"the hash as cookie":  {func(r *http.Request) { r.Header.Set("Cookie", cookie.Name+"="+auth.HashToken(cookie.Value)) }, auth.ErrNotLoggedIn},
		"wrong token":         {func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, auth.ErrUnknownToken},
		"the hash as token":   {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+auth.HashToken(d.token)) }, auth.ErrUnknownToken},
		"right token":         {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+d.token) }, nil},
		"token, another case": {func(r *http.Request) { r.Header.Set("Authorization", "bearer "+d.token) }, nil},
	} {
		r := call(cookie)
		c.change(r)
		who, byCookie, err := d.Operator(r)
		if !errors.Is(err, c.want) || (err == nil && (who != "script" || byCookie)) {
			t.Errorf("%s: got %q, %v, %v", name, who, byCookie, err)
		}
	}
}

func TestLoginLimits(t *testing.T) {
	d := newDesk(t, false)
	try := func(name, password, address string) error {
		_, err := d.Login(t.Context(), auth.Credentials{Name: name, Password: password, Address: address})
		return err
	}
	tooMany := func(err error) bool { e, ok := errors.AsType[*auth.TooManyError](err); return ok && e.RetryAfter > 0 }

	// One address: ten tries, then one in six seconds, right or wrong.
	for i := range 10 {
		if err := try("ops", "wrong", "2001:db8::1"); !errors.Is(err, auth.ErrWrongPassword) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if err := try("ops", "secret", "2001:db8::2"); !tooMany(err) {
		t.Fatalf("the eleventh from the same /64: %v", err)
	}
	d.now = d.now.Add(6 * time.Second)
	if err := try("ops", "secret", "2001:db8::3"); err != nil {
		t.Fatalf("six seconds later: %v", err)
	}

	// One name: after twenty wrong ones from anywhere nobody gets on, for a while.
	d.now = d.now.Add(time.Hour)
	for i := range 20 {
		if err := try("ops", "wrong", fmt.Sprintf("192.0.2.%d", i)); !errors.Is(err, auth.ErrWrongPassword) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if err := try("ops", "secret", "198.51.100.1"); !tooMany(err) {
		t.Fatalf("after twenty wrong ones: %v", err)
	}
	if err := try("nobody", "secret", "198.51.100.1"); !errors.Is(err, auth.ErrWrongPassword) {
		t.Fatalf("another name: %v", err)
	}
	d.now = d.now.Add(3 * time.Second)
	if err := try("ops", "secret", "198.51.100.1"); err != nil {
		t.Fatalf("three seconds later: %v", err)
	}
}

func TestLoginOfNobody(t *testing.T) {
	d := newDesk(t, false)
	for _, name := range []string{"", "nobody", "ops ", "OPS", strings.Repeat("x", 100000)} {
		if _, err := d.Login(t.Context(), auth.Credentials{Name: name, Password: "secret", Address: "192.0.2.1"}); !errors.Is(err, auth.ErrWrongPassword) {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // a call that is gone is refused or served, and never hangs
		_, err := d.Login(ctx, auth.Credentials{Name: "ops", Password: "secret", Address: "192.0.2.9"})
		var many *auth.TooManyError
		if err != nil && !errors.Is(err, context.Canceled) && !errors.As(err, &many) {
			t.Fatal(err)
		}
	}
}
