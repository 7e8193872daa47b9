package tether

import (
	"runtime"
	"syscall"
)

// tie has the kernel end the child with this process. It does so when the
// *thread* ends that started the child, so that thread is held until untie. A
// process group of its own keeps Ctrl-C for this process, which ends things in
// their order.
func tie(attributes *syscall.SysProcAttr) (untie func()) {
	runtime.LockOSThread()
	attributes.Pdeathsig, attributes.Setpgid = syscall.SIGKILL, true
	return runtime.UnlockOSThread
}
