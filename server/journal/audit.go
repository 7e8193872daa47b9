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

// Audit writes the events of one record to the audit trail. A repeated call for
// the same record is recognised for two minutes, and by LastAudited for ever.
func (p *Pool) Audit(ctx context.Context, record uint64, entries []AuditEntry) error {
	p.auditMu.Lock()
	defer p.auditMu.Unlock()
	for i, e := range entries {
		data, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("an audit entry: %w", err)
		}
		message := nats.NewMsg(p.auditSubject)
		message.Data = data
		message.Header.Set(recordHeader, strconv.FormatUint(record, 10))
		id := fmt.Sprintf("%s-%d-%d", p.identity, record, i)
		if _, err := p.j.js.PublishMsg(ctx, message, jetstream.WithMsgID(id)); err != nil {
			return fmt.Errorf("writing the audit trail: %w", err)
		}
	}
	return nil
}

// LastAudited is the newest record that the audit trail speaks of.
func (p *Pool) LastAudited(ctx context.Context) (uint64, error) {
	message, err := p.audit.GetLastMsgForSubject(ctx, p.auditSubject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the audit trail: %w", err)
	}
	return strconv.ParseUint(message.Header.Get(recordHeader), 10, 64)
}

// List gives at most limit entries after the sequence, oldest first.
func (p *Pool) List(ctx context.Context, after uint64, limit int) ([]AuditEntry, error) {
	info, err := p.audit.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the audit trail: %w", err)
	}
	var out []AuditEntry
	if info.State.LastSeq <= after || info.State.Msgs == 0 {
		return out, nil
	}
	enough := errors.New("enough")
	err = each(ctx, p.audit, after, info.State.LastSeq, func(m jetstream.Msg, seq uint64) error {
		e, err := auditEntry(m, seq)
		if err != nil {
			return err
		}
		out = append(out, e)
		if len(out) == limit {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, err
	}
	return out, nil
}

// Follow calls f for every entry after the sequence, those to come too, until
// ctx ends or f fails.
func (p *Pool) Follow(ctx context.Context, after uint64, f func(AuditEntry) error) error {
	const never = ^uint64(0)
	return each(ctx, p.audit, after, never, func(m jetstream.Msg, seq uint64) error {
		e, err := auditEntry(m, seq)
		if err != nil {
			return err
		}
		return f(e)
	})
}

func auditEntry(m jetstream.Msg, seq uint64) (AuditEntry, error) {
	var e AuditEntry
	if err := json.Unmarshal(m.Data(), &e); err != nil {
		return e, fmt.Errorf("an audit entry: %w", err)
	}
	e.Seq = seq
	return e, nil
}
