package admission

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// dice is where a history gets its chances from: a seeded generator, or rapid.
type dice interface {
	n(below int) int // 0 to below-1
}

// history is one random life of a pool, checked after every step.
type history struct {
	dice
	p       *Pool
	m       *model
	log     []Event
	steps   []any // for the report of a failure: times, commands, samples and events
	now     time.Time
	clients int
	seq     uint64
}

var (
	historyStart = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	historyApps  = []string{"a", "b"}
)

func (h *history) start(d dice) {
	*h = history{dice: d, p: New(), m: newModel(), now: historyStart}
	h.run(Open{ID: "x", Name: "pool", Policy: h.policy()})
	for i := range 1 + h.n(3) {
		h.run(HostUp{Facts: h.facts(i)})
		h.observe(fmt.Sprintf("h%d", i))
	}
}

func (h *history) chance(percent int) bool { return h.n(100) < percent }

func pick[T any](h *history, list ...T) T { return list[h.n(len(list))] }

// policy is a random one, small enough that everything runs short.
func (h *history) policy() Policy {
	p := DefaultPolicy()
	for _, a := range historyApps[:1+h.n(2)] {
		p.Apps[a] = h.profile(a)
	}
	p.Threshold.Over = pick(h, 0, DefaultOver, MostOver)
	p.Uplink = UplinkPolicy{BudgetBps: pick(h, 0, 16e6, 40e6, 61e6), WhenFull: pick(h, FullWait, FullDegrade, FullAllow)}
	p.Session.MaxLength = pick(h, 0, 40*time.Second, 30*time.Minute)
	p.Session.IdleTimeout = pick(h, 0, 20*time.Second)
	p.Spectators.MaxPerSession = 1 + h.n(3)
	p.Spectators.BitrateBps = pick(h, 8e6, 4e6)
	p.Spectators.YieldToPlayers = h.chance(60)
	p.Queue.OnLapse = pick(h, LapseNext, LapseNext, LapseLeave)
	p.Queue.MaxLapses = h.n(4)
	p.Queue.MaxLength = pick(h, 0, 6, 10000)
	p.Queue.Classes = pick(h, []string{"vip", "normal"}, []string{"normal"}, []string{"vip", "mid", "normal"})
	p.Placement = PlacementPolicy{Order: pick(h, Spread, Pack), MaxStarting: 1 + h.n(3), HostLost: pick(h, 20*time.Second, time.Minute)}
	return p
}

func (h *history) profile(name string) Profile {
	p := Profile{App: name, Cost: Cost{CPUCores: pick(h, 0, 0.5, 1)}, Seats: pick(h, 0, 0, 2, 3), SettleS: pick(h, 0.0, 3)}
	if h.chance(30) {
		p.Machine = Machine{Cores: pick(h, 4.0, 8), GPUs: pick(h, "", "", ", ")}
	}
	p.Spread.CPUCores = p.Cost.CPUCores * pick(h, 0, 0.2)
	p.Doubt = pick(h, 0, 0, 0.05, 1)
	p.Cost.MemoryBytes = pick(h, 0, 2e9)
	if h.chance(50) {
		p.Cost.GPU, p.Cost.VRAMBytes = pick(h, 0.2, 0.4), 3e9
		p.Cost.Encoder, p.Cost.EncoderSessions = pick(h, 0, 0.3), pick(h, 0.0, 1)
		p.Spread.VRAMBytes = 2e8
	}
	return p
}

func (h *history) facts(i int) HostFacts {
	f := HostFacts{
		Host: fmt.Sprintf("h%d", i), Cores: pick(h, 4.0, 8), MemoryBytes: pick(h, 0, 16e9),
		UplinkBps: pick(h, 0, 0, 24e6), Apps: pick(h, historyApps, historyApps, historyApps[:1], historyApps[1:]),
	}
	for range h.n(3) {
		f.GPUs = append(f.GPUs, GPUFacts{VRAMBytes: pick(h, 0, 8e9, 24e9), EncoderSessions: h.n(4)})
	}
	return f
}

// run gives a command, follows its events in the model, and checks that pool
// and model agree.
func (h *history) run(c Command) Outcome {
	h.steps = append(h.steps, h.now, c)
	before, live := h.m.ranks(), len(h.log)
	h.m.shown = false
	events, out := h.p.Run(h.now, c)
	h.log = append(h.log, events...)
	for _, e := range events {
		h.steps = append(h.steps, e)
		h.m.apply(e)
	}
	h.m.must(len(events) < runEvents, "a run of %d events", len(events)-live)
	h.quiet()
	if !h.m.shown {
		h.keptPlaces(before)
	}
	return out
}

