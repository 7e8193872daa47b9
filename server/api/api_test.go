package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/auth"
	"github.com/rendergate/rendergate/server/hosts"
	"github.com/rendergate/rendergate/server/journal"
	"github.com/rendergate/rendergate/server/owner"
	"github.com/rendergate/rendergate/server/play"
	"github.com/rendergate/rendergate/server/relay"
)

// access is real, but for hosts' sockets, which have tests of their own.
type access struct{ auth.Access }

func (a access) Host(r *http.Request, host string) (hosts.Caller, error) {
	grant, err := a.CheckHost(r, host)
	return hosts.Caller{Host: host, Enrol: grant.Enrol}, err
}

func (a access) Logout(w http.ResponseWriter, r *http.Request) { _ = a.Access.Logout(w, r) }

const password = "correct horse battery staple"

// bench is the API behind a real server, with a real owner on a real journal.
type bench struct {
	*testing.T
	url   string
	token string
	owner *owner.Owner
	hosts *auth.Hosts
	stop  func()
}

func newBench(t *testing.T, change func(*Options)) *bench {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	j, err := journal.Open(t.Context(), journal.Options{Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	store, err := j.Pool(t.Context(), "pool")
	if err != nil {
		t.Fatal(err)
	}
	policy := admission.DefaultPolicy()
	policy.Apps["app"] = admission.Profile{App: "app", Cost: admission.Cost{CPUCores: 1}}
	b := &bench{T: t, token: auth.NewToken(auth.APIToken)}
	b.owner = owner.New(owner.Options{Name: "pool", Policy: policy, Journal: store, Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.owner.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := b.owner.Read(t.Context(), func(time.Time, *admission.Pool) {}); err != nil {
		t.Fatal(err)
	}
	stopping := make(chan struct{})
	b.stop = sync.OnceFunc(func() { close(stopping) })
	hub := hosts.New(hosts.Options{Log: log})
	b.owner.Listen(hub)
	meters := NewMeters(func() uint64 { return 1 })
	if err := meters.Register(PoolCollector("pool", b.owner)); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Pools: []Pool{{Name: "pool", Owner: b.owner, Audit: store, Play: play.New(play.Options{Pool: "pool", Owner: b.owner, Log: log})}}, Hosts: hub,
		Relay:  relay.New(relay.Options{Log: log, OriginAllowed: func(*http.Request) bool { return true }}),
		Access: b.access(), JWKS: func() ([]byte, error) { return []byte(`{"keys":[]}`), nil },
		Metrics: meters.Handler(), Pages: fstest.MapFS{}, Version: "test", Log: log,
	}
	if change != nil {
		change(&o)
	}
	server := httptest.NewServer(New(o, stopping))
	b.url = server.URL
	t.Cleanup(func() { b.stop(); server.Close(); cancel(); running.Wait(); j.Close() })
	return b
}

func (b *bench) access() Access {
	b.Helper()
	hash, err := auth.HashPassword(password)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	operators, err := auth.OpenOperators(auth.OperatorsOptions{
		Dir: dir, Operators: []auth.Operator{{Name: "ops", PasswordHash: hash}},
		Tokens: []auth.Token{{Name: "script", Hash: auth.HashToken(b.token)}}, Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	if b.hosts, err = auth.OpenHosts(dir, nil); err != nil {
		b.Fatal(err)
	}
	return access{auth.Access{Operators: operators, Hosts: b.hosts, Origins: auth.NewOrigins("http://gate.example", nil)}}
}

// answer is what a call came to.
type answer struct {
	status int
	header http.Header
	body   string
}

// call makes a call; each header is "Name: value".
func (b *bench) call(method, path, body string, headers ...string) answer {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(data)}
}

// as is an operator's call by API token.
func (b *bench) as(method, path, body string) answer {
	b.Helper()
	return b.call(method, path, body, "Authorization: Bearer "+b.token)
}

func (b *bench) do(c admission.Command) {
	b.Helper()
	out, err := b.owner.Do(b.Context(), c)
	if err != nil || out.Refused != nil {
		b.Fatalf("%T: %v, %+v", c, err, out.Refused)
	}
}

// isProblem checks the form of RFC 9457.
func isProblem(t *testing.T, a answer, status int, code string) {
	t.Helper()
	var p struct {
		Type, Title, Detail, Code string
		Status                    int
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	if a.status != status || p.Status != status || p.Code != code || p.Detail == "" || p.Title == "" || p.Type == "" ||
		!strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") {
		t.Errorf("got %d %s %s, want %d %q", a.status, a.header.Get("Content-Type"), a.body, status, code)
	}
}

// routes are the calls under /v1 and beside it, as "GET /v1/pools/{pool}".
func routes(t *testing.T) []string {
	t.Helper()
	a := &api{Options: Options{Pages: fstest.MapFS{}, Metrics: http.NotFoundHandler(), Log: slog.New(slog.DiscardHandler)}}
	e := echo.New()
	a.routes(e)
	var all []string
	for _, r := range e.Routes() {
		if r.Method == echo.RouteNotFound || slices.Contains([]string{"/", "/*", "/admin", "/admin/"}, r.Path) {
			continue
		}
		all = append(all, r.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.Path, "{$1}"))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestTheReferenceTellsVerdicts: what is served of each resource of a host is
// what openapi.json describes.
func TestTheReferenceTellsVerdicts(t *testing.T) {
	var doc struct {
		Components struct {
			Schemas struct {
				Verdict struct {
					Required   []string
					Properties map[string]any
				}
			}
		}
	}
	if err := json.Unmarshal(openAPIDocument, &doc); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(admission.Verdict{})
	if err != nil {
		t.Fatal(err)
	}
	var served map[string]any
	if err := json.Unmarshal(data, &served); err != nil {
		t.Fatal(err)
	}
	told := doc.Components.Schemas.Verdict
	for name := range served {
		if told.Properties[name] == nil || !slices.Contains(told.Required, name) {
			t.Errorf("%s is served and not in openapi.json", name)
		}
	}
	if len(told.Properties) != len(served) {
		t.Errorf("openapi.json tells of %d properties, and %d are served", len(told.Properties), len(served))
	}
}

// TestTheReferenceIsTrue: what openapi.json names is served, and what is served
// stands there.
func TestTheReferenceIsTrue(t *testing.T) {
	b := newBench(t, nil)
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(b.call("GET", "/openapi.json", "").body), &doc); err != nil {
		t.Fatal(err)
	}
	var named []string
	for path, calls := range doc.Paths {
		for method := range calls {
			if method != "parameters" {
				named = append(named, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(named)
	served := routes(t)
	for _, r := range served {
		if !slices.Contains(named, r) {
			t.Errorf("%s is served and not in openapi.json", r)
		}
	}
	for _, r := range named {
		if !slices.Contains(served, r) && r != "GET /" && r != "GET /admin" {
			t.Errorf("%s stands in openapi.json and is not served", r)
		}
	}
}

// operators are the calls that need one.
func operators(t *testing.T) []string {
	t.Helper()
	var calls []string
	for _, r := range routes(t) {
		_, path, _ := strings.Cut(r, " ")
		open := []string{"/v1/login", "/v1/logout", "/v1/lobby", "/v1/pools/{pool}/play", "/v1/watch/{session}"}
		if strings.HasPrefix(path, "/v1/") && !slices.Contains(open, path) && !strings.Contains(path, "/connect") && !strings.Contains(path, "/publish") {
			calls = append(calls, r)
		}
	}
	if len(calls) < 15 {
		t.Fatalf("only %v", calls)
	}
	return calls
}

func TestWhoMayCall(t *testing.T) {
	b := newBench(t, nil)
	login := b.call("POST", "/v1/login", `{"name":"ops","password":"`+password+`"}`, "Origin: http://gate.example")
	cookie, _, _ := strings.Cut(login.header.Get("Set-Cookie"), ";")
	if login.status != 200 || cookie == "" || !strings.Contains(login.header.Get("Set-Cookie"), "HttpOnly") {
		t.Fatalf("login: %d %s %v", login.status, login.body, login.header)
	}
	for _, r := range operators(t) {
		method, path, _ := strings.Cut(r, " ")
		path = strings.NewReplacer("{pool}", "pool", "{host}", "nowhere", "{id}", "nothing").Replace(path)
		t.Run(r, func(t *testing.T) {
			isProblem(t, b.call(method, path, ""), 401, "unauthorized")
			isProblem(t, b.call(method, path, "", "Authorization: Bearer rg_api_wrong"), 401, "unauthorized")
			if got := b.as(method, path, ""); got.status == 401 || got.status == 403 || got.status >= 500 {
				t.Errorf("with a token: %d %s", got.status, got.body)
			}
			with := []string{"Cookie: " + cookie}
			if method == "GET" {
				if got := b.call(method, path, "", with...); got.status >= 400 {
					t.Errorf("with a session: %d %s", got.status, got.body)
				}
				return
			}
			isProblem(t, b.call(method, path, "", with...), 403, "origin")
			isProblem(t, b.call(method, path, "", append(with, "Origin: http://elsewhere.example")...), 403, "origin")
			if got := b.call(method, path, "", append(with, "Origin: http://gate.example")...); got.status == 401 || got.status == 403 {
				t.Errorf("with a session and the Origin: %d %s", got.status, got.body)
			}
		})
	}
	out := b.call("POST", "/v1/logout", "", "Cookie: "+cookie, "Origin: http://gate.example")
	if out.status != 204 {
		t.Errorf("logout: %d %s", out.status, out.body)
	}
	isProblem(t, b.call("GET", "/v1/me", "", "Cookie: "+cookie), 401, "unauthorized")
}

func TestLoginsThatFail(t *testing.T) {
	b := newBench(t, nil)
	origin := "Origin: http://gate.example"
	isProblem(t, b.call("POST", "/v1/login", `{"name":"ops","password":"x"}`, "Origin: http://elsewhere.example"), 403, "origin")
	isProblem(t, b.call("POST", "/v1/login", `{"name":`, origin), 400, "not_understood")
	for i := 0; ; i++ {
		got := b.call("POST", "/v1/login", `{"name":"ops","password":"guess"}`, origin)
		if got.status == 429 {
			isProblem(t, got, 429, "too_many")
			break
		}
		isProblem(t, got, 401, "unauthorized")
		if i == 50 {
			t.Fatal("fifty guesses, and nobody minds")
		}
	}
}

func TestProblems(t *testing.T) {
	b := newBench(t, nil)
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		code               string
	}{
		"no such pool":      {"GET", "/v1/pools/none", "", 404, "unknown_pool"},
		"no such host":      {"POST", "/v1/hosts/none/drain", "", 404, "unknown_host"},
		"no such token":     {"DELETE", "/v1/hosts/none/token", "", 404, "unknown_host"},
		"no such session":   {"DELETE", "/v1/sessions/none", "", 404, "unknown_session"},
		"no such entry":     {"DELETE", "/v1/entries/none", "", 404, "unknown_entry"},
		"nobody to promote": {"POST", "/v1/entries/none/promote", "", 404, "unknown_entry"},
		"a limit of 0":      {"GET", "/v1/pools/pool/queue?limit=0", "", 400, "bad_limit"},
		"a limit of words":  {"GET", "/v1/pools/pool/queue?limit=all", "", 400, "bad_limit"},
		"after a word":      {"GET", "/v1/pools/pool/events?after=then", "", 400, "bad_after"},
		"no JSON":           {"PATCH", "/v1/pools/pool/policy", "faster", 400, "not_understood"},
		"an unknown field":  {"PATCH", "/v1/pools/pool/policy", `{"treshold":{}}`, 400, "not_understood"},
		"a wrong type":      {"PATCH", "/v1/pools/pool/policy", `{"threshold":{"cpu":"much"}}`, 400, "not_understood"},
		"impossible":        {"PATCH", "/v1/pools/pool/policy", `{"threshold":{"cpu":3}}`, 422, "invalid"},
		"always over":       {"PATCH", "/v1/pools/pool/policy", `{"threshold":{"over":0.51}}`, 422, "invalid"},
		"never over":        {"PATCH", "/v1/pools/pool/policy", `{"threshold":{"over":0}}`, 422, "invalid"},
		"too large":         {"PATCH", "/v1/pools/pool/policy", `{"x":"` + strings.Repeat("x", 70_000) + `"}`, 413, "http"},
		"another method":    {"PUT", "/v1/pools/pool/policy", "{}", 404, "http"},
		"nothing there":     {"GET", "/v2/pools", "", 404, "not_found"},
		"no socket":         {"GET", "/v1/pools/pool/play", "", 426, "want_websocket"},
	} {
		t.Run(name, func(t *testing.T) { isProblem(t, b.as(tt.method, tt.path, tt.body), tt.status, tt.code) })
	}
	isProblem(t, b.call("GET", "/v1/hosts/h/connect", "", "Authorization: Bearer wrong"), 401, "unauthorized")
}

// TestWhatOperatorsDo goes once through all that changes something.
func TestWhatOperatorsDo(t *testing.T) {
	b := newBench(t, nil)
	b.do(admission.HostUp{Facts: admission.HostFacts{Host: "h", Cores: 4, Apps: []string{"app"}}})
	now := time.Now()
	if err := b.owner.Observe(admission.Sample{
		Host: "h", Seq: 1, Received: now, WindowEnd: now, Window: time.Second, Period: time.Minute, CPU: admission.Known(0.1),
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"ann", "bob", "cem"} {
		b.do(admission.Join{Client: c, Secret: "k" + c, Intent: admission.Play})
	}
	has := func(path, want string) {
		t.Helper()
		if got := b.as("GET", path, ""); got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("GET %s: %d %s, want %s", path, got.status, got.body, want)
		}
	}
	done := func(method, path, body string, status int) {
		t.Helper()
		if got := b.as(method, path, body); got.status != status {
			t.Errorf("%s %s: %d %s, want %d", method, path, got.status, got.body, status)
		}
	}
	has("/v1/pools", `"name":"pool"`)
	has("/v1/pools/pool", `"paused":false`)
	has("/v1/pools/pool/hosts", `"host":"h"`)
	has("/v1/pools/pool/explain", `"resource":"cpu"`)
	has("/v1/me", `"name":"script"`)
	done("POST", "/v1/pools/pool/pause", "", 200)
	has("/v1/pools/pool", `"paused":true`)
	has("/v1/pools/pool/explain", `"paused"`)
	done("POST", "/v1/pools/pool/resume", "", 200)
	done("POST", "/v1/hosts/h/drain", "", 204)
	has("/v1/pools/pool/hosts", `"draining":true`)
	done("POST", "/v1/hosts/h/undrain", "", 204)
	done("PATCH", "/v1/pools/pool/policy", `{"queue":{"max_length":7}}`, 200)
	has("/v1/pools/pool/policy", `"max_length":7`)
	has("/v1/pools/pool/policy", `"cpu":0.85`)
	has("/v1/pools/pool/policy", `"over":0.01`)
	done("PATCH", "/v1/pools/pool/policy", `{"threshold":{"over":0.05}}`, 200)
	has("/v1/pools/pool/policy", `"over":0.05`)

	queue := ids(t, b.as("GET", "/v1/pools/pool/queue", ""))
	if len(queue) != 2 {
		t.Fatalf("%v wait, want two behind the one who starts", queue)
	}
	done("POST", "/v1/entries/"+queue[1]+"/promote", "", 204)
	if after := ids(t, b.as("GET", "/v1/pools/pool/queue", "")); len(after) != 2 || after[0] != queue[1] {
		t.Errorf("promoted: %v, before %v", after, queue)
	}
	done("DELETE", "/v1/entries/"+queue[0], "", 204)
	sessions := ids(t, b.as("GET", "/v1/pools/pool/sessions", ""))
	if len(sessions) != 1 {
		t.Fatalf("sessions %v", sessions)
	}
	done("DELETE", "/v1/sessions/"+sessions[0], "", 204)
	for _, event := range []string{"paused", "host_drained", "policy_set", "entry_moved", "entry_left", "session_ended"} {
		b.until("the trail tells of "+event, func() bool {
			return strings.Contains(b.as("GET", "/v1/pools/pool/events?limit=500", "").body, `"type":"`+event+`","by":"script"`)
		})
	}
}

func (b *bench) until(what string, holds func() bool) {
	b.Helper()
	deadline, tick := time.After(10*time.Second), time.NewTicker(30*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			b.Fatalf("waited in vain: %s", what)
		}
	}
}

func ids(t *testing.T, a answer) []string {
	t.Helper()
	var list struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, i := range list.Items {
		all = append(all, i.ID)
	}
	return all
}

func TestListsHavePages(t *testing.T) {
	b := newBench(t, nil)
	for i := range 5 {
		b.do(admission.Join{Client: fmt.Sprint("c", i), Secret: fmt.Sprint("k", i), Intent: admission.Play})
	}
	var all []string
	for next := ""; ; {
		a := b.as("GET", "/v1/pools/pool/queue?limit=2"+next, "")
		all = append(all, ids(t, a)...)
		var list struct{ Next *string }
		if err := json.Unmarshal([]byte(a.body), &list); err != nil {
			t.Fatal(err)
		}
		if list.Next == nil {
			break
		}
		next = "&after=" + *list.Next
	}
	if len(all) != 5 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 5 {
		t.Errorf("over all pages: %v", all)
	}
}

// TestARevokedToken: the host may enrol again.
func TestARevokedToken(t *testing.T) {
	b := newBench(t, nil)
	token, err := b.hosts.Enrol("h")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.as("DELETE", "/v1/hosts/h/token", ""); got.status != 204 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if _, err := b.hosts.Check(token, "h"); err == nil {
		t.Error("the token is good for something")
	}
	if _, err := b.hosts.Enrol("h"); err != nil {
		t.Errorf("it cannot enrol again: %v", err)
	}
}

// TestEventsAsTheyCome: a stream of them, which ends when the service does.
func TestEventsAsTheyCome(t *testing.T) {
	b := newBench(t, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/v1/pools/pool/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b.do(admission.Join{Client: "ann", Secret: "k", Intent: admission.Play})
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() && lines.Text() != "event: enqueued" {
		if strings.Contains(lines.Text(), `"secret":"k"`) {
			t.Errorf("a secret in the stream: %s", lines.Text())
		}
	}
	b.stop()
	for lines.Scan() { //nolint:revive // to the end
	}
	if err := lines.Err(); err != nil && t.Context().Err() != nil {
		t.Errorf("the stream did not end: %v", err)
	}
}

func TestReadiness(t *testing.T) {
	b := newBench(t, nil)
	if got := b.call("GET", "/readyz", ""); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	never := owner.New(owner.Options{Name: "late", Log: slog.New(slog.DiscardHandler)})
	late := newBench(t, func(o *Options) { o.Pools = append(o.Pools, Pool{Name: "late", Owner: never}) })
	got := late.call("GET", "/readyz", "")
	isProblem(t, got, 503, "not_ready")
	if !strings.Contains(got.body, "pool late: starting") {
		t.Errorf("it does not say why: %s", got.body)
	}
	if got := late.call("GET", "/healthz", ""); got.status != 200 {
		t.Errorf("it is alive all the same: %d", got.status)
	}
}

func TestMetricsAreWellFormed(t *testing.T) {
	b := newBench(t, nil)
	b.do(admission.Join{Client: "ann", Secret: "k", Intent: admission.Play})
	text := b.call("GET", "/metrics", "").body
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "rendergate_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, want := range []string{"rendergate_relay_sent_bytes_total", `pool="pool"`, "process_resident_memory_bytes"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestPages(t *testing.T) {
	without := newBench(t, nil)
	if got := without.call("GET", "/", ""); got.status != 503 || !strings.Contains(got.body, "make build") {
		t.Errorf("without pages: %d %s", got.status, got.body)
	}
	pages := fstest.MapFS{
		"index.html": {Data: []byte("<h1>play</h1>")}, "admin.html": {Data: []byte("<h1>operate</h1>")},
		"assets/a-1.js": {Data: []byte("let a")}, "secret": {Mode: fs.ModeDir},
	}
	b := newBench(t, func(o *Options) { o.Pages, o.Built, o.Secure = pages, true, true })
	for path, want := range map[string]string{"/": "play", "/admin": "operate", "/assets/a-1.js": "let a"} {
		got := b.call("GET", path, "")
		if got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		for header, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=31536000",
		} {
			if got.header.Get(header) != value {
				t.Errorf("%s: %s is %q", path, header, got.header.Get(header))
			}
		}
	}
	csp := b.call("GET", "/", "").header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'self'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy %q lacks %s", csp, want)
		}
	}
	if got := b.call("GET", "/assets/a-1.js", "").header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("a built file is kept %q", got)
	}
	for _, path := range []string{"/secret", "/../api.go", "/%2e%2e/api.go", "/assets/", "/none.js"} {
		if got := b.call("GET", path, ""); got.status != 404 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}
