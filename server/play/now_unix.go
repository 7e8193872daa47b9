//go:build unix

package play

import (
	"errors"
	"syscall"
)

// writeNow writes what the kernel takes without waiting.
func writeNow(raw syscall.RawConn, p []byte) (n int, err error) {
	if raw == nil {
		return 0, nil
	}
	failed := raw.Write(func(fd uintptr) bool {
		for {
			n, err = syscall.Write(int(fd), p) //nolint:gosec // a file's number
			if !errors.Is(err, syscall.EINTR) {
				return true
			}
		}
	})
	if errors.Is(err, syscall.EAGAIN) {
		return 0, failed
	}
	return max(0, n), errors.Join(failed, err)
}
