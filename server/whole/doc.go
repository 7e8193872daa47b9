// Package whole tests the program from outside, as real processes: a service
// and a probe, with clients written from the public interface alone.
package whole
