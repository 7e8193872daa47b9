package admission

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// crowd is a pool of so many full hosts with so many people waiting.
func crowd(tb testing.TB, hosts, waiting int) *Pool {
	tb.Helper()
	p := New()
	policy := DefaultPolicy()
	policy.Queue.MaxLength = 0
	policy.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 2, MemoryBytes: 1e9}, Seats: 4}
	p.Run(historyStart, Open{ID: "bench", Policy: policy})
	for i := range hosts {
		name := fmt.Sprintf("host-%05d", i)
		p.Apply(Event{At: historyStart, Body: HostConnected{Facts: HostFacts{
			Host: name, Cores: 16, MemoryBytes: 64e9, Apps: []string{"app"}, GateURL: "https://" + name,
		}}})
		for j := range 4 {
			seatAt(p, fmt.Sprintf("p%d-%d", i, j), name)
		}
		if err := p.Observe(historyStart, benchSample(name, 1, historyStart)); err != nil {
			tb.Fatal(err)
		}
	}
	for i := range waiting {
		p.Apply(Event{At: historyStart, Body: Enqueued{
			Entry: fmt.Sprintf("w%d-bench", i), Client: fmt.Sprintf("client-%07d", i), Secret: fmt.Sprintf("secret-%07d", i),
			Class: "normal", App: "app", Intent: Play, Key: int64(i + 1), WatchWhileWaiting: i%2 == 0,
		}})
	}
	for range lengthsNeeded { // so that waits are computed too
		p.apps["app"].ended(length{S: 600})
	}
	return p
}

// seatAt puts a player on a host.
func seatAt(p *Pool, client, host string) {
	entry, session := "e-"+client, "s-"+client
	for _, b := range []Body{
		Enqueued{Entry: entry, Client: client, Secret: "k" + client, Class: "normal", App: "app", Intent: Play, Key: p.maxKey + 1},
		Admitted{Entry: entry, Client: client, Grant: Grant{
			Session: session, App: "app", Host: host, GPU: NoDevice,
			Cost: Cost{CPUCores: 2, MemoryBytes: 1e9}, BitrateBps: 8e6, Sharing: SharingClosed,
		}},
		SessionStarting{Session: session, Client: client, Host: host, Attempt: 1},
		SessionReady{Session: session, Client: client},
		SessionConnected{Session: session, Client: client},
	} {
		p.Apply(Event{At: historyStart, Body: b})
	}
}

func benchSample(host string, seq uint64, at time.Time) Sample {
	return Sample{
		Host: host, Seq: seq, Received: at, WindowEnd: at, Window: time.Second, Period: time.Minute,
		CPU: Known(0.5), Memory: Known(4e9),
	}
}

func eachSize(b *testing.B, f func(b *testing.B, p *Pool)) {
	for _, hosts := range []int{1, 100, 10_000} {
		for _, waiting := range []int{0, 1_000, 1_000_000} {
			b.Run(fmt.Sprintf("hosts=%d/waiting=%d", hosts, waiting), func(b *testing.B) {
				p := crowd(b, hosts, waiting)
				b.ReportAllocs()
				runtime.GC() // of what the building left
				b.ResetTimer()
				f(b, p)
			})
		}
	}
}

// BenchmarkDecide is a join that has to wait, decided and applied with all that
// follows, and the same client leaving again.
func BenchmarkDecide(b *testing.B) {
	eachSize(b, func(b *testing.B, p *Pool) {
		now := historyStart.Add(time.Second)
		i := 0
		for b.Loop() {
			i++
			id := fmt.Sprintf("new-%d", i)
			p.Run(now, Join{Client: id, Secret: id, Intent: Play})
			p.Run(now, Leave{Client: id})
		}
	})
}

