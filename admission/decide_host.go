package admission

import (
	"fmt"
	"math"
	"strings"
)

// hostUp takes a probe's hello and reconciles with what it says is running.
func (d *draft) hostUp(c HostUp) {
	if err := c.Facts.Validate(); err != nil {
		d.refuse(RefusedInvalid, "%v", err)
		return
	}
	d.add(HostConnected{Facts: c.Facts.clone()})
	h := d.p.hosts[c.Facts.Host]
	if h == nil {
		return
	}
	running := map[string]RunningSession{}
	for _, r := range c.Running {
		running[r.Session] = r
	}
	for _, s := range h.sessions {
		r, there := running[s.id]
		st := r.State
		there = there && !s.outlived(r.Attempt)
		switch {
		case s.phase == PhaseOffered:
		case there && st != StateEnded && st == StateReady && (s.phase == PhaseConnected):
			d.dropped(s) // the probe that knew of its player is gone
		case there && st != StateEnded && st.valid():
			d.state(s, st)
		default:
			d.missing(s)
		}
	}
}

// missing: the host does not run the session. A start in flight is given again,
// as the same attempt, which a host that has it takes for nothing new.
func (d *draft) missing(s *session) {
	if s.phase == PhaseStarting {
		d.add(SessionStarting{
			Session: s.id, Client: s.client.id, Host: s.host.id, GPU: s.grant.GPU,
			Attempt: s.attempt, Until: s.until.time(),
		})
		return
	}
	d.ended(s)
}

func (d *draft) hostDown(c HostDown) {
	switch h := d.p.hosts[c.Host]; {
	case h == nil:
		d.refuse(RefusedUnknownHost, "there is no host %q", c.Host)
	case h.connected:
		d.add(HostDisconnected(c))
	}
}

// Validate says what is impossible in the facts, nil if nothing is.
func (f HostFacts) Validate() error {
	switch {
	case f.Host == "" || strings.ContainsFunc(f.Host, func(r rune) bool { return r < ' ' }):
		return fmt.Errorf("host name %q: it must not be empty or hold control characters", f.Host)
	case !(f.Cores > 0) || f.Cores > 1e5:
		return fmt.Errorf("host %s: %v cores: it must be above 0 and at most 100000", f.Host, f.Cores)
	case !amount(f.MemoryBytes):
		return fmt.Errorf("host %s: memory of %v bytes: it must be 0 (unknown) to 1e16", f.Host, f.MemoryBytes)
	case !amount(f.UplinkBps):
		return fmt.Errorf("host %s: uplink of %v bit/s: it must be 0 (no limit) to 1e16", f.Host, f.UplinkBps)
	case len(f.GPUs) > maxGPUs:
		return fmt.Errorf("host %s: %d GPUs: at most %d are allowed", f.Host, len(f.GPUs), maxGPUs)
	}
	for i, g := range f.GPUs {
		if !amount(g.VRAMBytes) || g.EncoderSessions < 0 {
			return fmt.Errorf("host %s: GPU %d: VRAM of %v bytes or %d encoder sessions: neither may be negative or absurd",
				f.Host, i, g.VRAMBytes, g.EncoderSessions)
		}
	}
	return nil
}

// maxGPUs bounds what one host may claim to have.
const maxGPUs = 64

// amount says whether x can be a number of bytes or of bits per second.
func amount(x float64) bool { return x >= 0 && x <= 1e16 && !math.IsNaN(x) }
