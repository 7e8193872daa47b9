package gate

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// control sets on the listening socket what accepted ones inherit.
func control(_, _ string, raw syscall.RawConn) error {
	var set error
	err := raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unackedFor.Milliseconds()))
	})
	return errors.Join(err, set)
}
