package sampler

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
type tree struct{ cpu, memory float64 }

// processTable reads all processes once. Those that end meanwhile are left out.
func processTable(root string) (map[int]proc, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("reading processes: %w", err)
	}
	all := map[int]proc{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, e.Name(), "stat"))
		if err != nil {
			continue
		}
		if p, err := parseStat(string(data)); err == nil {
			all[pid] = p
		}
	}
	return all, nil
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
func treeOf(all map[int]proc, root int) (tree, bool) {
	if _, ok := all[root]; !ok {
		return tree{}, false
	}
	children := map[int][]int{}
	for pid, p := range all {
		children[p.parent] = append(children[p.parent], pid)
	}
	seen, todo := map[int]bool{}, []int{root}
	for pid, p := range all {
		if p.group == root {
			todo = append(todo, pid)
		}
	}
	var sum tree
	for len(todo) > 0 {
		pid := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[pid] {
			continue
		}
		seen[pid] = true
		sum.cpu += all[pid].cpu
		sum.memory += all[pid].memory
		todo = append(todo, children[pid]...)
	}
	return sum, true
}
