package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"golang.org/x/sync/errgroup"

	"github.com/rendergate/rendergate/probe/wire/trace"
	"github.com/rendergate/rendergate/server/auth"
	"github.com/rendergate/rendergate/server/config"
	"github.com/rendergate/rendergate/server/record"
)

type serveCommand struct {
	Config string `help:"Config file; none means the defaults." type:"path"`
	Listen string `help:"Address to listen on, before the config's."`
	Data   string `help:"Folder of the journal and the secrets, before the config's." type:"path"`
	NATS   string `name:"nats" help:"URL of an external NATS cluster, instead of the embedded journal."`
	Record string `help:"New file to record a trace into, or a folder to make one in." type:"path" placeholder:"FILE"`
}

func (s serveCommand) load() (*config.Config, error) {
	c := config.Default()
	if s.Config != "" {
		loaded, err := config.Load(s.Config)
		if err != nil {
			return nil, err
		}
		c = loaded
	}
	if s.Data != "" {
		c.SetData(s.Data)
	}
	if s.NATS != "" {
		if err := c.SetNATS(s.NATS); err != nil {
			return nil, err
		}
	}
	if s.Listen == "" {
		return c, nil
	}
	return c, c.SetListen(s.Listen)
}

// Run serves until it is told to stop.
func (s serveCommand) Run(ctx context.Context) error {
	c, err := s.load()
	if err != nil {
		return usageError{err}
	}
	log := logger(c.Log.Level, c.Log.Format, os.Stderr, isatty.IsTerminal(os.Stderr.Fd()))
	for _, w := range c.Warnings() {
		log.Warn(w)
	}
	if err := os.MkdirAll(c.Secrets, 0o700); err != nil {
		return fmt.Errorf("the folder of secrets: %w", err)
	}
	secrets, err := auth.EnsureSecrets(c.Secrets, c.Need())
	if err != nil {
		return usageError{err}
	}
	showOnce(secrets.Made)
	recorder, err := s.record(c, log)
	if err != nil {
		return usageError{err}
	}
	defer recorder.Close()
	service, err := newService(ctx, c, secrets, recorder, log)
	if err != nil {
		return err
	}
	return service.run(ctx)
}

// record opens the trace that is asked for; nil is none.
func (s serveCommand) record(c *config.Config, log *slog.Logger) (*record.Recorder, error) {
	if s.Record == "" {
		return nil, nil
	}
	r, err := record.Open(s.Record, trace.Header{Started: time.Now().UTC(), Program: version, Pools: c.PoolNames()}, log)
	if err == nil {
		log.Info("recording", "trace", r.Path())
	}
	return r, err
}

// showOnce shows what was just made, on a terminal alone: logs are kept.
func showOnce(made []auth.Made) {
	if !isatty.IsTerminal(os.Stderr.Fd()) {
		return
	}
	for _, m := range made {
		fmt.Fprintf(os.Stderr, "made, shown this once: %s: %s (kept in %s)\n", m.What, m.Value, m.File)
	}
}

// Limits of the HTTP server. Sockets and event streams set their own deadlines.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 10 * time.Second
	maxHeader     = 32 << 10
)

// run serves, and stops in order: listener, sockets, owners, journal.
func (s *service) run(ctx context.Context) error {
	defer s.journal.Close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.Listen)
	if err != nil {
		return usageError{fmt.Errorf("listen: %w", err)}
	}
	owning, stopOwners := context.WithCancel(context.WithoutCancel(ctx))
	defer stopOwners()
	group, failed := errgroup.WithContext(owning)
	for _, p := range s.pools {
		group.Go(func() error { return p.owner.Run(failed) })
		group.Go(func() error { return p.play.Run(failed) })
	}
	group.Go(func() error { return s.signer.Run(failed) })
	web := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	group.Go(func() error { return s.listen(web, listener) })
	s.log.Info("serving", "address", listener.Addr().String(), "url", s.config.PublicURL, "version", version)
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case <-failed.Done():
	}
	s.stop(web)
	stopOwners()
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (s *service) listen(web *http.Server, l net.Listener) error {
	var err error
	if s.config.TLS != nil {
		err = web.ServeTLS(l, s.config.TLS.Cert, s.config.TLS.Key)
	} else {
		err = web.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving: %w", err)
}

// stop takes no new connections, then says goodbye to those there are.
func (s *service) stop(web *http.Server) {
	close(s.stopping)
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	for _, p := range s.pools {
		p.play.Close()
	}
	s.hosts.Close()
	s.relay.Close()
	if err := web.Shutdown(ctx); err != nil {
		_ = web.Close()
	}
}
