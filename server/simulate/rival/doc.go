// Package rival is how others decide, and how somebody would who knew more:
// each is a [Rule], asked for the first in line, host by host. All of them get
// the same queue, the same offers and the same graces, those of the product, so
// that only the rules differ. [All] lists them.
//
// The rules were written from their sources, for other loads than rendered
// sessions. What is said of each is said at each; common to all is this:
//
//   - Rules for the CPU are asked for each of CPU, GPU and encoder, and the
//     fullest decides, since sessions here are bound by the GPU. The GPU is the
//     host's with the fewest sessions.
//   - What a source takes from a request, a limit or a table of costs is the
//     declared cost of the app's profile.
//   - Sources have no offers. While an offer stands, the session counts as one
//     that was sent just now; what a rule holds for a time, it holds from the
//     order to start on.
//   - A host whose newest sample is older than five periods takes nobody, whatever
//     the source's own limit for that is; but for rules that look at no sample.
//   - The uplink is for nobody to judge but the product and the oracles.
//
// Where a source left a choice, it was made in the rule's favour.
package rival
