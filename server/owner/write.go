package owner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/journal"
)

// write appends the events as one record and returns when it is on disk. While
// the outcome is unknown nothing is announced: the same record is sent again,
// and what stands at its sequence is read, until it is known.
func (o *Owner) write(ctx context.Context, events []admission.Event) error {
	data, err := admission.EncodeEvents(events)
	if err != nil {
		return fmt.Errorf("pool %s: %w", o.o.Name, err)
	}
	record := journal.Record{ID: rand.Text(), After: o.seq, Data: data}
	pause := resendFirst
	for {
		seq, err := o.o.Journal.Append(ctx, record)
		if errors.Is(err, journal.ErrConflict) { // a repeated append that did land says so too
			if seq, err = o.o.Journal.Resolve(ctx, record); err == nil && seq == 0 {
				err = journal.ErrConflict
			}
		}
		if err == nil {
			o.seq = seq
			o.setTrouble(nil)
			return nil
		}
		if errors.Is(err, journal.ErrConflict) {
			return err
		}
		o.o.Log.Error("the journal did not take a record; nothing is announced until it does", "pool", o.o.Name, "err", err)
		o.setTrouble(fmt.Errorf("the journal cannot be written: %w", err))
		if !sleep(ctx, pause) {
			return err
		}
		pause = min(2*pause, resendMost)
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// recover builds the pool from the newest good snapshot and the records since,
// opens it if there is nothing, and says that every connection is gone.
func (o *Owner) recover(ctx context.Context) error {
	began := time.Now()
	audited, err := o.o.Journal.LastAudited(ctx)
	if err != nil {
		return fmt.Errorf("pool %s: %w", o.o.Name, err)
	}
	s, err := o.read(ctx)
	if err != nil {
		return fmt.Errorf("pool %s: %w", o.o.Name, err)
	}
	o.pool, o.seq, o.since = s.pool, s.seq, s.events
	o.audits.begin(audited, o.seq)
	fresh := o.seq == 0
	now := o.now()
	var first []admission.Event
	if fresh {
		first, _ = o.pool.Run(now, admission.Open{ID: rand.Text()[:8], Name: o.o.Name, Policy: o.o.Policy})
	} else {
		first, _ = o.pool.Run(now, admission.Recover{})
		if !equalPolicy(o.pool.Configured(), o.o.Policy) {
			if !equalPolicy(o.pool.Configured(), o.pool.Policy()) {
				o.o.Log.Warn("the configured policy has changed and takes the place of the one that operators set live", "pool", o.o.Name)
			}
			more, outcome := o.pool.Run(now, admission.SetPolicy{Policy: o.o.Policy, By: "config", Configured: true})
			if outcome.Refused != nil {
				return fmt.Errorf("pool %s: the configured policy: %s", o.o.Name, outcome.Refused.Message)
			}
			first = append(first, more...)
		}
	}
	if err := o.write(ctx, first); err != nil {
		return err
	}
	o.announce(Commit{Now: now, Journal: o.o.Journal.Identity(), Seq: o.seq, Pool: o.pool, Events: first, Rebuilt: true})
	o.audits.add(o.seq, first)
	o.o.Log.Info("pool ready", "pool", o.o.Name, "replayed_events", s.events, "seq", o.seq,
		"took", time.Since(began).Round(time.Millisecond))
	return nil
}

// stand is a pool as the journal has it.
type stand struct {
	pool   *admission.Pool
	seq    uint64 // of the newest record in it
	events int    // since the snapshot that it began with
}

// read builds the pool from the newest good snapshot and the records since.
func (o *Owner) read(ctx context.Context) (stand, error) {
	s := stand{pool: admission.New()}
	from, err := o.o.Journal.Snapshots(ctx, func(data []byte) error {
		p, err := admission.Restore(data)
		if err == nil {
			s.pool = p
		}
		return err
	})
	if err != nil {
		return s, err
	}
	s.seq, err = o.o.Journal.Replay(ctx, from, func(_ uint64, record []byte) error {
		events, err := admission.DecodeEvents(record)
		if err != nil {
			return err
		}
		for _, e := range events {
			s.pool.Apply(e)
		}
		s.events += len(events)
		return nil
	})
	return s, err
}

// snapshot saves the state now and then. It is not the owner's pool that is
// written, which would stand still for as long: another is built from the
// journal, beside it.
func (o *Owner) snapshot(ctx context.Context, events int) {
	o.since += events
	if o.since < o.each || o.saving != nil && !closed(o.saving) {
		return
	}
	o.since = 0
	o.saving = make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
		defer cancel()
		if err := o.save(ctx); err != nil && ctx.Err() == nil {
			o.o.Log.Error("no snapshot", "pool", o.o.Name, "err", err)
		}
	}(o.saving)
}

func (o *Owner) save(ctx context.Context) error {
	s, err := o.read(ctx)
	if err != nil {
		return err
	}
	data, err := s.pool.Snapshot()
	if err != nil {
		return err
	}
	return o.o.Journal.SaveSnapshot(ctx, s.seq, data)
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (o *Owner) waitSaved() {
	if o.saving != nil {
		<-o.saving
	}
}
