// Package record writes what a server has gone through into a trace: of each
// pool what stands at first, all that the journal has acknowledged since, and
// all samples as they were received. The framing, and what is left out so that a
// trace can be given away, is that of probe/wire/trace.
package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/trace"
	"github.com/rendergate/rendergate/server/owner"
)

// Line is one line of a server's trace: when, by the server's clock, of which
// pool, and one thing.
type Line struct {
	At   time.Time `json:"at"`
	Pool string    `json:"pool,omitempty"`
	Seq  uint64    `json:"seq,omitempty"` // of the journal's record; of a snapshot: the newest in it
	// Snapshot is the pool as [admission.Restore] reads it. It stands first where
	// the pool was there before the recording, and again wherever the state was
	// rebuilt; it takes the place of all that was.
	Snapshot json.RawMessage `json:"snapshot,omitempty"`
	// Events is a journal record, as [admission.DecodeEvents] reads it.
	Events json.RawMessage `json:"events,omitempty"`
	Sample *Sample         `json:"sample,omitempty"` // received At
	trace.Note
}

// Sample is a host's sample with its times on the server's clock. What is
// unknown is null.
type Sample struct {
	Host      string       `json:"host"`
	Seq       uint64       `json:"seq"`
	WindowEnd time.Time    `json:"window_end"`
	WindowMS  float64      `json:"window_ms"`
	PeriodMS  float64      `json:"period_ms"`
	CPU       wire.Reading `json:"cpu"` // fraction of cores
	Memory    wire.Reading `json:"memory_bytes"`
	EgressBps wire.Reading `json:"egress_bps"`
	// As on the host socket.
	GPUs     []wire.GPUSample     `json:"gpus"`
	Sessions []wire.SessionSample `json:"sessions"`
}

// DecodeLine reads one line of a server's trace. What its snapshot or events
// hold is not looked at.
func DecodeLine(data []byte) (Line, error) {
	var l Line
	if err := trace.Strict(data, &l); err != nil {
		return Line{}, err
	}
	if l.At.IsZero() {
		return Line{}, errors.New(`no "at"; want the time, as "2026-11-27T12:00:00Z"`)
	}
	things := 0
	for _, there := range []bool{l.Snapshot != nil, l.Events != nil, l.Sample != nil, l.Said()} {
		if there {
			things++
		}
	}
	switch {
	case things != 1:
		return Line{}, fmt.Errorf("%d things on the line; want one of snapshot, events, sample, dropped or end", things)
	case l.Pool == "" && !l.Said():
		return Line{}, errors.New(`no "pool"; want the name of one`)
	case l.Seq == 0 && (l.Snapshot != nil || l.Events != nil):
		return Line{}, errors.New(`no "seq"; want the journal's sequence, from 1`)
	}
	return l, nil
}

// Recorder records a server. A nil one records nothing.
type Recorder struct {
	to  *trace.Recorder
	log *slog.Logger
}

// Open makes the file, or one in the folder, that a server is recorded into.
func Open(path string, h trace.Header, log *slog.Logger) (*Recorder, error) {
	h.Kind = trace.Server
	to, err := trace.Open(path, h, log)
	if err != nil {
		return nil, err
	}
	return &Recorder{to: to, log: log}, nil
}

// Path is the file that is written; empty for none.
func (r *Recorder) Path() string {
	if r == nil {
		return ""
	}
	return r.to.Path()
}

// Close ends the trace, once all owners have stopped.
func (r *Recorder) Close() {
	if r != nil {
		r.to.Close()
	}
}

// Listener records what a pool's journal acknowledges.
func (r *Recorder) Listener(pool string) owner.Listener { return listener{r, pool} }

type listener struct {
	*Recorder
	pool string
}

// Committed takes a commit. Where the pool was rebuilt, as at a start on a used
// folder, its snapshot is made here, since nobody else may look at the pool: the
// start takes that much longer.
func (l listener) Committed(c owner.Commit) {
	if c.Rebuilt && !begins(c.Events) {
		data, err := c.Pool.Snapshot()
		if err != nil {
			l.log.Error("no snapshot in the trace; it cannot be replayed", "pool", l.pool, "err", err)
			return
		}
		l.to.Put(Line{At: c.Now.UTC(), Pool: l.pool, Seq: c.Seq, Snapshot: data}, 1) // however long: without it the rest is worth little
	}
	l.to.Put(events{At: c.Now.UTC(), Pool: l.pool, Seq: c.Seq, Events: record(c.Events)}, len(c.Events))
}

// begins says whether the events are the first of a pool's journal: they hold
// all there is.
func begins(all []admission.Event) bool {
	if len(all) == 0 {
		return false
	}
	_, ok := all[0].Body.(admission.PoolOpened)
	return ok
}

// events is a [Line] of events that are encoded when it is written, and not on
// the owner's goroutine.
type events struct {
	At     time.Time `json:"at"`
	Pool   string    `json:"pool"`
	Seq    uint64    `json:"seq"`
	Events record    `json:"events"`
}

type record []admission.Event

// MarshalJSON makes the journal's record of the events.
func (r record) MarshalJSON() ([]byte, error) { return admission.EncodeEvents(r) }

// pool is what a hub of hosts needs of a pool's owner.
type pool interface {
	Do(ctx context.Context, c admission.Command) (admission.Outcome, error)
	Observe(s admission.Sample) error
	Read(ctx context.Context, f func(now time.Time, p *admission.Pool)) error
}

// Samples stands between the hub of hosts and a pool's owner, and records the
// samples on their way.
type Samples struct {
	pool
	name string
	to   *trace.Recorder
}

// Samples records the samples that pass to a pool's owner.
func (r *Recorder) Samples(name string, to pool) Samples {
	return Samples{pool: to, name: name, to: r.to}
}

// Observe records the sample and passes it on.
func (s Samples) Observe(x admission.Sample) error {
	s.to.Put(sample{&x, s.name}, 1+len(x.GPUs)+len(x.Sessions))
	return s.pool.Observe(x)
}

// sample is a [Line] of a sample, made when it is written.
type sample struct {
	x    *admission.Sample
	pool string
}

// MarshalJSON makes the line.
func (s sample) MarshalJSON() ([]byte, error) {
	return json.Marshal(Line{At: s.x.Received.UTC(), Pool: s.pool, Sample: toLine(s.x)})
}

func toLine(x *admission.Sample) *Sample {
	s := &Sample{
		Host: x.Host, Seq: x.Seq, WindowEnd: x.WindowEnd.UTC(), WindowMS: millis(x.Window), PeriodMS: millis(x.Period),
		CPU: toWire(x.CPU), Memory: toWire(x.Memory), EgressBps: toWire(x.EgressBps),
		GPUs: make([]wire.GPUSample, len(x.GPUs)), Sessions: make([]wire.SessionSample, len(x.Sessions)),
	}
	for i, g := range x.GPUs {
		s.GPUs[i] = wire.GPUSample{
			Util: toWire(g.Util), Encoder: toWire(g.Encoder),
			EncoderSessions: toWire(g.EncoderSessions), VRAM: toWire(g.VRAM),
		}
	}
	for i, n := range x.Sessions {
		s.Sessions[i] = wire.SessionSample{
			Session: n.Session, CPU: toWire(n.CPU), Memory: toWire(n.Memory), GPU: toWire(n.GPU),
			Encoder: toWire(n.Encoder), VRAM: toWire(n.VRAM), IdleS: toWire(n.IdleForS),
		}
	}
	return s
}

func toWire(r admission.Reading) wire.Reading {
	if !r.Known {
		return nil
	}
	return &r.Value
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
