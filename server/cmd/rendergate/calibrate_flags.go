package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rendergate/rendergate/probe/calibrate"
	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/rig"
	"github.com/rendergate/rendergate/probe/sampler"
	"github.com/rendergate/rendergate/probe/wire/calibration"
	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/auth"
)

type calibrateCommand struct {
	Command []string `arg:"" optional:"" help:"The application and its arguments, after --. They are templates: {{.Copy}}, {{.GPU}}, {{.Port}}, {{.Dir}}."`

	App     string            `help:"The app's name; by default the program's." placeholder:"NAME"`
	Config  string            `help:"A probe's config: calibrate one of its apps (--app) as the probe would start it." type:"path" placeholder:"FILE"`
	Dir     string            `help:"Folder to run it in." placeholder:"DIR"`
	Env     map[string]string `help:"Variables of its environment, NAME=VALUE; templates." mapsep:"none" placeholder:"NAME=VALUE"`
	CopyDir string            `help:"Give each copy its own copy of this folder, and run it there; removed afterwards." type:"path" placeholder:"DIR"`
	Ready   string            `help:"When a copy is ready: port, HOST:PORT, http://…, line:REGEXP of its output, or a time." default:"2s" placeholder:"WHEN"`
	Within  quantity.Duration `help:"How long a copy may take to be ready." default:"60s"`
	Scene   string            `help:"A shell's command, run for each copy once it is ready, that brings it to its heaviest scene." placeholder:"CMD"`
	Bitrate quantity.Rate     `help:"Of a session's stream, for {{.BitrateBps}}." default:"8 Mbit/s"`

	Threshold thresholds        `help:"Load up to which copies fit: 85%, or for each resource, as in cpu=80%,vram=95%. Unset: 85 % of cpu, gpu, encoder and uplink, 90 % of memory and vram." placeholder:"SHARE"`
	MaxCopies int               `help:"Open no more than this." default:"200" placeholder:"N"`
	GPUs      string            `name:"gpus" help:"GPUs to spread copies over: all, none, or their numbers, as in 0,2." default:"all"`
	Repeat    int               `help:"Measure all of it so often." default:"1" placeholder:"N"`
	MinSettle quantity.Duration `help:"Watch each number of copies for at least this." default:"20s"`
	MaxSettle quantity.Duration `help:"Wait no longer for a load to settle." default:"3m"`
	Soak      quantity.Duration `help:"How long the answer is confirmed." default:"2m"`
	Period    quantity.Duration `help:"Between two readings." default:"1s"`
	Cores     float64           `help:"Count the load of copies alone, against so many cores; else the machine's." placeholder:"N"`
	Uplink    quantity.Rate     `help:"What the uplink carries; unset: it is not watched." placeholder:"RATE"`

	EncoderSessions int `help:"Encoder sessions that each GPU allows; unset: as the driver says." placeholder:"N"`

	FPS        float64 `name:"fps" help:"Calibrate by delivered frames: each copy must keep so many a second." placeholder:"N"`
	FPSLine    string  `name:"fps-line" help:"Frames are in a line that a copy prints: the first group of this regular expression." placeholder:"REGEXP"`
	Stream     string  `help:"Read each copy's stream from this ws:// URL, as a spectator would; its frames are counted." placeholder:"URL"`
	FPSReports bool    `name:"fps-reports" help:"Frames come as report messages, posted to RENDERGATE_REPORT_URL."`

	Host      string `help:"Calibrate this host of a running service (--server) through its probe: drained first, given back after." placeholder:"NAME"`
	Server    string `help:"The service's URL, for --host." default:"http://127.0.0.1:8080" placeholder:"URL"`
	TokenFile string `help:"File with an API token of the service, for --host; else RENDERGATE_API_TOKEN." type:"path" placeholder:"FILE"`

	Out          string `help:"The profile to write; by default NAME.profile.yaml." type:"path" placeholder:"FILE"`
	Report       string `help:"Write an HTML report." type:"path" placeholder:"FILE"`
	JSON         bool   `name:"json" help:"Print the result as JSON."`
	Verbose      bool   `short:"v" help:"Log what is done, and what copies print."`
	ProgressJSON bool   `name:"progress-json" hidden:"" help:"For a probe: progress and result on standard output, a line of JSON each; writes nothing."`
}

// thresholds are loads up to which copies fit, by kind.
type thresholds map[string]float64

