// Package launcher runs the applications of sessions: it starts a session's
// command from templates, knows when it is ready, keeps its output, and ends
// its whole process tree.
//
// On Linux nothing of a session outlives it. Each command is a process group of
// its own and, where a cgroup can be written, in a cgroup of its own; the
// probe is a sub-reaper, so that orphans come back to it; every process is
// marked by its environment. The command itself dies with the probe
// (PR_SET_PDEATHSIG); what it started is ended by the guard (see [Guard]). On
// other systems only the command itself is ended; Windows job objects are to come.
package launcher
