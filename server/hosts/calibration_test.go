package hosts

import (
	"context"
	"errors"
	"testing"

	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// asked is a calibration that was asked for, and what came of it.
type asked struct {
	updates chan calibration.Update
	end     context.CancelFunc
	err     chan error
}

func (b *bench) ask(host string) asked {
	ctx, cancel := context.WithCancel(b.Context())
	a := asked{updates: make(chan calibration.Update, 10), end: cancel, err: make(chan error, 1)}
	go func() {
		a.err <- b.hub.Calibrate(ctx, host, calibration.Order{App: "app"}, func(u calibration.Update) error { a.updates <- u; return nil })
	}()
	return a
}

func (p *probe) says(u calibration.Update) {
	p.Helper()
	p.send(wire.FromHost{Type: "calibration", Calibration: &u})
}

func TestACalibrationIsHandedOn(t *testing.T) {
	b := newBench(t)
	p := b.up("h")
	a := b.ask("h")
	order := p.until("calibrate").Calibrate
	if !order.On || order.Order.App != "app" || order.ID == "" {
		t.Fatalf("%+v", order)
	}
	if err := b.hub.Calibrate(t.Context(), "h", calibration.Order{App: "app"}, nil); !errors.Is(err, ErrCalibrating) {
		t.Errorf("a second one: %v", err)
	}
	p.says(calibration.Update{ID: "another", Error: "of another"})
	p.says(calibration.Update{ID: order.ID, Progress: &calibration.Progress{Text: "on the way"}})
	if u := <-a.updates; u.Progress == nil || u.Progress.Text != "on the way" {
		t.Errorf("%+v", u)
	}
	p.says(calibration.Update{ID: order.ID, Result: &calibration.Result{Fits: 3}})
	if u := <-a.updates; u.Result == nil || u.Result.Fits != 3 {
		t.Errorf("%+v", u)
	}
	if err := <-a.err; err != nil {
		t.Error(err)
	}
	if b.hub.EndCalibration("h") {
		t.Error("it goes on")
	}
}

// TestACalibrationEndsWithItsAsker: the host is told, and waited for, so that
// nobody is seated beside copies that still close.
func TestACalibrationEndsWithItsAsker(t *testing.T) {
	b := newBench(t)
	p := b.up("h")
	a := b.ask("h")
	id := p.until("calibrate").Calibrate.ID
	a.end()
	if o := p.until("calibrate").Calibrate; o.On || o.ID != id {
		t.Errorf("%+v", o)
	}
	select {
	case err := <-a.err:
		t.Errorf("it ended before the host said so: %v", err)
	default:
	}
	p.says(calibration.Update{ID: id, Error: "stopped"})
	if err := <-a.err; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestACalibrationEndsWithItsHost(t *testing.T) {
	b := newBench(t)
	if err := b.hub.Calibrate(t.Context(), "h", calibration.Order{App: "app"}, nil); !errors.Is(err, ErrNotConnected) {
		t.Errorf("of a host that is not there: %v", err)
	}
	p := b.up("h")
	a := b.ask("h")
	p.until("calibrate")
	if err := p.ws.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-a.err; !errors.Is(err, ErrNotConnected) {
		t.Error(err)
	}
}
