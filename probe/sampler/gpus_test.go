package sampler

import (
	"testing"

	"github.com/rendergate/rendergate/probe/nvml"
	"github.com/rendergate/rendergate/probe/wire"
)

type fixedGPUs nvml.Reading

func (f fixedGPUs) Latest() nvml.Reading { return nvml.Reading(f) }

// TestSessionsOnGPUs: a session is two processes on GPU 1; another idles there,
// and one has no GPU.
func TestSessionsOnGPUs(t *testing.T) {
	p := func(util, encoder, vram float64) nvml.Process {
		return nvml.Process{Util: &util, Encoder: &encoder, VRAM: &vram}
	}
	table := map[int]proc{10: {}, 11: {}, 20: {}, 30: {}}
	trees := map[string]tree{"a": {pids: []int{10, 11}}, "b": {pids: []int{20}}, "c": {pids: []int{30}}}
	sessions := []Session{{ID: "a", GPU: 1}, {ID: "b", GPU: 1}, {ID: "c", GPU: -1}}
	both := func(listed map[int]nvml.Process, perProcess bool) fixedGPUs {
		return fixedGPUs{
			Samples:   make([]wire.GPUSample, 2),
			Processes: []map[int]nvml.Process{{}, listed}, PerProcess: []bool{true, perProcess},
		}
	}
	for name, tt := range map[string]struct {
		gpus       fixedGPUs
		utilA      float64 // -1: unknown
		utilB      float64
		vramA      float64
		unknownAll bool
	}{
		"listed":                  {gpus: both(map[int]nvml.Process{10: p(0.2, 0.1, 5), 11: p(0.1, 0, 7)}, true), utilA: 0.3, utilB: 0, vramA: 12},
		"not told per process":    {gpus: both(map[int]nvml.Process{10: {VRAM: new(float64)}}, false), utilA: -1, utilB: -1, vramA: 0},
		"the numbers are another": {gpus: both(map[int]nvml.Process{999: p(0.9, 0, 1)}, true), unknownAll: true},
		"nothing runs":            {gpus: both(map[int]nvml.Process{}, true), utilA: 0, utilB: 0, vramA: 0},
		"it was not read":         {gpus: both(nil, false), unknownAll: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Sampler{o: Options{GPUs: tt.gpus, Sessions: func() []Session { return sessions }}}
			sample := wire.Sample{Sessions: []wire.SessionSample{{Session: "a"}, {Session: "b"}, {Session: "c"}}}
			s.readGPUs(&reading{processes: table, trees: trees}, &sample)
			a, b, c := sample.Sessions[0], sample.Sessions[1], sample.Sessions[2]
			if tt.unknownAll {
				if a.GPU != nil || b.GPU != nil || a.VRAM != nil || c.GPU != nil {
					t.Fatalf("got %+v %+v %+v, want all unknown", a, b, c)
				}
				return
			}
			is := func(what string, got wire.Reading, want float64) {
				t.Helper()
				if (got == nil) != (want < 0) || (got != nil && (*got < want-1e-9 || *got > want+1e-9)) {
					t.Errorf("%s: got %v, want %v", what, got, want)
				}
			}
			is("a's GPU", a.GPU, tt.utilA)
			is("b's GPU", b.GPU, tt.utilB)
			is("a's VRAM", a.VRAM, tt.vramA)
			if c.GPU != nil || c.VRAM != nil || len(sample.GPUs) != 2 {
				t.Errorf("c, which has no GPU: %+v", c)
			}
		})
	}
}
