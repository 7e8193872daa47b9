package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Folders gives each copy its own copy of the application's folder.
type Folders struct {
	Dir   string // of the application; empty: copies share what there is
	Where string // in which the copies' folders are made, and removed after; see [NewFolders]
}

// smallest is the size from which a file is linked where it cannot be cloned:
// smaller ones (settings, saves, logs) are what programs write to in place, and
// a link would share that.
const smallest = 1 << 20

// NewFolders finds a place for the copies of a folder: beside it, where files
// can be cloned or linked, else among temporary files.
func NewFolders(dir string) (Folders, error) {
	if dir == "" {
		return Folders{}, nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Folders{}, err
	}
	if info, err := os.Stat(dir); err != nil {
		return Folders{}, fmt.Errorf("--copy-dir: %w", err)
	} else if !info.IsDir() {
		return Folders{}, fmt.Errorf("--copy-dir: %s is a file; want the application's folder", dir)
	}
	name := ".rendergate-copies-"
	where, err := os.MkdirTemp(filepath.Dir(dir), name)
	if err != nil {
		if where, err = os.MkdirTemp("", name); err != nil {
			return Folders{}, fmt.Errorf("--copy-dir: no place for copies, neither beside %s nor among temporary files: %w", dir, err)
		}
	}
	f := Folders{Dir: dir, Where: where}
	if err := f.fits(); err != nil {
		return Folders{}, errors.Join(err, os.RemoveAll(where))
	}
	return f, nil
}

func (f Folders) scratch() string { return f.Where }

func (f Folders) folder(n int) string { return filepath.Join(f.Where, strconv.Itoa(n)) }

// fits says whether there is room for one copy; what can be shared needs none.
func (f Folders) fits() error {
	var need int64
	how := f.how()
	err := filepath.WalkDir(f.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("--copy-dir: %w", err)
		}
		info, err := e.Info()
		if err == nil && e.Type().IsRegular() && !how.shares(info) {
			need += info.Size()
		}
		return err
	})
	if err != nil {
		return err
	}
	free, known := freeBytes(f.Where)
	if known && need > free {
		return fmt.Errorf("--copy-dir: a copy of %s needs %.1f GB where %s has %.1f GB free; want a disk with more room, or a file system that clones files (XFS, Btrfs)",
			f.Dir, float64(need)/1e9, f.Where, float64(free)/1e9)
	}
	return nil
}

// manner is how files can be copied from the folder to where copies are.
type manner struct{ clones, links bool }

func (m manner) shares(info fs.FileInfo) bool {
	return m.clones || m.links && info.Size() >= smallest
}

// how tries it with a small file.
func (f Folders) how() manner {
	probe := filepath.Join(f.Where, "probe")
	defer func() { _ = os.Remove(probe) }()
	from := f.firstFile()
	if from == "" {
		return manner{}
	}
	m := manner{links: os.Link(from, probe) == nil}
	_ = os.Remove(probe) // it is looked at again
	m.clones = cloneFile(from, probe) == nil
	return m
}

func (f Folders) firstFile() string {
	found := ""
	_ = filepath.WalkDir(f.Dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			found = path
			return filepath.SkipAll
		}
		return nil
	})
	return found
}

// make makes the folder of a copy.
func (f Folders) make(ctx context.Context, n int) error {
	if f.Dir == "" {
		return nil
	}
	how, to := f.how(), f.folder(n)
	err := filepath.WalkDir(f.Dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(f.Dir, path)
		if err != nil {
			return err
		}
		return how.place(path, filepath.Join(to, rest), e)
	})
	if err != nil {
		f.remove(n)
		return fmt.Errorf("copy %d of the application's folder: %w", n, err)
	}
	return nil
}

func (m manner) place(from, to string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return err
	}
	switch {
	case e.IsDir():
		return os.MkdirAll(to, info.Mode().Perm()|0o700)
	case e.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case !e.Type().IsRegular():
		return nil // sockets and pipes belong to who runs there
	case m.clones:
		return cloneFile(from, to)
	case m.shares(info):
		return os.Link(from, to)
	}
	return copyFile(from, to, info.Mode().Perm())
}

func copyFile(from, to string, mode fs.FileMode) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}

func (f Folders) remove(n int) {
	if f.Dir != "" {
		_ = os.RemoveAll(f.folder(n)) // what is left goes at the end
	}
}
