package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/calibration"
	"github.com/rendergate/rendergate/server/hosts"
)

const (
	lookAtDrained = 500 * time.Millisecond
	giveBackIn    = 30 * time.Second
)

// calibrate has a host calibrate an app: it is drained first, and given back
// after. The answer is a line of JSON for each word of the host, the last of
// which holds the result or an error. Where the caller goes away, the
// calibration ends.
func (a *api) calibrate(c echo.Context) error {
	var o calibration.Order
	if err := c.Bind(&o); err != nil {
		return problemf(http.StatusBadRequest, "not_understood", `want {"app": …}: %v`, err)
	}
	if err := o.Check(); err != nil {
		return problemf(http.StatusUnprocessableEntity, "invalid", "%v", err)
	}
	p, view, err := a.hostOf(c)
	switch {
	case err != nil:
		return err
	case !view.Connected:
		return problemf(http.StatusConflict, "not_connected", "host %q is not connected", view.Host)
	case !slices.Contains(view.Apps, o.App):
		return problemf(http.StatusUnprocessableEntity, "unknown_app", "host %q has no app %q; it has %v", view.Host, o.App, view.Apps)
	}
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	go func() {
		select {
		case <-a.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	x := &calibrationCall{api: a, c: c, p: p, host: view.Host, by: operatorName(c)}
	if !view.Draining {
		if err := a.do(c, p, admission.Drain{Host: x.host, By: x.by}); err != nil {
			return err
		}
		defer x.giveBack()
	}
	x.begin()
	a.Log.Info("calibration", "host", x.host, "app", o.App, "by", x.by)
	if err := x.run(ctx, o); err != nil {
		return x.tell(calibration.Update{Error: err.Error()})
	}
	return nil
}

// endCalibration ends a host's calibration; its caller hears what was measured.
func (a *api) endCalibration(c echo.Context) error {
	if host := c.Param("host"); !a.Hosts.EndCalibration(host) {
		return problemf(http.StatusNotFound, "no_calibration", "no calibration runs on host %q", host)
	}
	return c.NoContent(http.StatusNoContent)
}

// hostOf finds the host that the path names.
func (a *api) hostOf(c echo.Context) (p Pool, view admission.HostView, err error) {
	id := c.Param("host")
	for _, p := range a.Pools {
		found := false
		err := a.read(c, p, func(now time.Time, pool *admission.Pool) { view, found = pool.Host(now, id) })
		if err != nil || found {
			return p, view, err
		}
	}
	return p, view, problemf(http.StatusNotFound, "unknown_host", "no host %q in any pool", id)
}

// calibrationCall is one call under way.
type calibrationCall struct {
	api  *api
	c    echo.Context
	p    Pool
	host string
	by   string
}

func (x *calibrationCall) begin() {
	w := x.c.Response()
	w.Header().Set(echo.HeaderContentType, "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	w.Flush()
}

func (x *calibrationCall) tell(u calibration.Update) error {
	w := x.c.Response()
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if err := json.NewEncoder(w).Encode(u); err != nil {
		return err
	}
	w.Flush()
	return nil
}

// run waits until the host is empty, and calibrates it.
func (x *calibrationCall) run(ctx context.Context, o calibration.Order) error {
	if err := x.wait(ctx); err != nil {
		return err
	}
	err := x.api.Hosts.Calibrate(ctx, x.host, o, x.tell)
	if errors.Is(err, hosts.ErrCalibrating) || errors.Is(err, hosts.ErrNotConnected) {
		return fmt.Errorf("host %s: %w", x.host, err)
	}
	return err
}

// wait waits until no session is on the host: nobody is thrown out.
func (x *calibrationCall) wait(ctx context.Context) error {
	again := time.NewTicker(lookAtDrained)
	defer again.Stop()
	for began, said := time.Now(), -1; ; {
		left := 0
		err := x.p.Owner.Read(ctx, func(now time.Time, pool *admission.Pool) {
			view, _ := pool.Host(now, x.host)
			left = len(view.Sessions)
		})
		if err != nil || left == 0 {
			return err
		}
		if left != said {
			said = left
			text := fmt.Sprintf("host %s is drained: waiting for the sessions on it to end, %d left", x.host, left)
			if err := x.tell(calibration.Update{Progress: &calibration.Progress{
				Phase: calibration.Waiting, Text: text, Bars: []calibration.Bar{}, ElapsedS: time.Since(began).Seconds(),
			}}); err != nil {
				return err
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// giveBack opens the host for sessions again, also where the caller is gone.
func (x *calibrationCall) giveBack() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.c.Request().Context()), giveBackIn)
	defer cancel()
	if _, err := x.p.Owner.Do(ctx, admission.Undrain{Host: x.host, By: x.by}); err != nil {
		x.api.Log.Error("a host stays drained after its calibration; undrain it", "host", x.host, "err", err)
	}
}
