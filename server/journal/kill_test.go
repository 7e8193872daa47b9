package journal_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rendergate/rendergate/server/journal"
)

// childDir names the folder of a test binary that is to be a child.
const childDir = "JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir, os.Getenv("JOURNAL_TEST_FULL") != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child appends one record after the other and prints each sequence once it is
// acknowledged. With full, files cannot grow from a while on, as on a full
// disk, until a line comes in.
func child(dir string, full bool) error {
	ctx := context.Background()
	j, err := journal.Open(ctx, journal.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	p, err := j.Pool(ctx, "test")
	if err != nil {
		return err
	}
	last, err := p.Replay(ctx, 0, func(uint64, []byte) error { return nil })
	if err != nil {
		return err
	}
	if full {
		return fill(p, last)
	}
	for ; ; last++ {
		if _, err := p.Append(ctx, numbered(last)); err != nil {
			return err
		}
		fmt.Println(last + 1)
	}
}

// numbered is the record behind the one of that sequence: its own sequence,
// and some kilobytes.
func numbered(after uint64) journal.Record {
	data := make([]byte, 100+int(after%40)*100)
	binary.LittleEndian.PutUint64(data, after+1)
	return journal.Record{ID: fmt.Sprint("r", after+1), After: after, Data: data}
}

// fill lets no file grow past what it has, and tells how it goes.
func fill(p *journal.Pool, last uint64) error {
	ctx := context.Background()
	signal.Ignore(syscall.SIGXFSZ) // so that writing fails, as on a full disk
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	tight := before
	tight.Cur = 64 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &tight); err != nil {
		return err
	}
	for ; ; last++ {
		if _, err := p.Append(ctx, numbered(last)); err != nil {
			fmt.Println("full")
			break
		}
		fmt.Println(last + 1)
	}
	line := bufio.NewScanner(os.Stdin)
	line.Scan() // there is room again
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	for {
		seq, err := p.Resolve(ctx, numbered(last))
		if err == nil && seq == 0 {
			_, err = p.Append(ctx, numbered(last))
		}
		if err == nil {
			fmt.Println("room")
			return nil
		}
		fmt.Fprintln(os.Stderr, err)
		<-time.After(100 * time.Millisecond)
	}
}

// process is a child and what it says.
type process struct {
	*exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

// start runs a child on the folder.
func start(t *testing.T, dir string, env ...string) process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self) //nolint:gosec // this test
	cmd.Env = append(append(os.Environ(), childDir+"="+dir), env...)
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	return process{cmd, in, bufio.NewScanner(out)}
}

// TestKilledAtAnyMoment: what was acknowledged is there, in order, once, whole.
func TestKilledAtAnyMoment(t *testing.T) {
	dir := t.TempDir()
	acknowledged := uint64(0)
	for range 8 {
		p := start(t, dir)
		timer := (*time.Timer)(nil)
		for p.lines.Scan() {
			seq, err := strconv.ParseUint(p.lines.Text(), 10, 64)
			if err != nil {
				t.Fatalf("the child says %q", p.lines.Text())
			}
			acknowledged = seq
			if timer == nil {
				timer = time.AfterFunc(rand.N(80*time.Millisecond), func() { _ = p.Process.Kill() }) //nolint:gosec // a random moment
			}
		}
		_ = p.Wait()
		check(t, dir, acknowledged)
	}
	if acknowledged < 20 {
		t.Errorf("only %d records were acknowledged: nothing was tested", acknowledged)
	}
}

// check reads the journal: every record says its own sequence.
func check(t *testing.T, dir string, acknowledged uint64) {
	t.Helper()
	j, p := open(t, dir)
	defer j.Close()
	next := uint64(1)
	last, err := p.Replay(t.Context(), 0, func(seq uint64, data []byte) error {
		if seq != next || binary.LittleEndian.Uint64(data) != seq || len(data) != len(numbered(seq-1).Data) {
			t.Errorf("record %d says %d, of %d bytes; want %d", seq, binary.LittleEndian.Uint64(data), len(data), next)
		}
		next++
		return nil
	})
	if err != nil || last < acknowledged || last > acknowledged+1 {
		t.Errorf("%d records were acknowledged, and %d are there (%v)", acknowledged, last, err)
	}
}

// TestAFullDisk: an append fails while files cannot grow, and goes on when they
// can; nothing that was acknowledged is lost.
func TestAFullDisk(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "JOURNAL_TEST_FULL=1")
	acknowledged, full, room := uint64(0), false, false
	for p.lines.Scan() {
		switch text := p.lines.Text(); text {
		case "full":
			full = true
			if _, err := io.WriteString(p.in, "there is room again\n"); err != nil {
				t.Fatal(err)
			}
		case "room":
			room = true
			acknowledged++
		default:
			seq, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				t.Fatalf("the child says %q", text)
			}
			acknowledged = seq
		}
	}
	if err := p.Wait(); err != nil || !full || !room {
		t.Fatalf("the child ended with %v; full %v, room again %v", err, full, room)
	}
	check(t, dir, acknowledged)
}
