// Package calibrate finds out how many copies of an application a render host
// carries: it opens one copy after another, waits until the load has settled,
// and stops at the threshold.
package calibrate