// quiet: after a run nothing is due, so that the pool's owner can sleep.
func (h *history) quiet() {
	if !h.p.open() {
		return
	}
	again, _ := h.p.Decide(h.now, Tick{})
	h.m.must(len(again) == 0, "after a run there is still %v", again)
	next := h.p.NextDeadline()
	h.m.must(next.IsZero() || next.After(h.now), "after a run the next deadline is %s, and it is %s", next, h.now)
}

// keptPlaces: no position gets worse unless a reason was shown.
func (h *history) keptPlaces(before map[string]int) {
	for id, rank := range h.m.ranks() {
		if was, ok := before[id]; ok {
			h.m.must(rank <= was, "entry %s went from %d to %d, and no reason was shown", id, was, rank)
		}
	}
}

// agree checks what readers see against the model.
func (h *history) agree() {
	h.agreeQueue()
	h.m.must(len(h.p.clients) == len(h.m.clients), "%d clients, and %d in the model", len(h.p.clients), len(h.m.clients))
	h.m.must(len(h.p.sessions) == len(h.m.sessions), "%d sessions, and %d in the model", len(h.p.sessions), len(h.m.sessions))
	identities := map[string]string{}
	for id, want := range h.m.clients {
		got, ok := h.p.Client(id)
		h.m.must(ok && got.Entry == want.entry && got.Session == want.session && got.Watching == want.watching &&
			got.Connected == want.connected && got.ViewBps == want.bps, "client %s is %+v, and in the model %+v", id, got, *want)
		if want.identity != "" {
			h.m.must(identities[want.identity] == "", "identity %s has two places", want.identity)
			identities[want.identity] = id
		}
	}
	holders := map[string]bool{}
	for id, want := range h.m.sessions {
		got, ok := h.p.Session(id)
		h.m.must(ok && got.Phase == want.phase && got.Client == want.client && got.Host == want.grant.Host, "session %s is %+v, and in the model %+v", id, got, *want)
		h.m.must(want.phase != PhaseOffered || got.Until.Equal(want.until), "the offer of %s has its clock at %s, not %s", id, got.Until, want.until)
		h.m.must(want.client == "" || !holders[want.client], "client %s holds two seats", want.client)
		holders[want.client] = true
	}
}

// agreeQueue checks positions against a plain count.
func (h *history) agreeQueue() {
	lines, length := h.m.lines(), map[modelLine]int{}
	for k, list := range lines {
		length[modelLine{k.intent, k.app, 0}] += len(list)
	}
	n := 0
	h.p.EachWaiting(func(id, client string, position, total int, _ *Wait) {
		x := h.m.entries[id]
		h.m.must(x != nil && x.offer == "" && x.client == client, "%s waits, and not in the model", id)
		want := 1
		for k, list := range lines {
			if k.intent == x.intent && k.app == x.app {
				if k.class < h.m.class(x.class) {
					want += len(list)
				} else if k.class == h.m.class(x.class) {
					want += slices.Index(list, x)
				}
			}
		}
		h.m.must(position == want && total == length[modelLine{x.intent, x.app, 0}], "%s is at %d of %d, and should be at %d", id, position, total, want)
		view, ok := h.p.Entry(id)
		h.m.must(ok && view.Position == position && view.Length == total, "%s sees %d of %d, told %d of %d", id, view.Position, view.Length, position, total)
		n++
	})
	for _, x := range h.m.entries {
		if x.offer != "" {
			n++
		}
	}
	h.m.must(n == len(h.m.entries), "%d places, and %d in the model", n, len(h.m.entries))
}

// recover is a crash and a restart: the pool is rebuilt from its events or from
// its snapshot, and both must be the same.
func (h *history) recover() {
	h.p = h.replayed()
	h.now = h.now.Add(pick(h, 0, 2*time.Second, 30*time.Second))
	h.run(Recover{})
	if h.chance(70) {
		for _, id := range sorted(h.m.hosts) {
			up := HostUp{Facts: h.m.hosts[id].facts}
			for _, sid := range sorted(h.m.sessions) {
				if s := h.m.sessions[sid]; s.grant.Host == id && s.phase.lit() {
					up.Running = append(up.Running, RunningSession{sid, StateConnected, 0})
				}
			}
			h.run(up)
			h.observe(id)
		}
	}
}

// replayed is the pool made anew from its journal. It must be the same, byte
// for byte, and so must be one that is restored from a snapshot.
func (h *history) replayed() *Pool {
	want := h.snapshot(h.p)
	events := h.log
	if h.chance(20) { // through JSON, which takes most of a history's time
		record, err := EncodeEvents(events)
		h.m.must(err == nil, "encode: %v", err)
		events, err = DecodeEvents(record)
		h.m.must(err == nil, "decode: %v", err)
	}
	q := New()
	for _, e := range events {
		q.Apply(e)
	}
	h.m.must(bytes.Equal(want, h.snapshot(q)), "replay gives another pool:\n%s\n%s", want, h.snapshot(q))
	r, err := Restore(want)
	h.m.must(err == nil, "restore: %v", err)
	h.m.must(bytes.Equal(want, h.snapshot(r)), "restoring gives another pool:\n%s\n%s", want, h.snapshot(r))
	h.sums(r)
	return pick(h, q, r)
}

