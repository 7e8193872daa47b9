//go:build !linux

package rig

import "errors"

// freeBytes is not known here.
func freeBytes(string) (int64, bool) { return 0, false }

// cloneFile is not there on this system.
func cloneFile(_, _ string) error { return errors.ErrUnsupported }
