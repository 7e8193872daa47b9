// Package owner runs one pool: a single goroutine takes all that is pending,
// decides, applies, writes the events to the journal as one record, and only
// when the journal has it on disk does anybody hear of it.
package owner

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/journal"
)

// ErrBusy says that more is pending than the pool can take.
var ErrBusy = errors.New("too many requests are pending; try again in a second")

// ErrRetry says that the journal was written by another owner: nothing of the
// request has happened, and it may be made again.
var ErrRetry = errors.New("another server leads this pool; try again")

// ErrStopped says that the owner has stopped. What was asked may have happened.
var ErrStopped = errors.New("this server is going away")

const (
	maxPending      = 65536
	batchEvents     = 600    // a record is closed when it holds so many
	snapshotEach    = 50_000 // events between snapshots
	snapshotTimeout = 10 * time.Minute
	resendFirst     = 50 * time.Millisecond
	resendMost      = 2 * time.Second
)

// Commit is what the journal has acknowledged.
type Commit struct {
	Now     time.Time
	Journal string // the journal's identity
	Seq     uint64 // of the record
	Pool    *admission.Pool
	Events  []admission.Event
	Rebuilt bool // the state was rebuilt: look at Pool anew
}

// Listener hears of every commit, on the owner's goroutine; it must not block,
// and must not keep Pool.
type Listener interface{ Committed(c Commit) }

// store is what the owner needs of a pool's journal.
type store interface {
	Identity() string
	Ready() error
	Append(ctx context.Context, r journal.Record) (uint64, error)
	Resolve(ctx context.Context, r journal.Record) (uint64, error)
	Replay(ctx context.Context, after uint64, f func(seq uint64, record []byte) error) (uint64, error)
	Snapshots(ctx context.Context, use func(data []byte) error) (uint64, error)
	SaveSnapshot(ctx context.Context, seq uint64, data []byte) error
	Audit(ctx context.Context, record uint64, entries []journal.AuditEntry) error
	LastAudited(ctx context.Context) (uint64, error)
}

// Options of an owner. All are needed.
type Options struct {
	Name    string
	Policy  admission.Policy // as configured
	Journal store
	Log     *slog.Logger
}

// Owner owns one pool.
type Owner struct {
	o    Options
	all  []Listener
	mu   sync.Mutex
	todo []request
	wake chan struct{}
	done chan struct{}

	trouble error // why it is not ready; guarded by mu

	// Owned by the Run goroutine.
	pool    *admission.Pool
	seq     uint64 // of the newest record that is applied
	since   int    // events since the last snapshot
	each    int    // events between snapshots
	saving  chan struct{}
	audits  *auditor
	lastNow time.Time
}

// request is one of: a command, a sample, a read.
type request struct {
	command admission.Command
	sample  *admission.Sample
	read    func(now time.Time, p *admission.Pool)
	answer  chan answer
}

type answer struct {
	outcome admission.Outcome
	err     error
}

// New makes an owner; Run starts it.
func New(o Options) *Owner {
	return &Owner{
		o: o, wake: make(chan struct{}, 1), done: make(chan struct{}),
		trouble: errors.New("starting: the journal is being replayed"), audits: newAuditor(o), each: snapshotEach,
	}
}

// Listen adds one who hears of every commit. Call it before Run.
func (o *Owner) Listen(l Listener) { o.all = append(o.all, l) }

// Do gives the pool a command and returns when the journal holds what follows
// from it. If ctx ends first the command may happen all the same.
func (o *Owner) Do(ctx context.Context, c admission.Command) (admission.Outcome, error) {
	a, err := o.ask(ctx, request{command: c})
	return a.outcome, err
}

// Read calls f on the owner's goroutine, with the pool as acknowledged.
func (o *Owner) Read(ctx context.Context, f func(now time.Time, p *admission.Pool)) error {
	_, err := o.ask(ctx, request{read: f})
	return err
}

// Observe gives the pool a sample and returns what is impossible in it.
func (o *Owner) Observe(s admission.Sample) error {
	_, err := o.ask(context.Background(), request{sample: &s})
	return err
}

func (o *Owner) ask(ctx context.Context, r request) (answer, error) {
	r.answer = make(chan answer, 1)
	if err := o.push(r); err != nil {
		return answer{}, err
	}
	select {
	case a := <-r.answer:
		return a, a.err
	case <-ctx.Done():
		return answer{}, ctx.Err()
	case <-o.done:
		select { // it may have been answered last of all
		case a := <-r.answer:
			return a, a.err
		default:
			return answer{}, ErrStopped
		}
	}
}

