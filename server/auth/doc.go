// Package auth decides who somebody is and what they may do: operators with
// their passwords, sessions and API tokens; hosts with their tokens; players by
// the operator's own login; and, for everybody, origins, addresses and limits.
package auth
