package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	probeconfig "github.com/rendergate/rendergate/probe/config"
	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/rig"
	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/auth"
)

// app is the application of the command line.
func (c calibrateCommand) app() (launcher.App, error) {
	app := launcher.App{Name: c.name()}
	for i, word := range c.Command {
		t, err := template(fmt.Sprintf("COMMAND, word %d", i+1), word)
		if err != nil {
			return app, err
		}
		app.Command = append(app.Command, t)
	}
	var err error
	if app.Dir, err = template("--dir", c.Dir); err != nil {
		return app, err
	}
	if c.Dir != "" && c.CopyDir != "" {
		return app, errors.New("--dir and --copy-dir: want one of them; with --copy-dir each copy runs in its own folder")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		value, err := template("--env "+name, c.Env[name])
		if err != nil {
			return app, err
		}
		app.Env = append(app.Env, launcher.EnvVar{Name: name, Value: value})
	}
	if err := c.runnable(app); err != nil {
		return app, err
	}
	app.Ready, err = c.ready()
	return app, err
}

// runnable says, before a copy is started, why the command could not be.
func (c calibrateCommand) runnable(app launcher.App) error {
	program, err := app.Command[0].Expand(launcher.Sample())
	if err != nil || strings.Contains(app.Command[0].String(), "{{") {
		return err // known when it is started
	}
	if filepath.Base(program) != program && !filepath.IsAbs(program) {
		program = filepath.Join(c.CopyDir+c.Dir, program)
	}
	if _, err := exec.LookPath(program); err != nil {
		switch {
		case errors.Is(err, os.ErrPermission):
			return fmt.Errorf("the command %s may not be run: want a program with the right to execute it (chmod +x)", program)
		case filepath.Base(program) == program:
			return fmt.Errorf("no command %s in PATH; want a program's name or path", program)
		}
		return fmt.Errorf("no command at %s; want a program's path", program)
	}
	return nil
}

// fromConfig takes the app, and what counts as the host, from a probe's config.
func (c calibrateCommand) fromConfig(o *rig.Options) error {
	// Whom the probe talks to does not matter here, and may stand in its flags.
	from, err := probeconfig.Load(c.Config, probeconfig.Flags{Server: "http://127.0.0.1"})
	if err != nil {
		return err
	}
	apps := from.Settings()
	name := c.App
	if name == "" && len(apps) == 1 {
		for only := range apps {
			name = only
		}
	}
	app, there := apps[name]
	if !there {
		return fmt.Errorf("--app %q: %s has %s", c.App, c.Config, strings.Join(slices.Sorted(maps.Keys(apps)), ", "))
	}
	o.App = app
	if strings.HasPrefix(from.Cgroup, "/") {
		o.Sampler.Folder = from.Cgroup // sessions are there, wherever this is
	}
	if from.Cgroup != "auto" {
		o.Cgroup = from.Cgroup
	}
	o.Ports = launcher.PortRange{From: from.Ports.From, To: from.Ports.To}
	o.Sampler.Interfaces, o.Sampler.Cgroup = from.Interfaces, from.Scope.Kind == probeconfig.ScopeCgroup
	if from.Scope.Kind == probeconfig.ScopeShare && c.Cores == 0 {
		o.Sampler.Share = from.Scope.Cores
	}
	if o.EncoderSessions == 0 {
		o.EncoderSessions = from.GPUs.EncoderSessions
	}
	if o.UplinkBps == 0 {
		o.UplinkBps = from.Uplink.Bps()
	}
	return nil
}

// ready reads --ready.
func (c calibrateCommand) ready() (launcher.Ready, error) {
	r := launcher.Ready{Timeout: c.Within.Std()}
	var err error
	host, port, isAddress := strings.Cut(c.Ready, ":")
	switch {
	case c.Ready == "port":
		r.TCP, err = template("--ready", "127.0.0.1:{{.Port}}")
	case strings.HasPrefix(c.Ready, "http://"), strings.HasPrefix(c.Ready, "https://"):
		r.HTTP, err = template("--ready", c.Ready)
	case host == "line":
		if r.Line, err = regexp.Compile(port); err != nil {
			err = fmt.Errorf("--ready line: want a regular expression: %w", err)
		}
	case isAddress:
		r.TCP, err = template("--ready", c.Ready)
	default:
		var after quantity.Duration
		if after, err = quantity.ParseDuration(c.Ready); err != nil {
			err = fmt.Errorf("--ready %q: want port, HOST:PORT, http://…, line:REGEXP or a time such as 10s", c.Ready)
		}
		r.After = after.Std()
		r.Timeout = max(r.Timeout, r.After+time.Second)
	}
	return r, err
}

func (c calibrateCommand) frames() (rig.Frames, error) {
	var f rig.Frames
	sources := 0
	for _, set := range []bool{c.FPSLine != "", c.Stream != "", c.FPSReports} {
		if set {
			sources++
		}
	}
	if sources > 1 || c.FPS > 0 && sources == 0 && c.Config == "" {
		return f, errors.New("--fps needs one source of frames: --fps-line REGEXP, --stream URL or --fps-reports; with --config, the app's publish URL")
	}
	if c.FPSLine != "" {
		var err error
		if f.Line, err = regexp.Compile(c.FPSLine); err != nil || f.Line.NumSubexp() < 1 {
			return f, fmt.Errorf(`--fps-line %q: want a regular expression with a group around the number, such as 'fps=\s*([0-9.]+)'`, c.FPSLine)
		}
	}
	f.Reports = c.FPSReports
	var err error
	f.Stream, err = template("--stream", c.Stream)
	return f, err
}

func template(what, text string) (launcher.Template, error) {
	t, err := launcher.ParseTemplate(text)
	if err != nil {
		err = fmt.Errorf("%s: %w", what, err)
	}
	return t, err
}

// nameOf makes an app's name of a program's.
func nameOf(program string) string {
	base := strings.TrimSuffix(filepath.Base(program), filepath.Ext(program))
	name := strings.Trim(regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(base, "-"), "-.")
	if !auth.ValidName(name) {
		return "app"
	}
	return name
}
