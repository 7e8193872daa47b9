package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/server/config"
)

type mistake struct{ text, want string }

// pool is a file with one thing said of one pool.
func pool(text string) string { return "pools:\n  p:\n    " + text + "\n" }

// mistakes are one of every kind, with what must be said of it.
func mistakes() []mistake {
	return []mistake{
		{"lisen: ':80'", `f.yaml:1:1: lisen: unknown key; did you mean "listen"?`},
		{"listen: ':80'\nlisten: ':81'", "f.yaml:2:1: listen: set already in line 1"},
		{"listen: 8080", `f.yaml:1:9: listen: want text, got "8080"; put it in quotes`},
		{"listen: localhost", `f.yaml:1:9: listen: want host:port or :port`},
		{"listen: ':99999'", "listen: want a port from 0 to 65535"},
		{"listen: ':http'", "listen: want a port from 0 to 65535"},
		{"public_url: gate.example.com", "f.yaml:1:13: public_url: want http:// or https:// and a host"},
		{"public_url: ws://gate.example.com", "public_url: want http:// or https://"},
		{"public_url: https://gate.example.com/path", "public_url: want nothing behind the host"},
		{"public_url: https://u:p@gate.example.com", "public_url: want no user or password"},
		{"public_url: 'https://gate.example.com:'", "public_url: want a port behind the colon"},
		{"public_url: 'https://gate.example.com:99999'", "public_url: want a port from 0 to 65535"},
		{"public_url: http://gate.example.com\ntls: {cert: a, key: b}", "public_url: is http, but with tls"},
		{"tls: {cert: a}", "f.yaml:1:1: tls: want both cert and key"},
		{"data: ''", "data: want a folder"},
		{"data: ./x\nnats: {url: nats://n}", "f.yaml:2:1: nats: and data are both set"},
		{"nats: {}", "nats.url: want the cluster's address"},
		{"nats: {url: 'http://n'}", "nats.url: want nats:// or tls://"},
		{"nats: {url: 'nats://a,b'}", `got "b"`},
		{"nats: {url: nats://n, replicas: 6}", "f.yaml:1:33: nats.replicas: want 1 to 5, got 6"},
		{"allowed_origins: ['*']", "f.yaml:1:19: allowed_origins[0]: any origin would let every page act"},
		{"allowed_origins: [https://a, b]", "allowed_origins[1]: want http:// or https://"},
		{"trusted_proxies: [10.0.0.0/8, x]", `f.yaml:1:31: trusted_proxies[1]: want a network such as 10.0.0.0/8, or an address, got "x"`},
		{"trusted_proxies: [10.0.0.1/8]", "want 10.0.0.0/8"},
		{"limits: {connections_per_address: 0}", "limits.connections_per_address: want 1 to"},
		{"limits: {joins_per_minute: -5}", "limits.joins_per_minute: want 1 to"},
		{"auth: {operators: [{name: ops, password_hash: secret}]}", "f.yaml:1:47: auth.operators[0].password_hash: want an argon2id hash"},
		{"auth: {operators: [{name: ops, password_hash: '$argon2id$v=19$m=4194304,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA'}]}", "memory m=4194304 is out of bounds"},
		{"auth: {operators: [{name: 'a b'}]}", "auth.operators[0].name: want 1 to 64 letters"},
		{"auth: {tokens: [{name: a, token_hash: x}]}", "auth.tokens[0].token_hash: want \"sha256:\""},
		{"auth: {hosts: [{host: a/b, token_hash: x}]}", "auth.hosts[0].host: want 1 to 64 letters"},
		{"auth: {hosts: [{host: '*'}, {host: '*'}]}", `auth.hosts[1].host: "*" stands there already`},
		{"auth: {hosts: [{host: a}, {host: a}]}", `auth.hosts[1].host: "a" stands there already`},
		{"auth: {players: {required: true}}", "auth.players.required: nobody could join: set jwks_url"},
		{"auth: {players: {jwks_url: 'x'}}", "auth.players.jwks_url: want a URL"},
		{"log: {level: inof}", `log.level: want debug or info or warn or error, got "inof": did you mean "info"?`},
		{"log: {format: xml}", `log.format: want auto or text or json, got "xml"`},
		{"pools: {}", "f.yaml:1:1: pools: want one pool or more"},
		{"pools: {Show_Room: {}}", "f.yaml:1:9: pools.Show_Room: want 1 to 32 lower-case letters"},
		{"pools: {" + strings.Repeat("a", 33) + ": {}}", "want 1 to 32 lower-case letters"},
		{"pools: {a: {}, a: {}}", "f.yaml:1:16: pools.a: set already in line 1"},
		{pool("apps: {}"), "f.yaml:3:5: pools.p.apps: want one app or more"},
		{pool("apps: {a/b: {}}"), "pools.p.apps.a/b: want 1 to 64 letters"},
		{pool("threshold: {cpu: 850%}"), `f.yaml:3:22: pools.p.threshold.cpu: want above 0 and at most 100%, such as "85%", got "850%"`},
		{pool("threshold: {gpu: 0}"), "pools.p.threshold.gpu: want above 0"},
		{pool("threshold: {vram: 85}"), `pools.p.threshold.vram: want a share such as "85%" or 0.85, got "85": write "85%"`},
		{pool("threshold: {cpu: -1%}"), "never negative"},
		{pool("threshold: {cpu: .nan}"), "want a share"},
		{pool("threshold: {over: 0}"), `pools.p.threshold.over: want a share of time above 0 and at most 50%, such as "1%", got`},
		{pool("threshold: {over: 51%}"), `pools.p.threshold.over: want a share of time above 0 and at most 50%, such as "1%", got "51%"`},
		{pool("threshold: {over: 1}"), "pools.p.threshold.over: want a share"},
		{pool("threshold: {ram: 1%}"), `pools.p.threshold.ram: unknown key; did you mean "vram"?`},
		{pool("uplink: {budget: 240 Mb}"), `pools.p.uplink.budget: want a rate such as "8 Mbit/s", got "240 Mb"`},
		{pool("uplink: {budget: 4 Mbit/s}"), "pools.p.uplink.budget: 4 Mbit/s carries not even one session of 8 Mbit/s"},
		{pool("uplink: {when_full: queue}"), `pools.p.uplink.when_full: want wait or degrade or allow, got "queue"`},
		{pool("session: {bitrate: 0}"), "pools.p.session.bitrate: want a rate above 0"},
		{pool("session: {bitrate: 8 MB/s}"), "the units are"},
		{pool("session: {max_length: 30}"), "pools.p.session.max_length: want a duration with its unit"},
		{pool("session: {max_length: -30m}"), "never negative"},
		{pool("session: {sharing: opne}"), `did you mean "open"?`},
		{pool("spectators: {max_per_session: -1}"), "pools.p.spectators.max_per_session: want 0 to"},
		{pool("spectators: {max_per_session: 1.5}"), "want a whole number"},
		{pool("spectators: {low_bitrate: 9 Mbit/s}"), "pools.p.spectators.low_bitrate: low_bitrate is 9 Mbit/s and bitrate 8 Mbit/s"},
		{pool("spectators: {yield_to_players: yes}"), "want true or false"},
		{pool("queue: {max_lapses: 0}"), "pools.p.queue.max_lapses: want 1 to"},
		{pool("queue: {offer_timeout: 10ms}"), "pools.p.queue.offer_timeout: want 1s or more, got 10ms"},
		{pool("queue: {on_lapse: drop}"), "pools.p.queue.on_lapse: want next or leave"},
		{pool("queue: {classes: []}"), "pools.p.queue.classes: want one class or more"},
		{pool("queue: {classes: [a, b, a]}"), `f.yaml:3:29: pools.p.queue.classes[2]: "a" stands there already`},
		{pool("queue: {classes: [a, '']}"), "pools.p.queue.classes[1]: want 1 to 64 letters"},
		{pool("queue: {max_length: -1}"), "pools.p.queue.max_length: want 0 to"},
		{pool("placement: {order: random}"), "pools.p.placement.order: want spread or pack"},
		{pool("placement: {max_starting: 0}"), "pools.p.placement.max_starting: want 1 to"},
		{pool("placement: {host_lost: 1s}"), "pools.p.placement.host_lost: want 5s or more"},
		{"pools: [a]", "pools: want keys with values, got a list"},
		{"just text", `f.yaml:1:1: want keys with values, got "just text"`},
		{"a: [", "not YAML"},
		{"\x00\xff", "f.yaml:1:1:"},
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range mistakes() {
		got, err := config.Parse("f.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
		if err != nil && got != nil {
			t.Errorf("%q: a config in spite of the error", c.text)
		}
	}
}

// TestOneMistakeIsToldOnce: what follows from a value that cannot be read is no
// mistake of its own.
func TestOneMistakeIsToldOnce(t *testing.T) {
	for _, text := range []string{
		pool("session: {bitrate: 8}"), pool("spectators: {low_bitrate: low}"), pool("threshold: {cpu: high}"),
		pool("queue: {offer_timeout: 20}"), "listen: 8080\n",
	} {
		_, err := config.Parse("f.yaml", []byte(text))
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line", text, err)
		}
	}
}

// TestAllAtOnce checks that every mistake of a file is told, in its order.
func TestAllAtOnce(t *testing.T) {
	_, err := config.Parse("f.yaml", []byte(`listen: x
limit: {}
auth:
  operators: [{name: "", password_hash: ""}]
pools:
  Bad:
    threshold: {cpu: 200%}
    queue:
      max_lapses: 0
      classes: [a, a]
`))
	var problems document.Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	var at []string
	for _, p := range problems {
		at = append(at, p.Key)
	}
	want := "listen limit auth.operators[0].name auth.operators[0].password_hash pools.Bad pools.Bad.threshold.cpu pools.Bad.queue.max_lapses pools.Bad.queue.classes[1]"
	if got := strings.Join(at, " "); got != want {
		t.Fatalf("got  %s\nwant %s\n%v", got, want, err)
	}
}
