package whole

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendergate/rendergate/server/simulate/trace"
)

// TestRecord records a service and a probe. The service is killed and started
// again meanwhile; the traces tell of those who came, of what only the probe saw,
// and of no secret.
func TestRecord(t *testing.T) {
	command, _ := asleep(t)
	y := &system{TB: t, dir: t.TempDir(), address: "127.0.0.1:" + freePort(t), token: "host-token-of-the-test-0123456789abcdef"}
	y.configure(setup{Seats: 1, Cost: 0.01, Share: 64, Command: command})
	var files []string
	record := func(name string) []string {
		files = append(files, filepath.Join(y.dir, name))
		return []string{"--record", files[len(files)-1]}
	}
	y.startService(record("server-1.jsonl")...)
	y.startProbe(record("probe.jsonl")...)
	y.measured()
	ann := y.come()
	ann.until("seated")
	bob := y.come()
	bob.until("queued")
	if err := ann.send(map[string]any{"type": "leave"}); err != nil {
		t.Fatal(err)
	}
	offer := bob.until("offered")
	if err := bob.send(map[string]any{"type": "accept", "offer": offer.Offer}); err != nil {
		t.Fatal(err)
	}
	held := bob.until("seated")
	y.until("the trace of the session is on disk", func() bool { return count(t, files[0], held.Session) > 5 })

	y.service.stop(syscall.SIGKILL)
	before := count(t, files[1], `"sample"`)
	y.until("the probe records on", func() bool { return count(t, files[1], `"sample"`) > before+8 })
	y.startService(record("server-2.jsonl")...)
	y.measured()
	if err := bob.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	bob.until("seated")
	if err := bob.send(map[string]any{"type": "leave"}); err != nil {
		t.Fatal(err)
	}
	bob.until("ended")
	y.until("the seat is free", func() bool { return len(y.sessions()) == 0 })
	y.probe.stop(syscall.SIGTERM)
	y.service.stop(syscall.SIGTERM)

	tr, err := trace.Read(files, trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := trace.Read([]string{files[0], files[2]}, trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if all, few := tr.Hosts[0].Samples, alone.Hosts[0].Samples; all < few+8 {
		t.Errorf("%d samples with the probe's trace and %d without; want at least 8 more", all, few)
	}
	if notes := strings.Join(tr.Notes, "\n"); len(tr.Notes) != 1 || !strings.Contains(notes, "server-1.jsonl: it has no end") {
		t.Errorf("notes:\n%s", notes)
	}
	checkRecorded(t, tr)
	noSecrets(t, files, y.token, ann.resume, bob.resume, y.operator)
}

func checkRecorded(t *testing.T, tr *trace.Trace) {
	t.Helper()
	if tr.Period != 250*time.Millisecond || tr.Policy.Apps["app"].Seats != 1 || tr.Hosts[0].Cores != 64 || tr.Pool != "pool" || tr.Assumed {
		t.Errorf("period %v, policy %+v, host %+v", tr.Period, tr.Policy, tr.Hosts[0].HostFacts)
	}
	if len(tr.People) != 2 {
		t.Fatalf("%d people, want 2", len(tr.People))
	}
	for i, p := range tr.People {
		if !p.Seated() || p.Ended != "left" || p.Censored || p.LengthS <= 0 || p.StartS <= 0 || !math.IsInf(p.PatienceS, 1) || p.App != "app" {
			t.Errorf("person %d: %+v", i, p)
		}
		if waited := i == 1; (p.AnswerS > 0) != waited || (p.WaitedS > 0) != waited {
			t.Errorf("person %d waited %v s and took %v s to answer", i, p.WaitedS, p.AnswerS)
		}
	}
	if bob := tr.People[1]; len(bob.Load) < 8 || !bob.Load[7].CPU.Known {
		t.Errorf("the load of bob's session is %+v", bob.Load)
	}
}

// count counts how often a text stands in a file.
func count(t *testing.T, file, text string) int {
	t.Helper()
	data, err := os.ReadFile(file) //nolint:gosec // of this test
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte(text))
}

// noSecrets: neither a secret nor its hash is in a trace.
func noSecrets(t *testing.T, files []string, secrets ...string) {
	t.Helper()
	for _, file := range files {
		for _, s := range secrets {
			if s == "" || count(t, file, s) > 0 || count(t, file, sha256Hex(s)) > 0 {
				t.Errorf("%s tells the secret %.4q…, or it is empty", file, s)
			}
		}
	}
}

// TestRecordOverAFile: what exists is never overwritten, and a folder that is
// not there is not made.
func TestRecordOverAFile(t *testing.T) {
	there := file(t, "mine")
	probe := file(t, "server: http://127.0.0.1:1\npool: p\ngate: {listen: \"127.0.0.1:0\", public_url: \"http://127.0.0.1:1\"}\napps: {a: {command: [x], upstream: \"http://127.0.0.1:{{.Port}}\"}}\n")
	for name, args := range map[string][]string{
		"serve": {"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--record"},
		"probe": {"probe", "--config", probe, "--record"},
	} {
		for path, says := range map[string]string{
			there: fmt.Sprintf("record: %s exists and is not overwritten; want a new file", there), "/nowhere/at/all": "no such file or directory",
		} {
			if r := command(t, "", append(args, path)...); r.status != 2 || !strings.Contains(r.err, says) {
				t.Errorf("%s: status %d, %s; want 2 and %q", name, r.status, r.err, says)
			}
		}
	}
	if data, err := os.ReadFile(there); err != nil || string(data) != "mine" { //nolint:gosec // of this test
		t.Errorf("the file is %q now (%v)", data, err)
	}
}
