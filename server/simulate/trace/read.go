package trace

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/trace"
	"github.com/rendergate/rendergate/server/record"
)

// File is a trace that is read: its name, for errors, and what is in it.
type File struct {
	Name string
	Data io.Reader
}

// Options of reading.
type Options struct {
	Pool string // needed where the traces are of several pools
}

// Read reads traces of one pool: of its servers, one after the other, of its
// probes, or of both. They may be gzipped. Errors name file and line, and what
// would be right.
func Read(paths []string, o Options) (*Trace, error) {
	files := make([]File, 0, len(paths))
	for _, path := range paths {
		f, err := os.Open(path) //nolint:gosec // the caller names it
		if err != nil {
			return nil, fmt.Errorf("trace: %w", err)
		}
		defer f.Close()
		files = append(files, File{path, f})
	}
	return ReadFiles(files, o)
}

// ReadFiles is [Read] of what is open already.
func ReadFiles(files []File, o Options) (*Trace, error) {
	if len(files) == 0 {
		return nil, errors.New("trace: no file; want what `--record` wrote")
	}
	all := make([]*recording, 0, len(files))
	for _, f := range files {
		r := &recording{name: f.Name}
		damage, err := trace.Read(f.Data, r.begin, r.take)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		r.note(damage)
		all = append(all, r)
	}
	pool, err := choose(all, o.Pool)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b *recording) int { return a.header.Started.Compare(b.header.Started) })
	return assemble(all, pool)
}

// recording is one file as it was read.
type recording struct {
	name   string
	header trace.Header
	server []step
	probe  []trace.Line
	end    time.Time // of the newest line
	pools  map[string]bool
	notes  []string

	dropped uint64
	whole   bool // it has its end
}

// note says what is missing.
func (r *recording) note(damage string) {
	if damage != "" {
		r.notes = append(r.notes, r.name+": "+damage)
	}
	if r.dropped > 0 {
		r.notes = append(r.notes, fmt.Sprintf("%s: %d lines were left out while it was recorded", r.name, r.dropped))
	}
	if !r.whole {
		r.notes = append(r.notes, r.name+": it has no end: who recorded it was killed, or could not write any more")
	}
}

// step is a line of a server, with what it holds decoded.
type step struct {
	record.Line
	events  []admission.Event
	pool    *admission.Pool // of a snapshot
	journal string          // in which the step stands: the pool's id
}

func (r *recording) begin(h trace.Header) error {
	r.header, r.end, r.pools = h, h.Started, map[string]bool{}
	if h.Kind != trace.Probe {
		return nil
	}
	if h.Host == "" || h.Pool == "" {
		return errors.New(`a probe's header without "host" or "pool"; want both`)
	}
	r.pools[h.Pool] = true
	return nil
}

func (r *recording) take(line []byte) error {
	if r.header.Kind == trace.Probe {
		l, err := trace.DecodeLine(line)
		if err != nil {
			return err
		}
		if err := r.at(l.At, l.Note); err != nil {
			return err
		}
		r.probe = append(r.probe, l)
		return checkProbe(&l, r.header.Host)
	}
	l, err := record.DecodeLine(line)
	if err != nil {
		return err
	}
	if err := r.at(l.At, l.Note); err != nil || l.Said() {
		return err
	}
	s := step{Line: l}
	if err := s.decode(); err != nil {
		return err
	}
	r.pools[l.Pool] = true
	r.server = append(r.server, s)
	return nil
}

// farOff is how far a line may be from the header's time.
const farOff = 10 * 366 * 24 * time.Hour

// at notes the line's time. Lines are about in order: samples and events come
// from different goroutines.
func (r *recording) at(at time.Time, n trace.Note) error {
	if at.Sub(r.header.Started).Abs() > farOff {
		return fmt.Errorf("at %s, which is years from the header's %s", at.Format(time.RFC3339), r.header.Started.Format(time.RFC3339))
	}
	if at.After(r.end) {
		r.end = at
	}
	r.dropped, r.whole = max(r.dropped, n.Dropped), r.whole || n.End
	return nil
}

func (s *step) decode() error {
	var err error
	switch {
	case s.Snapshot != nil:
		s.pool, err = admission.Restore(s.Snapshot)
	case s.Events != nil:
		s.events, err = admission.DecodeEvents(s.Events)
	default:
		err = checkSample(s.Sample, s.At)
	}
	return err
}

// choose is the one pool that is meant.
func choose(all []*recording, want string) (string, error) {
	there := map[string]bool{}
	for _, r := range all {
		for p := range r.pools {
			there[p] = true
		}
	}
	names := make([]string, 0, len(there))
	for p := range there {
		names = append(names, p)
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return "", fmt.Errorf("%s: nothing was recorded in it", all[0].name)
	case want != "" && !there[want]:
		return "", fmt.Errorf("no trace of pool %q; there is %s", want, strings.Join(names, ", "))
	case want == "" && len(names) > 1:
		return "", fmt.Errorf("traces of several pools; name one of %s", strings.Join(names, ", "))
	case want == "":
		return names[0], nil
	}
	return want, nil
}

// assemble makes the trace of a pool from recordings in order.
func assemble(all []*recording, pool string) (*Trace, error) {
	t := &Trace{Pool: pool, Start: all[0].header.Started}
	var servers, probes []*recording
	for _, r := range all {
		t.Notes = append(t.Notes, r.notes...)
		switch {
		case !r.pools[pool]:
		case r.header.Kind == trace.Server:
			servers = append(servers, r)
		default:
			probes = append(probes, r)
		}
	}
	if len(servers) > 0 {
		t.Start = servers[0].header.Started
		t.ofServers(servers, probes)
	} else {
		t.Start = probes[0].header.Started
		t.ofProbes(probes)
	}
	slices.SortStableFunc(t.People, func(a, b Person) int {
		return cmp.Or(cmp.Compare(a.ArrivesS, b.ArrivesS), strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(t.Hosts, func(a, b Host) int { return strings.Compare(a.Host, b.Host) })
	return t, nil
}

func (t *Trace) since(at time.Time) float64 { return at.Sub(t.Start).Seconds() }
