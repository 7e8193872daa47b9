package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/server/config"
)

func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "pools:\nauth:\nlimits:\nlisten:\n"} {
		c, err := config.Parse("f.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if c.Listen != ":8080" || c.PublicURL != "http://localhost:8080" || c.Data != "./data" || c.Secrets != "./data" {
			t.Errorf("%q: got %+v", text, c)
		}
		if names := c.PoolNames(); len(names) != 1 || names[0] != "default" {
			t.Fatalf("%q: pools %v", text, names)
		}
		want := admission.DefaultPolicy()
		want.Apps["default"] = admission.Profile{App: "default"}
		if got := c.Pools["default"].Policy(); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v\nwant %+v", text, got, want)
		}
	}
	if !reflect.DeepEqual(config.Default().Pools["default"].Queue.Classes, []string{"vip", "normal"}) {
		t.Error("the defaults are not the defaults")
	}
}

func TestExample(t *testing.T) {
	c, err := config.Load("docs/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := c.Pools["showroom"].Policy()
	if c.PublicURL != "https://gate.example.com" || c.Data != "docs/data" || p.Uplink.BudgetBps != 240e6 ||
		p.Session.MaxLength != 30*time.Minute || p.Threshold.VRAM != 0.9 || len(c.TrustedProxies) != 2 || p.Queue.Classes[1] != "normal" {
		t.Fatalf("got %+v\n%+v", c, p)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestPublicURL(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"listen: ':9000'", "http://localhost:9000"}, {"listen: '0.0.0.0:80'", "http://localhost"},
		{"listen: '192.168.1.5:8080'", "http://192.168.1.5:8080"}, {"listen: '[::1]:8080'", "http://[::1]:8080"},
		{"listen: '[::]:8080'", "http://localhost:8080"}, {"listen: '[::1]:80'", "http://[::1]"},
		{"listen: ':443'\ntls: {cert: a, key: b}", "https://localhost"}, {"tls: {cert: a, key: b}", "https://localhost:8080"},
		{"public_url: https://a.example.com/", "https://a.example.com"},
	} {
		got, err := config.Parse("f.yaml", []byte(c.text))
		if err != nil || got.PublicURL != c.want {
			t.Errorf("%q: got %v, %v; want %s", c.text, got, err, c.want)
		}
	}
}

func TestOverrides(t *testing.T) {
	c := config.Default()
	if err := c.SetListen("127.0.0.1:9999"); err != nil || c.PublicURL != "http://127.0.0.1:9999" {
		t.Errorf("got %s, %v", c.PublicURL, err)
	}
	if err := c.SetListen("nonsense"); err == nil || c.Listen != "127.0.0.1:9999" {
		t.Errorf("got %s, %v", c.Listen, err)
	}
	if c.SetData("/tmp/x"); c.Data != "/tmp/x" || c.Secrets != "/tmp/x" {
		t.Errorf("got %s, %s", c.Data, c.Secrets)
	}
	if err := c.SetNATS("nats://n1"); err != nil || c.NATS.Replicas != 3 {
		t.Errorf("got %+v, %v", c.NATS, err)
	}
	if err := c.SetNATS("http://n1"); err == nil {
		t.Error("want an error")
	}
	set, err := config.Parse("f", []byte("public_url: https://x.example.com\nsecrets: /s\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := set.SetListen(":1"); err != nil || set.PublicURL != "https://x.example.com" {
		t.Errorf("a public_url that is set does not follow: %s, %v", set.PublicURL, err)
	}
	if set.SetData("d"); set.Secrets != "/s" {
		t.Errorf("secrets that are set do not follow: %s", set.Secrets)
	}
}

func TestBitratesFollow(t *testing.T) {
	c, err := config.Parse("f", []byte("pools: {a: {session: {bitrate: 20 Mbit/s}}, b: {session: {bitrate: 1 Mbit/s}}}"))
	if err != nil {
		t.Fatal(err)
	}
	a, b := c.Pools["a"].Spectators, c.Pools["b"].Spectators
	if a.Bitrate != 20e6 || a.LowBitrate != 2e6 || b.Bitrate != 1e6 || b.LowBitrate != 1e6 {
		t.Fatalf("got %+v, %+v", a, b)
	}
}

func TestWarnings(t *testing.T) {
	for text, want := range map[string]string{
		"":                                         "",
		"public_url: http://gate.example.com":      "public_url is http",
		"public_url: https://gate.example.com":     "",
		"trusted_proxies: [0.0.0.0/0]":             "trusted_proxies has 0.0.0.0/0",
		"pools: {a: {uplink: {when_full: allow}}}": "when_full is allow",
	} {
		c, err := config.Parse("f", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Warnings(), "\n"); !strings.Contains(got, want) || (want == "" && got != "") {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestCheckGate(t *testing.T) {
	for _, c := range []struct{ public, gate, want string }{
		{"https://gate.example.com", "https://render-1.example.com", ""},
		{"https://gate.example.com", "https://render-1.example.com:8443/", ""},
		{"https://gate.example.com", "http://render-1.example.com", "browsers refuse"},
		{"http://gate.example.com", "http://render-1.example.com", ""},
		{"http://gate.example.com", "https://render-1.example.com", ""},
		{"https://gate.example.com", "", "want http:// or https://"},
		{"https://gate.example.com", "ftp://x", "want http:// or https://"},
		{"https://gate.example.com", "https://x/y", "nothing behind the host"},
		{"https://gate.example.com", "javascript:alert(1)", "want http:// or https://"},
	} {
		conf, err := config.Parse("f", []byte("public_url: "+c.public))
		if err != nil {
			t.Fatal(err)
		}
		err = conf.CheckGate(c.gate)
		if (c.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s from %s: got %v, want %q", c.gate, c.public, err, c.want)
		}
	}
}

func TestLoadReadsWhatTheFileNames(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("good.yaml", "version: 1\napp: showroom\nseats: 7\ncost: {cpu_cores: 0.5}\n")
	write("other.yaml", "version: 1\napp: other\n")
	write("bad.yaml", "version: 1\napp: showroom\ncost: {gpu: 120%}\n")

	good := write("config.yaml", "data: ./d\nsecrets: s\npools: {p: {apps: {showroom: {profile: good.yaml}}}}\n")
	c, err := config.Load(good)
	if err != nil {
		t.Fatal(err)
	}
	app := c.Pools["p"].Policy().Apps["showroom"]
	if app.Seats != 7 || app.Cost.CPUCores != 0.5 || c.Data != filepath.Join(dir, "d") || c.Secrets != filepath.Join(dir, "s") {
		t.Fatalf("got %+v of %+v", app, c)
	}

	for text, want := range map[string]string{
		"pools: {p: {apps: {showroom: {profile: none.yaml}}}}":  "config.yaml:1:40: pools.p.apps.showroom.profile: profile: open",
		"pools: {p: {apps: {showroom: {profile: other.yaml}}}}": `is the profile of app "other", not of "showroom"`,
		"pools: {p: {apps: {showroom: {profile: bad.yaml}}}}":   "bad.yaml:3:13: cost.gpu: want 0 to 100% of one GPU",
		"tls: {cert: no.pem, key: no.key}":                      "tls.cert: cannot be read",
		"nats: {url: nats://n, credentials: no.creds}":          "nats.credentials: cannot be read",
	} {
		if _, err := config.Load(write("config.yaml", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v; want %q", text, err, want)
		}
	}
	if _, err := config.Load(filepath.Join(dir, "absent.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestDerivedFromOneFileOnly(t *testing.T) {
	a, b := config.Default(), config.Default()
	a.Pools["default"].Queue.Classes[0] = "changed"
	if b.Pools["default"].Queue.Classes[0] != "vip" {
		t.Fatal("two configs share their values")
	}
}

// FuzzParse checks that what passes is a config the core takes, and that what
// does not says where.
func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("docs/example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	for _, c := range mistakes() {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse("f.yaml", []byte(text))
		if err != nil {
			var problems document.Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if len(c.Pools) == 0 || c.PublicURL == "" {
			t.Fatalf("%q: got %+v", text, c)
		}
		for _, name := range c.PoolNames() {
			p := c.Pools[name].Policy()
			if err := p.Validate(); err != nil || len(p.Apps) == 0 {
				t.Fatalf("%q: pool %s: %v, %d apps", text, name, err, len(p.Apps))
			}
		}
		c.Warnings()
	})
}
