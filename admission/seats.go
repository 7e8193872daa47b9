package admission

import (
	"math"
	"slices"
)

// seat is one seat, or several that are alike, as the forecast sees it: how long
// until it is free for the next in line. All times are seconds from now on.
type seat struct {
	n      float64 // seats alike
	worth  float64 // seats of the app that one of them makes room for
	age    float64 // of its session; 0: it has not begun
	delay  float64 // beside the session's length: before it begins, and until it is released
	cap    float64 // its session ends then for certain; infinite: no limit
	markAt float64 // it is free at this moment with the chance markP, whatever its length
	markP  float64
}

// holding is how long a seat is held from one offer to the next.
type holding struct {
	curve   *curve
	limit   float64 // longest session; infinite: no limit
	delay   float64 // beside the session itself
	ignored float64 // share of offers that nobody takes
	lapsing float64 // how long those hold the seat
}

// supply is what the waiting of one app waits for.
type supply struct {
	seats  []seat
	excess float64 // seats that must become free before there is room for one more
	rivals []rival // by name
}

// rival is another app whose queue wants the same hosts.
type rival struct {
	app   *app
	share float64 // of this app's seats that are on hosts of both
	worth float64 // seats of this app that one of the rival's takes
}

// survey collects the seats of all hosts that serve the app.
type survey struct {
	p     *Pool
	a     *app
	now   instant
	found map[alike]int // place in seats
	supply
	all    float64
	free   float64 // of all, those that nobody holds
	shared map[*app]float64
	worths map[*app]float64
}

// alike are seats that are taken together where there are many: of one kind and
// of about the same age.
type alike struct {
	kind int
	age  int
	app  *app
}

const (
	seatRoom = iota
	seatOffered
	seatStarting
	seatPlayed
	seatMarked
	seatStopping
)

// ageStep is how far, on a scale of ratios, ages differ that are taken as one.
const ageStep = 0.05

func (p *Pool) survey(a *app, now instant) *survey {
	v := newSurvey(p, a, now)
	for _, h := range p.hostOrder {
		if h.lost || h.draining || h.group == nil {
			continue
		}
		if i := slices.Index(h.group.apps, a); i >= 0 {
			v.host(h, i)
		}
	}
	for _, b := range p.appOrder {
		if n := v.shared[b]; n > 0 && b.play.len() > 0 {
			v.rivals = append(v.rivals, rival{app: b, share: n / v.all, worth: v.worths[b] / n})
		}
	}
	if room := p.uplinkRoom(); room < v.free {
		return p.uplinkSurvey(a, now, room)
	}
	return v
}

func newSurvey(p *Pool, a *app, now instant) *survey {
	return &survey{p: p, a: a, now: now, found: map[alike]int{}, shared: map[*app]float64{}, worths: map[*app]float64{}}
}

// uplinkRoom is how many more players the pool's uplink carries; negative while
// it carries more than it should.
func (p *Pool) uplinkRoom() float64 {
	each := float64(p.playerBps())
	if !p.limited() || each <= 0 {
		return math.Inf(1)
	}
	return math.Floor((float64(p.roomBps())+float64(p.yieldable()))/each + 1e-6)
}

// uplinkSurvey is for a pool whose hosts have more room than its uplink carries:
// then every session of the pool, of whichever app, holds as much as one more
// takes, and whoever is ahead for whichever app wants it.
func (p *Pool) uplinkSurvey(a *app, now instant, room float64) *survey {
	v := newSurvey(p, a, now)
	for _, h := range p.hostOrder {
		if h.lost {
			continue // its sessions move, or end
		}
		for _, s := range h.sessions {
			v.seat(s, 1)
			v.all++
		}
	}
	if room > 0 {
		v.add(alike{kind: seatRoom}, seat{n: room, worth: 1, markP: 1})
	}
	v.excess, v.all = max(0, -room), v.all+max(0, room)
	for _, b := range p.appOrder {
		if b != a && b.play.len() > 0 {
			v.rivals = append(v.rivals, rival{app: b, share: 1, worth: 1})
		}
	}
	return v
}

func (v *survey) since(i instant) float64 { return max(0, v.now.sub(i).Seconds()) }

func (v *survey) until(i instant) float64 {
	if i == 0 {
		return math.Inf(1)
	}
	return max(0, i.sub(v.now).Seconds())
}

// host takes the seats of one host: those held, and those that are free.
func (v *survey) host(h *host, i int) {
	n := 0.0
	for _, s := range h.sessions {
		worth := v.worth(h, s.app, &h.group.fitOf(h, i).block)
		v.seat(s, worth)
		n += worth
	}
	if i < len(h.fits) {
		room, excess := v.room(h, &h.fits[i])
		if room > 0 {
			v.add(alike{kind: seatRoom}, seat{n: room, worth: 1, markP: 1, markAt: v.opens(h)})
		}
		v.excess += min(excess, n)
		v.free, n = v.free+room, n+room
	}
	v.all += n
	for _, b := range h.group.apps {
		if b != v.a {
			v.shared[b] += n
			v.worths[b] += n * v.worth(h, b, &h.group.fitOf(h, i).block)
		}
	}
}

