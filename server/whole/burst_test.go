package whole

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// TestBurst: a hundred come within one period of the samples, to a host that
// carries four of their sessions: 0.2 cores each of one core, up to 85 %. Real
// processes use what they are said to use. Not one too many is let in, neither
// at once nor while their load comes to show.
func TestBurst(t *testing.T) {
	burn := filepath.Join(t.TempDir(), "burn")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", burn, "./testdata/burn").CombinedOutput(); err != nil { //nolint:gosec // fixed words
		t.Fatalf("%v: %s", err, out)
	}
	y := start(t, setup{Cost: 0.2, Share: 1, Period: "1s", Command: fmt.Sprintf(`[%q, "0.2"]`, burn)})
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			p := &player{y: y}
			t.Cleanup(p.close)
			if err := p.connect(t.Context()); err != nil {
				t.Error(err)
				return
			}
			if m, err := p.next(); err != nil || m.Type != "welcome" {
				t.Errorf("got %+v, %v", m, err)
			}
		})
	}
	all.Wait()
	seated := func() int {
		n := 0
		for _, s := range y.sessions() {
			if s.Phase != "offered" {
				n++
			}
		}
		return n
	}
	most, seen := 0, 0.0
	steady := 0
	y.until("the load of four shows, and stays", func() bool {
		x := y.explain()
		most, seen = max(most, len(y.sessions())), max(seen, x.CPU.Measured)
		if x.CPU.Limit != 0.85 {
			t.Fatalf("the limit is %v", x.CPU.Limit)
		}
		if x.CPU.Measured > 0.7 {
			steady++
		}
		return steady > 150
	})
	t.Logf("%d seated, %d seats at most, %.0f %% measured at most", seated(), most, 100*seen)
	if most != 4 || seated() != 4 {
		t.Errorf("%d seated, %d seats at most; want 4", seated(), most)
	}
	if seen > 0.85 {
		t.Errorf("the host came to %.1f %%, past its threshold of 85 %%", 100*seen)
	}
}
