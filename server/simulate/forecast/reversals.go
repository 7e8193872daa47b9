package forecast

// Reversals counts how often a wait that somebody is shown rises while they
// wait: minutes in which it went up by more than a fifth. The zero value is
// ready for use.
type Reversals struct {
	Minutes, Rises int

	shown map[string]*minute
}

// minute is what one entry was shown in its present minute: its lowest values.
type minute struct {
	from   float64
	low    [2]float64
	risen  bool
	seenAt float64
}

// riseMost is how much a shown wait may rise in a minute.
const riseMost = 1.2

// See notes what an entry is shown at a time in seconds. Call it at even steps,
// several times a minute. A rise of less than half a second is none: nobody sees it.
func (r *Reversals) See(entry string, at, p50, p90 float64) {
	if r.shown == nil {
		r.shown = map[string]*minute{}
	}
	m := r.shown[entry]
	if m == nil {
		m = &minute{from: at, low: [2]float64{p50, p90}}
		r.shown[entry] = m
	}
	m.seenAt = at
	for i, x := range [2]float64{p50, p90} {
		m.risen = m.risen || (x > riseMost*m.low[i] && x > m.low[i]+0.5)
		m.low[i] = min(m.low[i], x)
	}
	if at-m.from >= 60 {
		r.close(m)
		*m = minute{from: at, low: [2]float64{p50, p90}, seenAt: at}
	}
}

func (r *Reversals) close(m *minute) {
	r.Minutes++
	if m.risen {
		r.Rises++
	}
}

// Forget drops what was last seen before that time: entries that no longer wait.
func (r *Reversals) Forget(before float64) {
	for id, m := range r.shown {
		if m.seenAt < before {
			delete(r.shown, id)
		}
	}
}

// Share is that of the minutes in which the shown wait rose.
func (r *Reversals) Share() float64 {
	if r.Minutes == 0 {
		return 0
	}
	return float64(r.Rises) / float64(r.Minutes)
}
