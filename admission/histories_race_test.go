//go:build race

package admission

// The race detector makes a history some ten times slower, and the core has no
// goroutines.
const defaultHistories = 4_000

// townJoins is how many people come to each town of [TestForecastsHold].
const townJoins = 100
