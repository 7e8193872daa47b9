//go:build !race

package admission

const defaultHistories = 100_000
