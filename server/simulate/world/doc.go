// Package world is a simulated world around an admission gate: hosts with their
// programs, people who come, wait, play and go, and probes that tell of it late.
// It is a discrete-event simulation, thousands of times faster than real time,
// and exactly repeatable: all that chance decides follows from a seed and from
// nothing that the gate does, so that gates are compared on the same people.
//
// Whoever decides is a [Gate]. [NewCore] makes the real one, around
// admission.Pool; rivals and oracles stand in package rival.
//
// Times are seconds since the start, loads fractions of a host's resource,
// bitrates bits per second.
package world
