package launcher

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
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

// cgroupPrefix begins the names of folders that probes make.
const cgroupPrefix = "rendergate-"

// system is what the launcher needs of the operating system.
type system struct {
	log   *slog.Logger
	mark  string // tells this probe's sessions from all others
	want  string // Options.Cgroup
	guard guard
	age   time.Duration // orphanAge; shorter in tests

	mu    sync.Mutex
	root  string       // folder of our cgroups; empty for none
	roots map[int]bool // commands of ours, which their own Wait reaps
}

func newSystem(o Options) *system {
	return &system{
		log: o.Log, mark: probeMark(os.Getpid()), want: o.Cgroup, roots: map[int]bool{},
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
	return s.guard.open(s.mark, s.cgroup())
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

// openCgroup makes a folder for the cgroups of sessions, where that can be had.
func (s *system) openCgroup() {
	parent := s.want
	if parent == "none" {
		return
	}
	if parent == "" {
		var err error
		if parent, err = ownCgroup(); err != nil {
			s.log.Info("sessions have no cgroups of their own", "why", err)
			return
		}
	}
	removeEmpty(parent)
	root := filepath.Join(parent, cgroupPrefix+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(root, 0o755); err != nil && !errors.Is(err, fs.ErrExist) { // as the kernel makes them
		s.log.Info("sessions have no cgroups of their own", "why", err)
		return
	}
	if _, err := os.Stat(filepath.Join(root, cgroupProcs)); err != nil {
		s.log.Warn("not a cgroup v2", "dir", parent)
		return
	}
	s.mu.Lock()
	s.root = root
	s.mu.Unlock()
}

// removeEmpty removes folders of probes that are gone. Those in use do not go.
func removeEmpty(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, cgroupPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), cgroupPrefix))
		if _, there := readProc(pid); err != nil || there {
			continue
		}
		below, err := filepath.Glob(filepath.Join(dir, "*", cgroupProcs))
		for _, f := range below {
			err = errors.Join(err, os.Remove(filepath.Dir(f)))
		}
		if err == nil {
			_ = os.Remove(dir) // another probe may be as fast
		}
	}
}

// ownCgroup finds this process's folder in the cgroup v2 tree.
func ownCgroup() (string, error) {
	mount, err := findLine("/proc/self/mountinfo", func(line string) (string, bool) {
		before, after, ok := strings.Cut(line, " - ")
		f := strings.Fields(before)
		return pick(f, 4), ok && strings.HasPrefix(after, "cgroup2 ")
	})
	if err != nil {
		return "", errors.New("no cgroup v2 is mounted")
	}
	path, err := findLine("/proc/self/cgroup", func(line string) (string, bool) {
		return strings.CutPrefix(line, "0::")
	})
	if err != nil {
		return "", err
	}
	return filepath.Join(mount, path), nil
}

func pick(fields []string, i int) string {
	if i < len(fields) {
		return fields[i]
	}
	return ""
}

func findLine(file string, match func(string) (string, bool)) (string, error) {
	f, err := os.Open(file) // a path of ours
	if err != nil {
		return "", err
	}
	defer f.Close() // only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if got, ok := match(lines.Text()); ok {
			return got, nil
		}
	}
	return "", fmt.Errorf("nothing found in %s", file)
}

// makeCgroup makes a session's cgroup; nil where there is none.
func (s *system) makeCgroup(o Order) *os.File {
	root := s.cgroup()
	if root == "" {
		return nil
	}
	dir := filepath.Join(root, o.Session+"."+strconv.Itoa(o.Attempt))
	err := os.Mkdir(dir, 0o755) // as the kernel makes them
	if err == nil || errors.Is(err, fs.ErrExist) {
		var fd *os.File
		if fd, err = os.Open(dir); err == nil { // a path of ours
			return fd
		}
	}
	s.log.Warn("session without a cgroup of its own", "session", o.Session, "err", err)
	return nil
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
