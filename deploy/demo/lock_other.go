//go:build !unix

package demo

// lock holds nothing elsewhere than on Unix.
func lock(string) error { return nil }
