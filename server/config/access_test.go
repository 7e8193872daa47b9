package config_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rendergate/rendergate/server/auth"
	"github.com/rendergate/rendergate/server/config"
)

func TestAccessOfTheExample(t *testing.T) {
	c, err := config.Load("docs/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Need() != (auth.Need{}) || !c.Secure() {
		t.Fatalf("need %+v, secure %v", c.Need(), c.Secure())
	}
	if o := c.Operators(); len(o) != 1 || o[0].Name != "ops" || auth.CheckHash(o[0].PasswordHash) != nil {
		t.Errorf("operators %+v", o)
	}
	if h := c.HostTokens(); len(h) != 1 || h[0].Name != "render-1" || auth.CheckTokenHash(h[0].Hash) != nil {
		t.Errorf("hosts %+v", h)
	}
	if len(c.APITokens()) != 0 || len(c.Proxies()) != 2 {
		t.Errorf("tokens %v, proxies %v", c.APITokens(), c.Proxies())
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "127.0.0.1:8080"
	for origin, want := range map[string]bool{"https://gate.example.com": true, "https://www.example.com": true, "http://127.0.0.1:8080": false} {
		r.Header.Set("Origin", origin)
		if got := c.Origins().Allowed(r); got != want {
			t.Errorf("%s: got %v", origin, got)
		}
	}
}

func TestAccessOfAnEmptyFile(t *testing.T) {
	c := config.Default()
	if c.Need() != (auth.Need{Operator: true, Hosts: true}) || c.Secure() {
		t.Fatalf("need %+v, secure %v", c.Need(), c.Secure())
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for origin, want := range map[string]bool{"http://192.168.1.5:8080": true, "http://evil.example.com": false} {
		r.Host = "192.168.1.5:8080"
		r.Header.Set("Origin", origin)
		if got := c.Origins().Allowed(r); got != want {
			t.Errorf("%s: got %v", origin, got)
		}
	}
}
