// Command copy is an application to calibrate, with the manners and the faults
// that applications have.
package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	words := os.Args[2:]
	switch os.Args[1] {
	case "gpu": // gpu INDEX VALUE...: loads the scripted driver's GPU while it lives
		gpu(words[0], words[1:])
	case "frames": // frames DIR: as many as there are for each of the copies that meet there
		frames(words[0])
	case "lock": // lock FILE: only one runs
		lock(words[0])
	case "tree": // leaves descendants that ignore SIGTERM, one in a session of its own
		tree()
	case "linger":
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		time.Sleep(10 * time.Minute)
	case "daemon": // goes to the background
		start("linger")
	case "exit":
		fmt.Println("no display")
		os.Exit(3)
	case "flood": // prints all that it can
		line := []byte(strings.Repeat("x", 1000) + "\n")
		for {
			if _, err := os.Stdout.Write(line); err != nil {
				os.Exit(1)
			}
		}
	case "terminal":
		if _, err := os.Stdin.Stat(); err == nil {
			fmt.Println("stdin is not a tty")
			os.Exit(1)
		}
	case "stop": // as the system does with who reads from a terminal in the background
		if err := syscall.Kill(os.Getpid(), syscall.SIGTTIN); err != nil {
			panic(err)
		}
		time.Sleep(time.Hour)
	case "few": // few N DIR: no more than so many run
		few(words[0], words[1])
	case "write": // write NAME: spoils a file of its folder, as programs do with settings
		if err := os.WriteFile(words[0], []byte("spoilt"), 0o600); err != nil {
			panic(err)
		}
		time.Sleep(10 * time.Minute)
	}
}

func gpu(index string, values []string) {
	dir := os.Getenv("NVML_STUB") + ".d"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		panic(err)
	}
	var text strings.Builder
	for _, v := range values {
		name, number, _ := strings.Cut(v, "=")
		fmt.Fprintf(&text, "d%s.%s %s\n", index, name, number)
	}
	if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(os.Getpid())), []byte(text.String()), 0o600); err != nil {
		panic(err)
	}
	time.Sleep(time.Hour)
}

func frames(dir string) {
	if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(os.Getpid())), nil, 0o600); err != nil {
		panic(err)
	}
	for range time.Tick(200 * time.Millisecond) {
		n := 0
		files, err := os.ReadDir(dir)
		if err != nil {
			panic(err)
		}
		for _, f := range files {
			if pid, err := strconv.Atoi(f.Name()); err == nil && syscall.Kill(pid, 0) == nil {
				n++
			}
		}
		fmt.Printf("frame=1 fps=%.1f q=1\n", math.Min(60, 100/float64(n)))
	}
}

func few(most, dir string) {
	n, err := strconv.Atoi(most)
	if err != nil {
		panic(err)
	}
	for i := range n {
		f, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(i)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			panic(err)
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			time.Sleep(time.Hour)
		}
	}
	fmt.Println("no licence is left")
	os.Exit(1)
}

func lock(file string) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		panic(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		fmt.Println("another instance is running")
		os.Exit(1)
	}
	time.Sleep(time.Hour)
}

func tree() {
	signal.Ignore(syscall.SIGTERM)
	start("linger")
	start("linger")
	time.Sleep(time.Hour)
}

// start starts one in a session of its own.
func start(mode string) {
	c := exec.Command(os.Args[0], mode) //nolint:noctx // it outlives this process: that is the test
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		panic(err)
	}
}
