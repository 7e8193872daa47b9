// Command rendergate is the admission service, the probe and the demo in one.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set when a release is built.
var version = "dev" //nolint:gochecknoglobals // set by the linker

// Exit statuses, as in the public interface.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is wrong usage or configuration: exit status 2.
type usageError struct{ err error }

func (u usageError) Error() string { return u.err.Error() }
func (u usageError) Unwrap() error { return u.err }

type commands struct {
	Serve     serveCommand     `cmd:"" help:"The admission service with its pages."`
	Probe     probeCommand     `cmd:"" help:"Runs on each render host: samples it, launches and gates its sessions."`
	Demo      demoCommand      `cmd:"" help:"Everything on this machine: service, probe and a render app."`
	Calibrate calibrateCommand `cmd:"" help:"How many copies of an app fit on this host; writes a profile."`
	Plan      planCommand      `cmd:"" help:"How many hosts a demand needs."`
	Simulate  simulateCommand  `cmd:"" help:"Runs scenarios against the rule, its rivals and two oracles."`
	Config    configCommand    `cmd:"" help:"Checks config files and makes what goes into them."`
	Version   versionCommand   `cmd:"" help:"Prints the version."`
	DemoScene sceneCommand     `cmd:"" hidden:"" help:"The demo's render app; one process per session."`
	NVML      nvmlCommand      `cmd:"" name:"nvml-reader" hidden:"" help:"Reads NVIDIA GPUs, in a process of its own."`
	Guard     guardCommand     `cmd:"" hidden:"" help:"Ends what a killed probe has left."`
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("rendergate"), kong.UsageOnError(),
		kong.Description("Admission control for cloud-rendered sessions."))
	if err != nil {
		fmt.Fprintln(os.Stderr, "rendergate:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "rendergate: %v; see rendergate --help\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	return status(parsed.Run())
}

// status says what went wrong, and gives the exit status.
func status(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "rendergate:", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	_, err := fmt.Println("rendergate", version)
	return err
}

// spelled writes durations as people do, in JSON too.
func spelled(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// logger writes to standard error: text for people, JSON for machines.
func logger(level, format string, out io.Writer, terminal bool) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: l, ReplaceAttr: spelled}
	if format == "json" || format == "auto" && !terminal {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
