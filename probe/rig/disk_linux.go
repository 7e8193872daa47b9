package rig

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// freeBytes is how much can be written in the folder.
func freeBytes(folder string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * s.Bsize, true //nolint:gosec // disks are smaller
}

// cloneFile makes a file that shares its blocks with another until either is
// written to, where the file system can.
func cloneFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			err = errors.Join(err, os.Remove(to))
		}
	}()
	return unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) //nolint:gosec // a descriptor is small
}
