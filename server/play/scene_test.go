package play_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/journal"
	"github.com/rendergate/rendergate/server/owner"
	"github.com/rendergate/rendergate/server/play"
)

// scene is a hub over a real owner and journal. Its hosts are played by
// commands: with automatic ones, whatever is told to start is ready at once.
type scene struct {
	tb    testing.TB
	owner *owner.Owner
	hub   *play.Hub
	url   string
	trust *tls.Config // of clients
	stop  func()

	mu     sync.Mutex
	manual bool
	jobs   sync.WaitGroup
}

// options of a scene; zero values are usual ones.
type options struct {
	policy func(*admission.Policy)
	play   func(*play.Options)
	tls    bool
	manual bool // hosts report nothing by themselves
}

func newScene(tb testing.TB, o options) *scene {
	tb.Helper()
	s, err := openScene(tb.TempDir(), o)
	if err != nil {
		tb.Fatal(err)
	}
	s.tb = tb
	tb.Cleanup(s.stop)
	return s
}

// openScene is also for processes that are no tests.
func openScene(dir string, o options) (*scene, error) {
	log := slog.New(slog.DiscardHandler)
	j, err := journal.Open(context.Background(), journal.Options{Dir: dir, Log: log})
	if err != nil {
		return nil, err
	}
	store, err := j.Pool(context.Background(), "test")
	if err != nil {
		return nil, err
	}
	policy := admission.DefaultPolicy()
	policy.Apps["showroom"] = admission.Profile{App: "showroom", Cost: admission.Cost{CPUCores: 1}, Seats: 1}
	policy.Session.IdleTimeout = 0
	policy.Placement.MaxStarting = 1000
	policy.Queue.MaxLength = 100_000
	if o.policy != nil {
		o.policy(&policy)
	}
	own := owner.New(owner.Options{Name: "test", Policy: policy, Journal: store, Log: log})
	po := playOptions(own, log)
	if o.play != nil {
		o.play(&po)
	}
	s := &scene{owner: own, hub: play.New(po), manual: o.manual}
	own.Listen(s.hub)
	own.Listen(s)
	s.run(j, o.tls)
	return s, nil
}

func playOptions(o *owner.Owner, log *slog.Logger) play.Options {
	return play.Options{
		Pool: "test", Owner: o, Log: log,
		PlayerTicket: func(client, session, host string) (string, time.Time, error) {
			return "player." + client + "." + session + "." + host, time.Now().Add(time.Minute), nil
		},
		SpectatorTicket: func(client, session string) (string, error) { return "spectator." + client + "." + session, nil },
		Mime:            func(string) string { return "image/jpeg" },
		WatchBase:       func(r *http.Request) string { return "ws://" + r.Host },
		OriginAllowed:   func(r *http.Request) bool { return r.Header.Get("Origin") != "http://evil.example" },
		Connect:         func(string) (func(), bool) { return func() {}, true },
		Join:            func(string) bool { return true },
		Identify: func(_ context.Context, token string) (string, string, error) {
			if token == "forged" {
				return "", "", errors.New("forged")
			}
			return token, "", nil
		},
	}
}

// run runs all parts until stop, which ends them in the service's order.
func (s *scene) run(j *journal.Journal, secure bool) {
	ctx, cancel := context.WithCancel(context.Background())
	owning, stopOwner := context.WithCancel(context.Background())
	played, owned := make(chan error, 1), make(chan error, 1)
	go func() { owned <- s.owner.Run(owning) }()
	go func() { played <- s.hub.Run(ctx) }()
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hub.Connect(w, r, r.Header.Get("X-Address"))
	}))
	if !secure {
		web.Start()
	} else {
		web.StartTLS()
		s.trust = web.Client().Transport.(*http.Transport).TLSClientConfig //nolint:errcheck // it is what httptest makes
	}
	s.url = "ws" + strings.TrimPrefix(web.URL, "http")
	s.stop = sync.OnceFunc(func() {
		cancel()
		err := <-played
		s.jobs.Wait()
		stopOwner()
		if owner := <-owned; !errors.Is(owner, context.Canceled) {
			err = errors.Join(err, owner)
		}
		if err != nil && s.tb != nil {
			s.tb.Error(err)
		}
		web.Close()
		j.Close()
	})
}

// Committed plays the hosts: what starts is ready, what is stopped is gone.
func (s *scene) Committed(c owner.Commit) {
	for _, e := range c.Events {
		switch b := e.Body.(type) {
		case admission.SessionStarting:
			s.later(admission.Report{Host: b.Host, Session: b.Session, State: admission.StateReady})
		case admission.SessionEnded:
			if v, ok := c.Pool.Session(b.Session); ok {
				s.later(admission.Report{Host: v.Host, Session: b.Session, State: admission.StateEnded})
			}
		}
	}
}

func (s *scene) later(c admission.Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.manual {
		s.jobs.Go(func() { _, _ = s.owner.Do(context.Background(), c) })
	}
}

func (s *scene) do(c admission.Command) admission.Outcome {
	s.tb.Helper()
	out, err := s.owner.Do(s.tb.Context(), c)
	if err != nil {
		s.tb.Fatalf("%T: %v", c, err)
	}
	if out.Refused != nil {
		s.tb.Fatalf("%T: %s", c, out.Refused.Message)
	}
	return out
}

// host connects a host with room for as many sessions as the profile says.
func (s *scene) host(name string) {
	s.tb.Helper()
	s.do(admission.HostUp{Facts: admission.HostFacts{
		Host: name, Cores: 1000, MemoryBytes: 1e12, GateURL: "https://" + name + ".example", Apps: []string{"showroom"},
	}})
	s.sample(name, 1, 0.1)
}

func (s *scene) sample(name string, seq uint64, cpu float64) {
	s.tb.Helper()
	if err := s.owner.Observe(sampleOf(name, seq, cpu)); err != nil {
		s.tb.Fatal(err)
	}
}

// sampleOf is a reading that stays fresh for the length of a test.
func sampleOf(name string, seq uint64, cpu float64) admission.Sample {
	now := time.Now()
	known := admission.Known
	return admission.Sample{
		Host: name, Seq: seq, Received: now, WindowEnd: now, Window: time.Second, Period: time.Minute,
		CPU: known(cpu), Memory: known(1e9), EgressBps: known(0),
	}
}

// read looks at the pool.
func (s *scene) read(f func(now time.Time, p *admission.Pool)) {
	s.tb.Helper()
	if err := s.owner.Read(s.tb.Context(), f); err != nil {
		s.tb.Fatal(err)
	}
}
