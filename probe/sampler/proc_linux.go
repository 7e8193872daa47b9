package sampler

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// processTable reads all processes once. Those that end meanwhile are left out.
func processTable(_ context.Context, root string) (map[int]proc, error) {
	dir, err := os.Open(root)
	if err != nil {
		return nil, fmt.Errorf("reading processes: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("reading processes: %w", err)
	}
	all := make(map[int]proc, len(names))
	buffer, pageSize := make([]byte, 1024), float64(os.Getpagesize()) // a line has some hundred bytes
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		line, err := readSmall(int(dir.Fd()), name+"/stat", buffer) //nolint:gosec // a descriptor is small
		if err != nil {
			continue
		}
		if p, err := parseStat(line, pageSize); err == nil {
			all[p.pid] = p
		}
	}
	return all, nil
}

// readSmall reads a file of the kernel's that fits into the buffer. There are
// many of them each second, and [os.ReadFile] makes twice as many calls.
func readSmall(dir int, name string, buffer []byte) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	n, err := unix.Read(fd, buffer)
	_ = unix.Close(fd) // nothing was written
	if err != nil {
		return nil, err
	}
	return buffer[:n], nil
}
