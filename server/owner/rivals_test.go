package owner_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fsyncs is what the disk can do: one record after the other, each written and
// synced, a second.
func fsyncs(b *testing.B, dir string, record []byte) float64 {
	b.Helper()
	f, err := os.Create(filepath.Join(dir, "bare")) //nolint:gosec // a folder of the test
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	began, n := time.Now(), 0
	for ; time.Since(began) < 2*time.Second; n++ {
		if _, err := f.Write(record); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(began).Seconds()
}

// seatCounter is what operators write themselves: a counter of seats in Redis
// that refuses when it is full.
const seatCounter = `local n = redis.call('INCR', KEYS[1]); if n > tonumber(ARGV[1]) then redis.call('DECR', KEYS[1]); return 0 end; redis.call('DECR', KEYS[1]); redis.call('RPUSH', KEYS[2], n); return n`

// redis runs Debian's redis-server on a folder, durable as it can be.
func redis(b *testing.B, dir string) (socket string) {
	b.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		b.Fatal("redis-server is not installed: `make deps` installs it")
	}
	socket = filepath.Join(dir, "redis.sock")
	cmd := exec.CommandContext(b.Context(), path, "--port", "0", "--unixsocket", socket, "--dir", dir, //nolint:gosec // fixed words
		"--appendonly", "yes", "--appendfsync", "always", "--save", "")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(10 * time.Second); ; {
		if conn, err := net.Dial("unix", socket); err == nil { //nolint:noctx // a socket of the test
			_ = conn.Close()
			return socket
		}
		if time.Now().After(deadline) {
			b.Fatal("redis-server does not listen")
		}
		<-time.After(10 * time.Millisecond)
	}
}

// redisDecisions is how many seats a second that many clients count there.
func redisDecisions(b *testing.B, dir string, clients int) float64 {
	b.Helper()
	socket := redis(b, dir)
	command := resp("EVAL", seatCounter, "2", "seats", "log", "1000000000")
	began := time.Now()
	counts := make([]int, clients)
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			conn, err := net.Dial("unix", socket) //nolint:noctx // a socket of the test
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			answers := bufio.NewReader(conn)
			for ; time.Since(began) < 3*time.Second; counts[c]++ {
				if _, err := conn.Write(command); err != nil {
					b.Error(err)
					return
				}
				if answer, err := answers.ReadString('\n'); err != nil || !strings.HasPrefix(answer, ":") {
					b.Errorf("redis answers %q, %v", answer, err)
					return
				}
			}
		})
	}
	all.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return float64(sum) / time.Since(began).Seconds()
}

// resp is a command in Redis's protocol.
func resp(words ...string) []byte {
	var s strings.Builder
	fmt.Fprintf(&s, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&s, "$%d\r\n%s\r\n", len(w), w)
	}
	return []byte(s.String())
}
