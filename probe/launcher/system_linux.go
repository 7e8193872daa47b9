package launcher

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Variables that mark the processes of sessions.
const (
	markSession = "RENDERGATE_SESSION"
	markProbe   = "RENDERGATE_PROBE"
)

// orphanAge is how long a dead child may lie unclaimed. Whoever started a child
// waits for it; what is still there after so long is an orphan that came to us.
const orphanAge = 5 * time.Second

// system is what the launcher needs of the operating system.
type system struct {
	log     *slog.Logger
	mark    string // tells this probe's sessions from all others
	want    string // Options.Cgroup
	guard   guard
	scratch string        // Options.Scratch
	age     time.Duration // orphanAge; shorter in tests

	mu    sync.Mutex
	root  string       // folder of our cgroups; empty for none
	home  string       // where this process is, if they are of version 1
	roots map[int]bool // commands of ours, which their own Wait reaps
}

func newSystem(o Options) *system {
	return &system{
		log: o.Log, mark: probeMark(os.Getpid()), want: o.Cgroup, scratch: o.Scratch, roots: map[int]bool{},
		guard: guard{command: o.Guard, log: o.Log}, age: orphanAge,
	}
}

// marked is the variable that every process of our sessions carries.
func (s *system) marked() string { return markProbe + "=" + s.mark }

// probeMark names a probe among all that ever ran here: its process namespace,
// number and start time.
func probeMark(pid int) string {
	self, _ := readProc(pid)
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		space = "pid:[0]"
	}
	return fmt.Sprintf("%s/%d/%d", space, pid, self.start)
}

// open makes this process take in the orphans of its sessions, ends what a
// killed predecessor left, and prepares cgroups and the guard.
func (s *system) open() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("becoming the sub-reaper: %w", err)
	}
	sweepLeft(s.log)
	s.openCgroup()
	return s.guard.open(s.mark, s.cgroup(), s.scratch)
}

func (s *system) close() {
	s.guard.close()
	if root := s.cgroup(); root != "" {
		if err := os.Remove(root); err != nil {
			s.log.Debug("cgroup left behind", "err", err)
		}
	}
}

func (s *system) cgroup() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.root
}

func (s *system) own(pid int, ours bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ours {
		s.roots[pid] = true
	} else {
		delete(s.roots, pid)
	}
}

// reap takes orphans out of the process table until stop is closed. It looks
// only when a child has ended, and takes only what has lain there for a while.
func (s *system) reap(stop <-chan struct{}) {
	child := make(chan os.Signal, 1)
	signal.Notify(child, unix.SIGCHLD)
	defer signal.Stop(child)
	var look <-chan time.Time
	lain := map[int]uint64{}
	for {
		select {
		case <-child:
			if look == nil {
				look = time.After(s.age)
			}
		case <-look:
			look = nil
			if lain = s.reapStale(lain); len(lain) > 0 {
				look = time.After(s.age)
			}
		case <-stop:
			return
		}
	}
}

// reapStale reaps the dead that lay there at the last look already, and returns
// those that did not.
func (s *system) reapStale(lain map[int]uint64) map[int]uint64 {
	fresh := map[int]uint64{}
	self := os.Getpid()
	for _, p := range processes() {
		s.mu.Lock()
		ours := s.roots[p.pid]
		s.mu.Unlock()
		if p.parent != self || p.state != 'Z' || ours {
			continue
		}
		if at, old := lain[p.pid]; !old || at != p.start || !reapOne(p.pid) {
			fresh[p.pid] = p.start
		}
	}
	return fresh
}
