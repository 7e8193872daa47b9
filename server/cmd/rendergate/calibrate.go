package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"

	"github.com/rendergate/rendergate/probe/calibrate"
	"github.com/rendergate/rendergate/probe/calibrate/report"
	"github.com/rendergate/rendergate/probe/calibrate/screen"
	"github.com/rendergate/rendergate/probe/rig"
	"github.com/rendergate/rendergate/probe/wire/calibration"
	"github.com/rendergate/rendergate/server/config"
)

// Run calibrates.
func (c calibrateCommand) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return usageError{err}
	}
	for flag, path := range map[string]string{"--out": c.out(c.name()), "--report": c.Report} {
		if err := mayWrite(path); err != nil {
			return usageError{fmt.Errorf("%s: %w", flag, err)}
		}
	}
	measure := c.local
	if c.Host != "" {
		measure = c.remote
	}
	result, err := measure(ctx)
	if err != nil && len(result.Steps) < 2 {
		return err // no copy was measured: there is nothing to keep
	}
	return errors.Join(c.write(result), err)
}

// local calibrates this machine.
func (c calibrateCommand) local(ctx context.Context) (calibration.Result, error) {
	var none calibration.Result
	o, err := c.options()
	if err != nil {
		return none, usageError{err}
	}
	log := slog.New(slog.DiscardHandler)
	if c.Verbose {
		log = logger("info", "auto", os.Stderr, isatty.IsTerminal(os.Stderr.Fd()))
	}
	o.rig.Log = log
	if o.rig.Copies, err = rig.NewFolders(c.CopyDir); err != nil {
		return none, usageError{err}
	}
	return onRig(ctx, o, c.display())
}

// onRig runs the rig and calibrates on it.
func onRig(ctx context.Context, o calibrateOptions, show display) (calibration.Result, error) {
	defer show.close()
	// What the rig runs ends after the calibration, however that ends.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	r, err := rig.New(running, o.rig)
	if err != nil {
		if o.rig.Copies.Where != "" {
			err = errors.Join(err, os.RemoveAll(o.rig.Copies.Where))
		}
		return calibration.Result{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(running) }()
	if o.calibrate.GPUs, err = o.gpus(len(r.Facts().Machine.GPUs)); err != nil {
		stop()
		return calibration.Result{}, usageError{errors.Join(err, <-ended)}
	}
	o.calibrate.Tell = show.show
	// A rig that cannot run ends the calibration.
	measuring, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if err := <-ended; err != nil {
			cancel(err)
			ended <- err
			return
		}
		ended <- nil
	}()
	result, err := calibrate.Run(measuring, r, o.calibrate)
	stop()
	return result, errors.Join(err, <-ended)
}

// display shows progress.
type display struct {
	show  func(calibration.Progress)
	close func()
}

// display is bars on a terminal, plain lines elsewhere, always on standard
// error: standard output has the result alone.
func (c calibrateCommand) display() display {
	if c.ProgressJSON {
		out := json.NewEncoder(os.Stdout)
		return display{func(p calibration.Progress) { _ = out.Encode(map[string]any{"progress": p}) }, func() {}}
	}
	var width func() int
	if isatty.IsTerminal(os.Stderr.Fd()) && !c.Verbose && os.Getenv("TERM") != "dumb" {
		width = func() int {
			if w, _, err := term.GetSize(int(os.Stderr.Fd())); err == nil { //nolint:gosec // a descriptor is small
				return w
			}
			return 80
		}
	}
	s := screen.New(os.Stderr, width)
	return display{s.Show, s.Close}
}

// write writes profile, report and result.
func (c calibrateCommand) write(r calibration.Result) error {
	if c.ProgressJSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"result": r})
	}
	var written []string
	path, err := config.WriteCalibration(c.out(r.App), r)
	if err != nil {
		return err
	}
	written = append(written, "profile: "+path)
	if c.Report != "" {
		if err := writeReport(c.Report, func(w io.Writer) error { return report.Write(w, r) }); err != nil {
			return err
		}
		written = append(written, "report: "+c.Report)
	}
	if c.JSON {
		for i := range r.Steps {
			r.Steps[i].Trace = nil // the report draws them
		}
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(r)
	}
	if err := screen.Summary(os.Stdout, r); err != nil {
		return err
	}
	fmt.Println()
	for _, line := range written {
		fmt.Println(line)
	}
	return nil
}

// mayWrite finds out before hours are spent whether a file can be written there.
func mayWrite(path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file; want the path of a file to write", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".rendergate-*")
	if err != nil {
		return fmt.Errorf("nothing can be written there: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// name is the app's, as far as it is known before the host is asked.
func (c calibrateCommand) name() string {
	if c.App == "" && len(c.Command) > 0 {
		return nameOf(c.Command[0])
	}
	return c.App
}

func (c calibrateCommand) out(app string) string {
	if c.Out != "" {
		return c.Out
	}
	return app + ".profile.yaml"
}
