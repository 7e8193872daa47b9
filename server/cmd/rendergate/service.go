package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	wireticket "github.com/rendergate/rendergate/probe/wire/ticket"
	"github.com/rendergate/rendergate/server/api"
	"github.com/rendergate/rendergate/server/auth"
	"github.com/rendergate/rendergate/server/config"
	"github.com/rendergate/rendergate/server/hosts"
	"github.com/rendergate/rendergate/server/journal"
	"github.com/rendergate/rendergate/server/owner"
	"github.com/rendergate/rendergate/server/play"
	"github.com/rendergate/rendergate/server/record"
	"github.com/rendergate/rendergate/server/relay"
	"github.com/rendergate/rendergate/server/ticket"
	"github.com/rendergate/rendergate/web"
)

// service is everything that `serve` runs.
type service struct {
	config   *config.Config
	log      *slog.Logger
	journal  *journal.Journal
	signer   *ticket.Signer
	access   access
	limiter  *auth.Limiter
	players  *auth.Players
	hosts    *hosts.Hub
	relay    *relay.Relay
	pools    []*pool
	recorder *record.Recorder // nil: nothing is recorded
	handler  http.Handler
	stopping chan struct{}
}

type pool struct {
	name  string
	store *journal.Pool
	owner *owner.Owner
	play  *play.Hub
}

func newService(ctx context.Context, c *config.Config, secrets auth.Secrets, r *record.Recorder, log *slog.Logger) (*service, error) {
	s := &service{config: c, recorder: r, log: log, stopping: make(chan struct{})}
	if err := s.openAccess(secrets); err != nil {
		return nil, err
	}
	s.openSockets()
	if err := s.openJournal(ctx); err != nil {
		return nil, err
	}
	for _, name := range c.PoolNames() {
		if err := s.addPool(ctx, name); err != nil {
			s.journal.Close()
			return nil, err
		}
	}
	if err := s.openAPI(); err != nil {
		s.journal.Close()
		return nil, err
	}
	return s, nil
}

func (s *service) openAccess(secrets auth.Secrets) error {
	c := s.config
	var err error
	s.signer, err = ticket.Open(ticket.Options{Dir: c.Secrets, Issuer: c.PublicURL, Now: time.Now, Log: s.log})
	if err != nil {
		return err
	}
	operators, err := auth.OpenOperators(auth.OperatorsOptions{
		Dir: c.Secrets, Operators: append(c.Operators(), secrets.Operators...),
		Tokens: append(c.APITokens(), secrets.APITokens...), Secure: c.Secure(), Now: time.Now,
	})
	if err != nil {
		return err
	}
	tokens, err := auth.OpenHosts(c.Secrets, append(c.HostTokens(), secrets.Hosts...))
	if err != nil {
		return err
	}
	s.access = access{Access: auth.Access{Operators: operators, Hosts: tokens, Origins: c.Origins(), Proxies: c.Proxies()}, log: s.log}
	s.limiter = auth.NewLimiter(auth.LimiterOptions{
		ConnectionsPerAddress: c.Limits.ConnectionsPerAddress, JoinsPerMinute: c.Limits.JoinsPerMinute, Now: time.Now,
	})
	p := c.Auth.Players
	s.players = auth.NewPlayers(auth.PlayersOptions{
		JWKSURL: p.JWKSURL, Issuer: p.Issuer, Audience: p.Audience, Required: p.Required,
		Client: &http.Client{Timeout: 5 * time.Second}, Now: time.Now,
	})
	return nil
}

func (s *service) openSockets() {
	c := s.config
	s.hosts = hosts.New(hosts.Options{
		Issuer: c.PublicURL, JWKSURL: "/.well-known/jwks.json", FrameAncestors: append(c.Origins().List(), c.PublicURL),
		Enrol: s.access.Hosts.Enrol, CheckGate: c.CheckGate, Log: s.log,
	})
	verifier := wireticket.New(wireticket.Options{Keys: s.signer, Issuer: c.PublicURL, Audience: relay.Instance, Now: time.Now})
	s.relay = relay.New(relay.Options{
		Verify: func(token string) (wire.Claims, error) {
			return verifier.Verify(context.Background(), token, wireticket.Want{Role: "spectator"})
		},
		View: s.view, OriginAllowed: s.access.OriginAllowed, Log: s.log,
	})
}

