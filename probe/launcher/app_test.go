//go:build linux

package launcher_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/launcher"
)

// TestMain makes the test binary an application, a guard or a whole probe, when
// a test has started it as one: the children of these tests are real processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "app":
			app(os.Args[2], os.Args[3:])
			return
		case "guard":
			if err := launcher.Guard(os.Stdin, os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		case "probe":
			probeMain(os.Args[2:])
			return
		}
	}
	// Children of a race build would each lie a second at their end.
	must(os.Setenv("GORACE", "atexit_sleep_ms=0"))
	os.Exit(m.Run())
}

// app is what a session runs.
func app(kind string, args []string) {
	switch kind {
	case "serve": // answers on its port and ends on SIGTERM
		serve(args[0])
	case "stubborn": // ignores SIGTERM and leaves descendants that ignore it too
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
		again("fork", "group")
		again("fork", "session")
		serve(args[0])
	case "fork": // starts one that lives on, then ends: a double fork
		cmd := exec.Command(os.Args[0], "app", "linger")
		if args[0] == "session" {
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		}
		must(cmd.Start())
	case "linger":
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
		select {}
	case "crash":
		fmt.Println("about to crash")
		os.Exit(3)
	case "daemon": // goes to the background
		cmd := exec.Command(os.Args[0], "app", "linger")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		must(cmd.Start())
	case "silent": // never ready
		select {}
	case "talk": // prints a lot, a long line, then that it is ready
		fmt.Println(strings.Repeat("x", 100_000))
		for i := range 2000 {
			fmt.Println("line", i)
		}
		fmt.Fprintln(os.Stderr, "server READY on 1234")
		select {}
	case "env":
		for _, name := range args {
			fmt.Printf("%s=%s\n", name, os.Getenv(name))
		}
		dir, err := os.Getwd()
		must(err)
		fmt.Println("dir=" + dir)
		select {}
	}
}

func again(args ...string) {
	cmd := exec.Command(os.Args[0], append([]string{"app"}, args...)...)
	must(cmd.Run())
}

func serve(port string) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:"+port)
	must(err)
	// The first answers are 503, so that waiting for 2xx is told from waiting for a connection.
	began := time.Now()
	srv := http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if time.Since(began) < 150*time.Millisecond {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	must(srv.Serve(l))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
