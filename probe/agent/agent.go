// Package agent is the probe itself: it joins the sampler, the launcher and the
// gate of a host, and speaks for them to the service over the host socket.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rendergate/rendergate/probe/config"
	"github.com/rendergate/rendergate/probe/gate"
	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/trace"
)

// Facts are what a host is, for its hello.
type Facts struct {
	Cores       float64
	Share       string // what the cores refer to, in words
	MemoryBytes float64
	GPUs        []wire.GPU
}

// Sampler reads the host. Run gives a sample each period until ctx ends.
type Sampler interface {
	Facts() Facts
	Run(ctx context.Context, give func(wire.Sample)) error
}

// Sampling makes a sampler. Running lists the sessions to tell apart.
type Sampling func(running func() []launcher.Running) (Sampler, error)

// Options of a probe. Config, Sampling and Log are needed.
type Options struct {
	Config   *config.Config
	Sampling Sampling
	Token    string   // used where Config names no token_file
	Version  string   // of this program
	Guard    []string // see launcher.Options
	// Calibrate is the command that calibrates an app of Config; empty: this
	// host is not calibrated from afar.
	Calibrate []string
	// Record, if set, records the host, its samples and its sessions.
	Record *trace.Recorder
	Log    *slog.Logger
	// Listening, if set, hears of the gate's address once it is open.
	Listening func(net.Addr)
}

// agent is a probe as it runs.
type agent struct {
	o          Options
	log        *slog.Logger
	server     *url.URL
	book       *book
	tokens     *tokens
	trust      *trust
	gate       *gate.Gate
	launcher   *launcher.Launcher
	publishers *publishers
	calibrator *calibrator
	sampler    Sampler
	samples    chan taken
	draining   atomic.Bool
	seq        atomic.Uint64
}

// taken is a sample and when it came.
type taken struct {
	sample wire.Sample
	at     time.Time
}

// Run is a probe until ctx ends; then it takes the gate away, ends the sessions,
// tells the service, and returns nil.
func Run(ctx context.Context, o Options) error {
	a, err := newAgent(o)
	if err != nil {
		return err
	}
	addr, err := a.gate.Listen(ctx)
	if err != nil {
		return err
	}
	if o.Listening != nil {
		o.Listening(addr)
	}
	return a.run(ctx)
}

func newAgent(o Options) (*agent, error) {
	server, err := url.Parse(o.Config.Server)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	a := &agent{o: o, log: o.Log, server: server, book: newBook(o.Record.Session), samples: make(chan taken, 1)}
	if a.tokens, err = loadTokens(o.Config.TokenFile, o.Token, o.Log); err != nil {
		return nil, err
	}
	if err := a.newGate(); err != nil {
		return nil, err
	}
	a.trust = &trust{server: server, host: o.Config.Host, give: a.gate.Trust, log: o.Log}
	a.publishers = &publishers{
		source: a.publishURL, tokens: a.tokens, log: o.Log, running: map[string]context.CancelFunc{},
		relay: func(session string) string { return a.hostURL("publish", session) },
	}
	if a.launcher, err = launcher.New(launcher.Options{
		Apps: o.Config.Settings(), Ports: launcher.PortRange(o.Config.Ports), Cgroup: cgroup(o.Config.Cgroup),
		Guard: o.Guard, Notify: a.changed, Log: o.Log,
	}); err != nil {
		return nil, err
	}
	a.calibrator = newCalibrator(o.Calibrate, a.empty, o.Log)
	a.sampler, err = o.Sampling(a.launcher.Running)
	return a, err
}

// empty says why the host cannot be calibrated now: what others use would be
// counted.
func (a *agent) empty() error {
	if n := len(a.launcher.Running()); n > 0 {
		return fmt.Errorf("%d sessions run on this host: drain it and wait until it is empty", n)
	}
	return nil
}

func cgroup(configured string) string {
	if configured == "auto" {
		return ""
	}
	return configured
}