// view says at what bitrate a client may look on at a session now.
func (s *service) view(ctx context.Context, name, client, session string) (float64, bool) {
	for _, p := range s.pools {
		if p.name != name {
			continue
		}
		var bps float64
		var ok bool
		err := p.owner.Read(ctx, func(_ time.Time, pool *admission.Pool) {
			c, found := pool.Client(client)
			bps, ok = c.ViewBps, found && c.Watching == session
		})
		return bps, ok && err == nil
	}
	return 0, false
}

func (s *service) openJournal(ctx context.Context) error {
	o := journal.Options{Dir: s.config.Data, Log: s.log}
	if n := s.config.NATS; n != nil {
		o = journal.Options{URL: n.URL, Credentials: n.Credentials, Replicas: n.Replicas, Log: s.log}
	}
	var err error
	if s.journal, err = journal.Open(ctx, o); err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	return nil
}

// addPool opens one pool; play, hosts, relay and metrics listen to its owner.
func (s *service) addPool(ctx context.Context, name string) error {
	store, err := s.journal.Pool(ctx, name)
	if err != nil {
		return err
	}
	p := &pool{name: name, store: store}
	p.owner = owner.New(owner.Options{
		Name: name, Policy: s.config.Pools[name].Policy(), Journal: store, Log: s.log,
	})
	p.play = play.New(s.playOptions(p))
	p.owner.Listen(s.hosts)
	p.owner.Listen(p.play)
	p.owner.Listen(s.relay)
	if s.recorder != nil {
		p.owner.Listen(s.recorder.Listener(name))
		s.hosts.Add(name, s.recorder.Samples(name, p.owner))
	} else {
		s.hosts.Add(name, p.owner)
	}
	s.pools = append(s.pools, p)
	return nil
}

func (s *service) playOptions(p *pool) play.Options {
	return play.Options{
		Pool: p.name, Owner: p.owner, Log: s.log, OriginAllowed: s.access.OriginAllowed, Mime: s.relay.Mime,
		Connect: s.limiter.Connect,
		Join:    func(address string) bool { return s.limiter.Join(address) == 0 },
		PlayerTicket: func(client, session, host string) (string, time.Time, error) {
			return s.signer.Issue(wire.Claims{Audience: host, Client: client, Session: session, Role: "player", Pool: p.name})
		},
		SpectatorTicket: func(client, session string) (string, error) {
			token, _, err := s.signer.Issue(wire.Claims{
				Audience: relay.Instance, Client: client, Session: session, Role: "spectator", Pool: p.name,
			})
			return token, err
		},
		WatchBase: s.watchBase,
		Identify: func(ctx context.Context, token string) (string, string, error) {
			player, err := s.players.Check(ctx, token)
			return player.Identity, player.Class, err
		},
	}
}

// watchBase is where the browser that made the request reaches the relay.
func (s *service) watchBase(r *http.Request) string {
	if s.config.Secure() || r.TLS != nil {
		return "wss://" + r.Host
	}
	return "ws://" + strings.TrimSpace(r.Host)
}

func (s *service) openAPI() error {
	pages, built := web.Pages()
	meters := api.NewMeters(s.relay.SentBytes)
	o := api.Options{
		Hosts: s.hosts, Relay: s.relay, Access: s.access, JWKS: s.signer.JWKS, Metrics: meters.Handler(),
		Pages: pages, Built: built, Secure: s.config.Secure(), Version: version, Log: s.log,
	}
	for _, p := range s.pools {
		p.owner.Listen(meters.Listener(p.name))
		if err := meters.Register(api.PoolCollector(p.name, p.owner)); err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		o.Pools = append(o.Pools, api.Pool{Name: p.name, Owner: p.owner, Play: p.play, Audit: p.store})
	}
	s.handler = api.New(o, s.stopping)
	return nil
}

// access fits auth to what the API asks of it.
type access struct {
	auth.Access
	log *slog.Logger
}

// Host names the host that a call's token belongs to.
func (a access) Host(r *http.Request, host string) (hosts.Caller, error) {
	grant, err := a.CheckHost(r, host)
	return hosts.Caller{Host: host, Enrol: grant.Enrol}, err
}

// Logout ends the call's session.
func (a access) Logout(w http.ResponseWriter, r *http.Request) {
	if err := a.Access.Logout(w, r); err != nil {
		a.log.Warn("a logout was not written down", "err", err)
	}
}
