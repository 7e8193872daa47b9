package hosts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Errors of [Hub.Calibrate] that a caller tells apart.
var (
	ErrNotConnected = errors.New("the host is not connected")
	ErrCalibrating  = errors.New("the host is being calibrated already")
)

// endWithin is how long a host has to close what it opened: a copy has five
// seconds to end by itself, and the probe thirty for all.
const endWithin = 45 * time.Second

// calibrating is one calibration under way, as its asker sees it.
type calibrating struct {
	id      string
	conn    *conn
	updates chan calibration.Update
}

// Calibrate has a host calibrate an app and hands on what it tells, until its
// last word. It ends early when ctx ends or the host goes; the host then closes
// what it opened. The host must be drained and empty.
func (h *Hub) Calibrate(ctx context.Context, host string, o calibration.Order, tell func(calibration.Update) error) error {
	x, err := h.beginCalibration(host)
	if err != nil {
		return err
	}
	defer h.forgetCalibration(host)
	x.conn.push(wire.ToHost{Type: "calibrate", Calibrate: &wire.Calibrate{ID: x.id, On: true, Order: o}})
	for {
		select {
		case u := <-x.updates:
			if err := tell(u); err != nil {
				return errors.Join(err, h.endAndWait(x, host))
			}
			if u.Last() {
				return nil
			}
		case <-x.conn.quit:
			return errGone
		case <-ctx.Done():
			return errors.Join(ctx.Err(), h.endAndWait(x, host))
		}
	}
}

var errGone = fmt.Errorf("%w any more; it ends what it has opened", ErrNotConnected)

// endAndWait has the host end its calibration and waits until it has: what it
// opened must be gone before sessions come again.
func (h *Hub) endAndWait(x *calibrating, host string) error {
	h.EndCalibration(host)
	late := time.NewTimer(endWithin)
	defer late.Stop()
	for {
		select {
		case u := <-x.updates:
			if u.Last() {
				return nil
			}
		case <-x.conn.quit:
			return errGone
		case <-late.C:
			return fmt.Errorf("the host did not say within %v that its calibration has ended", endWithin)
		}
	}
}

func (h *Hub) beginCalibration(host string) (*calibrating, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch c := h.conns[host]; {
	case h.calibrations[host] != nil:
		return nil, ErrCalibrating
	case c == nil:
		return nil, ErrNotConnected
	default:
		x := &calibrating{id: rand.Text(), conn: c, updates: make(chan calibration.Update, 16)}
		h.calibrations[host] = x
		return x, nil
	}
}

func (h *Hub) forgetCalibration(host string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.calibrations, host)
}

// EndCalibration tells the host to end its calibration; its last word follows.
// It says whether there was one.
func (h *Hub) EndCalibration(host string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.calibrations[host]
	if x != nil {
		x.conn.push(wire.ToHost{Type: "calibrate", Calibrate: &wire.Calibrate{ID: x.id}})
	}
	return x != nil
}

// calibrated takes a host's word. Progress that nobody takes in time gives way;
// the last word waits for its place.
func (h *Hub) calibrated(c *conn, u calibration.Update) {
	h.mu.Lock()
	x := h.calibrations[c.host]
	h.mu.Unlock()
	if x == nil || x.conn != c || x.id != u.ID {
		return
	}
	for {
		select {
		case x.updates <- u:
			return
		default:
		}
		select {
		case <-x.updates:
		default:
		}
	}
}
