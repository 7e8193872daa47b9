package whole

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// distant are the flags that calibrate the system's host from afar.
func (y *system) distant(dir string, more ...string) []string {
	y.Helper()
	token := filepath.Join(y.dir, "data", "operator-token")
	return append([]string{
		"calibrate", "--host", "h", "--server", "http://" + y.address, "--token-file", token, "--app", "app",
		"--period", "100ms", "--min-settle", "2s", "--max-settle", "4s", "--soak", "2s", "--json", "--out", filepath.Join(dir, "p.yaml"),
	}, more...)
}

func (y *system) draining() bool {
	y.Helper()
	var list struct{ Items []struct{ Draining bool } }
	y.call(http.MethodGet, "/v1/pools/pool/hosts", &list)
	return len(list.Items) == 1 && list.Items[0].Draining
}

// TestCalibrateAHost of a running service, through its probe: it is drained,
// nobody who plays is thrown out, it is given back, and players come again.
func TestCalibrateAHost(t *testing.T) {
	burn := app(t, "burn")
	y := start(t, setup{Cost: 0.01, Share: 0.6, Command: `["` + burn + `", "0.2"]`})
	ann := y.come()
	ann.until("seated")
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program, y.distant(dir, "--report", filepath.Join(dir, "r.html"))...) //nolint:gosec // our own program
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(progress); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		switch {
		case strings.Contains(lines.Text(), "waiting for the sessions on it to end, 1 left"):
			if !y.draining() || len(y.sessions()) != 1 {
				t.Error("it is not drained, or the player was thrown out")
			}
			ann.send(map[string]any{"type": "leave"})
		case strings.Contains(lines.Text(), "opening copy 2"):
			if !y.draining() {
				t.Error("it is not drained while it is calibrated")
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	text, err := os.ReadFile(filepath.Join(dir, "p.yaml"))
	if err != nil || !strings.Contains(string(text), "\nseats: 2 ") || !strings.Contains(string(text), burn) { // 0.85 x 0.6 / 0.2 = 2.55
		t.Errorf("%v\n%s\n%s", err, text, &said)
	}
	y.until("the host is given back", func() bool { return !y.draining() })
	if left := pids(t, burn); len(left) > 0 {
		t.Errorf("copies run on: %v", left)
	}
	bob := y.come()
	bob.until("seated")
}

// TestCalibrateAHostInterrupted: Ctrl-C keeps what was measured; kill -9 ends it
// on the host as well. The host is given back either way.
func TestCalibrateAHostInterrupted(t *testing.T) {
	burn := app(t, "burn")
	y := start(t, setup{Cost: 0.01, Share: 8, Command: `["` + burn + `", "0.05"]`})
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), program, y.distant(dir)...) //nolint:gosec // our own program
		progress, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(progress); lines.Scan(); {
			if strings.Contains(lines.Text(), "opening copy 2") {
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait()
		y.until("the host is given back", func() bool { return !y.draining() })
		y.until("no copy runs", func() bool { return len(pids(t, burn)) == 0 })
		text, err := os.ReadFile(filepath.Join(dir, "p.yaml"))
		if signal == syscall.SIGINT && (err != nil || !strings.Contains(string(text), `partial: "stopped at 1 copy"`)) {
			t.Errorf("%v: %s", err, text)
		}
	}
	for name, c := range map[string]struct{ flags, err string }{
		"a host that is not there": {"--host other", `no host "other" in any pool`},
		"an app that it lacks":     {"--app other", `host "h" has no app "other"; it has [app]`},
		"another's command":        {"--scene x", "how the app is started stands in the config of the host's probe"},
		"no service":               {"--server http://127.0.0.1:1", "the service: "},
	} {
		r, _ := calibrate(t, nil, y.distant(t.TempDir(), strings.Fields(c.flags)...)...)
		if r.status == 0 || !strings.Contains(r.err, c.err) {
			t.Errorf("%s: status %d, %q", name, r.status, r.err)
		}
	}
}
