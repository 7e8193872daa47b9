// Package rival is how others decide, and how somebody would who knew more:
// each is a [Rule], asked for the first in line, host by host. All of them get
// the same queue, the same offers and the same graces, those of the product, so
// that only the rules differ.
package rival
