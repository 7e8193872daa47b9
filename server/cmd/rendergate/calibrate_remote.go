package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Limits of a calibration from afar.
const (
	answerTimeout = 30 * time.Second // until the service answers at all
	lastWords     = time.Minute      // from Ctrl-C until the host has told what it measured
	maxWord       = 4 << 20
)

// away is a host of a running service.
type away struct {
	server string
	token  string
	host   string
	client http.Client
}

// remote calibrates a host of a running service, through its probe.
func (c calibrateCommand) remote(ctx context.Context) (calibration.Result, error) {
	a, err := c.away()
	if err != nil {
		return calibration.Result{}, usageError{err}
	}
	o := c.order()
	if err := o.Check(); err != nil {
		return calibration.Result{}, usageError{err}
	}
	show := c.display()
	defer show.close()
	// The call outlives Ctrl-C for as long as the host needs to say what it has.
	calling, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	defer context.AfterFunc(ctx, func() {
		if a.end(calling) != nil { // it waits for the host to be empty, or is gone
			hangUp()
			return
		}
		time.AfterFunc(lastWords, hangUp)
	})()
	return a.calibrate(calling, o, show)
}

// away finds out whom to call, and as whom.
func (c calibrateCommand) away() (*away, error) {
	u, err := url.Parse(c.Server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--server %q: want the service's URL, such as https://gate.example.com", c.Server)
	}
	token := os.Getenv("RENDERGATE_API_TOKEN")
	if c.TokenFile != "" {
		data, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
		token = string(data)
	}
	if token = strings.TrimSpace(token); token == "" {
		return nil, errors.New("--host needs an API token of the service: --token-file FILE, or RENDERGATE_API_TOKEN")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerTimeout
	return &away{server: strings.TrimRight(c.Server, "/"), token: token, host: c.Host, client: http.Client{Transport: transport}}, nil
}

// order is what the host is asked. How the app is started stands in its own
// config, so what says that here is a mistake.
func (c calibrateCommand) order() calibration.Order {
	return calibration.Order{
		App: c.App, Thresholds: c.Threshold, MaxCopies: c.MaxCopies, GPUs: c.GPUs, Repeat: c.Repeat, FPS: c.FPS,
		PeriodS: c.Period.Std().Seconds(), MinSettleS: c.MinSettle.Std().Seconds(), MaxSettleS: c.MaxSettle.Std().Seconds(), SoakS: c.Soak.Std().Seconds(),
	}
}

func (c calibrateCommand) checkRemote() error {
	for flag, set := range map[string]bool{
		"a command": len(c.Command) > 0, "--config": c.Config != "", "--dir": c.Dir != "", "--copy-dir": c.CopyDir != "", "--scene": c.Scene != "",
		"--env": len(c.Env) > 0, "--fps-line": c.FPSLine != "", "--stream": c.Stream != "", "--fps-reports": c.FPSReports,
	} {
		if set {
			return fmt.Errorf("--host and %s: want one of them; how the app is started stands in the config of the host's probe", flag)
		}
	}
	if c.App == "" {
		return errors.New("--host needs --app NAME: which of the host's apps to calibrate")
	}
	return nil
}

func (a *away) call(ctx context.Context, method string, body io.Reader) (*http.Response, error) {
	to := a.server + "/v1/hosts/" + url.PathEscape(a.host) + "/calibration"
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := a.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the service: %w", err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	var problem struct {
		Detail string `json:"detail"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&problem); err != nil || problem.Detail == "" {
		return nil, fmt.Errorf("the service answers %s; is %s its URL?", res.Status, a.server)
	}
	return nil, errors.New(problem.Detail)
}

// end has the host end, and tell what it has.
func (a *away) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	res, err := a.call(ctx, http.MethodDelete, nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func (a *away) calibrate(ctx context.Context, o calibration.Order, show display) (calibration.Result, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return calibration.Result{}, err
	}
	res, err := a.call(ctx, http.MethodPost, bytes.NewReader(body))
	if err != nil {
		return calibration.Result{}, err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 0, 64<<10), maxWord)
	for lines.Scan() {
		var u calibration.Update
		if err := json.Unmarshal(lines.Bytes(), &u); err != nil {
			return calibration.Result{}, fmt.Errorf("the service's words are not understood; is it of another version? %w", err)
		}
		switch {
		case u.Progress != nil:
			show.show(*u.Progress)
		case u.Error != "":
			return calibration.Result{}, errors.New(u.Error)
		case u.Result != nil && u.Result.Partial != "":
			return *u.Result, errors.New(u.Result.Partial)
		case u.Result != nil:
			return *u.Result, nil
		}
	}
	return calibration.Result{}, fmt.Errorf("the service was cut off, and the host ends what it opened; see that host %s is not left drained: %w", a.host, errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}
