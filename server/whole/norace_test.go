//go:build !race

package whole

// buildFlags build the program as the test is.
func buildFlags() []string { return nil }
