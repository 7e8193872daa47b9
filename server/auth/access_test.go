package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/rendergate/rendergate/server/auth"
)

// TestAccess goes through a login, a call and a logout as a browser does.
func TestAccess(t *testing.T) {
	d, g := newDesk(t, true), newGatehouse(t)
	a := auth.Access{
		Operators: d.Operators, Hosts: g.Hosts, Origins: auth.NewOrigins("https://gate.example.com", nil),
		Proxies: auth.Proxies{netip.MustParsePrefix("192.0.2.0/24")}, // httptest calls from 192.0.2.1
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/login", nil)
	r.Header.Set("X-Forwarded-For", "198.51.100.7")
	r.Header.Set("Origin", "https://gate.example.com")
	if got := a.Address(r); got != "198.51.100.7" {
		t.Fatalf("address %s", got)
	}
	if !a.OriginAllowed(r) {
		t.Fatal("the origin is refused")
	}
	if err := a.Login(httptest.NewRecorder(), r, "ops", "wrong"); !errors.Is(err, auth.ErrWrongPassword) {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := a.Login(w, r, "ops", "secret"); err != nil {
		t.Fatal(err)
	}
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	if name, cookie, err := a.Operator(r); err != nil || name != "ops" || !cookie {
		t.Fatalf("got %q, %v, %v", name, cookie, err)
	}
	w = httptest.NewRecorder()
	if err := a.Logout(w, r); err != nil {
		t.Fatal(err)
	}
	if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Fatalf("the browser keeps %v", c)
	}
	if _, _, err := a.Operator(r); !errors.Is(err, auth.ErrNotLoggedIn) {
		t.Fatalf("after the logout: %v", err)
	}
	r.Header.Set("Authorization", "Bearer "+g.own)
	if got, err := a.CheckHost(r, "render-1"); err != nil || got.Host != "render-1" {
		t.Fatalf("got %+v, %v", got, err)
	}
}
