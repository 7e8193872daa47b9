//go:build unix

package demo

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// lock takes the demo's folder for this process, and goes with it.
func lock(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("locking the folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		pid, _ := os.ReadFile(path)
		_ = f.Close()
		return fmt.Errorf("a demo runs here already, as process %s; stop it, or give another --data", strings.TrimSpace(string(pid)))
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	keep(f)
	return err
}

// keep holds the file open for the life of the process: closing it, as a
// collected file would be, would give the lock away.
func keep(f *os.File) {
	fd, err := unix.Dup(int(f.Fd()))
	if err == nil {
		unix.CloseOnExec(fd)
	}
}
