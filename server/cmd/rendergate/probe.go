package main

import (
	"context"
	"errors"
	"os"

	"github.com/mattn/go-isatty"

	"github.com/rendergate/rendergate/probe/agent"
	"github.com/rendergate/rendergate/probe/config"
	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/sampler"
)

type probeCommand struct {
	Server    string `help:"URL of the service, before the config's."`
	TokenFile string `help:"File with the host's token, before the config's; else RENDERGATE_HOST_TOKEN." type:"path"`
	Config    string `help:"Config file." required:"" type:"path"`
}

// Run is a probe until it is told to stop.
func (p probeCommand) Run(ctx context.Context) error {
	c, err := config.Load(p.Config, config.Flags{Server: p.Server, TokenFile: p.TokenFile})
	if err != nil {
		return usageError{err}
	}
	if c.Scope.Kind == config.ScopeCgroup {
		return usageError{errors.New("scope.kind cgroup cannot be sampled yet; want machine or share")}
	}
	log := logger("info", "auto", os.Stderr, isatty.IsTerminal(os.Stderr.Fd()))
	program, err := os.Executable()
	if err != nil {
		return err
	}
	return agent.Run(ctx, agent.Options{
		Config: c, Token: os.Getenv("RENDERGATE_HOST_TOKEN"), Version: version, Guard: []string{program, "guard"}, Log: log,
		Sampling: func(running func() []launcher.Running, _ func() string) (agent.Sampler, error) {
			share := 0.0
			if c.Scope.Kind == config.ScopeShare {
				share = c.Scope.Cores
			}
			s, err := sampler.New(ctx, sampler.Options{
				Share: share, Period: c.Period.Std(), Log: log, Sessions: func() []sampler.Session { return trees(running()) },
			})
			return sampling{s}, err
		},
	})
}

func trees(running []launcher.Running) []sampler.Session {
	out := make([]sampler.Session, 0, len(running))
	for _, r := range running {
		out = append(out, sampler.Session{ID: r.ID, RootPID: r.RootPID})
	}
	return out
}

// sampling fits the sampler to the agent.
type sampling struct{ *sampler.Sampler }

// Facts are what the host is.
func (s sampling) Facts() agent.Facts {
	return agent.Facts{Cores: s.Cores(), Share: s.Share(), MemoryBytes: s.MemoryBytes()}
}

type guardCommand struct {
	Args []string `arg:"" optional:""`
}

// Run ends what a killed probe has left.
func (g guardCommand) Run() error { return launcher.Guard(os.Stdin, g.Args) }
