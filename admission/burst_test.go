package admission

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// playhouse is one host with sessions that really take something: the other half
// of the loop that the pool closes.
type playhouse struct {
	*scene
	r     *rand.Rand
	seen  bool // by the probe, each by itself
	rest  float64
	ramp  float64 // seconds until a player's session shows its full load
	truth func(*rand.Rand) float64
	plays map[string]*play
}

// play is one session: its own mean, about which it swings.
type play struct {
	since       time.Time
	mean, swing float64
}

const (
	playStart = 5 * time.Second
	playSwing = 0.1 // of the mean
)

// load moves all sessions on by a second and says what each takes.
func (h *playhouse) load() (sum float64, each []SessionSample) {
	sum = h.rest
	for _, id := range sorted(h.plays) {
		x := h.plays[id]
		keep := math.Exp(-1 / swingTime)
		x.swing = keep*x.swing + math.Sqrt(1-keep*keep)*playSwing*h.r.NormFloat64()
		age := h.now.Sub(x.since).Seconds()
		use := math.Max(0, x.mean*(1+x.swing)*math.Min(1, age/h.ramp))
		sum += use
		each = append(each, SessionSample{Session: id, CPU: Known(use)})
	}
	return sum, each
}

// second goes by: those who have an offer take it, starts come up, and the host is
// sampled. It returns the true load.
func (h *playhouse) second() float64 {
	h.now = h.now.Add(time.Second)
	for _, e := range h.p.Queue("", 1000) {
		if e.Offer != "" {
			h.do(Accept{Client: e.Client, Offer: e.Offer})
		}
	}
	for _, s := range h.p.hosts["h"].sessions {
		if s.phase == PhaseStarting && h.now.Sub(s.since.time()) >= playStart {
			h.state(s.id, StateReady)
			h.state(s.id, StateConnected)
			h.plays[s.id] = &play{since: h.now, mean: h.truth(h.r)}
		}
	}
	load, each := h.load()
	if !h.seen {
		each = nil
	}
	h.sample("h", math.Min(1, load), each...)
	h.do(Tick{})
	return load
}

// TestBurstOnAWrongProfile: a hundred people come at once, and the profile says
// half or twice of what sessions take, or the truth. The host never gets past its
// threshold by more than one session, and is used.
func TestBurstOnAWrongProfile(t *testing.T) {
	const usual = 0.04 // of a host, what sessions take on average
	for name, tt := range map[string]struct {
		declared, ramp, rest float64
		seen                 bool
	}{
		"the truth":        {1, 20, 0.05, true},
		"half":             {0.5, 20, 0.05, true},
		"twice":            {2, 20, 0.05, true},
		"half, slow ramp":  {0.5, 60, 0.05, true},
		"twice, slow ramp": {2, 60, 0.05, true},
		"half, host only":  {0.5, 20, 0.05, false},
		"twice, host only": {2, 20, 0.05, false},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				h := &playhouse{
					r: rand.New(rand.NewPCG(seed, 3)), seen: tt.seen, rest: tt.rest, ramp: tt.ramp, plays: map[string]*play{},
					truth: func(r *rand.Rand) float64 { return usual * math.Max(0.4, 1+0.2*r.NormFloat64()) },
				}
				h.scene = newScene(t, func(p *Policy) {
					p.Threshold.Over = DefaultOver
					p.Session.MaxLength = 0
					p.Placement.MaxStarting = 3
					p.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 4 * usual * tt.declared}, Spread: Cost{CPUCores: 4 * usual * tt.declared / 5}}
				}).host("h", tt.rest)
				for i := range 100 {
					h.join(fmt.Sprint("p", i))
				}
				most, end := 0.0, 0.0
				for i := range 1200 {
					load := h.second()
					most = math.Max(most, load)
					if i >= 900 {
						end += load / 300
					}
				}
				if largest := usual * 1.6; most > 0.85+largest {
					t.Errorf("seed %d: a load of %v of 0.85", seed, most)
				}
				if end < 0.6 {
					t.Errorf("seed %d: a load of only %v in the end, with %d sessions", seed, end, len(h.plays))
				}
				t.Logf("seed %d: %.3f at most, %.3f in the end, %d sessions, z %.2f", seed, most, end, len(h.plays), h.p.margin.z)
			}
		})
	}
}
