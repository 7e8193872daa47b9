package admission

import "math"

// margin is how many standard deviations are kept free, and tunes itself: load is
// not normally distributed, costs are not known exactly, and nobody knows by how
// much. So the margin grows while a resource is over its threshold and shrinks
// while somebody waits in vain, each at the rate at which both balance when the
// share of time over the threshold is what the operator accepts. This is
// stochastic approximation of a quantile (H. Robbins and S. Monro, "A stochastic
// approximation method", Annals of Mathematical Statistics 22, 1951). Soft state,
// but journalled with the costs, so that a restart does not forget it.
type margin struct{ z float64 }

const (
	// marginStep is by how much z grows for each second that a host is over.
	marginStep = 0.01
	marginMost = 6.0
	marginMin  = 0.0
)

// start sets the margin to what was journalled, else to what a normal
// distribution needs.
func (m *margin) start(journalled, over float64) {
	m.z = journalled
	if m.z <= 0 {
		m.z = clampMargin(normalQuantile(1 - over))
	}
}

func clampMargin(z float64) float64 { return math.Max(marginMin, math.Min(marginMost, z)) }

// normalQuantile is the inverse of the normal distribution function.
func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// over is the accepted share of time over the threshold.
func (p *Pool) over() float64 {
	if o := p.policy.Threshold.Over; o > 0 {
		return o
	}
	return DefaultOver
}

// tune takes in one sample of a host: whether anything on it is over its
// threshold, or closed while somebody waits.
func (p *Pool) tune(h *host) {
	over := false
	h.devices(func(dev device) {
		y := h.measured(dev)
		over = over || y.Known && y.Value > p.threshold(dev.resource)
	})
	dt, accepted := math.Min(h.window(), 10), p.over()
	switch {
	case over:
		p.margin.z = clampMargin(p.margin.z + marginStep*(1-accepted)*dt)
	case len(h.closed) > 0 && p.someoneWaits():
		p.margin.z = clampMargin(p.margin.z - marginStep*accepted*dt)
	}
}

// someoneWaits says whether anybody who is there waits to play.
func (p *Pool) someoneWaits() bool {
	for _, a := range p.appOrder {
		if e, _ := a.play.head(); e != nil {
			return true
		}
	}
	return false
}
