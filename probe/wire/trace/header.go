// Package trace is what a recorded trace looks like in its file: lines of JSON,
// a header first. It has the writer, which never holds up whom it records, the
// reader of lines, and the lines of a probe; those of a server are in
// server/record. The format is told line by line in
// server/simulate/trace/docs/trace.md.
package trace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
)

// What stands in every header.
const (
	Format  = "rendergate"
	Version = 1
)

// Kinds of trace, by who recorded it.
const (
	Server = "server"
	Probe  = "probe"
)

// Header is the first line of a trace.
type Header struct {
	Trace   string    `json:"trace"` // [Format]
	V       int       `json:"v"`     // [Version]
	Kind    string    `json:"kind"`  // [Server] or [Probe]
	Started time.Time `json:"started"`
	Program string    `json:"program,omitempty"` // version of the program that recorded
	Pools   []string  `json:"pools,omitempty"`   // of a server
	Host    string    `json:"host,omitempty"`    // of a probe
	Pool    string    `json:"pool,omitempty"`    // of a probe
}

// Line is one line of a probe's trace: when, by the probe's clock, and one
// thing. The things are frames of the host socket, as they would be sent then;
// they are recorded while the probe is not connected too.
type Line struct {
	At      time.Time     `json:"at"`
	Hello   *wire.Hello   `json:"hello,omitempty"`   // at the start, and whenever it is said
	Start   *wire.Start   `json:"start,omitempty"`   // an order that is obeyed: it tells a session's app and GPU
	Sample  *wire.Sample  `json:"sample,omitempty"`  // its age_ms counts to At
	Session *wire.Session `json:"session,omitempty"` // a change of state
	Note
}

// Note is what the recorder itself has to say, in a trace of any kind.
type Note struct {
	Dropped uint64 `json:"dropped,omitempty"` // lines left out until then, since they came too fast
	End     bool   `json:"end,omitempty"`     // the recording ended as it should
}

// Said says whether there is a note.
func (n Note) Said() bool { return n != Note{} }

// DecodeLine reads one line of a probe's trace.
func DecodeLine(data []byte) (Line, error) {
	var l Line
	if err := Strict(data, &l); err != nil {
		return Line{}, err
	}
	if l.At.IsZero() {
		return Line{}, errors.New(`no "at"; want the time, as "2026-11-27T12:00:00Z"`)
	}
	things := 0
	for _, there := range []bool{l.Hello != nil, l.Start != nil, l.Sample != nil, l.Session != nil, l.Said()} {
		if there {
			things++
		}
	}
	if things != 1 {
		return Line{}, fmt.Errorf("%d things on the line; want one of hello, start, sample, session, dropped or end", things)
	}
	return l, nil
}

// Strict decodes JSON that must hold nothing unknown and nothing more.
func Strict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is more after it, at byte %d", dec.InputOffset())
	}
	return nil
}

func decodeHeader(data []byte) (Header, error) {
	var h Header
	const want = `want a header such as {"trace":"rendergate","v":1,"kind":"server","started":"2026-11-27T12:00:00Z"}`
	if err := json.Unmarshal(data, &h); err != nil {
		return Header{}, fmt.Errorf("%w; %s", err, want)
	}
	switch {
	case h.Trace != Format:
		return Header{}, fmt.Errorf("this is no trace; %s", want)
	case h.V != Version:
		return Header{}, fmt.Errorf("a trace of version %d, and this program reads %d", h.V, Version)
	case h.Kind != Server && h.Kind != Probe:
		return Header{}, fmt.Errorf("a trace of kind %q; want %q or %q", h.Kind, Server, Probe)
	case h.Started.IsZero():
		return Header{}, errors.New(`no "started"; want the time, as "2026-11-27T12:00:00Z"`)
	}
	return h, nil
}