func (o *Owner) push(r request) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.todo) >= maxPending {
		return ErrBusy
	}
	o.todo = append(o.todo, r)
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return nil
}

func (o *Owner) take() []request {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.todo
	o.todo = nil
	return all
}

// Ready says why the pool cannot decide now, or nil.
func (o *Owner) Ready() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.trouble != nil {
		return o.trouble
	}
	return o.o.Journal.Ready()
}

func (o *Owner) setTrouble(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.trouble = err
}

// Run rebuilds the pool from the journal and owns it until ctx ends. An error
// says why it could not go on.
func (o *Owner) Run(ctx context.Context) error {
	defer close(o.done)
	auditing, stopAudits := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	defer func() { stopAudits(); background.Wait() }()
	background.Go(func() { o.audits.run(auditing) })
	if err := o.recover(ctx); err != nil {
		return err
	}
	defer o.waitSaved()
	o.setTrouble(nil)
	return o.loop(ctx)
}

func (o *Owner) loop(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(o.untilDeadline())
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		case <-timer.C:
		}
		if err := o.round(ctx, o.take()); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // stopping: the record's outcome is found at the next start
			}
			return err
		}
	}
}

func (o *Owner) untilDeadline() time.Duration {
	next := o.pool.NextDeadline()
	if next.IsZero() {
		return time.Hour
	}
	return max(0, time.Until(next))
}

// now never goes back, whatever the wall clock does.
func (o *Owner) now() time.Time {
	now := time.Now()
	if now.Before(o.lastNow) {
		now = o.lastNow
	}
	o.lastNow = now
	return now
}

// round decides on all that is pending, a record at a time. Reads come last:
// then the pool is as the journal has it.
func (o *Owner) round(ctx context.Context, all []request) error {
	batch := batch{now: o.now()}
	var reads []request
	for _, r := range all {
		switch {
		case r.read != nil:
			reads = append(reads, r)
		case r.sample != nil:
			r.answer <- answer{err: o.pool.Observe(batch.now, *r.sample)}
		default:
			events, outcome := o.pool.Run(batch.now, r.command)
			batch.add(r, events, outcome)
		}
		if len(batch.events) >= batchEvents {
			if err := o.commit(ctx, &batch); err != nil {
				return err
			}
		}
	}
	events, _ := o.pool.Run(batch.now, admission.Tick{})
	batch.events = append(batch.events, events...)
	if err := o.commit(ctx, &batch); err != nil {
		return err
	}
	for _, r := range reads {
		r.read(batch.now, o.pool)
		r.answer <- answer{}
	}
	return nil
}

// batch is what becomes one record, and who waits for it.
type batch struct {
	now     time.Time
	events  []admission.Event
	waiting []request
	answers []answer
}

func (b *batch) add(r request, events []admission.Event, outcome admission.Outcome) {
	b.events = append(b.events, events...)
	b.waiting = append(b.waiting, r)
	b.answers = append(b.answers, answer{outcome: outcome})
}

// commit writes the batch, tells everybody, and empties it. If another owner
// has written, what is in memory is thrown away and rebuilt.
func (o *Owner) commit(ctx context.Context, b *batch) error {
	defer func() { *b = batch{now: b.now} }()
	if len(b.events) > 0 {
		err := o.write(ctx, b.events)
		if errors.Is(err, journal.ErrConflict) {
			return o.rebuild(ctx, b)
		}
		if err != nil {
			b.fail(ErrStopped)
			return err
		}
		o.announce(Commit{Now: b.now, Journal: o.o.Journal.Identity(), Seq: o.seq, Pool: o.pool, Events: b.events})
		o.audits.add(o.seq, b.events)
		o.snapshot(ctx, len(b.events))
	}
	for i, r := range b.waiting {
		r.answer <- b.answers[i]
	}
	return nil
}

func (b *batch) fail(err error) {
	for _, r := range b.waiting {
		r.answer <- answer{err: err}
	}
}

func (o *Owner) announce(c Commit) {
	for _, l := range o.all {
		l.Committed(c)
	}
}

// rebuild follows a refused append: nothing of the batch has happened.
func (o *Owner) rebuild(ctx context.Context, b *batch) error {
	o.o.Log.Warn("another owner has written; rebuilding from the journal", "pool", o.o.Name)
	o.setTrouble(errors.New("rebuilding from the journal"))
	b.fail(ErrRetry)
	if err := o.recover(ctx); err != nil {
		return err
	}
	o.setTrouble(nil)
	return nil
}

func equalPolicy(a, b admission.Policy) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