func (a *agent) newGate() error {
	c := a.o.Config.Gate
	public, err := url.Parse(c.PublicURL)
	if err != nil {
		return fmt.Errorf("gate.public_url: %w", err)
	}
	o := gate.Options{
		Listen: c.Listen, PublicURL: public, FrameAncestors: c.FrameAncestors, Connections: c.Connections,
		Notify: a.book.presence, Log: a.log,
	}
	if c.TLS.Cert != "" {
		if o.TLS, err = gate.Certificate(c.TLS.Cert, c.TLS.Key, a.log); err != nil {
			return err
		}
	}
	a.gate, err = gate.New(o)
	return err
}

// part is a long-running part of the probe, with its end.
type part struct {
	stop context.CancelFunc
	done chan struct{}
}

func (p part) end() { p.stop(); <-p.done }

// run runs all parts and stops them in order: nobody comes in any more, the
// sessions end, the service hears of it.
func (a *agent) run(ctx context.Context) error {
	failed := make(chan error, 4)
	begin := func(name string, run func(context.Context) error) part {
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		p := part{stop: stop, done: make(chan struct{})}
		go func() {
			defer close(p.done)
			if err := run(own); err != nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		}()
		return p
	}
	a.o.Record.Hello(a.hello()) // it may be long until there is somebody to say it to
	sessions := begin("launcher", a.launcher.Run)
	door := begin("gate", a.gate.Run)
	reading := begin("sampler", func(ctx context.Context) error { return a.sampler.Run(ctx, a.sampled) })
	talking := begin("link", func(ctx context.Context) error { a.keepConnected(ctx); return nil })
	var err error
	select {
	case <-ctx.Done():
		a.log.Info("stopping", "sessions", len(a.launcher.Running()))
	case err = <-failed:
		a.log.Error("a part of the probe has failed; all of it stops", "err", err)
	}
	a.calibrator.close()
	door.end()
	sessions.end()
	a.publishers.close()
	reading.end()
	talking.end()
	for len(failed) > 0 {
		err = errors.Join(err, <-failed)
	}
	return err
}

// sampled hands a sample to the connection. One that was not sent gives way to
// the newer: nobody wants to know how it was.
func (a *agent) sampled(s wire.Sample) {
	s.Seq = a.seq.Add(1)
	for i := range s.Sessions {
		s.Sessions[i].IdleS = a.idle(s.Sessions[i].Session)
	}
	a.o.Record.Sample(s)
	select {
	case <-a.samples:
	default:
	}
	select {
	case a.samples <- taken{sample: s, at: time.Now()}:
	default:
	}
}

// idle is for how long a session's player has sent nothing; unknown while
// nobody is there, and where the app's input does not pass the gate.
func (a *agent) idle(session string) wire.Reading {
	r, ok := a.launcher.Session(session)
	if !ok || a.o.Config.Apps[r.App].Idle != config.IdleSocket {
		return nil
	}
	d, there := a.gate.Idle(session)
	if !there {
		return nil
	}
	s := d.Seconds()
	return &s
}

func (a *agent) hello() wire.Hello {
	c, facts := a.o.Config, a.sampler.Facts()
	h := wire.Hello{
		Host: c.Host, Pool: c.Pool, Version: a.o.Version, Cores: facts.Cores, Share: facts.Share,
		MemoryBytes: facts.MemoryBytes, GPUs: append([]wire.GPU{}, facts.GPUs...), UplinkBps: c.Uplink.Bps(),
		GateURL: strings.TrimRight(c.Gate.PublicURL, "/"), Apps: a.apps(), PeriodS: c.Period.Std().Seconds(),
	}
	if n := c.GPUs.EncoderSessions; n > 0 {
		for i := range h.GPUs {
			h.GPUs[i].EncoderSessions = n
		}
	}
	a.book.snapshot(&h)
	return h
}
