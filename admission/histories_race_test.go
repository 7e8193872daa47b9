//go:build race

package admission

// The race detector makes a history some ten times slower, and the core has no
// goroutines.
const defaultHistories = 4_000
