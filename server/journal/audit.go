package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// AuditEntry is one event of the audit trail. Seq rises, with gaps.
type AuditEntry struct {
	Seq  uint64          `json:"seq"`
	Time time.Time       `json:"time"`
	Type string          `json:"type"`
	By   string          `json:"by,omitempty"` // the operator's name
	Data json.RawMessage `json:"data"`
}

const recordHeader = "Rendergate-Record"

// entriesPerRecord is more than a record ever has: an entry's sequence is its
// message's times this, plus its place in it.
const entriesPerRecord = 100_000

// Audit writes entries to the audit trail, as one message; record is the newest
// that they speak of. A repeated call for the same record is recognised for two
// minutes, and by LastAudited for ever.
func (p *Pool) Audit(ctx context.Context, record uint64, entries []AuditEntry) error {
	data, err := json.Marshal(entries)
	if err != nil {
		return fmt.Errorf("an audit entry: %w", err)
	}
	message := nats.NewMsg(p.auditSubject)
	message.Data = data
	message.Header.Set(recordHeader, strconv.FormatUint(record, 10))
	id := fmt.Sprintf("%s-%d", p.Identity(), record)
	if _, err := p.at().js.PublishMsg(ctx, message, jetstream.WithMsgID(id)); err != nil {
		return fmt.Errorf("writing the audit trail: %w", err)
	}
	return nil
}

// LastAudited is the newest record that the audit trail speaks of.
func (p *Pool) LastAudited(ctx context.Context) (uint64, error) {
	message, err := p.at().audit.GetLastMsgForSubject(ctx, p.auditSubject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the audit trail: %w", err)
	}
	return strconv.ParseUint(message.Header.Get(recordHeader), 10, 64)
}

// errEnough ends a reading early.
var errEnough = errors.New("enough")

// List gives at most limit entries after the sequence, oldest first.
func (p *Pool) List(ctx context.Context, after uint64, limit int) ([]AuditEntry, error) {
	info, err := p.at().audit.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the audit trail: %w", err)
	}
	var out []AuditEntry
	if info.State.Msgs == 0 {
		return out, nil
	}
	err = p.entries(ctx, after, info.State.LastSeq, func(e AuditEntry) error {
		out = append(out, e)
		if len(out) == limit {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return out, nil
}

// Follow calls f for every entry after the sequence, those to come too, until
// ctx ends or f fails.
func (p *Pool) Follow(ctx context.Context, after uint64, f func(AuditEntry) error) error {
	const never = ^uint64(0)
	return p.entries(ctx, after, never, f)
}

// entries reads the entries after a sequence, up to the last message.
func (p *Pool) entries(ctx context.Context, after, last uint64, f func(AuditEntry) error) error {
	message := after / entriesPerRecord // may hold more than the one that was seen
	if message > last {
		return nil
	}
	from := max(message, 1) - 1
	if from >= last {
		return nil
	}
	return each(ctx, p.at().audit, from, last, func(m jetstream.Msg, seq uint64) error {
		var all []AuditEntry
		if err := json.Unmarshal(m.Data(), &all); err != nil {
			return fmt.Errorf("an audit entry: %w", err)
		}
		for i, e := range all {
			e.Seq = seq*entriesPerRecord + uint64(i)
			if e.Seq <= after {
				continue
			}
			if err := f(e); err != nil {
				return err
			}
		}
		return nil
	})
}
