// Package admission decides who may start a cloud-rendered session, who is
// next and how long it takes.
//
// It is pure: no I/O, no clock, no goroutine, no logging and no randomness of
// its own. One pool is one value, [Pool]. Time comes in as an argument.
//
//	events, outcome := pool.Decide(now, command) // reads, changes nothing
//	pool.Apply(event)                            // the only thing that changes the pool
//	pool.Observe(now, sample)                    // telemetry: soft state, never journalled
//
// Events carry every outcome (host, costs, deadlines), so that applying the
// same events again gives the same pool, byte for byte. Whoever owns a pool
// decides, applies, writes the events to a journal and tells nobody before the
// journal has them. [Pool.Run] does the first two, and then what has become due.
//
// docs/rule.md has the formulas, the promises and how each is kept.
package admission
