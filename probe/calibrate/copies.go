package calibrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// add opens a copy and waits until all loads have settled. What ends by itself
// is tried once more.
func (r *ramp) add(ctx context.Context, p Place) (*measured, error) {
	for tries := 0; ; tries++ {
		m, err := r.try(ctx, p)
		var ended *EndedError
		if !errors.As(err, &ended) {
			return m, err
		}
		alone := len(r.open) == 0 || len(r.open) == 1 && r.open[0].Copy == p.Copy
		r.noteEnded(ended, p)
		r.drop(p.Copy)
		if alone {
			return nil, err // the first copy: there is nothing to go on from
		}
		if mending := r.mend(ctx, ended); mending != nil {
			return nil, mending
		}
		if tries > 0 {
			return nil, err
		}
		p.Copy = r.last + 1
	}
}

func (r *ramp) try(ctx context.Context, p Place) (*measured, error) {
	if err := r.openOne(ctx, p); err != nil {
		return nil, err
	}
	return r.measure(ctx, calibration.Settling)
}

func (r *ramp) openOne(ctx context.Context, p Place) error {
	r.tell(calibration.Opening, nil)
	r.last = max(r.last, p.Copy)
	began := time.Now()
	if err := r.host.Open(ctx, p); err != nil {
		return err
	}
	r.starts = append(r.starts, time.Since(began).Seconds())
	r.open = append(r.open, p)
	return nil
}

// mend opens copies again that ended by themselves while others were looked
// at.
func (r *ramp) mend(ctx context.Context, ended *EndedError) error {
	for n, why := range ended.Copies {
		i := slices.IndexFunc(r.open, func(p Place) bool { return p.Copy == n })
		if i < 0 {
			continue
		}
		gpu := r.open[i].GPU
		r.find(calibration.Finding{Code: "copy_ended", Copies: len(r.open), Message: "A copy that had been running ended by itself, and was opened again: " + why})
		r.drop(n)
		if err := r.openOne(ctx, Place{Copy: r.last + 1, GPU: gpu}); err != nil {
			return fmt.Errorf("a copy that ended by itself could not be opened again: %w", err)
		}
	}
	return nil
}

// drop closes a copy.
func (r *ramp) drop(n int) {
	r.host.Close(n)
	r.open = slices.DeleteFunc(r.open, func(p Place) bool { return p.Copy == n })
}

func (r *ramp) closeNewest() {
	r.tell(calibration.Closing, nil)
	r.drop(r.open[len(r.open)-1].Copy)
}

func (r *ramp) closeAll() {
	if len(r.open) == 0 {
		return
	}
	r.tell(calibration.Closing, nil)
	all := make([]int, len(r.open))
	for i, p := range r.open {
		all[i] = p.Copy
	}
	r.host.Close(all...)
	r.open = nil
}
