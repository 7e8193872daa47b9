package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Pool is the journal of one pool.
type Pool struct {
	j                     *Journal
	name                  string
	subject, auditSubject string
	streams               atomic.Pointer[streams]
	failures              atomic.Int32 // appends in a row whose outcome is unknown
}

// streams are where a pool is kept, over one link.
type streams struct {
	link
	identity       string
	records, audit jetstream.Stream
	snapshots      jetstream.ObjectStore
}

func (p *Pool) at() *streams { return p.streams.Load() }

// mendAfter is how many appends fail before the embedded server is started again.
const mendAfter = 2

// Identity is random and stays with the stream: another one means that the
// journal was emptied or replaced.
func (p *Pool) Identity() string { return p.at().identity }

// Ready says why the journal cannot be written now, or nil.
func (p *Pool) Ready() error { return p.j.Ready() }

// Refused append, on single servers and on replicated streams.
const (
	codeWrongSequence           = 10071
	codeWrongSequenceReplicated = 10164
)

// Append writes one record behind the record of sequence after, and returns its
// sequence once it is on disk. ErrConflict means that another record stands
// there; any other error that the outcome is unknown: ask Resolve.
func (p *Pool) Append(ctx context.Context, record Record) (uint64, error) {
	seen := p.at()
	seq, err := p.append(ctx, seen, record)
	if err == nil || errors.Is(err, ErrConflict) {
		p.failures.Store(0)
		return seq, err
	}
	if p.failures.Add(1) >= mendAfter && ctx.Err() == nil {
		p.failures.Store(0)
		err = errors.Join(err, p.j.mend(ctx, seen.conn))
	}
	return 0, err
}

func (p *Pool) append(ctx context.Context, s *streams, record Record) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	message := nats.NewMsg(p.subject)
	message.Data = record.Data
	ack, err := s.js.PublishMsg(ctx, message,
		jetstream.WithMsgID(record.ID), jetstream.WithExpectLastSequence(record.After), jetstream.WithRetryAttempts(0))
	var refused *jetstream.APIError
	if errors.As(err, &refused) &&
		(refused.ErrorCode == codeWrongSequence || refused.ErrorCode == codeWrongSequenceReplicated) {
		return 0, ErrConflict
	}
	if err != nil {
		return 0, fmt.Errorf("appending to the journal: %w", err)
	}
	return ack.Sequence, nil
}

// Record is what is appended: ID tells a repeated append from another's.
type Record struct {
	ID    string
	After uint64 // sequence of the record that must be the last
	Data  []byte
}

// Resolve says what became of a record whose append had no clear outcome: its
// sequence if it was written, 0 if nothing was; ErrConflict if another
// record stands in its place.
func (p *Pool) Resolve(ctx context.Context, record Record) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	info, err := p.at().records.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("asking the journal: %w", err)
	}
	if info.State.LastSeq <= record.After {
		return 0, nil
	}
	message, err := p.at().records.GetMsg(ctx, record.After+1)
	if err != nil {
		return 0, fmt.Errorf("reading the journal: %w", err)
	}
	if message.Header.Get(jetstream.MsgIDHeader) != record.ID {
		return 0, ErrConflict
	}
	return message.Sequence, nil
}

// Replay calls f for every record after the sequence, up to what is the last
// when it begins. It returns the sequence of the last one there is.
func (p *Pool) Replay(ctx context.Context, after uint64, f func(seq uint64, record []byte) error) (uint64, error) {
	info, err := p.at().records.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("asking the journal: %w", err)
	}
	last := info.State.LastSeq
	if last <= after || info.State.Msgs == 0 {
		return last, nil
	}
	if info.State.FirstSeq > after+1 {
		return 0, fmt.Errorf("the journal begins at %d, but the snapshot ends at %d: restore a backup", info.State.FirstSeq, after)
	}
	return last, each(ctx, p.at().records, after, last, func(m jetstream.Msg, seq uint64) error { return f(seq, m.Data()) })
}

// each reads a stream in order from after to last.
func each(ctx context.Context, s jetstream.Stream, after, last uint64, f func(jetstream.Msg, uint64) error) error {
	consumer, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
	})
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(2000))
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	defer messages.Stop()
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		meta, err := message.Metadata()
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if meta.Sequence.Stream > last {
			return nil
		}
		if err := f(message, meta.Sequence.Stream); err != nil {
			return fmt.Errorf("record %d: %w", meta.Sequence.Stream, err)
		}
		if meta.Sequence.Stream == last {
			return nil
		}
	}
}

// keepSnapshots is how many snapshots are kept: if the newest turns out bad,
// the one before and the records since then are still there.
const keepSnapshots = 2

// SaveSnapshot stores the state at a sequence, reads it back, and only then
// removes what an older kept snapshot no longer needs.
func (p *Pool) SaveSnapshot(ctx context.Context, seq uint64, data []byte) error {
	name := snapshotName(seq)
	if _, err := p.at().snapshots.PutBytes(ctx, name, data); err != nil {
		return fmt.Errorf("writing a snapshot: %w", err)
	}
	back, err := p.at().snapshots.GetBytes(ctx, name) // checks the digest
	if err != nil {
		return fmt.Errorf("reading a snapshot back: %w", err)
	}
	if string(back) != string(data) {
		return errors.New("a snapshot reads back differently; it is not used")
	}
	return p.trim(ctx)
}

func snapshotName(seq uint64) string { return fmt.Sprintf("%020d", seq) }

func (p *Pool) trim(ctx context.Context) error {
	seqs, err := p.snapshotSeqs(ctx)
	if err != nil || len(seqs) < keepSnapshots {
		return err
	}
	kept := seqs[len(seqs)-keepSnapshots:]
	for _, seq := range seqs[:len(seqs)-keepSnapshots] {
		if err := p.at().snapshots.Delete(ctx, snapshotName(seq)); err != nil {
			return fmt.Errorf("removing an old snapshot: %w", err)
		}
	}
	if err := p.at().records.Purge(ctx, jetstream.WithPurgeSequence(kept[0]+1)); err != nil {
		return fmt.Errorf("removing old records: %w", err)
	}
	return nil
}

// snapshotSeqs lists the sequences of the snapshots, oldest first.
func (p *Pool) snapshotSeqs(ctx context.Context) ([]uint64, error) {
	infos, err := p.at().snapshots.List(ctx)
	if errors.Is(err, jetstream.ErrNoObjectsFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing snapshots: %w", err)
	}
	var seqs []uint64
	for _, info := range infos {
		if seq, err := strconv.ParseUint(info.Name, 10, 64); err == nil {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	return seqs, nil
}

// Snapshots calls use with each snapshot, the newest first, until one is good.
// It returns the sequence of that one, 0 if there is none.
func (p *Pool) Snapshots(ctx context.Context, use func(data []byte) error) (uint64, error) {
	seqs, err := p.snapshotSeqs(ctx)
	if err != nil {
		return 0, err
	}
	for _, seq := range slices.Backward(seqs) {
		data, err := p.at().snapshots.GetBytes(ctx, snapshotName(seq))
		if err == nil {
			err = use(data)
		}
		if err == nil {
			return seq, nil
		}
		p.j.o.Log.Error("a snapshot is not usable; trying the one before", "pool", p.name, "seq", seq, "err", err)
	}
	return 0, nil
}
