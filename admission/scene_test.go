package admission

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// scene is a pool in a test of one rule: commands go in, and the names of the
// events come out, but for what was learned, which has tests of its own.
type scene struct {
	*testing.T
	p   *Pool
	m   *model
	now time.Time
	seq uint64
}

// newScene opens a pool with one app, "app", of which change may alter the
// policy. It accepts to be over the threshold for half of the time, so that no
// margin is kept and figures stay plain; a session's load shows in full after
// ten seconds.
func newScene(t *testing.T, change func(*Policy)) *scene {
	t.Helper()
	s := &scene{T: t, p: New(), m: newModel(), now: historyStart}
	policy := DefaultPolicy()
	policy.Placement.MaxStarting = 100
	policy.Session.IdleTimeout = 0
	policy.Threshold.Over = 0.5
	policy.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 1}, SettleS: 10}
	if change != nil {
		change(&policy)
	}
	s.do(Open{ID: "x", Policy: policy})
	return s
}

// host connects a host of four cores and samples it.
func (s *scene) host(id string, cpu float64) *scene {
	s.Helper()
	s.do(HostUp{Facts: hostFacts(id)})
	s.sample(id, cpu)
	s.do(Tick{})
	return s
}

func hostFacts(id string) HostFacts { return HostFacts{Host: id, Cores: 4, Apps: []string{"app"}} }

// do runs a command that must not be refused and returns its events by name.
func (s *scene) do(c Command) string {
	s.Helper()
	names, out := s.try(c)
	if out.Refused != nil {
		s.Fatalf("%T refused: %+v", c, *out.Refused)
	}
	return names
}

func (s *scene) try(c Command) (string, Outcome) {
	s.Helper()
	events, out := s.p.Run(s.now, c)
	names := make([]string, 0, len(events))
	for _, e := range events {
		func() {
			defer func() {
				if b, ok := recover().(broken); ok {
					s.Fatalf("%s: %s", e.Name(), b)
				}
			}()
			s.m.apply(e)
		}()
		if _, learned := e.Body.(CostsLearned); !learned {
			names = append(names, label(e))
		}
	}
	return strings.Join(names, " "), out
}

// label is an event's name with what tells it from others of its kind.
func label(e Event) string {
	switch b := e.Body.(type) {
	case OfferLapsed:
		return fmt.Sprintf("%s:%s", e.Name(), b.Reason)
	case EntryLeft:
		return fmt.Sprintf("%s:%s", e.Name(), b.Reason)
	case SessionEnded:
		return fmt.Sprintf("%s:%s", e.Name(), b.Reason)
	case ViewEnded:
		return fmt.Sprintf("%s:%s", e.Name(), b.Reason)
	case EndingSoon:
		return fmt.Sprintf("%s:%s", e.Name(), b.Reason)
	case SessionStarting:
		return fmt.Sprintf("%s:%d", e.Name(), b.Attempt)
	case SessionMoved:
		return fmt.Sprintf("%s:%s", e.Name(), b.Grant.Host)
	}
	return e.Name()
}

func (s *scene) want(got, want string) {
	s.Helper()
	if got != want {
		s.Fatalf("got:  %s\nwant: %s", got, want)
	}
}

// join lets somebody in to play.
func (s *scene) join(id string) string {
	s.Helper()
	return s.do(Join{Client: id, Secret: "k-" + id, Intent: Play})
}

// play brings somebody all the way into a seat, or into the queue.
func (s *scene) play(ids ...string) {
	s.Helper()
	for _, id := range ids {
		s.join(id)
		if session := s.client(id).Session; session != "" {
			s.state(session, StateReady)
			s.state(session, StateConnected)
		}
	}
}

// state reports a session's state from its host.
func (s *scene) state(session string, st SessionState) string {
	s.Helper()
	v, _ := s.p.Session(session)
	return s.do(Report{Host: v.Host, Session: session, State: st})
}

func (s *scene) client(id string) ClientView {
	s.Helper()
	c, ok := s.p.Client(id)
	if !ok {
		s.Fatalf("client %s is gone", id)
	}
	return c
}

func (s *scene) session(client string) SessionView {
	s.Helper()
	v, ok := s.p.Session(s.client(client).Session)
	if !ok {
		s.Fatalf("client %s has no seat", client)
	}
	return v
}

func (s *scene) entry(client string) EntryView {
	s.Helper()
	v, ok := s.p.Entry(s.client(client).Entry)
	if !ok {
		s.Fatalf("client %s has no place", client)
	}
	return v
}

// free ends a client's session, on its host too.
func (s *scene) free(client string) string {
	s.Helper()
	session := s.session(client)
	s.now = s.now.Add(time.Millisecond) // whoever waits has been told so by now
	s.do(Leave{Client: client})
	return s.state(session.ID, StateEnded)
}

// accept takes the one offer that is out.
func (s *scene) accept() string {
	s.Helper()
	for _, e := range s.p.Queue("", 1) {
		return s.do(Accept{Client: e.Client, Offer: e.Offer})
	}
	s.Fatal("nobody has an offer")
	return ""
}

// pass lets time go by and ticks.
func (s *scene) pass(d time.Duration) string {
	s.Helper()
	s.now = s.now.Add(d)
	return s.do(Tick{})
}

// sample observes a host with nothing but a CPU load.
func (s *scene) sample(host string, cpu float64, sessions ...SessionSample) {
	s.Helper()
	s.observe(Sample{Host: host, CPU: Known(cpu), Sessions: sessions})
}

func (s *scene) observe(x Sample) {
	s.Helper()
	s.seq++
	x.Seq, x.Received, x.WindowEnd, x.Window, x.Period = s.seq, s.now, s.now, time.Second, time.Second
	if err := s.p.Observe(s.now, x); err != nil {
		s.Fatal(err)
	}
	s.m.observe(x)
}

// second lets one second go by, samples the host and ticks.
func (s *scene) second(host string, cpu float64, sessions ...SessionSample) string {
	s.Helper()
	s.now = s.now.Add(time.Second)
	s.sample(host, cpu, sessions...)
	return s.do(Tick{})
}

// seconds lets so many seconds go by that are all alike.
func (s *scene) seconds(n int, host string, cpu float64, sessions ...SessionSample) string {
	s.Helper()
	var names []string
	for range n {
		if x := s.second(host, cpu, sessions...); x != "" {
			names = append(names, x)
		}
	}
	return strings.Join(names, " ")
}

func (s *scene) blocked(want Block) {
	s.Helper()
	got := s.p.BlockedBy(s.now, "", Play)
	if got == nil || got.Resource != want.Resource || got.Host != want.Host ||
		fmt.Sprintf("%.3f %.3f", got.Projected, got.Limit) != fmt.Sprintf("%.3f %.3f", want.Projected, want.Limit) {
		s.Fatalf("blocked by %+v, want %+v", got, want)
	}
}
