// Command burn uses a share of one core, as its first argument says, until it
// is ended: never more over any longer while, and hardly less on a busy machine.
// What follows changes the share:
//
//	ramp SECONDS      it rises from nothing in so long
//	loop SECONDS BY   it goes up and down by so much, once in so long
//	contend BY DIR    each other copy adds so much of the share; DIR is where they meet
package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

func main() {
	share := number(1)
	if share <= 0 || share > 1 {
		fail("want a share of one core, above 0 and at most 1")
	}
	at := func(float64) float64 { return share }
	if len(os.Args) > 2 {
		at = changing(share)
	}
	began, last, owed, before := time.Now(), time.Now(), 0.0, used()
	for {
		now, spent := time.Now(), used()
		owed += at(now.Sub(began).Seconds())*now.Sub(last).Seconds() - (spent - before).Seconds()
		last, before = now, spent
		switch {
		case owed <= 0:
			time.Sleep(5 * time.Millisecond)
			continue
		case owed > 0.02: // it was kept waiting: what is lost is lost
			owed = 0.02
		}
		for x, i := 1.0, 0; i < 100_000; i++ {
			x = x*1.0000001 + 1
		}
	}
}

func changing(share float64) func(seconds float64) float64 {
	by := number(3)
	switch os.Args[2] {
	case "ramp":
		return func(s float64) float64 { return share * math.Min(1, s/by) }
	case "loop":
		amplitude := number(4)
		return func(s float64) float64 { return share + amplitude*math.Sin(2*math.Pi*s/by) }
	case "contend":
		n := meet(os.Args[4])
		return func(float64) float64 { return share * (1 + by*float64(n()-1)) }
	}
	fail("no " + os.Args[2])
	return nil
}

// meet counts the living copies, once a second.
func meet(dir string) func() int {
	if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(os.Getpid())), nil, 0o600); err != nil {
		fail(err.Error())
	}
	n, looked := 1, time.Time{}
	return func() int {
		if time.Since(looked) < time.Second {
			return n
		}
		looked, n = time.Now(), 0
		files, err := os.ReadDir(dir)
		if err != nil {
			fail(err.Error())
		}
		for _, f := range files {
			if pid, err := strconv.Atoi(f.Name()); err == nil && syscall.Kill(pid, 0) == nil {
				n++
			}
		}
		return n
	}
}

func number(i int) float64 {
	if i >= len(os.Args) {
		fail("too few arguments")
	}
	n, err := strconv.ParseFloat(os.Args[i], 64)
	if err != nil {
		fail(err.Error())
	}
	return n
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(2)
}

// used is the CPU time of this process.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
