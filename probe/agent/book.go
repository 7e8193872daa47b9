package agent

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/rendergate/rendergate/probe/wire"
)

// States of a session, as the server knows them.
const (
	starting  = "starting"
	ready     = "ready"
	connected = "connected"
	dropped   = "dropped"
	ended     = "ended"
)

// book holds what the server is to know of the sessions here, and which
// journal they follow. Only the newest state of a session is kept: while the
// server is away it grows no further than the sessions do.
type book struct {
	mu      sync.Mutex
	entries map[string]*entry
	unsent  []string      // sessions with news, oldest first
	wake    chan struct{} // has a token while there is news
	journal string        // last obeyed; empty before the first
	seq     uint64        // its newest decision that was obeyed
	changed func(wire.Session)
}

type entry struct {
	state   string
	reason  string
	attempt int
	orphan  bool // unknown to the journal that came after another one
}

// newBook makes an empty book. Changed hears of every change as it happens,
// told or not; it must not block.
func newBook(changed func(wire.Session)) *book {
	return &book{entries: map[string]*entry{}, wake: make(chan struct{}, 1), changed: changed}
}

// set notes a session's state and that the server is to hear of it. An attempt
// of 0 is the one that is known.
func (b *book) set(s wire.Session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[s.Session]
	if e == nil {
		e = &entry{}
		b.entries[s.Session] = e
	}
	if s.Attempt == 0 {
		s.Attempt = e.attempt
	}
	if e.state != s.State || e.reason != s.Reason || e.attempt != s.Attempt {
		e.state, e.reason, e.attempt = s.State, s.Reason, s.Attempt
		b.news(s.Session, e)
	}
}

// presence notes that a session's player has come or gone. Of a session that is
// not ready nobody can say so.
func (b *book) presence(session string, here bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[session]
	if e == nil || e.state == starting || e.state == ended {
		return
	}
	if e.state = dropped; here {
		e.state = connected
	}
	b.news(session, e)
}

func (b *book) news(session string, e *entry) {
	b.changed(e.told(session))
	if !slices.Contains(b.unsent, session) {
		b.unsent = append(b.unsent, session)
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// next takes the oldest news. A session that has ended is forgotten with it:
// should the connection break now, the next hello says it by leaving it out.
func (b *book) next() (wire.Session, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.unsent) == 0 {
		return wire.Session{}, false
	}
	session := b.unsent[0]
	b.unsent = b.unsent[1:]
	e := b.entries[session]
	if e.state == ended {
		delete(b.entries, session)
	}
	return e.told(session), true
}

// told is the entry as the server hears of it.
func (e *entry) told(session string) wire.Session {
	return wire.Session{Session: session, State: e.state, Reason: e.reason, Attempt: e.attempt}
}

// forget drops a session of which the server is to hear nothing.
func (b *book) forget(session string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.entries, session)
	b.unsent = slices.DeleteFunc(b.unsent, func(s string) bool { return s == session })
}

// snapshot fills a hello in with all that runs. It says everything there was
// to say, so what was not sent before is not sent again.
func (b *book) snapshot(h *wire.Hello) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unsent = nil
	h.Journal, h.Seq, h.Running, h.Orphans = b.journal, b.seq, []wire.Session{}, nil
	for session, e := range b.entries {
		if e.state == ended {
			delete(b.entries, session)
			continue
		}
		h.Running = append(h.Running, wire.Session{Session: session, State: e.state, Attempt: e.attempt})
		if e.orphan {
			h.Orphans = append(h.Orphans, session)
		}
	}
	slices.SortFunc(h.Running, func(a, b wire.Session) int { return cmp.Compare(a.Session, b.Session) })
	slices.Sort(h.Orphans)
}

// obey checks that a decision is of the journal that this host follows and not
// older than one it has obeyed, and notes it.
func (b *book) obey(journal string, seq uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if journal != b.journal {
		return fmt.Errorf("it is of journal %q, and this connection is of %q", journal, b.journal)
	}
	if seq < b.seq {
		return fmt.Errorf("it is decision %d, and %d was obeyed already", seq, b.seq)
	}
	b.seq = seq
	return nil
}

// reconciled is what a welcome leads to.
type reconciled struct {
	stop    []string // unknown to the pool: to be ended
	orphans []string // unknown to a journal that is new here: the operator decides
	former  string   // the journal before, if it was another one
}

// welcome adopts the server's journal and compares what runs with what the pool
// knows. With another journal than before, one that was restored or emptied,
// nothing is stopped: what it does not know may well be somebody's session.
func (b *book) welcome(journal string, seq uint64, known []string) (reconciled, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if journal == b.journal && seq < b.seq {
		return reconciled{}, fmt.Errorf("the server is at decision %d, and %d was obeyed already: it is behind", seq, b.seq)
	}
	var r reconciled
	if journal != b.journal {
		r.former = b.journal
	}
	b.journal, b.seq = journal, seq
	for session, e := range b.entries {
		switch {
		case e.state == ended:
		case slices.Contains(known, session):
			e.orphan = false
		case r.former != "" || e.orphan:
			e.orphan = true
			r.orphans = append(r.orphans, session)
		default:
			r.stop = append(r.stop, session)
		}
	}
	slices.Sort(r.stop)
	slices.Sort(r.orphans)
	return r, nil
}
