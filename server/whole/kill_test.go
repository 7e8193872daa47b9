package whole

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// asleep is a session that does nothing, and can be found among the processes.
func asleep(t testing.TB) (command, mark string) {
	mark = strconv.Itoa(100_000_000 + rand.IntN(900_000_000)) //nolint:gosec // a mark
	t.Helper()
	return fmt.Sprintf(`[sleep, "%s.{{.Port}}"]`, mark), mark
}

// pids are the processes whose command line has the mark.
func pids(t testing.TB, mark string) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, f := range files {
		data, err := os.ReadFile(f) //nolint:gosec // of the kernel
		if err != nil || !strings.HasPrefix(string(data), "sleep\x00"+mark) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, pid)
	}
	return found
}

// referee sees what all players are told, and objects.
type referee struct {
	*system
	mu      sync.Mutex
	holders map[string]int       // by session: who was given it
	offers  map[string]time.Time // by offer: when it lapses
	played  int
	back    int // resumed after a lost connection
	wrongs  []string
}

func (r *referee) wrong(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrongs = append(r.wrongs, fmt.Sprintf(format, args...))
}

// given: a seat has one holder for ever, since its id is never used again.
func (r *referee) given(session string, to int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if from, taken := r.holders[session]; taken && from != to {
		r.wrongs = append(r.wrongs, fmt.Sprintf("session %s was given to player %d and to player %d", session, from, to))
	}
	r.holders[session] = to
}

func (r *referee) offered(m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, known := r.offers[m.Offer]; known && !before.Equal(m.ExpiresAt) {
		r.wrongs = append(r.wrongs, fmt.Sprintf("offer %s lapsed at %s, then at %s", m.Offer, before, m.ExpiresAt))
	}
	r.offers[m.Offer] = m.ExpiresAt
}

// visitor is a player who waits, plays a little and leaves.
type visitor struct {
	player
	n        int
	r        *referee
	entry    string
	position int
	session  string
	leaving  bool
	write    sync.Mutex
}

func (v *visitor) say(m map[string]any) {
	v.write.Lock()
	defer v.write.Unlock()
	_ = v.send(m) // a connection that is lost is noticed by the reader
}

// visit goes on over lost connections until the visitor has played and left.
func (v *visitor) visit(ctx context.Context) error {
	for {
		v.write.Lock()
		err := v.connect(ctx)
		v.write.Unlock()
		if err != nil {
			return err
		}
		for {
			m, err := v.next()
			if err != nil {
				break
			}
			if v.hear(m) {
				v.close()
				return nil
			}
		}
		v.close()
	}
}

// hear takes a message, and says whether that was all.
func (v *visitor) hear(m message) bool {
	switch m.Type {
	case "welcome":
		return v.welcomed(m)
	case "queued":
		if v.session != "" && !v.leaving {
			v.r.wrong("player %d had session %s and is in the queue again", v.n, v.session)
		}
		if m.Entry == v.entry && m.Position > v.position && m.Moved == "" {
			v.r.wrong("player %d was number %d and is number %d, without a word", v.n, v.position, m.Position)
		}
		v.entry, v.position = m.Entry, m.Position
	case "offered":
		v.r.offered(m)
		v.after(200*time.Millisecond, map[string]any{"type": "accept", "offer": m.Offer})
	case "starting", "seated":
		v.r.given(m.Session, v.n)
		if v.session != "" && v.session != m.Session {
			v.r.wrong("player %d had session %s and has %s", v.n, v.session, m.Session)
		}
		v.session = m.Session
		if m.Type == "seated" {
			v.leaving = true
			v.after(600*time.Millisecond, map[string]any{"type": "leave"})
		}
	case "ended":
		if !v.leaving || m.Reason != "left" {
			v.r.wrong("player %d: session %s ended: %s", v.n, m.Session, m.Reason)
		}
		return true
	case "refused", "error":
		v.r.wrong("player %d: %s: %s", v.n, m.Code, m.Message)
	}
	return false
}

func (v *visitor) welcomed(m message) bool {
	known := v.resume != ""
	v.resume = m.Resume
	switch {
	case known && m.Resumed:
		v.r.mu.Lock()
		v.r.back++
		v.r.mu.Unlock()
	case known && v.leaving: // it had left; the answer was lost, and this is a new place
		v.say(map[string]any{"type": "leave"})
		return true
	case known:
		v.r.wrong("player %d had a place (%s) or a seat (%s), and nobody knows of it", v.n, v.entry, v.session)
	}
	return false
}

// after says something a random while later.
func (v *visitor) after(most time.Duration, m map[string]any) {
	conn := v.conn
	time.AfterFunc(rand.N(most), func() { //nolint:gosec // a pause
		v.write.Lock()
		defer v.write.Unlock()
		if v.conn == conn {
			_ = v.send(m)
		}
	})
}

// TestKillUnderLoad kills the service again and again while two hundred players
// come, wait, play and leave. No seat is lost, none has two holders, nobody
// passes anybody, and everybody gets to play.
func TestKillUnderLoad(t *testing.T) {
	const players, kills = 200, 5
	command, _ := asleep(t)
	y := start(t, setup{Seats: 20, Cost: 0.01, Share: 64, Command: command})
	r := &referee{system: y, holders: map[string]int{}, offers: map[string]time.Time{}}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for n := range players {
		all.Go(func() {
			v := &visitor{player: player{y: y}, n: n, r: r}
			if err := v.visit(ctx); err != nil {
				r.wrong("player %d never got to play: %v", n, err)
				return
			}
			r.mu.Lock()
			r.played++
			r.mu.Unlock()
		})
	}
	for range kills {
		pause := 300*time.Millisecond + rand.N(1200*time.Millisecond) //nolint:gosec // a random moment
		t.Logf("killed after another %s", pause)
		<-time.After(pause)
		before := y.queue()
		y.service.stop(syscall.SIGKILL)
		y.startService()
		sameOrder(t, before, y.queue())
	}
	all.Wait()
	for _, w := range r.wrongs[:min(20, len(r.wrongs))] {
		t.Error(w)
	}
	t.Logf("%d played, %d came back with their secret, %d offers", r.played, r.back, len(r.offers))
	if r.played != players || r.back < 50 {
		t.Errorf("%d of %d played, and %d came back", r.played, players, r.back)
	}
	y.until("every seat is free", func() bool { return len(y.sessions()) == 0 })
}

