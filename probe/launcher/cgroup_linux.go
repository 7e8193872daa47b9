package launcher

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rendergate/rendergate/probe/cgroup"
)

// cgroupPrefix begins the names of folders that probes make.
const cgroupPrefix = "rendergate-"

// Files of a cgroup.
const (
	cgroupKill  = "cgroup.kill" // version 2
	cgroupProcs = "cgroup.procs"
	cgroupTasks = "tasks" // version 1
)

// openCgroup makes a folder for the cgroups of sessions, where that can be had.
func (s *system) openCgroup() {
	if s.want == "none" {
		return
	}
	root, home, err := makeRoot(s.want)
	if err != nil {
		s.log.Info("sessions have no cgroups of their own; they are read and ended by their process trees", "why", err)
		return
	}
	if home == "" {
		s.countMemory(filepath.Dir(root), root)
	}
	s.mu.Lock()
	s.root, s.home = root, home
	s.mu.Unlock()
	s.log.Info("sessions have cgroups of their own", "dir", root)
}

// makeRoot makes the folder in which sessions' folders will be, in a stated
// folder or in this process's own. Home is set where it is of version 1.
func makeRoot(parent string) (root, home string, err error) {
	if parent == "" {
		if parent, err = cgroup.OwnFolder(""); err != nil {
			return "", "", err
		}
	}
	if exists(parent, "cpuacct.usage") {
		home, err = cgroup.OwnAccount("")
	} else if !exists(parent, cgroupProcs) {
		err = fmt.Errorf("%s is not a folder of cgroup v2, nor of the controller cpuacct", parent)
	}
	if err != nil {
		return "", "", err
	}
	removeEmpty(parent)
	root = filepath.Join(parent, cgroupPrefix+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(root, 0o755); err != nil && !errors.Is(err, fs.ErrExist) { // as the kernel makes them
		return "", "", err
	}
	return root, home, nil
}

func exists(folder, name string) bool {
	_, err := os.Stat(filepath.Join(folder, name))
	return err == nil
}

// countMemory asks that memory be counted for each session, too. It cannot be had
// where the probe itself is in the folder, for a group with processes may not
// hand controllers down; then memory is read from the process trees.
func (s *system) countMemory(folders ...string) {
	for _, dir := range folders {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+memory"), 0); err != nil {
			s.log.Debug("sessions' cgroups do not count memory", "err", err)
			return
		}
	}
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

// makeCgroup makes a session's cgroup; empty where there is none.
func (s *system) makeCgroup(o Order) string {
	root := s.cgroup()
	if root == "" {
		return ""
	}
	dir := filepath.Join(root, o.Session+"."+strconv.Itoa(o.Attempt))
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) { // as the kernel makes them
		s.log.Warn("session without a cgroup of its own", "session", o.Session, "err", err)
		return ""
	}
	return dir
}

// start puts the command into its session's cgroup as it starts, not after:
// whatever it starts at once is in it, too. Version 2 is told by a descriptor;
// in version 1 a child is where its thread is, so this thread, which starts
// all sessions, goes there and comes back.
func (g *group) start() error {
	switch {
	case g.folder == "":
		return g.cmd.Start()
	case g.system.home == "":
		fd, err := os.Open(g.folder)
		if err != nil {
			return err
		}
		defer fd.Close()
		g.cmd.SysProcAttr.UseCgroupFD, g.cmd.SysProcAttr.CgroupFD = true, int(fd.Fd()) //nolint:gosec // a descriptor is small
		return g.cmd.Start()
	default:
		return g.startFrom(g.system.home, g.cmd)
	}
}

func (g *group) startFrom(home string, cmd *exec.Cmd) error {
	if err := moveThread(g.folder); err != nil {
		return err
	}
	err := cmd.Start()
	if back := moveThread(home); back != nil {
		g.system.log.Error("the probe's own thread stays in a session's cgroup", "err", back)
	}
	return err
}

// moveThread moves the calling thread, which the caller has locked.
func moveThread(folder string) error {
	return os.WriteFile(filepath.Join(folder, cgroupTasks), []byte("0"), 0)
}

func (g *group) killCgroup() {
	if g.folder == "" || g.system.home != "" {
		return
	}
	if err := os.WriteFile(filepath.Join(g.folder, cgroupKill), []byte("1"), 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
		g.system.log.Debug("cgroup.kill", "err", err)
	}
}
