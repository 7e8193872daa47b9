package launcher

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// guard is a small process beside the probe. It waits for the probe's end and
// then ends what sessions left: a probe that is killed cannot do it, and the
// kernel ends only the commands it started itself.
type guard struct {
	command []string
	log     *slog.Logger
	cmd     *exec.Cmd
	hold    *os.File // while it is open, the probe lives
}

func (g *guard) open(mark, cgroup, scratch string) error {
	if len(g.command) == 0 {
		return nil
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	args := append(slices.Clone(g.command[1:]), mark, cgroup, scratch)
	g.cmd = exec.Command(g.command[0], args...) // this program itself
	g.cmd.Stdin = read
	g.cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, secretPrefix) })
	g.cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true} // what ends the terminal's processes spares it
	g.hold = write
	if err := g.cmd.Start(); err != nil {
		return errors.Join(err, read.Close(), write.Close())
	}
	return read.Close()
}

func (g *guard) close() {
	if g.cmd == nil {
		return
	}
	if err := errors.Join(g.hold.Close(), g.cmd.Wait()); err != nil {
		g.log.Debug("guard", "err", err)
	}
}

// Guard is the guard's program: run it in a process of its own, with the
// arguments that the launcher adds to [Options.Guard] and with in its standard
// input. It returns when the probe has ended and nothing of it is left.
func Guard(in io.Reader, args []string) error {
	if len(args) != 3 {
		return errors.New("the guard is started by the probe, with three arguments")
	}
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	mark, cgroup, scratch := args[0], args[1], args[2]
	for killMarked(func(m string) bool { return m == mark }) > 0 {
		time.Sleep(lookEvery)
	}
	if cgroup != "" {
		killFolders(cgroup)
	}
	if scratch == "" {
		return nil
	}
	return os.RemoveAll(scratch)
}

// killFolders ends what is left in the cgroups of a probe and removes them.
func killFolders(root string) {
	for range 50 { // a second: the kernel empties them a moment after the kill
		dirs, err := filepath.Glob(filepath.Join(root, "*", cgroupKill))
		if err != nil {
			return
		}
		for _, f := range dirs {
			_ = os.WriteFile(f, []byte("1"), 0) // tried again
			_ = os.Remove(filepath.Dir(f))      // tried again
		}
		if os.Remove(root) == nil || len(dirs) == 0 {
			return
		}
		time.Sleep(lookEvery)
	}
}

// sweepLeft ends the processes of sessions whose probe is no more.
func sweepLeft(log *slog.Logger) {
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return
	}
	left := func(mark string) bool {
		in, pid, ok := strings.Cut(mark, "/")
		if !ok || in != space {
			return false // of a container, whose numbers are not ours
		}
		number, _, _ := strings.Cut(pid, "/")
		n, err := strconv.Atoi(number)
		return err == nil && probeMark(n) != mark
	}
	for total, n := 0, 1; n > 0; {
		if n = killMarked(left); n > 0 {
			if total == 0 {
				log.Warn("ending what a killed probe left running", "processes", n)
			}
			total += n
			time.Sleep(lookEvery)
		}
		if total > 10_000 {
			log.Error("what a killed probe left running does not end")
			return
		}
	}
}

// killMarked kills every process whose probe's mark is one of those, and
// returns how many are left to die.
func killMarked(which func(mark string) bool) int {
	n := 0
	for _, p := range processes() {
		if p.dead() || p.pid == os.Getpid() {
			continue
		}
		for _, e := range p.environ() {
			mark, ok := strings.CutPrefix(string(e), markProbe+"=")
			if ok && which(mark) && p.still() {
				n++
				_ = unix.Kill(p.pid, unix.SIGKILL) // looked at again
			}
		}
	}
	return n
}