// UnmarshalText reads "85%" or "cpu=80%,vram=95%".
func (t *thresholds) UnmarshalText(text []byte) error {
	all := defaultThresholds()
	for part := range strings.SplitSeq(string(text), ",") {
		kind, value, one := strings.Cut(part, "=")
		if !one {
			kind, value = "", part
		}
		var share quantity.Share
		if err := share.UnmarshalText([]byte(strings.TrimSpace(value))); err != nil || share < 0.01 || share > 1 {
			return fmt.Errorf("want 1%% to 100%%, as in 85%%, or cpu=80%%,vram=95%%, got %q", value)
		}
		if kind = strings.TrimSpace(kind); one && all[kind] == 0 {
			return fmt.Errorf("no resource %q; want one of %s", kind, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
		}
		for k := range all {
			if k == kind || !one && k != calibration.EncoderSessions {
				all[k] = share.Fraction()
			}
		}
	}
	*t = all
	return nil
}

// defaultThresholds are those of the service's policy.
func defaultThresholds() thresholds {
	return thresholds{
		calibration.CPU: 0.85, calibration.GPULoad: 0.85, calibration.Encoder: 0.85, calibration.Uplink: 0.85,
		calibration.Memory: 0.90, calibration.VRAM: 0.90, calibration.EncoderSessions: 1,
	}
}

// calibrateOptions are what the flags come to.
type calibrateOptions struct {
	rig       rig.Options
	calibrate calibrate.Options
	gpus      func(machine int) ([]int, error)
}

func (c calibrateCommand) options() (calibrateOptions, error) {
	var o calibrateOptions
	program, err := os.Executable()
	if err != nil {
		return o, err
	}
	o.gpus = c.pickGPUs
	o.rig = rig.Options{
		BitrateBps: int64(c.Bitrate.Bps()), UplinkBps: c.Uplink.Bps(), EncoderSessions: c.EncoderSessions,
		Guard: []string{program, "guard"}, NVML: []string{program, "nvml-reader"}, Period: c.Period.Std(),
		Sampler: sampler.Options{Share: c.Cores},
	}
	if c.Config == "" {
		o.rig.App, err = c.app()
	} else {
		err = c.fromConfig(&o.rig)
	}
	if err != nil {
		return o, err
	}
	if o.rig.Scene, err = template("--scene", c.Scene); err != nil {
		return o, err
	}
	if o.rig.Frames, err = c.frames(); err != nil {
		return o, err
	}
	o.calibrate = c.calibration(o.rig.App)
	return o, nil
}

func (c calibrateCommand) calibration(app launcher.App) calibrate.Options {
	o := calibrate.Options{
		App: app.Name, Thresholds: c.Threshold, MaxCopies: c.MaxCopies, Repeat: c.Repeat, Soak: c.Soak.Std(), Floor: c.FPS, Period: c.Period.Std(),
		Rule: calibrate.DefaultRule(),
	}
	if o.Thresholds == nil {
		o.Thresholds = defaultThresholds()
	}
	o.Rule.Least, o.Rule.Most = c.MinSettle.Std(), c.MaxSettle.Std()
	for _, word := range app.Command {
		o.Command = append(o.Command, word.String())
	}
	return o
}

// check finds what cannot be, before anything is started.
func (c calibrateCommand) check() error {
	if c.Host != "" {
		return c.checkRemote()
	}
	switch {
	case len(c.Command) == 0 && c.Config == "":
		return errors.New("no command; want: rendergate calibrate [flags] -- COMMAND [ARG…], or --config FILE --app NAME")
	case len(c.Command) > 0 && c.Config != "":
		return errors.New("a command and --config: want one of them")
	case c.MaxCopies < 1 || c.MaxCopies > 1000:
		return fmt.Errorf("--max-copies %d: want 1 to 1000", c.MaxCopies)
	case c.Repeat < 1 || c.Repeat > 100:
		return fmt.Errorf("--repeat %d: want 1 to 100", c.Repeat)
	case c.Period.Std() < 100*time.Millisecond || c.Period.Std() > 10*time.Second:
		return fmt.Errorf("--period %v: want 100ms to 10s", c.Period)
	case c.MinSettle.Std() < time.Second || c.MaxSettle < c.MinSettle || c.MaxSettle.Std() > time.Hour:
		return fmt.Errorf("--min-settle %v, --max-settle %v: want 1s or more, then no less, and at most 1h", c.MinSettle, c.MaxSettle)
	case c.Soak.Std() < time.Second || c.Soak.Std() > 24*time.Hour:
		return fmt.Errorf("--soak %v: want 1s to 24h", c.Soak)
	case c.Cores < 0 || c.Cores > 4096:
		return fmt.Errorf("--cores %v: want more than 0, or 0 for the machine", c.Cores)
	case !(c.FPS >= 0 && c.FPS <= 1000):
		return fmt.Errorf("--fps %v: want 1 to 1000", c.FPS)
	case c.App != "" && !auth.ValidName(c.App):
		return fmt.Errorf(`--app %q: want 1 to 64 letters, digits, ".", "_" or "-"`, c.App)
	}
	return nil
}

// pickGPUs reads --gpus, on a machine with so many.
func (c calibrateCommand) pickGPUs(machine int) ([]int, error) {
	var all []int
	switch c.GPUs {
	case "none":
		return nil, nil
	case "all":
		for i := range machine {
			all = append(all, i)
		}
		return all, nil
	}
	for text := range strings.SplitSeq(c.GPUs, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 0 || n >= machine || slices.Contains(all, n) {
			return nil, fmt.Errorf("--gpus %q: want all, none, or numbers of this machine's %d GPUs, from 0, each once", c.GPUs, machine)
		}
		all = append(all, n)
	}
	return all, nil
}