// BenchmarkSeat is a player who leaves, the host that says so, and the offer to
// the next; the seat is then declined for good, so that the queue stays as long
// as it was.
func BenchmarkSeat(b *testing.B) {
	for _, hosts := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("hosts=%d/waiting=1000000", hosts), func(b *testing.B) {
			p := crowd(b, hosts, 1_000_000)
			now := historyStart.Add(time.Second)
			session, host := "s-p0-0", "host-00000"
			b.ReportAllocs()
			runtime.GC()
			b.ResetTimer()
			for b.Loop() {
				s, _ := p.Session(session)
				p.Run(now, Leave{Client: s.Client})
				events, _ := p.Run(now, Report{Host: host, Session: session, State: StateEnded})
				for _, e := range events {
					if o, ok := e.Body.(Offered); ok {
						session = o.Grant.Session
						p.Run(now, Accept{Client: o.Client, Offer: o.Offer})
						p.Run(now, Report{Host: host, Session: session, State: StateConnected})
					}
				}
			}
		})
	}
}

// BenchmarkTick is a tick with nothing to do.
func BenchmarkTick(b *testing.B) {
	eachSize(b, func(b *testing.B, p *Pool) {
		now := historyStart.Add(time.Second)
		for b.Loop() {
			p.Run(now, Tick{})
		}
	})
}

// BenchmarkObserve is a sample of one host among many.
func BenchmarkObserve(b *testing.B) {
	eachSize(b, func(b *testing.B, p *Pool) {
		seq := uint64(1)
		for b.Loop() {
			seq++
			at := historyStart.Add(time.Duration(seq) * time.Millisecond)
			if err := p.Observe(at, benchSample("host-00000", seq, at)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPositions computes all positions and waits of a million.
func BenchmarkPositions(b *testing.B) {
	p := crowd(b, 100, 1_000_000)
	n := 0
	for b.Loop() {
		p.EachWaiting(func(_, _ string, _, _ int, w *Wait) {
			if w != nil {
				n++
			}
		})
	}
	if n != b.N*1_000_000 {
		b.Fatalf("%d waits in %d rounds", n, b.N)
	}
}

// BenchmarkForecast makes the forecast anew, as once a second, and tells it to a
// hundred thousand who wait.
func BenchmarkForecast(b *testing.B) {
	for _, hosts := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("hosts=%d/waiting=100000", hosts), func(b *testing.B) {
			p := crowd(b, hosts, 100_000)
			r := rand.New(rand.NewPCG(1, 2))
			for range lengthsKept {
				p.apps["app"].ended(length{S: 600 * r.ExpFloat64()})
			}
			at, n := historyStart, 0
			b.ReportAllocs()
			runtime.GC()
			for b.Loop() {
				at = at.Add(time.Second)
				p.apps["app"].ended(length{S: 600 * r.ExpFloat64()})
				p.settle(toInstant(at))
				p.EachWaiting(func(_, _ string, _, _ int, w *Wait) {
					if w != nil {
						n++
					}
				})
			}
			if n != b.N*100_000 {
				b.Fatalf("%d waits in %d rounds", n, b.N)
			}
		})
	}
}

// BenchmarkReplay applies a million events, and BenchmarkSnapshot writes and
// reads a million entries.
func BenchmarkReplay(b *testing.B) {
	for b.Loop() {
		crowd(b, 0, 1_000_000)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	p := crowd(b, 100, 1_000_000)
	for b.Loop() {
		data, err := p.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
	}
}

func BenchmarkRestore(b *testing.B) {
	data, err := crowd(b, 100, 1_000_000).Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Restore(data); err != nil {
			b.Fatal(err)
		}
	}
}

// thousand is a record of a thousand events.
func thousand() []Event {
	events := make([]Event, 1000)
	for i := range events {
		events[i] = Event{At: historyStart, Body: Enqueued{
			Entry: "e1-x", Client: "c1", Secret: "s", Class: "normal", App: "a", Intent: Play, Key: int64(i),
		}}
	}
	return events
}

func BenchmarkEncodeEvents(b *testing.B) {
	events := thousand()
	for b.Loop() {
		if _, err := EncodeEvents(events); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeEvents(b *testing.B) {
	data, err := EncodeEvents(thousand())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := DecodeEvents(data); err != nil {
			b.Fatal(err)
		}
	}
}
