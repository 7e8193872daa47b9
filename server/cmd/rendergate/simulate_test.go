package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/server/simulate"
)

// tiny is a scenario that takes no time.
func tiny(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// printed runs the command and gives what it wrote to standard output.
func printed(t *testing.T, args ...string) (string, int) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	was := os.Stdout
	os.Stdout = out
	status := run(args)
	os.Stdout = was
	data, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(data), status
}

func TestSimulateWrites(t *testing.T) {
	path := tiny(t, "few", "about: Few people.\nlength: 5m\nhosts: {count: 1}\narrivals: {rate: 100/h}\n")
	page := filepath.Join(t.TempDir(), "page.html")
	text, status := printed(t, "simulate", "--scenario", path, "--seeds", "2", "--json", "--report", page)
	var r simulate.Result
	if err := json.Unmarshal([]byte(text), &r); err != nil || status != 0 {
		t.Fatalf("status %d: %v", status, err)
	}
	if r.Set != "files" || r.Seeds != 2 || r.FirstSeed != 1 || len(r.Scenarios) != 1 || r.Scenarios[0].Name != "few" || len(r.Scenarios[0].Policies[0].Curve) < 2 {
		t.Errorf("%+v", r)
	}
	if html, err := os.ReadFile(page); err != nil || !strings.Contains(string(html), "Few people.") {
		t.Errorf("the report: %v", err)
	}
	text, status = printed(t, "simulate", "--scenario", path, "--seeds", "1", "--policies", "rendergate")
	if status != 0 || !strings.HasPrefix(text, "few: Few people.\n") || !strings.Contains(text, "\nrendergate ") || !strings.Contains(text, "1 scenario, each with 1 seed from 1 on.") {
		t.Errorf("status %d\n%s", status, text)
	}
	for line := range strings.Lines(text) {
		if n := len([]rune(line)); n > 121 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
}

func TestSimulateRefuses(t *testing.T) {
	good, bad := tiny(t, "good", "length: 5m\n"), tiny(t, "bad", "length: 5\n")
	for _, args := range [][]string{
		{"--seeds", "0"}, {"--seeds", "100000"}, {"--set", "other"}, {"--set", "none"}, {"--only", "nothing"}, {"--policies", "nobody"},
		{"--scenario", bad}, {"--scenario", good + ".not"}, {"--scenario", good, "--scenario", good}, {"--scenario", good, "--report", t.TempDir()},
	} {
		if _, status := printed(t, append([]string{"simulate"}, args...)...); status != exitUsage {
			t.Errorf("%v: exit status %d, want %d", args, status, exitUsage)
		}
	}
}

// demoTrace is the folder of what the demo recorded.
const demoTrace = "../../simulate/trace/testdata/demo"

func TestSimulateATrace(t *testing.T) {
	var r [2]simulate.Result
	for i, args := range [][]string{
		{"--trace", demoTrace},
		{"--trace", demoTrace + "/probe.jsonl.gz", "--trace", demoTrace + "/server.jsonl.gz", "--seeds", "2", "--times", "2", "--pool", "demo"},
	} {
		text, status := printed(t, append([]string{"simulate", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(text), &r[i]); err != nil || status != 0 {
			t.Fatalf("%v: status %d: %v", args, status, err)
		}
	}
	if r[0].Set != "trace" || r[0].Seeds != 5 || r[1].Seeds != 2 || len(r[0].Scenarios) != 1 || r[0].Scenarios[0].Name != "demo" {
		t.Errorf("%+v", r[0])
	}
	// Twice as many came, so who lets all in has about twice the load.
	once, twice := r[0].Scenarios[0].Policies, r[1].Scenarios[0].Policies
	if len(once) != len(simulate.Policies()) || once[3].Name != "accept_all" || twice[3].Load < 1.7*once[3].Load || twice[3].Load > 2.2*once[3].Load {
		t.Errorf("%+v\n%+v", once[3], twice[3])
	}
}

func TestSimulateRefusesATrace(t *testing.T) {
	file := tiny(t, "no-trace", "length: 5m\n")
	for _, args := range [][]string{
		{"--trace", demoTrace, "--scenario", file}, {"--trace", demoTrace, "--only", "steady"}, {"--trace", demoTrace, "--pool", "other"},
		{"--trace", demoTrace, "--times", "0"}, {"--times", "2"}, {"--pool", "demo"},
		{"--trace", file}, {"--trace", file + ".not"}, {"--trace", t.TempDir()},
	} {
		if _, status := printed(t, append([]string{"simulate"}, args...)...); status != exitUsage {
			t.Errorf("%v: exit status %d, want %d", args, status, exitUsage)
		}
	}
}

func TestMeter(t *testing.T) {
	now := time.Unix(0, 0)
	for _, c := range []struct {
		width func() int
		want  string
	}{
		{nil, "5 of 100 runs, about 10 m 27 s to go\n"},
		{func() int { return 80 }, "\r\x1b[K[##......................................] 5 of 100 runs, about 10 m 27 s to go\r\x1b[K"},
		{func() int { return 30 }, "\r\x1b[K5 of 100 runs, about 10 m 27 s to go\r\x1b[K"},
	} {
		var b bytes.Buffer
		m := &meter{out: &b, width: c.width, now: func() time.Time { return now }, began: now, said: now}
		m.show(1, 100) // too soon
		m.now = func() time.Time { return now.Add(33 * time.Second) }
		m.show(5, 100)
		m.close()
		if b.String() != c.want {
			t.Errorf("got %q\nwant %q", b.String(), c.want)
		}
	}
}
