package launcher

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// How the end of a tree is watched.
const (
	lookEvery    = 20 * time.Millisecond
	lookMore     = 200 * time.Millisecond
	lookSeldom   = time.Second
	complainAt   = 10 * time.Second
	killAttempts = 5 // then more slowly: only the kernel can end what is left
)

// group is the process tree of one session.
type group struct {
	system *system
	cmd    *exec.Cmd
	folder string // of its cgroup, empty without
	gone   chan struct{}
	mark   string
}

// prepare sets how a command is started: as a process group of its own, ended
// with the probe, in a cgroup of its own where that can be had.
func (s *system) prepare(cmd *exec.Cmd, o Order) group {
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	return group{system: s, cmd: cmd, gone: make(chan struct{}), mark: markSession + "=" + o.Session, folder: s.makeCgroup(o)}
}

// started notes that the command runs, or why not.
func (g *group) started(err error) {
	if err != nil {
		g.removeCgroup()
		return
	}
	g.system.own(g.cmd.Process.Pid, true)
}

func (g *group) dir() string { return g.folder }

// await returns when the command has exited. It leaves the dead process in the
// process table, so that its number, which is also its group's, is not given to
// another before the group is ended.
func (g *group) await() {
	defer close(g.gone)
	for {
		err := unix.Waitid(unix.P_PID, g.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// end asks every process of the tree to end, waits for at most grace, and then
// kills what is left. It returns when no process is left, however long the
// kernel takes: a process that cannot die still holds its memory.
func (g *group) end(grace time.Duration, log *slog.Logger) {
	seen := map[int]uint64{}
	g.signal(g.members(seen), unix.SIGTERM)
	deadline := time.Now().Add(grace)
	for wait := lookEvery; len(g.members(seen)) > 0 && time.Now().Before(deadline); wait = min(2*wait, lookMore) {
		time.Sleep(wait)
	}
	g.kill(seen, log)
	<-g.gone
	if err := g.cmd.Wait(); err != nil {
		log.Debug("session's command", "err", err)
	}
	g.system.own(g.cmd.Process.Pid, false)
	reapAll(seen, g.cmd.Process.Pid)
	g.removeCgroup()
}

// kill ends what did not end by itself, again until nothing is left: a process
// may fork while it is being killed.
func (g *group) kill(seen map[int]uint64, log *slog.Logger) {
	began := time.Now()
	for n := 0; ; n++ {
		left := g.members(seen)
		if len(left) == 0 {
			return
		}
		g.killCgroup()
		g.signal(left, unix.SIGKILL)
		reapAll(seen, g.cmd.Process.Pid)
		wait := lookEvery
		if n > killAttempts {
			wait = min(lookSeldom, lookEvery<<min(n-killAttempts, 6))
		}
		time.Sleep(wait)
		if late := time.Since(began); late > complainAt {
			log.Error("processes that cannot be killed", "pids", pids(left), "for", late.Round(time.Second))
			began = time.Now()
		}
	}
}

func (g *group) signal(list []proc, sig unix.Signal) {
	if len(list) == 0 {
		return
	}
	// The command is not reaped yet, so the group's number is still its own.
	if err := unix.Kill(-g.cmd.Process.Pid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		g.system.log.Debug("signal to a group", "pid", g.cmd.Process.Pid, "err", err)
	}
	for _, p := range list {
		if p.group == g.cmd.Process.Pid || !p.still() {
			continue
		}
		if err := unix.Kill(p.pid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
			g.system.log.Debug("signal to a process", "pid", p.pid, "err", err)
		}
	}
}

// members lists the living processes of the tree: those of its cgroup, its
// group and its session, those that carry its mark, and all their descendants.
// It notes them in seen, with their start times.
func (g *group) members(seen map[int]uint64) []proc {
	in := map[int]bool{}
	for _, pid := range readPIDs(filepath.Join(g.folder, cgroupProcs), g.folder) {
		in[pid] = true
	}
	table := processes()
	root := g.cmd.Process.Pid
	for _, p := range table {
		at, known := seen[p.pid]
		if p.pid == root || p.group == root || p.session == root || known && at == p.start ||
			!in[p.pid] && p.pid != os.Getpid() && p.carries(g.mark, g.system.marked()) {
			in[p.pid] = true
		}
	}
	descend(table, in)
	var living []proc
	for _, p := range table {
		if !in[p.pid] {
			continue
		}
		seen[p.pid] = p.start
		if !p.dead() {
			living = append(living, p)
		}
	}
	return living
}

// left says whether processes of the tree run on.
func (g *group) left() bool { return len(g.members(map[int]uint64{})) > 0 }

func (g *group) removeCgroup() {
	if g.folder == "" {
		return
	}
	for range killAttempts {
		if err := os.Remove(g.folder); err == nil || errors.Is(err, fs.ErrNotExist) {
			return
		}
		time.Sleep(lookEvery) // the kernel empties it a moment after the last exit
	}
	g.system.log.Debug("cgroup left behind", "dir", g.folder)
}

func pids(list []proc) []int {
	all := make([]int, len(list))
	for i, p := range list {
		all[i] = p.pid
	}
	return all
}
