package main

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"golang.org/x/sync/errgroup"

	"github.com/rendergate/rendergate/probe/agent"
	"github.com/rendergate/rendergate/probe/config"
	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/nvml"
	"github.com/rendergate/rendergate/probe/sampler"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/trace"
)

type probeCommand struct {
	Server    string `help:"URL of the service, before the config's."`
	TokenFile string `help:"File with the host's token, before the config's; else RENDERGATE_HOST_TOKEN." type:"path"`
	Config    string `help:"Config file." required:"" type:"path"`
	Record    string `help:"New file to record a trace into, or a folder to make one in." type:"path" placeholder:"FILE"`
}

// Run is a probe until it is told to stop.
func (p probeCommand) Run(ctx context.Context) error {
	c, err := config.Load(p.Config, config.Flags{Server: p.Server, TokenFile: p.TokenFile})
	if err != nil {
		return usageError{err}
	}
	log := logger("info", "auto", os.Stderr, isatty.IsTerminal(os.Stderr.Fd()))
	program, err := os.Executable()
	if err != nil {
		return err
	}
	recorder, err := p.record(c, log)
	if err != nil {
		return usageError{err}
	}
	defer recorder.Close()
	return agent.Run(ctx, agent.Options{
		Record: recorder, Config: c, Token: os.Getenv("RENDERGATE_HOST_TOKEN"), Version: version, Guard: []string{program, "guard"}, Log: log,
		Calibrate: p.calibrate(program),
		Sampling: func(running func() []launcher.Running) (agent.Sampler, error) {
			return newSampling(ctx, c, nvml.New(nvml.Options{Command: []string{program, "nvml-reader"}, Log: log}), running, log)
		},
	})
}

// record opens the trace that is asked for; nil is none.
func (p probeCommand) record(c *config.Config, log *slog.Logger) (*trace.Recorder, error) {
	if p.Record == "" {
		return nil, nil
	}
	r, err := trace.Open(p.Record, trace.Header{
		Kind: trace.Probe, Started: time.Now().UTC(), Program: version, Host: c.Host, Pool: c.Pool,
	}, log)
	if err == nil {
		log.Info("recording", "trace", r.Path())
	}
	return r, err
}

// calibrate is the command that calibrates an app as this probe starts it.
func (p probeCommand) calibrate(program string) []string {
	return []string{program, "calibrate", "--progress-json", "--config", p.Config}
}

// sampling fits sampler and GPUs to the agent.
type sampling struct {
	*sampler.Sampler
	gpus *nvml.Reader
}

func newSampling(ctx context.Context, c *config.Config, gpus *nvml.Reader, running func() []launcher.Running, log *slog.Logger) (agent.Sampler, error) {
	gpus.Look(ctx) // so that the first hello names them
	o := sampler.Options{
		Period: c.Period.Std(), Log: log, GPUs: gpus, Cgroup: c.Scope.Kind == config.ScopeCgroup,
		Interfaces: c.Interfaces,
		Sessions:   func() []sampler.Session { return sessions(running()) },
	}
	if c.Scope.Kind == config.ScopeShare {
		o.Share = c.Scope.Cores
	}
	if strings.HasPrefix(c.Cgroup, "/") {
		o.Folder = c.Cgroup // sessions are there, wherever the probe is
	}
	s, err := sampler.New(ctx, o)
	if err != nil {
		return nil, err
	}
	return sampling{s, gpus}, nil
}

// Facts are what the host is.
func (s sampling) Facts() agent.Facts {
	return agent.Facts{Cores: s.Cores(), Share: s.Share(), MemoryBytes: s.MemoryBytes(), GPUs: s.gpus.GPUs()}
}

// Run samples until ctx ends.
func (s sampling) Run(ctx context.Context, give func(wire.Sample)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.gpus.Run(ctx) })
	group.Go(func() error { return s.Sampler.Run(ctx, give) })
	return group.Wait()
}

func sessions(running []launcher.Running) []sampler.Session {
	out := make([]sampler.Session, 0, len(running))
	for _, r := range running {
		out = append(out, sampler.Session{ID: r.ID, RootPID: r.RootPID, Cgroup: r.Cgroup, GPU: r.GPU})
	}
	return out
}

type guardCommand struct {
	Args []string `arg:"" optional:""`
}

// Run ends what a killed probe has left.
func (g guardCommand) Run() error { return launcher.Guard(os.Stdin, g.Args) }
