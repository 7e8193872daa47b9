package sampler

import (
	"context"
	"slices"

	"github.com/rendergate/rendergate/probe/cgroup"
	"github.com/rendergate/rendergate/probe/wire"
)

// tree is what a session's processes use together.
type tree struct {
	cpu, memory float64
	pids        []int
	root        int    // its first process; 0 if that is gone
	start       uint64 // when that began: its number may be given again
	cgroup      string // where it was read, empty for the process table
}

// same says whether two readings count the same processes in the same way.
func (t tree) same(before tree) bool {
	return t.root == before.root && t.start == before.start && t.cgroup == before.cgroup
}

// sessions adds what each session uses.
func (r *round) sessions(ctx context.Context) {
	sessions := r.s.o.Sessions()
	processes, err := processTable(ctx, r.s.proc())
	r.s.said("processes", err)
	if err != nil {
		return
	}
	r.now.processes = processes
	trees := treesOf(processes, sessions, r.s.last)
	for _, session := range sessions {
		use, found := trees[session.ID]
		if session.Cgroup != "" {
			use, found = r.s.inCgroup(session.Cgroup, use, found)
		}
		if !found {
			continue
		}
		r.now.trees[session.ID] = use
		out := wire.SessionSample{Session: session.ID, Memory: value(use.memory)}
		// A tree that lost a process whose parent did not wait for it has lost
		// its time too: then the rise is unknown.
		before, known := r.s.last.trees[session.ID]
		out.CPU = times(r.rise(before.cpu, use.cpu, known && use.same(before)), 1/r.s.host.cores)
		r.sample.Sessions = append(r.sample.Sessions, out)
	}
}

// inCgroup reads a session's own cgroup over what its tree said: it counts also
// what has ended unseen. Memory is the tree's where the group does not count it.
func (s *Sampler) inCgroup(folder string, use tree, found bool) (tree, bool) {
	g := cgroup.At(s.o.Root, folder)
	cpu, err := g.Used(cgroup.Level{Dir: folder})
	if err != nil {
		return use, found
	}
	use.cpu, use.cgroup = cpu, folder
	if memory, err := g.MemoryUsed(); err == nil {
		use.memory = memory
	}
	return use, true
}

// none owns the processes that are of no session.
const none = ""

// owners finds out which session each process is of.
type owners struct {
	all     map[int]proc
	roots   map[int]string // by the number of a first process, which its group has too
	members map[int]string // what was in a tree at the last reading, if it still is the same process
	found   map[int]string
}

// treesOf sums up each session's first process, its descendants, those of its
// group, which keep it when their parent is gone, and those that were in the
// tree before: one that left both group and parent is still the session's. A
// process that ends moves what it used into its parent's account.
func treesOf(all map[int]proc, sessions []Session, last reading) map[string]tree {
	o := owners{all: all, roots: map[int]string{}, members: map[int]string{}, found: make(map[int]string, len(all))}
	trees := make(map[string]tree, len(sessions))
	for _, session := range sessions {
		root, there := all[session.RootPID]
		if session.RootPID == 0 || !there {
			continue
		}
		o.roots[session.RootPID] = session.ID
		trees[session.ID] = tree{root: root.pid, start: root.start}
		if before := last.trees[session.ID]; before.root != root.pid || before.start != root.start {
			continue
		}
		for _, pid := range last.trees[session.ID].pids {
			if p, still := all[pid]; still && p.start == last.processes[pid].start {
				o.members[pid] = session.ID
			}
		}
	}
	o.sum(trees)
	return trees
}

func (o owners) sum(trees map[string]tree) {
	for pid, p := range o.all {
		if id := o.of(pid); id != none {
			t := trees[id]
			t.cpu, t.memory, t.pids = t.cpu+p.cpu, t.memory+p.memory, append(t.pids, pid)
			trees[id] = t
		}
	}
	for _, t := range trees {
		slices.Sort(t.pids)
	}
}

// of climbs from a process to the first ancestor whose session is known. What
// was read while processes came and went may hold circles.
func (o owners) of(pid int) string {
	if id, known := o.found[pid]; known {
		return id
	}
	p, there := o.all[pid]
	if !there {
		return none
	}
	o.found[pid] = none
	id, known := o.roots[pid]
	if !known {
		id, known = o.roots[p.group]
	}
	if !known {
		id, known = o.members[pid]
	}
	if !known {
		id = o.of(p.parent)
	}
	o.found[pid] = id
	return id
}
