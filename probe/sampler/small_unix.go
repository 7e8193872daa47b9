//go:build unix

package sampler

import "syscall"

// readSmall reads a file of the kernel's that fits into the buffer. There are
// many of them each second, and [os.ReadFile] makes twice as many calls.
func readSmall(name string, buffer []byte) ([]byte, error) {
	fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	n, err := syscall.Read(fd, buffer)
	_ = syscall.Close(fd) // nothing was written
	if err != nil {
		return nil, err
	}
	return buffer[:n], nil
}
