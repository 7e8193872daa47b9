//go:build !race

package admission

const defaultHistories = 100_000

// townJoins is how many people come to each town of [TestForecastsHold].
const townJoins = 2000
