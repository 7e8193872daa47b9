package launcher

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// proc is one line of the process table.
type proc struct {
	pid, parent, group, session int
	state                       byte
	start                       uint64 // clock ticks since boot: tells two uses of a number apart
}

func (p proc) dead() bool { return p.state == 'Z' || p.state == 'X' }

// still says whether the number is still this process's.
func (p proc) still() bool {
	now, ok := readProc(p.pid)
	return ok && now.start == p.start
}

// processes reads the process table.
func processes() []proc {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var table []proc
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, ok := readProc(pid); ok {
			table = append(table, p)
		}
	}
	return table
}

func readProc(pid int) (proc, bool) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return proc{}, false
	}
	return parseStat(pid, string(raw))
}

// parseStat reads /proc/PID/stat. The program's name stands in brackets and may
// hold anything, brackets too, so the rest is found from its end.
func parseStat(pid int, line string) (proc, bool) {
	_, rest, ok := cutLast(line, ") ")
	if !ok {
		return proc{}, false
	}
	f := strings.Fields(rest) // state is field 3 of proc(5), so field n is f[n-3]
	if len(f) < 20 || len(f[0]) != 1 {
		return proc{}, false
	}
	p := proc{pid: pid, state: f[0][0]}
	for i, into := range map[int]*int{1: &p.parent, 2: &p.group, 3: &p.session} {
		n, err := strconv.Atoi(f[i])
		if err != nil {
			return proc{}, false
		}
		*into = n
	}
	start, err := strconv.ParseUint(f[19], 10, 64)
	p.start = start
	return p, err == nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// carries says whether all the variables stand in the process's environment, as
// it was when its program began.
func (p proc) carries(vars ...string) bool {
	if p.dead() {
		return false
	}
	env := p.environ()
	for _, v := range vars {
		if !slices.ContainsFunc(env, func(e []byte) bool { return string(e) == v }) {
			return false
		}
	}
	return true
}

func (p proc) environ() [][]byte {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/environ")
	if err != nil {
		return nil
	}
	return bytes.Split(raw, []byte{0})
}

// descend adds to in all descendants of what is in it.
func descend(table []proc, in map[int]bool) {
	for more := true; more; {
		more = false
		for _, p := range table {
			if in[p.parent] && !in[p.pid] {
				in[p.pid], more = true, true
			}
		}
	}
}

// readPIDs reads a cgroup.procs file and those of the folders below; none if
// there is no cgroup.
func readPIDs(file, folder string) []int {
	if folder == "" {
		return nil
	}
	raw, err := os.ReadFile(file) // a path of ours
	if err != nil {
		return nil
	}
	var all []int
	for _, line := range strings.Fields(string(raw)) {
		if pid, err := strconv.Atoi(line); err == nil {
			all = append(all, pid)
		}
	}
	below, err := filepath.Glob(filepath.Join(folder, "*", cgroupProcs))
	if err != nil {
		return all
	}
	for _, f := range below {
		all = append(all, readPIDs(f, filepath.Dir(f))...)
	}
	return all
}

// reapAll takes the dead out of the process table that came back to us as their
// sub-reaper. The numbers are those of a session's processes; its command is
// left out, since its own Wait reaps it.
func reapAll(seen map[int]uint64, command int) {
	self := os.Getpid()
	for pid, start := range seen {
		p, ok := readProc(pid)
		if ok && p.start == start && p.parent == self && p.state == 'Z' && pid != command {
			reapOne(pid)
		}
	}
}

func reapOne(pid int) bool {
	got, err := unix.Wait4(pid, nil, unix.WNOHANG, nil)
	return err == nil && got == pid
}
