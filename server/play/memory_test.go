package play_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const (
	memoryWarm  = 200 // connections before the first reading
	memoryConns = 10_000

	journalCaches = 12 * time.Second // after which the journal drops what it has just written
)

// BenchmarkWaitingMemory reports the resident bytes of a server for each client
// that waits, at 10,000 of them, after a collection: of the whole service's
// part (sockets, places, queue and journal), and of a bare server in the manner
// of the WebSocket library's chat example. The clients live in this process,
// the servers in others. It does its work once, whatever b.N is.
func BenchmarkWaitingMemory(b *testing.B) {
	conns := min(memoryConns, raiseFiles()-memoryWarm-100)
	if conns < memoryConns {
		b.Logf("only %d connections: the limit of open files is low", conns)
	}
	ours := waitingBytes(b, "rendergate", conns)
	chat := waitingBytes(b, "chat", conns)
	for b.Loop() { //nolint:revive // the work is done
	}
	b.ReportMetric(ours, "B/client")
	b.ReportMetric(chat, "B/client-chat")
	b.ReportMetric(ours/chat, "ratio")
	b.ReportMetric(0, "ns/op")
}

func waitingBytes(b *testing.B, role string, conns int) float64 {
	c := startChild(b, role)
	url := c.ask("url")
	a := &audience{tb: b, url: url}
	defer a.leave()
	a.join(memoryWarm)
	a.settle(c, role)
	before := c.number("resident")
	a.join(conns)
	a.settle(c, role)
	return (c.number("resident") - before) / float64(conns)
}

// audience is a crowd of clients that read.
type audience struct {
	tb      testing.TB
	url     string
	clients []*websocket.Conn
	reading sync.WaitGroup
	heard   sync.Map
}

func (a *audience) join(n int) {
	a.tb.Helper()
	for range n {
		ws := member(a.tb, a.url)
		a.clients = append(a.clients, ws)
		a.reading.Go(func() {
			for {
				if _, _, err := ws.ReadMessage(); err != nil {
					return
				}
				a.heard.LoadOrStore(ws, true)
			}
		})
	}
}

// settle waits until every client has heard something and what the joins alone
// needed is gone; it sends the chatters a few messages of a place's size.
func (a *audience) settle(c *child, role string) {
	a.tb.Helper()
	if role == "chat" {
		for i := range 3 {
			c.ask("push " + strings.Repeat("x", 150) + strconv.Itoa(i))
		}
	}
	if role != "chat" {
		time.Sleep(journalCaches)
	}
	for end := time.Now().Add(time.Minute); a.count() < len(a.clients); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			a.tb.Fatalf("%d of %d clients have heard something", a.count(), len(a.clients))
		}
	}
}

func (a *audience) count() (n int) {
	a.heard.Range(func(any, any) bool {
		n++
		return true
	})
	return n
}

func (a *audience) leave() {
	for _, ws := range a.clients {
		_ = ws.Close()
	}
	a.reading.Wait()
}
