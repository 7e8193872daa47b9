package whole

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the binary under test, built once, with the race detector if the
// test has it.
var program string //nolint:gochecknoglobals // set once by TestMain

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "rendergate-whole-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "rendergate")
	args := append([]string{"build", "-o", program}, buildFlags()...)
	build := exec.Command("go", append(args, "github.com/rendergate/rendergate/server/cmd/rendergate")...) //nolint:gosec,noctx // fixed words
	build.Stderr = os.Stderr
	status := 1
	if err := build.Run(); err == nil {
		status = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// setup is what a system is configured with.
type setup struct {
	Seats   int     // as calibrated; 0: by load
	Cost    float64 // cores of one session
	Share   float64 // cores of the host
	Command string  // YAML list: what a session runs
	Period  string  // between samples; 250ms if empty
	Extra   string  // more of the cost, such as ", gpu: 30%"
}

// system is a service and a probe as processes.
type system struct {
	testing.TB
	dir, address    string
	pool            string // "pool" if empty
	service, probe  *process
	operator, token string
}

// start starts both and waits until the host is measured.
func start(t testing.TB, s setup) *system {
	t.Helper()
	y := &system{TB: t, dir: t.TempDir(), address: "127.0.0.1:" + freePort(t)}
	y.token = "host-token-of-the-test-0123456789abcdef"
	y.configure(s)
	y.startService()
	y.startProbe()
	y.measured()
	return y
}

func (y *system) configure(s setup) {
	y.Helper()
	y.write("token", y.token)
	y.write("app.profile.yaml", fmt.Sprintf("version: 1\napp: app\nseats: %d\nstart: 1s\nsettle: 2s\ncost: {cpu_cores: %g%s}\n", s.Seats, s.Cost, s.Extra))
	y.write("service.yaml", fmt.Sprintf(`
listen: %q
data: ./data
limits: {connections_per_address: 5000, joins_per_minute: 60000}
auth: {hosts: [{host: h, token_hash: "sha256:%s"}]}
pools:
  pool:
    apps: {app: {profile: ./app.profile.yaml}}
    threshold: {over: 50%%}
    placement: {max_starting: 20}
`, y.address, sha256Hex(y.token)))
	y.write("probe.yaml", fmt.Sprintf(`
server: http://%s
token_file: ./token
host: h
pool: pool
period: %s
scope: {kind: share, cores: %g}
cgroup: none
gate: {listen: "127.0.0.1:%s", public_url: "http://127.0.0.1:1"}
apps:
  app:
    command: %s
    upstream: "http://127.0.0.1:{{.Port}}"
    ready: {after: 10ms}
    stop_timeout: 1s
`, y.address, cmp.Or(s.Period, "250ms"), s.Share, freePort(y.TB), s.Command))
}

func (y *system) write(name, text string) {
	y.Helper()
	if err := os.WriteFile(filepath.Join(y.dir, name), []byte(text), 0o600); err != nil {
		y.Fatal(err)
	}
}

func (y *system) startService(flags ...string) {
	y.Helper()
	y.service = y.run(append([]string{"serve", "--config", filepath.Join(y.dir, "service.yaml")}, flags...)...)
	y.until("the service is ready", func() bool {
		answer, err := http.Get("http://" + y.address + "/readyz") //nolint:noctx // the test ends it
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	data, err := os.ReadFile(filepath.Join(y.dir, "data", "operator-token"))
	if err != nil {
		y.Fatal(err)
	}
	y.operator = strings.TrimSpace(string(data))
}

func (y *system) startProbe(flags ...string) {
	y.Helper()
	y.probe = y.run(append([]string{"probe", "--config", filepath.Join(y.dir, "probe.yaml")}, flags...)...)
}

// measured waits until the host would be used.
func (y *system) measured() {
	y.Helper()
	y.until("the host is measured", func() bool { return y.explain().Admits || y.explain().Blocked.Resource == "seats" })
}

// explanation is what /explain says of the one host.
type explanation struct {
	Admits  bool
	Blocked struct{ Resource string }
	CPU     struct{ Measured, Reserved, Projected, Limit float64 }
}

func (y *system) explain() explanation {
	y.Helper()
	var raw struct {
		Items []struct {
			Admits    bool `json:"admits"`
			Resources []struct {
				Resource                             string
				Measured, Reserved, Projected, Limit float64
			} `json:"resources"`
		} `json:"items"`
		Blocked *struct{ Resource string } `json:"blocked_by"`
	}
	y.call(http.MethodGet, "/v1/pools/pool/explain", &raw)
	var x explanation
	for _, item := range raw.Items {
		x.Admits = item.Admits
		for _, r := range item.Resources {
			if r.Resource == "cpu" {
				x.CPU.Measured, x.CPU.Reserved, x.CPU.Projected, x.CPU.Limit = r.Measured, r.Reserved, r.Projected, r.Limit
			}
		}
	}
	if raw.Blocked != nil {
		x.Blocked.Resource = raw.Blocked.Resource
	}
	return x
}

// call is an operator's call.
func (y *system) call(method, path string, into any) {
	y.Helper()
	r, err := http.NewRequestWithContext(y.Context(), method, "http://"+y.address+path, nil)
	if err != nil {
		y.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+y.operator)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		y.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		y.Fatalf("%s %s: %d %s (%v)", method, path, answer.StatusCode, body, err)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			y.Fatalf("%s %s: %v in %s", method, path, err, body)
		}
	}
}

// session is one item of the sessions' list.
type session struct {
	ID, Client, Phase string
	Attempt, GPU      int
}

func (y *system) sessions() []session {
	y.Helper()
	var list struct{ Items []session }
	y.call(http.MethodGet, "/v1/pools/pool/sessions", &list)
	return list.Items
}

// queue is the ids of all who wait, in order.
func (y *system) queue() []string {
	y.Helper()
	var ids []string
	next := ""
	for {
		var list struct {
			Items []struct{ ID string }
			Next  any
		}
		y.call(http.MethodGet, "/v1/pools/pool/queue?limit=500"+next, &list)
		for _, e := range list.Items {
			ids = append(ids, e.ID)
		}
		if list.Next == nil || list.Next == "" {
			return ids
		}
		next = fmt.Sprintf("&after=%v", list.Next)
	}
}

// until asks again and again, for half a minute at most.
func (y *system) until(what string, holds func() bool) {
	y.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			y.Fatalf("waited in vain: %s", what)
		}
	}
}

// process is a running part. Its log is shown if the test fails.
type process struct {
	cmd   *exec.Cmd
	log   *logBuffer
	ended chan struct{}
}

func (y *system) run(args ...string) *process { return y.runTo(nil, args...) }

// runTo runs a part whose standard output goes into out, or into its log.
func (y *system) runTo(out io.Writer, args ...string) *process {
	y.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(y.Context()), program, args...) //nolint:gosec // our own program
	log := &logBuffer{}
	cmd.Stderr, cmd.Stdout, cmd.Dir = log, log, y.dir
	if out != nil {
		cmd.Stdout = out
	}
	if err := cmd.Start(); err != nil {
		y.Fatal(err)
	}
	p := &process{cmd: cmd, log: log, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	y.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if text := log.String(); y.Failed() || strings.Contains(text, "DATA RACE") {
			y.Errorf("%s said:\n%s", args[0], text)
		}
	})
	return p
}

// stop signals the process and waits for its end.
func (p *process) stop(with syscall.Signal) {
	_ = p.cmd.Process.Signal(with)
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// logBuffer keeps the end of what a process says.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.text.Len() > 1<<20 {
		b.text.Next(1 << 19)
	}
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.text.String()
	return s[max(0, len(s)-6000):]
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
