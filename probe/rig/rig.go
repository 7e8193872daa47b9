// Package rig opens copies of an application on this machine for calibration:
// with the probe's own launcher, sampler and reader of GPUs, so that what is
// measured is what a probe would measure.
package rig

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/process"
	"golang.org/x/sync/errgroup"

	"github.com/rendergate/rendergate/probe/calibrate"
	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/nvml"
	"github.com/rendergate/rendergate/probe/sampler"
	"github.com/rendergate/rendergate/probe/wire"
)

// Options of a rig. App, NVML, Period and Log are needed.
type Options struct {
	App             launcher.App
	Scene           launcher.Template // a shell's command for each copy, once it is ready; empty: none
	Copies          Folders           // each copy in a folder of its own
	Frames          Frames            // how delivered frames are counted
	BitrateBps      int64             // for templates
	Ports           launcher.PortRange
	Cgroup          string  // see launcher.Options
	UplinkBps       float64 // 0: none is watched
	EncoderSessions int     // the most at once on each GPU; 0: as the driver says, if it does
	Guard           []string
	Sampler         sampler.Options // scope and interfaces; the rest is set here
	NVML            []string        // the command that reads GPUs
	Period          time.Duration
	Log             *slog.Logger
}

// Rig is this machine with copies on it. Make it with [New], run it with
// [Rig.Run]; calibration uses the rest.
type Rig struct {
	o        Options
	launcher *launcher.Launcher
	sampler  *sampler.Sampler
	gpus     *nvml.Reader
	counters *counters
	beside   beside
	samples  chan wire.Sample // handed to who waits; others are dropped

	mu    sync.Mutex
	open  map[int]*opened
	ended map[int]string // copies that ended by themselves, until they are told of
}

// opened is a copy from its start to its end.
type opened struct {
	copy    int
	gpu     int
	ready   chan struct{}
	gone    chan struct{}
	scene   bool // its scene's command runs
	closing bool
	reason  string   // why it ended; set before gone is closed
	lines   []string // the last that it printed
}

const appName, sceneName = "copy", "scene"

// New looks at the machine, and makes a rig that runs nothing yet.
func New(ctx context.Context, o Options) (*Rig, error) {
	r := &Rig{o: o, samples: make(chan wire.Sample), open: map[int]*opened{}, ended: map[int]string{}}
	var err error
	if r.counters, err = newCounters(ctx, o.Frames, o.Log); err != nil {
		return nil, err
	}
	app := o.App
	if o.Copies.Dir != "" {
		if app.Dir, err = launcher.ParseTemplate(o.Copies.scratch() + "/{{.Copy}}"); err != nil {
			return nil, fmt.Errorf("the folder of copies: %w", err)
		}
	}
	if app.Env, err = r.counters.environment(app.Env); err != nil {
		return nil, err
	}
	if o.Frames.Stream.String() != "" {
		app.Publish = o.Frames.Stream
	}
	apps := map[string]launcher.App{appName: app, sceneName: scene(o.Scene, app)}
	if r.launcher, err = launcher.New(launcher.Options{
		Apps: apps, Ports: o.Ports, Cgroup: o.Cgroup, Guard: o.Guard, Scratch: o.Copies.scratch(), Notify: r.changed, Output: r.printed, Log: o.Log,
	}); err != nil {
		return nil, err
	}
	r.gpus = nvml.New(nvml.Options{Command: o.NVML, Period: o.Period, Log: o.Log})
	r.gpus.Look(ctx)
	s := o.Sampler
	s.Period, s.Log, s.GPUs, s.Sessions = o.Period, o.Log, r.gpus, r.sessions
	if r.sampler, err = sampler.New(ctx, s); err != nil {
		return nil, err
	}
	return r, nil
}

// scene is the command that brings a copy to its heaviest scene, as an app.
func scene(command launcher.Template, app launcher.App) launcher.App {
	words := []launcher.Template{command}
	if shell, err := launcher.ParseTemplate("sh"); err == nil {
		flag, _ := launcher.ParseTemplate("-c")
		words = []launcher.Template{shell, flag, command}
	}
	return launcher.App{
		Name: sceneName, Command: words, Dir: app.Dir, Env: app.Env, Ready: launcher.Ready{After: time.Millisecond}, StopTimeout: time.Second,
	}
}

// Run reads the machine and runs copies until ctx ends; nothing of them is left
// when it returns.
func (r *Rig) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.launcher.Run(ctx) })
	group.Go(func() error { return r.gpus.Run(ctx) })
	group.Go(func() error { return r.counters.run(ctx) })
	group.Go(func() error { return r.sampler.Run(ctx, r.hand) })
	err := group.Wait()
	if scratch := r.o.Copies.scratch(); scratch != "" {
		err = errors.Join(err, os.RemoveAll(scratch)) // where no guard does
	}
	return err
}

// hand gives a sample to who waits for one.
func (r *Rig) hand(s wire.Sample) {
	select {
	case r.samples <- s:
	default:
	}
}

// Read waits for the next reading.
func (r *Rig) Read(ctx context.Context) (calibrate.Reading, error) {
	select {
	case <-ctx.Done():
		return calibrate.Reading{}, ctx.Err()
	case s := <-r.samples:
		return r.reading(ctx, s), nil
	}
}

