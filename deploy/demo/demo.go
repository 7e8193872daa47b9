// Package demo runs everything on one machine: the admission service and a
// probe as child processes, with a render app of the demo's own.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rendergate/rendergate/probe/wire/quantity"
)

// Names of what the demo sets up.
const (
	Pool = "demo"
	Host = "demo-host"
	App  = "showroom"
)

const readyTimeout = time.Minute

// Options of a demo.
type Options struct {
	Listen  string  // address of the service; port 0 means any free one
	DataDir string  // empty: a folder that is removed at the end
	JSON    bool    // print one line for machines
	Share   float64 // cores that sessions are counted against; 0: half of the machine, at least one
	Seats   int     // calibrated seats; 0: load alone decides
	Uplink  string  // budget, such as "240 Mbit/s"
	Record  string  // folder of the traces of service and probe; empty: nothing is recorded
	Program string  // the rendergate program; empty: this one
	Out     io.Writer
	Err     io.Writer
	Log     *slog.Logger
}

// UsageError is a mistake of whoever called the demo.
type UsageError struct{ Err error }

func (u *UsageError) Error() string { return u.Err.Error() }

// Unwrap gives what was wrong.
func (u *UsageError) Unwrap() error { return u.Err }

// state is what a later start on the same folder goes on with.
type state struct {
	Listen   string `json:"listen"`
	GatePort int    `json:"gate_port"`
}

// demo is a demo as it runs.
type demo struct {
	o      Options
	folder string // of the demo's own files, below the data folder
	state  state
	server *child
	probe  *child
}

// Run runs the demo until ctx ends.
func Run(ctx context.Context, o Options) error {
	d, cleanUp, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer cleanUp()
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	probing, stopProbe := context.WithCancel(running)
	defer stopProbe()
	group := &errgroup.Group{}
	group.Go(func() error { return d.server.run(running) })
	group.Go(func() error { return d.probe.run(probing) })
	err = d.announce(ctx)
	if err == nil {
		<-ctx.Done()
	}
	stopProbe()
	<-d.probe.done
	stop()
	if failed := group.Wait(); err == nil {
		err = failed
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

func prepare(ctx context.Context, o Options) (*demo, func(), error) {
	cleanUp := func() {}
	if o.DataDir == "" {
		dir, err := os.MkdirTemp("", "rendergate-demo-")
		if err != nil {
			return nil, nil, fmt.Errorf("the demo's folder: %w", err)
		}
		o.DataDir, cleanUp = dir, func() { _ = os.RemoveAll(dir) }
	}
	d, err := newDemo(ctx, o)
	if err != nil {
		cleanUp()
		return nil, nil, err
	}
	return d, cleanUp, nil
}

func newDemo(ctx context.Context, o Options) (*demo, error) {
	if err := fill(&o); err != nil {
		return nil, err
	}
	data, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, fmt.Errorf("the data folder: %w", err)
	}
	o.DataDir = data
	d := &demo{o: o, folder: filepath.Join(data, "demo")}
	if err := os.MkdirAll(d.folder, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder: %w", err)
	}
	if err := lock(filepath.Join(d.folder, "lock")); err != nil {
		return nil, &UsageError{fmt.Errorf("%s: %w", data, err)}
	}
	if err := d.choosePorts(ctx); err != nil {
		return nil, err
	}
	if err := d.writeConfigs(ctx); err != nil {
		return nil, err
	}
	record, err := recording(o.Record)
	if err != nil {
		return nil, err
	}
	d.server = newChild(o, append([]string{"serve", "--config", d.file("service.yaml")}, record...)...)
	d.probe = newChild(o, append([]string{"probe", "--config", d.file("probe.yaml")}, record...)...)
	return d, nil
}

// recording makes the folder of the traces, and the flags that name it. A child
// that is started again makes another file in it.
func recording(folder string) ([]string, error) {
	if folder == "" {
		return nil, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, &UsageError{fmt.Errorf("record: %w; want a folder", err)}
	}
	return []string{"--record", folder}, nil
}

// maxSeats is more than any machine carries.
const maxSeats = 10_000

// fill puts defaults where nothing is said, and refuses what cannot be.
func fill(o *Options) error {
	cores := float64(runtime.NumCPU())
	switch {
	case !(o.Share >= 0 && o.Share <= cores):
		return &UsageError{fmt.Errorf("share is %v cores; want 0 (half of them) to %v, which this machine has", o.Share, cores)}
	case o.Seats < 0 || o.Seats > maxSeats:
		return &UsageError{fmt.Errorf("seats is %d; want 0 (load alone decides) to %d", o.Seats, maxSeats)}
	}
	if o.Uplink == "" {
		o.Uplink = "240 Mbit/s"
	}
	if _, err := quantity.ParseRate(o.Uplink); err != nil {
		return &UsageError{fmt.Errorf("uplink: %w", err)}
	}
	if o.Program == "" {
		program, err := os.Executable()
		if err != nil {
			return err
		}
		o.Program = program
	}
	if o.Share == 0 {
		o.Share = max(1, cores/2)
	}
	return nil
}

func (d *demo) file(name string) string { return filepath.Join(d.folder, name) }

// ready is the line for machines.
type ready struct {
	URL       string `json:"url"`
	AdminURL  string `json:"admin_url"`
	Pool      string `json:"pool"`
	Operator  string `json:"operator"`
	Password  string `json:"password"`
	APIToken  string `json:"api_token"`
	ServerPID int    `json:"server_pid"`
	ProbePID  int    `json:"probe_pid"`
}

// announce waits until somebody could play, and says where.
func (d *demo) announce(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, errors.New("the demo was not ready in a minute; its log says why"))
	defer cancel()
	r := ready{URL: d.url() + "/", AdminURL: d.url() + "/admin", Pool: Pool, Operator: "admin"}
	for {
		token, err := os.ReadFile(filepath.Join(d.o.DataDir, "operator-token"))
		r.APIToken = strings.TrimSpace(string(token))
		if err == nil && d.hostIsThere(ctx, r.APIToken) {
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
	password, err := os.ReadFile(filepath.Join(d.o.DataDir, "operator-password"))
	if err != nil {
		return fmt.Errorf("the operator's password: %w", err)
	}
	r.Password = strings.TrimSpace(string(password))
	r.ServerPID, r.ProbePID = d.server.pid(), d.probe.pid()
	return d.print(r)
}

func (d *demo) print(r ready) error {
	if d.o.JSON {
		return json.NewEncoder(d.o.Out).Encode(r)
	}
	_, err := fmt.Fprintf(d.o.Out, "\n  Rendergate's demo is ready.\n\n  Play:    %s\n  Operate: %s  (name %s, password %s)\n\n"+
		"  Sessions are counted against %g of this machine's %d cores. Ctrl-C ends the demo.\n\n",
		r.URL, r.AdminURL, r.Operator, r.Password, d.o.Share, runtime.NumCPU())
	return err
}

// hostIsThere says whether the service is ready and the host has been sampled.
func (d *demo) hostIsThere(ctx context.Context, token string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.local()+"/v1/pools/"+Pool+"/hosts", nil)
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil || answer.StatusCode != http.StatusOK {
		return false
	}
	var hosts struct {
		Items []struct {
			Connected bool `json:"connected"`
			Load      struct {
				CPU *float64 `json:"cpu"`
			} `json:"load"`
		} `json:"items"`
	}
	if json.NewDecoder(bytes.NewReader(data)).Decode(&hosts) != nil || len(hosts.Items) == 0 {
		return false
	}
	return hosts.Items[0].Connected && hosts.Items[0].Load.CPU != nil
}
