// Package cgroup reads the kernel's control groups, of version 1, of version 2,
// and of both at once: what a group has used, and what it and those above it
// may use. It follows the kernel's admin-guide/cgroup-v1 and cgroup-v2, and
// cgroups(7).
package cgroup

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// ErrNone says that this process is in no group that can be read.
var ErrNone = errors.New("this process is in no cgroup that can be read")

// Group is where the kernel accounts for some processes. In version 1 each
// controller has a tree of its own, and in a hybrid some have version 2's.
type Group struct {
	root                       string // of the file system, for tests
	usage, quota, memory, cpus place
}

// place is a folder of one controller's tree. The zero value is none.
type place struct {
	dir, top string // top is where the tree is mounted, or what is seen of it
	v2       bool
}

// Own finds the group of this process. Root is that of the file system; empty
// means /.
func Own(root string) (*Group, error) {
	f, err := find(root)
	if err != nil {
		return nil, err
	}
	g := &Group{root: root, usage: f.place("cpuacct"), quota: f.place("cpu"), memory: f.place("memory"), cpus: f.place("cpuset")}
	if _, err := g.Used(Level{Dir: g.usage.dir}); err != nil {
		return nil, errors.Join(ErrNone, err)
	}
	return g, nil
}

// OwnFolder is the folder of this process in which groups can be made that count
// CPU time: of version 2 where that is mounted, else of cpuacct of version 1.
func OwnFolder(root string) (string, error) {
	f, err := find(root)
	if err != nil {
		return "", err
	}
	if p := f.placeV2(); p.dir != "" {
		return p.dir, nil
	}
	return f.account()
}

// OwnAccount is the folder of this process in the tree of cpuacct, version 1.
func OwnAccount(root string) (string, error) {
	f, err := find(root)
	if err != nil {
		return "", err
	}
	return f.account()
}

func (f finder) account() (string, error) {
	if p := f.place("cpuacct"); p.dir != "" && !p.v2 {
		return p.dir, nil
	}
	return "", errors.New("neither cgroup v2 nor the controller cpuacct is mounted")
}

// At is the group in a folder, by itself: of version 2, or of cpuacct of version
// 1, which does not count memory.
func At(root, folder string) *Group {
	g, p := &Group{root: root}, place{dir: folder, top: folder, v2: true}
	if g.has(folder, "cpuacct.usage") {
		p.v2 = false
		g.usage = p
		return g
	}
	g.usage, g.quota, g.memory, g.cpus = p, p, p, p
	return g
}

// Below is the group of version 2 in a folder, with those above it. In version 1
// limits stand in other trees than the accounts; for a folder of that it is
// this process's own group.
func Below(root, folder string) (*Group, error) {
	g := At(root, folder)
	if !g.usage.v2 {
		return Own(root)
	}
	p := g.usage
	for p.top != path.Dir(p.top) && g.has(path.Dir(p.top), "cgroup.procs") {
		p.top = path.Dir(p.top)
	}
	g.usage, g.quota, g.memory, g.cpus = p, p, p, p
	_, err := g.Used(Level{Dir: folder})
	return g, err
}

// Dir is the folder in which its CPU time is counted.
func (g *Group) Dir() string { return g.usage.dir }

// finder knows this process's groups and where their trees are mounted.
type finder struct {
	groups map[string]string
	mounts []mount
}

func find(root string) (finder, error) {
	groups, err := os.ReadFile(filepath.Join("/", root, "proc/self/cgroup"))
	if err != nil {
		return finder{}, ErrNone
	}
	mounts, err := os.ReadFile(filepath.Join("/", root, "proc/self/mountinfo"))
	if err != nil {
		return finder{}, ErrNone
	}
	return finder{groups: parseGroups(string(groups)), mounts: parseMounts(string(mounts))}, nil
}

// place is where a controller accounts: a tree of version 1 has it to itself,
// and version 2 accounts for what none has.
func (f finder) place(controller string) place {
	if group, there := f.groups[controller]; there {
		if p := f.below(group, func(m mount) bool { return m.holds(controller) }); p.dir != "" {
			return p
		}
	}
	return f.placeV2()
}

func (f finder) placeV2() place {
	group, there := f.groups[""]
	if !there {
		return place{}
	}
	return f.below(group, func(m mount) bool { return m.v2 })
}

// below finds a group under the mount that shows most of it. One that lies
// outside of all, as in a container that sees only its own part, is the first
// mount's own folder.
func (f finder) below(group string, fits func(mount) bool) place {
	var best place
	longest := -1
	for _, m := range f.mounts {
		if !fits(m) {
			continue
		}
		if best.dir == "" {
			best = place{dir: m.at, top: m.at, v2: m.v2}
		}
		if rest, inside := within(m.from, group); inside && len(m.from) > longest {
			best, longest = place{dir: path.Join(m.at, rest), top: m.at, v2: m.v2}, len(m.from)
		}
	}
	return best
}

// within gives what of the group's path lies below from.
func within(from, group string) (string, bool) {
	from = strings.TrimSuffix(from, "/")
	rest, found := strings.CutPrefix(group, from)
	inside := found && (rest == "" || rest[0] == '/') && !strings.Contains(group+"/", "/../")
	return rest, inside
}

// levels are the folder and those above it, up to the top.
func (p place) levels() []string {
	if p.dir == "" {
		return nil
	}
	all := []string{p.dir}
	for at := p.dir; at != p.top && at != "/" && at != "."; {
		at = path.Dir(at)
		all = append(all, at)
	}
	return all
}

// read reads a file of a folder.
func (g *Group) read(folder, name string) (string, error) {
	data, err := os.ReadFile(filepath.Join("/", g.root, folder, name))
	return strings.TrimSpace(string(data)), err
}

func (g *Group) has(folder, name string) bool {
	_, err := os.Stat(filepath.Join("/", g.root, folder, name))
	return err == nil
}
