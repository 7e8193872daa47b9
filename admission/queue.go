package admission

import (
	"cmp"
	"slices"
)

// slot is an entry in a line. The key stands beside the pointer so that a
// search stays within the list's own memory.
type slot struct {
	key int64
	e   *entry
}

// bySlot orders by key; the entry's number breaks the tie that stands for a
// moment while two entries swap their keys.
func bySlot(a, b slot) int {
	if c := cmp.Compare(a.key, b.key); c != 0 {
		return c
	}
	return cmp.Compare(a.e.seq, b.e.seq)
}

// line is one class of a queue: all who wait, and those of them who are
// connected, so that the disconnected ones keep their place and block nobody.
type line struct {
	all  *ordered[slot]
	live *ordered[slot]
}

// queue is where people wait for one app with one intent: a line for each
// class, in the policy's order.
type queue struct {
	lines []*line
	want  *ordered[slot] // connected, waiting, and without the view that they want
}

func newQueue(classes int) *queue {
	q := &queue{want: newOrdered(bySlot)}
	for range classes {
		q.lines = append(q.lines, &line{all: newOrdered(bySlot), live: newOrdered(bySlot)})
	}
	return q
}

func (q *queue) len() int {
	n := 0
	for _, l := range q.lines {
		n += l.all.len()
	}
	return n
}

// first is the entry that is served first of all, connected or not.
func (q *queue) first() *entry {
	for _, l := range q.lines {
		if s, ok := l.all.first(); ok {
			return s.e
		}
	}
	return nil
}

// head is the first connected entry, with the index of its class.
func (q *queue) head() (*entry, int) {
	for i, l := range q.lines {
		if s, ok := l.live.first(); ok {
			return s.e, i
		}
	}
	return nil, 0
}

// position counts from 1 all who are ahead, in higher classes and disconnected
// ones too. It is 0 for an entry that does not wait.
func (q *queue) position(e *entry) int {
	ahead := 1
	for _, l := range q.lines {
		if l == e.listed.line {
			return ahead + l.all.rank(slot{e.listed.key, e})
		}
		ahead += l.all.len()
	}
	return 0
}

func (a *app) queue(i Intent) *queue {
	if i == View {
		return a.watch
	}
	return a.play
}

// classIndex is the class's place; an unknown one is the last.
func (p *Pool) classIndex(class string) int {
	if i := slices.Index(p.policy.Queue.Classes, class); i >= 0 {
		return i
	}
	return max(0, len(p.policy.Queue.Classes)-1)
}

// list puts a waiting entry where it belongs; unlist takes it out. Whatever
// changes a key, an offer, a connection or a view does so between the two.
func (p *Pool) list(e *entry) {
	if e.offer != nil || e.listed.line != nil {
		return
	}
	q := e.app.queue(e.intent)
	l, s, c := q.lines[p.classIndex(e.class)], slot{e.key, e}, e.client
	e.listed = listing{line: l, key: e.key, live: c.connected}
	l.all.insert(s)
	if !c.connected {
		return
	}
	l.live.insert(s)
	if e.intent == Play && c.wants && c.view == nil {
		e.listed.want = true
		q.want.insert(s)
	}
}

func (p *Pool) unlist(e *entry) {
	was := e.listed
	if was.line == nil {
		return
	}
	e.listed = listing{}
	s := slot{was.key, e}
	was.line.all.remove(s)
	if was.live {
		was.line.live.remove(s)
	}
	if was.want {
		e.app.queue(e.intent).want.remove(s)
	}
}

// relist is for a change that does not move the entry itself.
func (p *Pool) relist(c *client) {
	if c.entry != nil {
		p.unlist(c.entry)
		p.list(c.entry)
	}
}

// noteKey keeps the ends of all keys, so that a new key is below or above.
func (p *Pool) noteKey(key int64) {
	p.minKey, p.maxKey = min(p.minKey, key), max(p.maxKey, key)
}

// addEntry gives the client a place, in the stead of a watch entry if it had one.
func (p *Pool) addEntry(e *entry) {
	if old := e.client.entry; old != nil {
		p.dropEntry(old)
	}
	p.counts.Entries++
	e.seq = p.counts.Entries
	p.noteKey(e.key)
	e.client.entry = e
	p.entries[e.id] = e
	p.list(e)
	p.armClient(e.client)
}

// dropEntry forgets a place, and the seat that was offered to it.
func (p *Pool) dropEntry(e *entry) {
	p.unlist(e)
	p.timers.set(&e.timer, timer{})
	if s := e.offer; s != nil {
		e.offer = nil
		p.dropSession(s)
	}
	delete(p.entries, e.id)
	if e.client.entry == e {
		e.client.entry = nil
	}
}
