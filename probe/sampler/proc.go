package sampler

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ticks is the kernel's USER_HZ, which is 100 on every architecture Go runs on.
const ticks = 100

// proc is one process as /proc says.
type proc struct {
	pid, parent, group int
	cpu                float64 // seconds, of reaped children too
	memory             float64 // bytes
}

// tree is what a session's processes use together.
type tree struct {
	cpu, memory float64
	pids        []int
	root        int    // its first process
	cgroup      string // where it was read, empty for the process table
}

// table is all processes, by pid.
type table struct {
	all      map[int]proc
	children map[int][]int
	groups   map[int][]int
}

// processTable reads all processes once. Those that end meanwhile are left out.
func processTable(root string) (table, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return table{}, fmt.Errorf("reading processes: %w", err)
	}
	all := make(map[int]proc, len(entries))
	buffer := make([]byte, 1024) // a line has some hundred bytes
	for _, e := range entries {
		if name := e.Name(); name[0] < '0' || name[0] > '9' {
			continue
		}
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		data, err := readSmall(root+"/"+e.Name()+"/stat", buffer)
		if err != nil {
			continue
		}
		if p, err := parseStat(string(data)); err == nil {
			all[pid] = p
		}
	}
	return tableOf(all), nil
}

func tableOf(all map[int]proc) table {
	t := table{all: all, children: make(map[int][]int, len(all)), groups: make(map[int][]int, len(all))}
	for pid, p := range all {
		t.children[p.parent] = append(t.children[p.parent], pid)
		t.groups[p.group] = append(t.groups[p.group], pid)
	}
	return t
}

var errStat = errors.New("not a line of /proc/PID/stat")

// Fields of /proc/PID/stat behind the name, as proc(5) numbers them, less 3.
const (
	fieldParent = 1
	fieldGroup  = 2
	fieldUser   = 11
	fieldChild  = 14 // stime of reaped children, the last of four
	fieldRSS    = 21
)

// parseStat reads a line of /proc/PID/stat. The name may hold anything, also
// spaces and brackets, so the fields begin behind its last bracket.
func parseStat(line string) (proc, error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return proc{}, errStat
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line[:open]))
	fields := strings.Fields(line[end+1:])
	if err != nil || len(fields) <= fieldRSS {
		return proc{}, errStat
	}
	number := func(i int) int64 {
		n, failed := strconv.ParseInt(fields[i], 10, 64)
		if failed != nil || n < 0 {
			err = errStat
		}
		return n
	}
	p := proc{pid: pid, parent: int(number(fieldParent)), group: int(number(fieldGroup))}
	for i := fieldUser; i <= fieldChild; i++ {
		p.cpu += float64(number(i)) / ticks
	}
	p.memory = float64(number(fieldRSS)) * float64(os.Getpagesize())
	return p, err
}

// treeOf sums up the process, its descendants, and those of its group, which
// keep it when their parent is gone. A process that ends moves what it used
// into its parent's account, so nothing is lost.
func (t table) treeOf(root int) (tree, bool) {
	if _, ok := t.all[root]; !ok {
		return tree{}, false
	}
	seen, todo := map[int]bool{}, append([]int{root}, t.groups[root]...)
	sum := tree{root: root}
	for len(todo) > 0 {
		pid := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[pid] {
			continue
		}
		seen[pid] = true
		sum.cpu += t.all[pid].cpu
		sum.memory += t.all[pid].memory
		sum.pids = append(sum.pids, pid)
		todo = append(todo, t.children[pid]...)
	}
	return sum, true
}