// fitOf is the host's fit for the group's i-th app; an empty one before it was judged.
func (g *group) fitOf(h *host, i int) *fit {
	if i < len(h.fits) {
		return &h.fits[i]
	}
	return &fit{}
}

// worth is how many seats of the surveyed app one of b makes room for: by the
// calibrated seats, else by what the host is short of.
func (v *survey) worth(h *host, b *app, short *Block) float64 {
	if b == v.a {
		return 1
	}
	if x, y := h.seats(v.a), h.seats(b); x > 0 && y > 0 {
		return float64(x) / float64(y)
	}
	x, y := v.a.ceiling().of(short.Resource), b.ceiling().of(short.Resource)
	if x > 0 && y > 0 {
		return within(y/x, 1.0/16, 16)
	}
	return 1
}

// room is how many more of the app the host takes now, or how many seats must
// become free before it takes one, beyond the first.
func (v *survey) room(h *host, f *fit) (room, excess float64) {
	if f.ratio > 1 && f.block.Resource != Starting {
		if step := v.step(f.block.Resource); step > 0 {
			excess = max(0, math.Ceil((f.block.Projected-f.block.Limit)/step-1e-6)-1)
		}
		return 0, excess
	}
	if !h.connected {
		return 0, 0
	}
	n := v.p.seatsNeed(h, v.a)
	if n.Verdict == verdictUnlimited {
		return 1, 0
	}
	return max(0, math.Floor(n.Limit-n.Projected+1+1e-6)), 0
}

// step is what one session of the app takes of a resource that is counted, and
// not measured.
func (v *survey) step(r Resource) float64 {
	switch r {
	case Seats:
		return 1
	case Memory, VRAM, EncoderSessions:
		return v.a.ceiling().of(r)
	default:
		return 0
	}
}

// opens is when a host that starts its most already takes the next.
func (v *survey) opens(h *host) float64 {
	at := 0.0
	for _, s := range h.sessions {
		if s.phase == PhaseStarting || s.phase == PhasePending {
			at = max(at, v.a.course.Taking.Value-v.since(s.granted))
		}
	}
	return at
}

// seat takes one session as the seat that it holds.
func (v *survey) seat(s *session, worth float64) {
	c := &s.app.course
	x := seat{n: 1, worth: worth, delay: c.Stopping.Value, cap: math.Inf(1)}
	kind := seatStarting
	switch s.phase {
	case PhaseStopping:
		kind = seatStopping
		x.markAt, x.markP = max(c.Stopping.Value-v.since(s.since), c.Stopping.Value/4), 1
	case PhaseOffered:
		kind = seatOffered
		x.markAt, x.markP = v.until(s.until), c.Ignored.share(0)
		x.delay += max(c.Taking.Value-v.since(s.granted), 0)
		x.cap = x.delay + v.limit()
	case PhasePending, PhaseStarting:
		x.delay += max(c.Taking.Value-v.since(s.granted), 0)
		x.cap = x.delay + v.limit()
	default:
		kind = seatPlayed
		x.age, x.cap = v.since(s.readyAt), v.until(s.endsAt)+x.delay
		v.mark(s, &x)
		if x.markP > 0 {
			kind = seatMarked
		}
	}
	key := max(v.since(s.since), x.age)
	v.add(alike{kind, int(math.Log1p(key) / ageStep), s.app}, x)
}

// mark notes a sign that a session ends soon: its player is gone, or idle.
func (v *survey) mark(s *session, x *seat) {
	c := &s.app.course
	switch {
	case s.phase == PhaseDropped && s.until != 0:
		x.markAt, x.markP = v.until(s.until)+x.delay, c.Dropped.share(0.5)
	case s.idleWarned > v.now:
		x.markAt, x.markP = v.until(s.idleWarned)+x.delay, c.Idle.share(0.5)
	}
}

func (v *survey) limit() float64 {
	if l := v.p.policy.Session.MaxLength; l > 0 {
		return l.Seconds()
	}
	return math.Inf(1)
}

// add takes seats, together with those that are alike once there are many.
func (v *survey) add(k alike, x seat) {
	i, found := v.found[k]
	if !found || len(v.seats) < seatsApart {
		v.found[k] = len(v.seats)
		v.seats = append(v.seats, x)
		return
	}
	y := &v.seats[i]
	n := y.n + x.n
	for _, f := range []struct {
		to   *float64
		from float64
	}{{&y.worth, x.worth}, {&y.age, x.age}, {&y.delay, x.delay}, {&y.cap, x.cap}, {&y.markAt, x.markAt}, {&y.markP, x.markP}} {
		if !math.IsInf(f.from, 1) {
			*f.to += (f.from - *f.to) * x.n / n
		} else {
			*f.to = f.from
		}
	}
	y.n = n
}

// holding is how long seats are held by those who get them next.
func (v *survey) holding() holding {
	c := &v.a.course
	h := holding{
		curve: v.p.curve(v.a, v.now), limit: v.limit(), delay: c.Taking.Value + c.Stopping.Value,
		ignored: c.Ignored.share(0), lapsing: c.Lapsing.Value,
	}
	h.ignored = min(h.ignored, 0.95)
	return h
}
