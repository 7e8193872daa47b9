package hosts

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
)

// What a host may plausibly say. Beyond these it is a fault, not a load.
const (
	maxCores    = 4096
	maxBytes    = 1 << 50
	maxBps      = 1e13
	maxGPUs     = 64
	maxSessions = 4096
	maxFraction = 16.0 // a reading over 1 can happen where a share is stated
	maxWindowMS = 120_000
	maxAgeMS    = 60_000
	maxName     = 128
)

func checkFacts(h *wire.Hello) error {
	switch {
	case !inRange(h.Cores, maxCores) || h.Cores == 0:
		return fmt.Errorf("cores is %v; want more than 0 and at most %d", h.Cores, maxCores)
	case !inRange(h.MemoryBytes, maxBytes):
		return fmt.Errorf("memory_bytes is %v; want 0 (unknown) to %d", h.MemoryBytes, maxBytes)
	case !inRange(h.UplinkBps, maxBps):
		return fmt.Errorf("uplink_bps is %v; want 0 (no limit) to %v", h.UplinkBps, maxBps)
	case len(h.GPUs) > maxGPUs:
		return fmt.Errorf("%d GPUs; want at most %d", len(h.GPUs), maxGPUs)
	case len(h.Apps) == 0:
		return fmt.Errorf("apps is empty; a host must name the apps it can start")
	case len(h.Running) > maxSessions:
		return fmt.Errorf("%d running sessions; want at most %d", len(h.Running), maxSessions)
	case h.PeriodS < 0 || h.PeriodS > 120 || math.IsNaN(h.PeriodS):
		return fmt.Errorf("period_s is %v; want 0.1 to 120", h.PeriodS)
	}
	for i, g := range h.GPUs {
		if !inRange(g.VRAMBytes, maxBytes) || g.EncoderSessions < 0 {
			return fmt.Errorf("gpus[%d]: vram_bytes %v or encoder_sessions %d is impossible", i, g.VRAMBytes, g.EncoderSessions)
		}
	}
	return checkGateURL(h.GateURL)
}

func checkGateURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("gate_url is %q; want an http or https URL that browsers can reach", raw)
	}
	return nil
}

func inRange(v, most float64) bool { return v >= 0 && v <= most } // false for NaN

func facts(h *wire.Hello) admission.HostFacts {
	gpus := make([]admission.GPUFacts, len(h.GPUs))
	for i, g := range h.GPUs {
		gpus[i] = admission.GPUFacts{UUID: g.UUID, Name: clip(g.Name), VRAMBytes: g.VRAMBytes, EncoderSessions: g.EncoderSessions}
	}
	return admission.HostFacts{
		Host: h.Host, Version: clip(h.Version), Cores: h.Cores, MemoryBytes: h.MemoryBytes, GPUs: gpus,
		UplinkBps: h.UplinkBps, GateURL: strings.TrimRight(h.GateURL, "/"), Apps: h.Apps, Share: clip(h.Share),
	}
}

func clip(s string) string {
	if len(s) > maxName {
		return strings.ToValidUTF8(s[:maxName], "")
	}
	return s
}

func running(h *wire.Hello) []admission.RunningSession {
	out := make([]admission.RunningSession, len(h.Running))
	for i, s := range h.Running {
		out[i] = admission.RunningSession{Session: s.Session, State: admission.SessionState(s.State), Attempt: s.Attempt}
	}
	return out
}

// checkSample says which value of a sample is impossible, and what would be right.
func checkSample(s *wire.Sample, gpus int) error {
	if !(s.WindowMS > 0 && s.WindowMS <= maxWindowMS) {
		return fmt.Errorf("window_ms is %v; want more than 0 and at most %d", s.WindowMS, maxWindowMS)
	}
	if !inRange(s.AgeMS, maxAgeMS) {
		return fmt.Errorf("age_ms is %v; want 0 to %d", s.AgeMS, maxAgeMS)
	}
	if len(s.GPUs) != gpus {
		return fmt.Errorf("%d GPUs in the sample, %d in hello; unknown ones are given as null values", len(s.GPUs), gpus)
	}
	if len(s.Sessions) > maxSessions {
		return fmt.Errorf("%d sessions; want at most %d", len(s.Sessions), maxSessions)
	}
	values := []value{{"cpu", s.CPU, maxFraction}, {"memory_bytes", s.Memory, maxBytes}, {"egress_bps", s.EgressBps, maxBps}}
	for i, g := range s.GPUs {
		at := fmt.Sprintf("gpus[%d].", i)
		values = append(values, value{at + "util", g.Util, 1}, value{at + "encoder", g.Encoder, 1},
			value{at + "encoder_sessions", g.EncoderSessions, maxSessions}, value{at + "vram_bytes", g.VRAM, maxBytes})
	}
	for i, n := range s.Sessions {
		at := fmt.Sprintf("sessions[%d].", i)
		values = append(values, value{at + "cpu", n.CPU, maxFraction}, value{at + "memory_bytes", n.Memory, maxBytes},
			value{at + "gpu", n.GPU, 1}, value{at + "encoder", n.Encoder, 1}, value{at + "vram_bytes", n.VRAM, maxBytes},
			value{at + "idle_s", n.IdleS, 1e9})
	}
	for _, v := range values {
		if v.v != nil && !inRange(*v.v, v.most) {
			return fmt.Errorf("%s is %v; want 0 to %v, or null where it is unknown", v.name, *v.v, v.most)
		}
	}
	return nil
}

type value struct {
	name string
	v    wire.Reading
	most float64
}

func reading(r wire.Reading) admission.Reading {
	if r == nil {
		return admission.Reading{}
	}
	return admission.Known(*r)
}

// sample places a host's sample on the server's clock.
func sample(c *conn, s *wire.Sample, now time.Time) admission.Sample {
	period := time.Duration(c.hello.PeriodS * float64(time.Second))
	if period <= 0 {
		period = time.Second
	}
	out := admission.Sample{
		Host: c.host, Seq: s.Seq, Received: now, WindowEnd: now.Add(-millis(s.AgeMS)), Window: millis(s.WindowMS),
		Period: period, CPU: reading(s.CPU), Memory: reading(s.Memory), EgressBps: reading(s.EgressBps),
	}
	for _, g := range s.GPUs {
		out.GPUs = append(out.GPUs, admission.GPUSample{
			Util: reading(g.Util), Encoder: reading(g.Encoder),
			EncoderSessions: reading(g.EncoderSessions), VRAM: reading(g.VRAM),
		})
	}
	for _, n := range s.Sessions {
		out.Sessions = append(out.Sessions, admission.SessionSample{
			Session: n.Session, CPU: reading(n.CPU), Memory: reading(n.Memory), GPU: reading(n.GPU),
			Encoder: reading(n.Encoder), VRAM: reading(n.VRAM), IdleForS: reading(n.IdleS),
		})
	}
	return out
}

func millis(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