// Open starts a copy and returns when it is ready and its scene has been begun.
func (r *Rig) Open(ctx context.Context, p calibrate.Place) error {
	if err := r.o.Copies.make(ctx, p.Copy); err != nil {
		return err
	}
	c := &opened{copy: p.Copy, gpu: p.GPU, ready: make(chan struct{}), gone: make(chan struct{})}
	r.mu.Lock()
	r.open[p.Copy] = c
	r.mu.Unlock()
	if err := r.start(c, appName); err != nil {
		r.forget(c)
		return err
	}
	select {
	case <-c.ready:
	case <-c.gone:
		return r.endedNow(c)
	case <-ctx.Done():
		r.Close(p.Copy)
		return ctx.Err()
	}
	r.counters.follow(ctx, p.Copy, r.publish(c))
	if r.o.Scene.String() == "" {
		return nil
	}
	return r.start(c, sceneName)
}

func (r *Rig) start(c *opened, app string) error {
	if app == sceneName {
		r.mu.Lock()
		c.scene = true
		r.mu.Unlock()
	}
	return r.launcher.Start(launcher.Order{
		Session: sessionOf(app, c.copy), App: app, Copy: c.copy, GPU: c.gpu, BitrateBps: r.o.BitrateBps, Attempt: 1,
	})
}

func (r *Rig) publish(c *opened) string {
	if s, ok := r.launcher.Session(sessionOf(appName, c.copy)); ok {
		return s.Publish
	}
	return ""
}

// endedNow is a copy that ended before it was ready.
func (r *Rig) endedNow(c *opened) error {
	r.forget(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ended, c.copy)
	return &calibrate.EndedError{Copies: map[int]string{c.copy: c.why()}}
}

// why says why it ended, with what it printed last.
func (c *opened) why() string {
	why := c.reason
	if n := len(c.lines); n > 0 {
		why += "; it last printed: " + c.lines[n-1]
	}
	for _, l := range c.lines {
		if lower := strings.ToLower(l); strings.Contains(lower, "not a tty") || strings.Contains(lower, "failed tty get") || strings.Contains(lower, "terminal") {
			return why + ". It seems to need a terminal, which sessions do not have; give the option that runs it without"
		}
	}
	return why
}

// Close ends copies, all at once, and returns when nothing of them is left.
func (r *Rig) Close(copies ...int) {
	var list []*opened
	r.mu.Lock()
	for _, n := range copies {
		if c := r.open[n]; c != nil {
			c.closing = true
			list = append(list, c)
		}
	}
	r.mu.Unlock()
	for _, c := range list {
		r.counters.unfollow(c.copy)
		r.launcher.Stop(sessionOf(sceneName, c.copy), "calibrated")
		r.launcher.Stop(sessionOf(appName, c.copy), "calibrated")
	}
	for _, c := range list {
		<-c.gone
		r.forget(c)
	}
}

// noteStopped ends what the system has stopped: a program in the background that
// reads from a terminal, or writes to it, stands still for ever.
func (r *Rig) noteStopped(ctx context.Context) {
	for _, s := range r.launcher.Running() {
		app, n := copyOf(s.ID)
		if app != appName || !stopped(ctx, s.RootPID) {
			continue
		}
		r.mu.Lock()
		if c := r.open[n]; c != nil && !c.closing {
			r.ended[n] = "the application stands still, since it wants a terminal, which sessions do not have; give the option that runs it without"
		}
		r.mu.Unlock()
	}
}

func stopped(ctx context.Context, pid int) bool {
	if pid <= 0 {
		return false
	}
	p := process.Process{Pid: int32(pid)} //nolint:gosec // process numbers are small
	states, err := p.StatusWithContext(ctx)
	return err == nil && slices.Contains(states, process.Stop)
}

func (r *Rig) forget(c *opened) {
	r.mu.Lock()
	delete(r.open, c.copy)
	r.mu.Unlock()
	r.o.Copies.remove(c.copy)
}

// changed hears of the sessions from the launcher.
func (r *Rig) changed(change launcher.Change) {
	app, n := copyOf(change.Session)
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.open[n]
	switch {
	case c == nil:
	case app == sceneName:
		if change.State == launcher.StateEnded {
			r.sceneEnded(c, change.Reason)
		}
	case change.State == launcher.StateReady:
		close(c.ready)
	case change.State == launcher.StateEnded:
		c.reason = change.Reason
		if !c.closing {
			r.ended[n] = c.why()
		}
		close(c.gone)
	}
}

// sceneEnded: a script that has done its work ends well; one that failed has
// not brought the copy where it was to be.
func (r *Rig) sceneEnded(c *opened, reason string) {
	if c.scene = false; !c.closing && !strings.Contains(reason, "exit status 0") {
		r.ended[c.copy] = "the scene's command failed: " + reason
	}
}

// keepLines is how much of what a copy prints is kept to say why it ended.
const keepLines = 5

func (r *Rig) printed(session, line string) {
	app, n := copyOf(session)
	if app == appName {
		r.counters.line(n, line)
	}
	if strings.TrimSpace(line) == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.open[n]; c != nil {
		if len(c.lines) >= keepLines {
			c.lines = c.lines[1:]
		}
		c.lines = append(c.lines, line[:min(len(line), 200)])
	}
}

// sessions are the copies' processes, for the sampler.
func (r *Rig) sessions() []sampler.Session {
	running := r.launcher.Running()
	out := make([]sampler.Session, 0, len(running))
	for _, s := range running {
		out = append(out, sampler.Session{ID: s.ID, RootPID: s.RootPID, Cgroup: s.Cgroup, GPU: s.GPU})
	}
	return out
}

func sessionOf(app string, n int) string { return app + "-" + strconv.Itoa(n) }

func copyOf(session string) (app string, n int) {
	app, number, _ := strings.Cut(session, "-")
	n, err := strconv.Atoi(number)
	if err != nil {
		return "", 0
	}
	return app, n
}
