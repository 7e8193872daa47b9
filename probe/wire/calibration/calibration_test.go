package calibration

import "testing"

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		kind string
		gpu  int
		key  string
	}{{CPU, -1, "cpu"}, {VRAM, 0, "vram/0"}, {GPULoad, 12, "gpu/12"}} {
		if got := Key(c.kind, c.gpu); got != c.key {
			t.Errorf("Key(%s, %d) is %s, want %s", c.kind, c.gpu, got, c.key)
		}
		if kind, gpu := SplitKey(c.key); kind != c.kind || gpu != c.gpu {
			t.Errorf("SplitKey(%s) is %s and %d", c.key, kind, gpu)
		}
	}
}

func TestCurve(t *testing.T) {
	if got := (Curve{Base: 0.1, Slope: 0.2, Bend: 0.01}).At(3); got < 0.789 || got > 0.791 {
		t.Errorf("0.1 + 0.2*3 + 0.01*9 is %v", got)
	}
}
