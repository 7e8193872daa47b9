package whole

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// result is what a command said, and how it ended.
type result struct {
	out, err string
	status   int
}

func command(t *testing.T, in string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...) //nolint:gosec // our own program
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestCommands: 0 is done, 1 failed, 2 wrong usage or config; one line says
// what, where, and what would be right.
func TestCommands(t *testing.T) {
	profile := file(t, "version: 1\napp: app\nseats: 4\n")
	taken := start(t, setup{Seats: 1, Cost: 0.01, Share: 1, Command: `[sleep, "1"]`}).address
	for name, tt := range map[string]struct {
		args   []string
		in     string
		status int
		out    string // on standard output
		err    string // on standard error
	}{
		"version":               {args: []string{"version"}, out: "rendergate "},
		"help":                  {args: []string{"--help"}, out: "admission service"},
		"nothing":               {status: 2, err: "see rendergate --help"},
		"an unknown command":    {args: []string{"fly"}, status: 2, err: "fly"},
		"an unknown flag":       {args: []string{"serve", "--fast"}, status: 2, err: "--fast"},
		"a config that is good": {args: []string{"config", "check", file(t, "listen: \":9\"\n")}, out: "ok"},
		"a config with a slip":  {args: []string{"config", "check", file(t, "pools:\n  p:\n    sesion: {}\n")}, status: 2, err: `:3:5: pools.p.sesion: unknown key; did you mean "session"?`},
		"a config with a wrong unit": {
			args:   []string{"config", "check", file(t, "pools:\n  p:\n    uplink: {budget: 240 Mb}\n")},
			status: 2, err: "want a rate such as",
		},
		"a config that is not there": {args: []string{"config", "check", "/nowhere.yaml"}, status: 2, err: "/nowhere.yaml"},
		"serve with such a config":   {args: []string{"serve", "--config", file(t, "listen: 7\nfoo: 1\n")}, status: 2, err: "foo"},
		"serve on a port that is taken": {
			args: []string{"serve", "--listen", taken, "--data", t.TempDir()}, status: 2, err: "address already in use",
		},
		"serve on a folder that cannot be made": {args: []string{"serve", "--listen", "127.0.0.1:0", "--data", "/proc/none"}, status: 1, err: "/proc/none"},
		"a probe without a config":              {args: []string{"probe", "--server", "http://x"}, status: 2, err: "--config"},
		"a probe with a wrong one":              {args: []string{"probe", "--config", file(t, "server: x\n")}, status: 2, err: ":1:9: server"},
		"a hash":                                {args: []string{"config", "hash-password"}, in: "correct horse battery staple\n", out: "$argon2id$"},
		"a hash of nothing":                     {args: []string{"config", "hash-password"}, status: 2, err: "password"},
		"a plan":                                {args: []string{"plan", "--profile", profile, "--arrivals", "120/h", "--length", "12m"}, out: "8 hosts"},
		"a plan for machines":                   {args: []string{"plan", "--profile", profile, "--arrivals", "120/h", "--length", "12m", "--json"}, out: `"hosts": 8`},
		"a plan without seats":                  {args: []string{"plan", "--arrivals", "120/h", "--length", "12m"}, status: 2, err: "--seats"},
		"a plan with odd arrivals":              {args: []string{"plan", "--seats", "4", "--arrivals", "many", "--length", "12m"}, status: 2, err: "120/h"},
		"the GPUs of this machine":              {args: []string{"nvml-reader", "--once"}, out: `"devices"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := command(t, tt.in, tt.args...)
			if r.status != tt.status || !strings.Contains(r.out, tt.out) || !strings.Contains(r.err, tt.err) {
				t.Errorf("status %d, want %d\nstandard output: %s\nwant: %s\nstandard error: %s\nwant: %s", r.status, tt.status, r.out, tt.out, r.err, tt.err)
			}
			if strings.Contains(r.err, "goroutine ") {
				t.Errorf("it crashed:\n%s", r.err)
			}
		})
	}
}

// TestSecretsStayOutOfLogs, and in files that their owner alone can read.
func TestSecretsStayOutOfLogs(t *testing.T) {
	y := start(t, setup{Seats: 2, Cost: 0.01, Share: 1, Command: `[sleep, "1000"]`})
	y.come().until("seated")
	first := y.service.log
	y.service.stop(syscall.SIGTERM)
	y.startService()
	for _, name := range []string{"operator-password", "operator-token", "ticket-keys.json"} {
		file := filepath.Join(y.dir, "data", name)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		data, err := os.ReadFile(file) //nolint:gosec // of this test
		if err != nil {
			t.Fatal(err)
		}
		secret := strings.TrimSpace(string(data))
		for _, log := range []*logBuffer{first, y.service.log, y.probe.log} {
			if strings.Contains(log.String(), secret) || strings.Contains(log.String(), y.token) {
				t.Errorf("%s stands in a log", name)
			}
		}
	}
	if first.String() == "" {
		t.Error("the service has said nothing: nothing was tested")
	}
}
