package owner

import (
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/journal"
)

// Bounds of the audit trail's writing.
const (
	auditBatch = 2_000   // entries in one message
	auditHeld  = 100_000 // see auditor.held
	auditFlush = 5 * time.Second
)

// auditor writes the audit trail behind the journal: in order, each record
// once. What it cannot hold, or a crash has kept it from writing, it reads
// from the journal again.
type auditor struct {
	name    string
	journal store
	log     *slog.Logger
	wake    chan struct{}
	held    int // entries that wait in memory; more are read from the journal again

	mu      sync.Mutex
	records []auditRecord
	entries int
	behind  bool   // records are missing from the list: read the journal
	written uint64 // the newest record in the trail
}

// auditRecord is one record on its way to the audit trail.
type auditRecord struct {
	seq    uint64
	events []admission.Event
}

func newAuditor(o Options) *auditor {
	return &auditor{name: o.Name, journal: o.Journal, log: o.Log, wake: make(chan struct{}, 1), held: auditHeld}
}

// begin says up to where the trail goes, and the journal.
func (a *auditor) begin(audited, last uint64) {
	a.mu.Lock()
	a.written, a.behind = audited, audited > 0 && audited < last
	if audited == 0 {
		a.written = last // the trail is kept for a month: an empty one is not filled with what is older
	}
	a.mu.Unlock()
	a.nudge()
}

func (a *auditor) nudge() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// add takes a record that the journal holds.
func (a *auditor) add(seq uint64, events []admission.Event) {
	a.mu.Lock()
	switch {
	case a.behind:
	case a.entries+len(events) > a.held:
		a.behind, a.records, a.entries = true, nil, 0
	default:
		a.records, a.entries = append(a.records, auditRecord{seq, events}), a.entries+len(events)
	}
	a.mu.Unlock()
	a.nudge()
}

// run writes until ctx ends, and what is there then.
func (a *auditor) run(ctx context.Context) {
	pause := resendFirst
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-a.wake:
		}
		err := a.flush(ctx)
		if err == nil || ctx.Err() != nil {
			pause = resendFirst
			continue
		}
		a.log.Warn("the audit trail was not written; it is tried again", "pool", a.name, "err", err)
		sleep(ctx, pause)
		pause = min(2*pause, resendMost)
		a.nudge()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditFlush)
	defer cancel()
	if err := a.flush(last); err != nil {
		a.log.Warn("the audit trail is behind; it is written at the next start", "pool", a.name, "err", err)
	}
}

// flush writes all there is.
func (a *auditor) flush(ctx context.Context) error {
	for {
		batch, behind := a.next()
		switch {
		case len(batch) > 0:
			if err := a.write(ctx, batch); err != nil {
				a.fallBehind()
				return err
			}
			a.drop(len(batch))
		case behind:
			if err := a.catchUp(ctx); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// next is what goes into the next message, and whether the journal must be read.
func (a *auditor) next() (batch []auditRecord, behind bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.behind {
		return nil, true
	}
	n := 0
	for i, r := range a.records {
		if i > 0 && n+len(r.events) > auditBatch {
			break
		}
		n += len(r.events)
		batch = a.records[:i+1]
	}
	return batch, false
}

// drop forgets what has been written, unless all was forgotten meanwhile.
func (a *auditor) drop(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n = min(n, len(a.records))
	for _, r := range a.records[:n] {
		a.entries -= len(r.events)
	}
	a.records = a.records[n:]
}

// write writes records as one message, leaving out what the trail has.
func (a *auditor) write(ctx context.Context, batch []auditRecord) error {
	var entries []journal.AuditEntry
	newest := a.newest()
	for _, r := range batch {
		if r.seq > newest {
			entries = append(entries, auditEntries(r.events)...)
		}
	}
	if len(entries) == 0 {
		return nil
	}
	last := batch[len(batch)-1].seq
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditFlush) // a stop must not leave the outcome unknown
	defer cancel()
	if err := a.journal.Audit(ctx, last, entries); err != nil {
		return err
	}
	a.mu.Lock()
	a.written = max(a.written, last)
	a.mu.Unlock()
	return nil
}

func (a *auditor) newest() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.written
}

// catchUp reads the records that the trail lacks from the journal. What comes
// meanwhile is held again.
func (a *auditor) catchUp(ctx context.Context) error {
	audited, err := a.journal.LastAudited(ctx) // a message whose outcome was unknown may have landed
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.behind, a.written = false, max(a.written, audited)
	from := a.written
	a.mu.Unlock()
	var batch []auditRecord
	n := 0
	_, err = a.journal.Replay(ctx, from, func(seq uint64, record []byte) error {
		events, err := admission.DecodeEvents(record)
		if err != nil {
			return err
		}
		if n+len(events) > auditBatch && len(batch) > 0 {
			if err := a.write(ctx, batch); err != nil {
				return err
			}
			batch, n = nil, 0
		}
		batch, n = append(batch, auditRecord{seq, events}), n+len(events)
		return nil
	})
	if err == nil && len(batch) > 0 {
		err = a.write(ctx, batch)
	}
	if err != nil {
		a.fallBehind()
	}
	return err
}

// fallBehind leaves what is held to be read from the journal.
func (a *auditor) fallBehind() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.behind, a.records, a.entries = true, nil, 0
}

// auditEntries are the events as people read them; secrets stay out, hashed or not.
func auditEntries(events []admission.Event) []journal.AuditEntry {
	entries := make([]journal.AuditEntry, 0, len(events))
	for _, e := range events {
		body := e.Body
		switch b := body.(type) {
		case admission.Enqueued:
			b.Secret = ""
			body = b
		case admission.Resumed:
			b.Secret = ""
			body = b
		}
		data, err := json.Marshal(body)
		if err != nil {
			continue // what is in the journal has been JSON before
		}
		entries = append(entries, journal.AuditEntry{Time: e.At.UTC(), Type: e.Name(), By: operatorOf(e.Body), Data: data})
	}
	return entries
}

// operatorOf is the operator that an event names, if it can name one.
func operatorOf(b admission.Body) string {
	v := reflect.ValueOf(b)
	if v.Kind() != reflect.Struct {
		return ""
	}
	by := v.FieldByName("By")
	if !by.IsValid() || by.Kind() != reflect.String {
		return ""
	}
	return by.String()
}