func (h *history) snapshot(p *Pool) []byte {
	data, err := p.Snapshot()
	h.m.must(err == nil, "snapshot: %v", err)
	return data
}

// sums compares what the pool keeps for speed with what a restored pool adds up.
func (h *history) sums(r *Pool) {
	h.p.settle(toInstant(h.now))
	type sums struct {
		play, view                    int64
		high, views, offers, sessions int
		timers, wants                 int
	}
	of := func(p *Pool) sums {
		s := sums{
			play: p.playBps, view: p.viewBps, high: p.high.len(), views: p.views.len(), offers: p.offers.len(),
			sessions: p.bySeq.len(),
		}
		for _, a := range p.appOrder {
			s.wants += a.play.want.len()
		}
		for _, t := range p.timers.heap {
			if t.kind != timerIdle {
				s.timers++
			}
		}
		return s
	}
	a, b := of(h.p), of(r)
	h.m.must(a == b, "kept for speed: %+v; added up: %+v", a, b)
	for id, s := range h.p.sessions {
		t := r.sessions[id]
		h.m.must(s.seq == t.seq && s.tries == t.tries && s.attempt == t.attempt && s.liveAt == t.liveAt && s.readyAt == t.readyAt &&
			s.lengthWarned == t.lengthWarned && s.idleWarned == t.idleWarned && slices.Equal(s.crashes, t.crashes),
			"session %s is restored as another", id)
	}
	for id, e := range h.p.entries {
		f := r.entries[id]
		h.m.must(e.seq == f.seq && e.lapses == f.lapses && e.back == f.back && e.wish == f.wish && e.since == f.since && e.client.wants == f.client.wants,
			"entry %s is restored as another", id)
	}
}

// finish lets everybody go, and checks that nothing is left.
func (h *history) finish() {
	q := h.replayed() // one goes on, and so does the other
	for _, c := range []Command{Recover{}, Join{Client: "last", Secret: "last", App: "a", Intent: Play}, Tick{}} {
		a, _ := h.p.Run(h.now, c)
		b, _ := q.Run(h.now, c)
		h.m.must(reflect.DeepEqual(a, b), "going on after a restart:\n%v\n%v", a, b)
		for _, e := range a {
			h.m.apply(e)
		}
		h.log = append(h.log, a...)
		h.now = h.now.Add(time.Second)
	}
	for _, id := range sorted(h.m.clients) {
		if h.m.clients[id] != nil {
			h.run(Leave{Client: id})
		}
	}
	for _, id := range sorted(h.m.hosts) {
		h.run(HostUp{Facts: h.m.hosts[id].facts})
	}
	h.agree()
	v := h.p.View()
	h.m.must(len(h.p.sessions) == 0 && len(h.p.clients) == 0 && len(h.p.entries) == 0, "left over: %+v", v)
	h.m.must(v.UplinkUsedBps == 0 && len(h.p.secrets) == 0 && len(h.p.identities) == 0, "left over: %+v", v)
	for _, t := range h.p.timers.heap {
		h.m.must(t.kind == timerHost, "left over: a timer of kind %d", t.kind)
	}
	for _, a := range h.p.appOrder {
		h.m.must(a.running == 0 && a.watchable.len() == 0, "left over in app %s: %d running", a.name, a.running)
	}
	h.m.must(!math.IsNaN(v.UplinkUsedBps), "not a number")
}

// story tells what has happened, one line each.
func (h *history) story() string {
	var b strings.Builder
	for _, x := range h.steps {
		switch x := x.(type) {
		case time.Time:
			fmt.Fprintf(&b, "%s ", x.Sub(historyStart))
		case Event:
			fmt.Fprintf(&b, "    %s %+v\n", x.Name(), x.Body)
		default:
			fmt.Fprintf(&b, "%T %+v\n", x, x)
		}
	}
	return b.String()
}

// live is a whole history of so many steps; it returns what was broken, with
// the steps that led there, and nil if nothing was.
func live(d dice, steps int) (err error) {
	h := &history{m: newModel()}
	defer func() {
		r := recover()
		if b, ok := r.(broken); ok {
			err = fmt.Errorf("%s\n%s", b, h.story())
		} else if r != nil {
			panic(r)
		}
	}()
	h.start(d)
	for range steps {
		h.step()
	}
	h.finish()
	return nil
}
