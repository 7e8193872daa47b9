package config

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/wire/document"
)

// example is the one of the public interface.
const example = `server: https://gate.example.com
token_file: /etc/rendergate/token
host: render-1
pool: showroom
uplink: 1 Gbit/s
gate: {listen: ":8443", public_url: https://render-1.example.com, tls: {cert: /c, key: /k}}
apps:
  showroom:
    command: [./Showroom.sh, "-PixelStreamingURL=ws://127.0.0.1:{{.Port}}", "-graphicsadapter={{.GPU}}"]
    dir: /srv/showroom
    upstream: "http://127.0.0.1:{{.Port}}"
    ready: {tcp: "127.0.0.1:{{.Port}}", timeout: 60s}
`

const small = `server: http://127.0.0.1:8080
host: h
pool: p
gate: {public_url: "http://127.0.0.1:8443"}
apps: {a: {command: [app], upstream: "http://127.0.0.1:{{.Port}}"}}
`

func TestExample(t *testing.T) {
	c, err := Parse("probe.yaml", []byte(example), Flags{})
	if err != nil {
		t.Fatal(err)
	}
	app := c.Settings()["showroom"]
	if c.Uplink.Bps() != 1e9 || c.Period.Std() != time.Second || app.Name != "showroom" || len(app.Command) != 3 ||
		app.Ready.Timeout != time.Minute || app.StopTimeout != 5*time.Second || app.Ports != 1 || c.Ports.From != 20000 {
		t.Fatalf("%+v\n%+v", c, app)
	}
	got, err := app.Command[2].Expand(launcher.Values{GPU: 1})
	if err != nil || got != "-graphicsadapter=1" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestEverythingSet(t *testing.T) {
	text := small + `period: 500ms
scope: {kind: share, cores: 1.5}
ports: {from: 30000, to: 30100}
gpus: {encoder_sessions: 8}
cgroup: none
`
	text = strings.Replace(text, `upstream: "http://127.0.0.1:{{.Port}}"`, `upstream: "http://127.0.0.1:{{.Port}}", publish: "ws://127.0.0.1:{{.Port}}/p",
  dir: /srv, env: {A: "{{.Session}}", B: 2}, stop_timeout: 1s, port_count: 2, idle: unknown, ready: {line: "ready \\d+", timeout: 5s}`, 1)
	c, err := Parse("probe.yaml", []byte(text), Flags{Server: "https://127.0.0.1:1", TokenFile: "/t"})
	if err != nil {
		t.Fatal(err)
	}
	app := c.Settings()["a"]
	if c.Server != "https://127.0.0.1:1" || c.TokenFile != "/t" || c.Scope.Cores != 1.5 || c.GPUs.EncoderSessions != 8 || app.Ports != 2 ||
		len(app.Env) != 2 || app.Env[1].Value.String() != "2" || !app.Ready.Line.MatchString("ready 12") || app.Publish.Empty() {
		t.Fatalf("%+v\n%+v", c, app)
	}
}

func TestMistakes(t *testing.T) {
	// Each: what to replace in small, by what, and the whole error.
	cases := []struct{ old, by, want string }{
		{"host: h", "hots: h\nhost: h", `probe.yaml:2:1: hots: unknown key; did you mean "host"?`},
		{"server: http://127.0.0.1:8080", "server: gate", `probe.yaml:1:9: server: want a URL such as https://host:port, got "gate"`},
		{"server: http://127.0.0.1:8080", "server: http://x?y", `probe.yaml:1:9: server: want a URL without user, query and fragment, got "http://x?y"`},
		{"server: http://127.0.0.1:8080", "token_file: x", `probe.yaml:1:1: server: is missing; want the URL of the service, such as https://gate.example.com`},
		{"host: h", "host: a b", `probe.yaml:2:7: host: want 1 to 64 letters, digits, '.', '_' and '-', got "a b"`},
		{"pool: p", "uplink: 0", `probe.yaml:1:1: pool: is missing; want the name by which the service knows this pool`},
		{"pool: p", "pool: p\nuplink: 1 Gb/s", `probe.yaml:4:9: uplink: want a rate such as "8 Mbit/s", got "1 Gb/s": the units are bit/s, kbit/s, Mbit/s, Gbit/s, Tbit/s`},
		{"pool: p", "pool: p\nperiod: 1ms", `probe.yaml:4:9: period: want 100ms to 1m, got 1ms`},
		{"pool: p", "pool: p\nscope: {kind: share}", `probe.yaml:4:1: scope.cores: a share needs its cores: more than 0 and at most 4096, got 0`},
		{"pool: p", "pool: p\nscope: {cores: 2}", `probe.yaml:4:16: scope.cores: only a share has stated cores; write kind: share, or remove this`},
		{"pool: p", "pool: p\nscope: {kind: box}", `probe.yaml:4:15: scope.kind: want machine, cgroup or share, got "box"`},
		{"pool: p", "pool: p\nports: {from: 80}", `probe.yaml:4:15: ports.from: want 1024 to 65535, got 80`},
		{"pool: p", "pool: p\nports: {from: 3000, to: 2000}", `probe.yaml:4:25: ports.to: want 3000 (from) to 65535, got 2000`},
		{"pool: p", "pool: p\ngpus: {encoder_sessions: -1}", `probe.yaml:4:26: gpus.encoder_sessions: want 0 (as the driver says) to 4096, got -1`},
		{"pool: p", "pool: p\ninterfaces: [eth0, a/b]", `probe.yaml:4:20: interfaces[1]: want the name of a network interface such as eth0, got "a/b"`},
		{"pool: p", "pool: p\ncgroup: x", `probe.yaml:4:9: cgroup: want auto, none, or the folder of a cgroup v2 such as /sys/fs/cgroup/rendergate, got "x"`},
		{`gate: {public`, `gate: {listen: "80", public`, `probe.yaml:4:16: gate.listen: want an address such as ":8443" or "127.0.0.1:8443", got "80"`},
		{`gate: {public`, `gate: {tls: {cert: c}, public`, `probe.yaml:4:8: gate.tls: a certificate and its key belong together; set both cert and key
probe.yaml:4:36: gate.public_url: the gate has a certificate, so browsers reach it by https, got "http://127.0.0.1:8443"`},
		{`gate: {public`, `gate: {frame_ancestors: [https://a/b], public`, `probe.yaml:4:26: gate.frame_ancestors[0]: want an origin such as https://shop.example.com, with no path, got "https://a/b"`},
		{`gate: {public_url: "http://127.0.0.1:8443"}`, `gate: {}`, `probe.yaml:4:1: gate.public_url: is missing; want the URL at which browsers reach the gate, such as https://render-1.example.com`},
		{`:8443"}`, `:8443/x"}`, `probe.yaml:4:20: gate.public_url: want no path behind the host, got "/x"`},
		{`apps: {a: {command: [app], upstream: "http://127.0.0.1:{{.Port}}"}}`, `apps: {}`, `probe.yaml:5:1: apps: no app is named; a host needs at least one, with its command and upstream`},
		{`command: [app], `, ``, `probe.yaml:5:8: apps.a.command: is missing; want the program and its arguments, such as [./Showroom.sh, "-port={{.Port}}"]`},
		{`[app]`, `["{{.Prot}}"]`, `probe.yaml:5:22: apps.a.command[0]: unknown name .Prot; want {{.Session}}, {{.App}}, {{.Copy}}, {{.GPU}}, {{.Port}}, {{.Ports}}, {{.Dir}}, {{.BitrateBps}}`},
		{`[app]`, `app`, `probe.yaml:5:21: apps.a.command: want a list such as [a, b], got "app"`},
		{`[app]`, `[""]`, `probe.yaml:5:22: apps.a.command[0]: want a program, got nothing`},
		{`, upstream: "http://127.0.0.1:{{.Port}}"`, ``, `probe.yaml:5:8: apps.a.upstream: is missing; want where the app serves its page, such as "http://127.0.0.1:{{.Port}}"`},
		{`"http://127.0.0.1:{{.Port}}"`, `"127.0.0.1:{{.Port}}"`, `probe.yaml:5:38: apps.a.upstream: want a URL such as http://host:port, got "127.0.0.1:20000"`},
		{`[app],`, `[app], publish: "http://x",`, `probe.yaml:5:37: apps.a.publish: want a URL such as ws://host:port, got "http://x"`},
		{`[app],`, `[app], env: {RENDERGATE_X: 1},`, `probe.yaml:5:48: apps.a.env.RENDERGATE_X: want a name of letters, digits and '_' that does not begin with RENDERGATE_`},
		{`[app],`, `[app], ready: {tcp: "a:1", line: x},`, `probe.yaml:5:28: apps.a.ready: want one of tcp, http, line and after, got line and tcp`},
		{`[app],`, `[app], ready: {tcp: "a"},`, `probe.yaml:5:41: apps.a.ready.tcp: want an address such as "127.0.0.1:{{.Port}}", got "a"`},
		{`[app],`, `[app], ready: {after: 2m},`, `probe.yaml:5:43: apps.a.ready.after: want at most ready.timeout, 1m, got 2m`},
		{`[app],`, `[app], stop_timeout: 1h,`, `probe.yaml:5:42: apps.a.stop_timeout: want 10ms to 5m, got 1h`},
		{`[app],`, `[app], port_count: 0,`, `probe.yaml:5:40: apps.a.port_count: want 1 to 16, got 0`},
		{`[app],`, `[app], idle: no,`, `probe.yaml:5:34: apps.a.idle: want socket or unknown, got "no"`},
	}
	for _, c := range cases {
		text := strings.Replace(small, c.old, c.by, 1)
		if _, err := Parse("probe.yaml", []byte(text), Flags{}); err == nil || err.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.by, err, c.want)
		}
	}
	_, err := Parse("probe.yaml", []byte(small+"host: x\n"), Flags{})
	var problems document.Problems
	if !errors.As(err, &problems) || len(problems) != 1 {
		t.Errorf("a key twice: %v", err)
	}
	text := strings.Replace(strings.Replace(small, "http://127.0.0.1:8080", "https://a.b", 1), "127.0.0.1:8443", "c.d", 1)
	if _, err := Parse("probe.yaml", []byte(text), Flags{}); err == nil || !strings.Contains(err.Error(), "cannot embed a gate on http") {
		t.Errorf("an HTTPS page with an HTTP gate: %v", err)
	}
	if _, err := Parse("probe.yaml", []byte(`ready: {line: "("}`), Flags{}); err == nil {
		t.Error("nothing right in it, and no error")
	}
}