// sameOrder: those who are in both lists are in the same order.
func sameOrder(t *testing.T, before, after []string) {
	t.Helper()
	both := func(list, other []string) []string {
		var kept []string
		for _, id := range list {
			if slices.Contains(other, id) {
				kept = append(kept, id)
			}
		}
		return kept
	}
	if a, b := both(before, after), both(after, before); !slices.Equal(a, b) {
		t.Errorf("the order was %v, and is %v", a, b)
	}
}

// TestOfferKeepsItsClock: whoever was offered a seat when the service died has
// the same offer after, and no more time than before.
func TestOfferKeepsItsClock(t *testing.T) {
	command, _ := asleep(t)
	y := start(t, setup{Seats: 1, Cost: 0.01, Share: 64, Command: command})
	ann := y.come()
	held := ann.until("seated")
	bob := y.come()
	bob.until("queued")
	cem := y.come()
	cem.until("queued")
	if err := ann.send(map[string]any{"type": "leave"}); err != nil {
		t.Fatal(err)
	}
	offer := bob.until("offered")
	if offer.Session == held.Session {
		t.Errorf("session %s is offered again", held.Session)
	}
	y.service.stop(syscall.SIGKILL)
	y.startService()
	for _, p := range []*player{bob, cem} {
		if err := p.connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !p.until("welcome").Resumed {
			t.Error("nobody knows of a place after the restart")
		}
	}
	again := bob.until("offered")
	if again.Offer != offer.Offer || again.Session != offer.Session || !again.ExpiresAt.Equal(offer.ExpiresAt) {
		t.Errorf("before: %+v, after: %+v", offer, again)
	}
	if m := cem.until("queued"); m.Position != 1 {
		t.Errorf("the one behind is number %d", m.Position)
	}
	if err := bob.send(map[string]any{"type": "accept", "offer": offer.Offer}); err != nil {
		t.Fatal(err)
	}
	if m := bob.until("seated"); m.Session != offer.Session {
		t.Errorf("the seat was %s, and is %s", offer.Session, m.Session)
	}
}

// TestKilledProbe: what a killed probe has left is ended, and the seat gets a
// new process once there is a probe again.
func TestKilledProbe(t *testing.T) {
	command, mark := asleep(t)
	y := start(t, setup{Seats: 2, Cost: 0.01, Share: 64, Command: command})
	ann := y.come()
	seat := ann.until("seated")
	if n := len(pids(t, mark)); n != 1 {
		t.Fatalf("%d processes of one session", n)
	}
	y.probe.stop(syscall.SIGKILL)
	y.until("nothing of the session is left", func() bool { return len(pids(t, mark)) == 0 })
	y.startProbe()
	if again := ann.until("seated"); again.Session != seat.Session {
		t.Errorf("the seat was %s, and is %s", seat.Session, again.Session)
	}
	if n := len(pids(t, mark)); n != 1 {
		t.Errorf("%d processes of one session", n)
	}
}

// TestKilledSession: a seat outlives its process.
func TestKilledSession(t *testing.T) {
	command, mark := asleep(t)
	y := start(t, setup{Seats: 2, Cost: 0.01, Share: 64, Command: command})
	ann := y.come()
	seat := ann.until("seated")
	first := pids(t, mark)
	if len(first) != 1 {
		t.Fatalf("processes %v of one session", first)
	}
	if err := syscall.Kill(first[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if again := ann.until("seated"); again.Session != seat.Session {
		t.Errorf("the seat was %s, and is %s", seat.Session, again.Session)
	}
	if second := pids(t, mark); len(second) != 1 || second[0] == first[0] {
		t.Errorf("processes %v, then %v", first, second)
	}
	if err := ann.send(map[string]any{"type": "leave"}); err != nil {
		t.Fatal(err)
	}
	y.until("nothing of the session is left", func() bool { return len(pids(t, mark)) == 0 && len(y.sessions()) == 0 })
}

// TestGracefulStop: players are told that the service goes away, and find their
// seat when it is back. The host's session runs on meanwhile.
func TestGracefulStop(t *testing.T) {
	command, mark := asleep(t)
	y := start(t, setup{Seats: 2, Cost: 0.01, Share: 64, Command: command})
	ann := y.come()
	seat := ann.until("seated")
	before := pids(t, mark)
	y.service.stop(syscall.SIGTERM)
	for {
		if _, err := ann.next(); err != nil {
			if !websocket.IsCloseError(err, 4503) {
				t.Errorf("the connection ended with %v, want close code 4503", err)
			}
			break
		}
	}
	if status := y.service.cmd.ProcessState.ExitCode(); status != 0 {
		t.Errorf("the service ended with status %d", status)
	}
	y.startService()
	if err := ann.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := ann.until("seated"); again.Session != seat.Session {
		t.Errorf("the seat was %s, and is %s", seat.Session, again.Session)
	}
	if after := pids(t, mark); !slices.Equal(before, after) {
		t.Errorf("processes %v, then %v", before, after)
	}
}
