// Package plan says how many hosts a demand needs: from how many players come
// an hour, how long they stay, and how long they may wait. Closed formulas are
// used where they hold, and a simulation where they do not; the answer says
// which.
package plan