// TestReferenceIsComplete holds docs/config.md to naming every key there is.
func TestReferenceIsComplete(t *testing.T) {
	raw, err := os.ReadFile("../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	for _, key := range keys(reflect.TypeFor[Config](), "") {
		if !strings.Contains(doc, "`"+key+"`") {
			t.Errorf("docs/config.md does not name `%s`", key)
		}
	}
	_, block, _ := strings.Cut(doc, "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	if _, err := Parse("docs/config.md", []byte(block), Flags{}); err != nil {
		t.Errorf("the example: %v", err)
	}
}

// keys lists the paths of all values under a type of this package.
func keys(t reflect.Type, path string) []string {
	if t.Kind() == reflect.Map && t.Elem().PkgPath() == reflect.TypeFor[Config]().PkgPath() {
		return keys(t.Elem(), path+".NAME")
	}
	if t.Kind() != reflect.Struct || t.PkgPath() != reflect.TypeFor[Config]().PkgPath() || t == reflect.TypeFor[Pattern]() {
		return []string{path}
	}
	var all []string
	for f := range t.Fields() {
		name := f.Tag.Get("yaml")
		if path != "" {
			name = path + "." + name
		}
		all = append(all, keys(f.Type, name)...)
	}
	return all
}

// FuzzParse checks that a config that is taken can start a session.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(small))
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte("apps: {a: {command: [1, true, null], upstream: \"{{\"}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("f", data, Flags{})
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v, error %v", c, err)
		}
		if err != nil {
			var problems document.Problems
			if !errors.As(err, &problems) || problems[0].Line < 1 || problems[0].Column < 1 {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		for name, app := range c.Settings() {
			v := launcher.Sample()
			v.App = name
			for _, arg := range app.Command {
				if _, err := arg.Expand(v); err != nil {
					t.Fatalf("%s: %v", arg, err)
				}
			}
		}
	})
}
