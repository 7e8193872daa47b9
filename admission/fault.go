package admission

import (
	"slices"
	"strings"
)

// A host on which an app does not start is empty, and so the first choice for
// everybody: without a rest it would take each player in turn and fail them all.

// fault is how many starts of an app have failed on a host in a row.
type fault struct {
	app   string
	n     int
	at    instant // of the last
	rests bool    // nobody is sent there yet; cleared when the rest is over
}

// rest is how long after its last failed start the host gets nobody for the
// app: nothing for the first two, then doubling.
func (f fault) rest() instant {
	if f.n < faultsAllowed {
		return 0
	}
	length := faultRest
	for range min(f.n-faultsAllowed, 16) {
		length = min(2*length, faultRestMost)
	}
	return f.at.add(length)
}

func (h *host) faultOf(app string) (int, bool) {
	return slices.BinarySearchFunc(h.faults, app, func(f fault, app string) int { return strings.Compare(f.app, app) })
}

// failed notes a start that failed.
func (p *Pool) failed(h *host, app string, at instant) {
	i, found := h.faultOf(app)
	if !found {
		h.faults = slices.Insert(h.faults, i, fault{app: app})
	}
	f := &h.faults[i]
	f.n, f.at = f.n+1, at
	f.rests = f.rest() > 0
	p.armRest(h)
	p.touch(h)
}

// started forgets what has failed before.
func (p *Pool) started(h *host, app string) {
	if i, found := h.faultOf(app); found {
		h.faults = slices.Delete(h.faults, i, i+1)
		p.armRest(h)
		p.touch(h)
	}
}

// pardon forgets it for all apps: the probe has connected anew, so somebody may
// have put things right.
func (p *Pool) pardon(h *host) {
	h.faults = nil
	p.armRest(h)
}

// armRest arms the end of the first rest.
func (p *Pool) armRest(h *host) {
	var first instant
	for _, f := range h.faults {
		if f.rests && (first == 0 || f.rest() < first) {
			first = f.rest()
		}
	}
	p.fresh.set(&h.restTimer, timer{at: first, seq: h.seq, kind: timerRest, owner: h})
}

// rested ends the rests that are over.
func (p *Pool) rested(h *host, now instant) {
	for i := range h.faults {
		f := &h.faults[i]
		f.rests = f.rests && f.rest() >= now
	}
	p.armRest(h)
}

// need is what the failed starts have to say.
func (f fault) need() need {
	n := need{Resource: Failing, Device: NoDevice, Projected: float64(f.n), Limit: faultsAllowed - 1, Verdict: verdictOK}
	if f.rests {
		n.Verdict, n.Ratio = verdictFailing, ratioFailing
	}
	return n
}
