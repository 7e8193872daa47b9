package hosts

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/probe/wire"
)

func known(v float64) wire.Reading { return &v }

func TestImpossibleSamplesAreRefused(t *testing.T) {
	good := func() *wire.Sample { return &wire.Sample{Seq: 1, WindowMS: 1000, CPU: known(0.5)} }
	for name, c := range map[string]struct {
		change func(s *wire.Sample)
		says   string // empty: it is taken
	}{
		"good":            {func(*wire.Sample) {}, ""},
		"unknown CPU":     {func(s *wire.Sample) { s.CPU = nil }, ""},
		"negative CPU":    {func(s *wire.Sample) { s.CPU = known(-0.1) }, "cpu"},
		"absurd CPU":      {func(s *wire.Sample) { s.CPU = known(1e6) }, "cpu"},
		"NaN memory":      {func(s *wire.Sample) { s.Memory = known(math.NaN()) }, "memory_bytes"},
		"infinite egress": {func(s *wire.Sample) { s.EgressBps = known(math.Inf(1)) }, "egress_bps"},
		"no window":       {func(s *wire.Sample) { s.WindowMS = 0 }, "window_ms"},
		"NaN window":      {func(s *wire.Sample) { s.WindowMS = math.NaN() }, "window_ms"},
		"from the future": {func(s *wire.Sample) { s.AgeMS = -1 }, "age_ms"},
		"an hour old":     {func(s *wire.Sample) { s.AgeMS = 3.6e6 }, "age_ms"},
		"a GPU too many":  {func(s *wire.Sample) { s.GPUs = make([]wire.GPUSample, 2) }, "2 GPUs"},
		"negative session": {func(s *wire.Sample) {
			s.Sessions = []wire.SessionSample{{Session: "s", CPU: known(-1)}}
		}, "sessions[0].cpu"},
	} {
		s := good()
		c.change(s)
		err := checkSample(s, 0)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want an error about %q", name, err, c.says)
		}
	}
}

func TestImpossibleHelloIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *wire.Hello)
		says   string
	}{
		"good":        {func(*wire.Hello) {}, ""},
		"no cores":    {func(h *wire.Hello) { h.Cores = 0 }, "cores"},
		"NaN cores":   {func(h *wire.Hello) { h.Cores = math.NaN() }, "cores"},
		"no apps":     {func(h *wire.Hello) { h.Apps = nil }, "apps"},
		"gate by ftp": {func(h *wire.Hello) { h.GateURL = "ftp://x" }, "gate_url"},
		"no gate":     {func(h *wire.Hello) { h.GateURL = "" }, "gate_url"},
	} {
		h := &wire.Hello{Host: "h", Pool: "p", Cores: 4, Apps: []string{"a"}, GateURL: "https://h.example"}
		c.change(h)
		err := checkFacts(h)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want an error about %q", name, err, c.says)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("../../probe/wire/testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden frames: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := decode(data)
		if err != nil {
			return
		}
		given := 0
		for _, has := range []bool{
			frame.Type == "hello" && frame.Hello != nil, frame.Type == "sample" && frame.Sample != nil,
			frame.Type == "session" && frame.Session != nil, frame.Type == "calibration" && frame.Calibration != nil,
		} {
			if has {
				given++
			}
		}
		if given != 1 {
			t.Errorf("%q was taken as a %q without it", data, frame.Type)
		}
		if frame.Sample != nil {
			_ = checkSample(frame.Sample, 0) // must not panic
		}
	})
}
