// Command burn uses a share of one core, as its first argument says, until it
// is ended: never more over any longer while, and hardly less on a busy machine.
package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

func main() {
	share, err := strconv.ParseFloat(os.Args[1], 64)
	if err != nil || share <= 0 || share > 1 {
		fmt.Fprintln(os.Stderr, "want a share of one core, above 0 and at most 1")
		os.Exit(2)
	}
	began, before := time.Now(), used()
	for {
		owed := time.Duration(share*float64(time.Since(began))) - (used() - before)
		switch {
		case owed <= 0:
			time.Sleep(5 * time.Millisecond)
			continue
		case owed > 20*time.Millisecond: // it was kept waiting: what is lost is lost
			began, before = time.Now(), used()
			continue
		}
		for x, i := 1.0, 0; i < 100_000; i++ {
			x = x*1.0000001 + 1
		}
	}
}

// used is the CPU time of this process.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
