package whole

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGPUHost has a driver's library of ours, scripted by a file, below the real
// probe: two GPUs at 10 %, sessions of 30 %. Each GPU takes two, one after the
// other on either, and the fifth player is told which is short.
func TestGPUHost(t *testing.T) {
	scriptGPUs(t, "gpus 2\nd0.util 10\nd1.util 10\n")
	command, _ := asleep(t)
	y := start(t, setup{Cost: 0.01, Share: 64, Extra: ", gpu: 30%, vram: 1 GiB", Command: command})
	for range 4 {
		y.come().until("seated")
	}
	y.come().until("queued")
	var gpus []int
	for _, s := range y.sessions() {
		gpus = append(gpus, s.GPU)
	}
	slices.Sort(gpus)
	if !slices.Equal(gpus, []int{0, 0, 1, 1}) {
		t.Errorf("the sessions are on GPUs %v, want two on each", gpus)
	}
	if x := y.explain(); x.Admits || x.Blocked.Resource != "gpu" {
		t.Errorf("blocked by %q, want gpu", x.Blocked.Resource)
	}
}

// scriptGPUs puts a driver's library of ours below the probes that are started
// after.
func scriptGPUs(t testing.TB, text string) {
	t.Helper()
	for _, variable := range gpuScript(t, text) {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

// gpuScript makes a driver's library of ours and its script, and returns the
// environment for who is to load it. What goes wrong is an error of the test,
// which goes on.
func gpuScript(t testing.TB, text string) []string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Error("gcc is not installed: `make deps` installs it")
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), gcc, "-shared", "-fPIC", "-o", filepath.Join(dir, "libnvidia-ml.so.1"), //nolint:gosec // fixed words
		"../../probe/nvml/testdata/stub.c")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
	return []string{"LD_LIBRARY_PATH=" + dir, "NVML_STUB=" + script}
}
