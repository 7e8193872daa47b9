//go:build !linux

package tether

import "syscall"

// tie can do nothing here.
func tie(*syscall.SysProcAttr) (untie func()) { return func() {} }
