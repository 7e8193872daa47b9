// Package simulate runs scenarios against the product's rule, its rivals and two
// oracles, on the same people, and says how they compare.
package simulate
