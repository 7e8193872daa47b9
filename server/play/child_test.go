package play_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/owner"
	"github.com/rendergate/rendergate/server/play"
)

// childRole names what a child process of a benchmark is to be.
const childRole = "RENDERGATE_PLAY_CHILD"

func TestMain(m *testing.M) {
	role := os.Getenv(childRole)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := beChild(role); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

func beChild(role string) error {
	raiseFiles()
	switch role {
	case "rendergate":
		return childRendergate()
	case "chat":
		return childChat()
	case "sink":
		return childSink()
	}
	return fmt.Errorf("no role %q", role)
}

// raiseFiles lifts the limit of open files as far as it may be.
func raiseFiles() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	l.Cur = l.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	return int(min(l.Cur, 1<<20)) //nolint:gosec // bounded
}

// child is a process that answers a line for each line.
type child struct {
	tb  testing.TB
	in  io.WriteCloser
	out *bufio.Scanner
	cmd *exec.Cmd
}

func startChild(tb testing.TB, role string) *child {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	c := &child{tb: tb, in: in, out: bufio.NewScanner(out), cmd: cmd}
	tb.Cleanup(c.end)
	return c
}

func (c *child) end() {
	_ = c.in.Close()
	if err := c.cmd.Wait(); err != nil && c.tb.Context().Err() == nil {
		c.tb.Error(err)
	}
}

func (c *child) ask(line string) string {
	c.tb.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.tb.Fatal(err)
	}
	if !c.out.Scan() {
		c.tb.Fatalf("the child ended at %q: %v", line, c.out.Err())
	}
	return c.out.Text()
}

func (c *child) number(line string) float64 {
	c.tb.Helper()
	v, err := strconv.ParseFloat(c.ask(line), 64)
	if err != nil {
		c.tb.Fatal(err)
	}
	return v
}

// answer is the child's end: f answers each line until there is none.
func answer(f func(line string) string) error {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if _, err := fmt.Println(f(in.Text())); err != nil {
			return err
		}
	}
	return in.Err()
}

// resident is what this process holds of memory after a collection, in bytes.
func resident() string {
	for range 2 { // collects first; what pools keep goes with the second
		debug.FreeOSMemory()
	}
	// The sums in statm and status lag behind; those in smaps are counted.
	data, err := os.ReadFile("/proc/self/smaps_rollup")
	_, rest, found := strings.Cut(string(data), "Rss:")
	fields := strings.Fields(rest)
	if err != nil || !found || len(fields) == 0 {
		return "unknown"
	}
	kib, _ := strconv.Atoi(fields[0])
	return strconv.Itoa(kib << 10)
}

func childRendergate() error {
	dir, err := os.MkdirTemp("", "play")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := openScene(dir, options{})
	if err != nil {
		return err
	}
	defer s.stop()
	if err := warmJournal(s.owner); err != nil {
		return err
	}
	return answer(func(line string) string {
		if line == "url" {
			return s.url
		}
		return resident()
	})
}

// warmJournal has as many come and go as will come, so that the journal's own
// buffers, which are of a fixed size, have that size before anybody is counted.
func warmJournal(o *owner.Owner) error {
	var all errgroup.Group
	all.SetLimit(256)
	for i := range memoryConns {
		all.Go(func() error {
			client := "warm" + strconv.Itoa(i)
			join := admission.Join{Client: client, Secret: "k" + client, Intent: admission.Play, App: "showroom"}
			if _, err := o.Do(context.Background(), join); err != nil {
				return err
			}
			_, err := o.Do(context.Background(), admission.Leave{Client: client})
			return err
		})
	}
	return all.Wait()
}

// childChat is the same server in the manner of the library's chat example.
func childChat() error {
	h := newChat()
	go h.run()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ends with the process
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(l, http.HandlerFunc(h.serve)) }() //nolint:gosec // as in the example
	return answer(func(line string) string {
		switch {
		case line == "url":
			return "ws://" + l.Addr().String()
		case strings.HasPrefix(line, "push "):
			h.broadcast <- []byte(strings.TrimPrefix(line, "push "))
		}
		return resident()
	})
}

// member opens a socket that reads all it is sent, and joins.
func member(tb testing.TB, url string) *websocket.Conn {
	tb.Helper()
	d := websocket.Dialer{Subprotocols: []string{play.Protocol}, ReadBufferSize: 512, WriteBufferSize: 512}
	ws, _, err := d.DialContext(tb.Context(), url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"join","intent":"play"}`)); err != nil {
		tb.Fatal(err)
	}
	return ws
}
