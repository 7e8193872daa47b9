package play_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/play"
)

// bystander is somebody who waits and must notice nothing of what others do.
type bystander struct {
	*client
	entry string
}

func (s *scene) bystander(t *testing.T) bystander {
	t.Helper()
	c := s.join(t, "")
	return bystander{c, c.until("queued").Entry}
}

// fine checks that the bystander is still served and has kept the place.
func (b bystander) fine(s *scene) {
	b.t.Helper()
	s.do(admission.Pause{By: "ops"})
	b.find(func(m said) bool { return m.Type == "notice" && m.Code == "paused" })
	s.do(admission.Unpause{By: "ops"})
	b.find(func(m said) bool { return m.Type == "notice" && m.Code == "resumed" })
	s.read(func(_ time.Time, p *admission.Pool) {
		if e, ok := p.Entry(b.entry); !ok || !e.Connected || e.Position != 1 {
			b.t.Errorf("the bystander's place is %+v", e)
		}
	})
}

func TestBadFramesEndTheirConnectionAlone(t *testing.T) {
	s := newScene(t, options{})
	b := s.bystander(t)
	join := `{"type":"join","intent":"play"}`
	for name, c := range map[string]struct {
		frames []string
		code   int
	}{
		"not JSON first":       {[]string{`x`}, 4400},
		"not a join first":     {[]string{`{"type":"leave"}`}, 4400},
		"an unknown type":      {[]string{`{"type":"nonsense"}`}, 4400},
		"a join without":       {[]string{`{"type":"join"}`}, 4400},
		"a wrong type":         {[]string{`{"type":"join","intent":3}`}, 4400},
		"three bad ones":       {[]string{join, `x`, `{"type":"accept"}`, `{}`}, 4400},
		"17 KiB first":         {[]string{strings.Repeat("x", 17<<10)}, 4413},
		"1 MiB after the join": {[]string{join, strings.Repeat("x", 1<<20)}, 4413},
		"a forged identity":    {[]string{`{"type":"join","intent":"play","identity":"forged"}`}, 4401},
		"a flood": {append([]string{join}, func() (list []string) {
			for range 200 {
				list = append(list, `{"type":"unwatch"}`)
			}
			return list
		}()...), 4429},
	} {
		t.Run(name, func(t *testing.T) {
			w := s.dial(t, nil)
			for _, f := range c.frames {
				_ = w.ws.WriteMessage(websocket.TextMessage, []byte(f))
			}
			w.closed(c.code)
		})
	}
	t.Run("a binary frame", func(t *testing.T) {
		w := s.join(t, "")
		_ = w.ws.WriteMessage(websocket.BinaryMessage, []byte("x"))
		w.closed(4400)
	})
	b.fine(s)
}

func TestABadFrameIsExplained(t *testing.T) {
	s := newScene(t, options{})
	c := s.join(t, "")
	c.until("queued")
	for _, bad := range []string{`x`, `{"type":"accept"}`} {
		c.say(bad)
		if m := c.until("error"); m.Code != "bad_message" || !strings.Contains(m.Message, "want") {
			t.Errorf("%s: %+v", bad, m)
		}
	}
	c.say(`{"type":"report","fps":60,"rtt_ms":1,"bitrate_bps":1,"frames_dropped":0}`) // a good one, and the count begins anew
	for range 2 {
		c.say(`{"type":"what"}`)
		c.until("error")
	}
}

func TestMessagesInPiecesAndPings(t *testing.T) {
	s := newScene(t, options{})
	c := s.dial(t, nil)
	w, err := c.ws.NextWriter(websocket.TextMessage)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, `{"type":"join",`+strings.Repeat(" ", 9000)) // more than a frame of this client holds
	if err := c.ws.WriteControl(websocket.PingMessage, []byte("inside"), time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, `"intent":"play"}`)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	pongs := make(chan string, 2)
	c.ws.SetPongHandler(func(payload string) error {
		pongs <- payload
		return nil
	})
	if err := c.ws.WriteControl(websocket.PingMessage, []byte("between"), time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	c.until("queued")
	c.say(`{"type":"leave"}`)
	c.until("ended")
	for _, want := range []string{"inside", "between"} {
		if got := <-pongs; got != want {
			t.Errorf("a pong to %q, want %q", got, want)
		}
	}
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(patience))
	c.closed(1000)
}

func TestOriginAndSubprotocol(t *testing.T) {
	s := newScene(t, options{})
	s.dial(t, http.Header{"Origin": {"http://evil.example"}}).closed(4403)
	ws, _, err := (&websocket.Dialer{}).DialContext(t.Context(), s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.Close() }()
	(&client{t, ws}).closed(4400)
}

func TestOneAddressHasItsLimits(t *testing.T) {
	var open, joins atomic.Int64
	s := newScene(t, options{play: func(o *play.Options) {
		o.Connect = func(address string) (func(), bool) {
			if address == "flood" && open.Add(1) > 64 {
				open.Add(-1)
				return nil, false
			}
			return func() { open.Add(-1) }, true
		}
		o.Join = func(address string) bool { return address != "eager" || joins.Add(1) <= 3 }
	}})
	b := s.bystander(t)
	from := func(address string) http.Header { return http.Header{"X-Address": {address}} }
	var all []*client
	for i := range 1000 {
		all = append(all, s.dial(t, from("flood")))
		if i < 64 { // or they would be cut for that before the last has come
			all[i].say(`{"type":"join","intent":"play"}`)
		}
	}
	for _, c := range all[64:] {
		c.closed(4429)
	}
	all[0].until("queued")
	eager := s.dial(t, from("eager"))
	for range 3 {
		eager.say(`{"type":"join","intent":"play"}`)
		eager.until("welcome")
	}
	eager.say(`{"type":"join","intent":"play"}`)
	eager.closed(4429)
	b.fine(s)
}

// One who never reads is cut, and delays nobody.
func TestASlowReaderIsCut(t *testing.T) {
	s := newScene(t, options{})
	b := s.bystander(t)
	d := websocket.Dialer{Subprotocols: []string{play.Protocol}, NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if tcp, ok := c.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(2048)
		}
		return c, err
	}}
	ws, _, err := d.DialContext(t.Context(), s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.Close() }()
	slow := &client{t, ws}
	slow.say(`{"type":"join","intent":"play"}`)
	entry := slow.until("queued").Entry
	began, gone := time.Now(), false
	for !gone {
		s.do(admission.Pause{By: "ops"})
		s.do(admission.Unpause{By: "ops"})
		sent := time.Now()
		b.find(func(m said) bool { return m.Type == "notice" && m.Code == "resumed" })
		if late := time.Since(sent); late > 2*time.Second {
			t.Fatalf("the bystander waited for %s", late)
		}
		s.read(func(_ time.Time, p *admission.Pool) {
			e, ok := p.Entry(entry)
			gone = ok && !e.Connected // the place is kept for the grace
		})
		if time.Since(began) > patience {
			t.Fatal("one who does not read is still connected")
		}
	}
	b.fine(s)
}

func TestAPlaceIsResumedAndTakenOver(t *testing.T) {
	s := newScene(t, options{})
	first := s.join(t, "")
	w, q := first.until("welcome"), first.until("queued")
	if w.Resumed || q.Position != 1 || q.BlockedBy == nil {
		t.Fatalf("%+v, %+v", w, q)
	}
	second := s.join(t, `,"resume":"`+w.Resume+`"`)
	w2, q2 := second.until("welcome"), second.until("queued")
	if !w2.Resumed || w2.Client != w.Client || w2.Resume != w.Resume || q2.Entry != q.Entry {
		t.Fatalf("%+v, %+v", w2, q2)
	}
	first.closed(4409)
	_ = second.ws.Close()
	s.connected(w.Client, false)
	third := s.join(t, `,"resume":"`+w.Resume+`"`)
	if w3, q3 := third.until("welcome"), third.until("queued"); !w3.Resumed || q3.Entry != q.Entry {
		t.Errorf("%+v, %+v", w3, q3)
	}
	s.connected(w.Client, true)
	fourth := s.join(t, `,"resume":"unknown"`)
	if w4 := fourth.until("welcome"); w4.Resumed || w4.Client == w.Client {
		t.Errorf("%+v", w4)
	}
}

// connected waits until the pool has the client so.
func (s *scene) connected(client string, want bool) {
	s.tb.Helper()
	for end := time.Now().Add(patience); ; {
		is := false
		s.read(func(_ time.Time, p *admission.Pool) {
			c, ok := p.Client(client)
			is = ok && c.Connected == want
		})
		if is {
			return
		}
		if time.Now().After(end) {
			s.tb.Fatalf("connected is not %v", want)
		}
	}
}

func TestOneIdentityHasOnePlace(t *testing.T) {
	s := newScene(t, options{})
	first := s.join(t, `,"identity":"ann"`)
	w, q := first.until("welcome"), first.until("queued")
	second := s.join(t, `,"identity":"ann"`)
	if w2, q2 := second.until("welcome"), second.until("queued"); w2.Client != w.Client || q2.Entry != q.Entry || q2.Length != 1 {
		t.Errorf("%+v, %+v", w2, q2)
	}
	first.closed(4409)
	s.join(t, `,"identity":"bob","resume":"`+w.Resume+`"`).until("welcome") // Ann's secret has changed with her tab
	w3 := s.join(t, `,"identity":"cleo"`).until("welcome")
	s.join(t, `,"identity":"dora","resume":"`+w3.Resume+`"`).closed(4401)
}

func TestASeatOutlivesItsSocket(t *testing.T) {
	s := newScene(t, options{})
	s.host("h1")
	c := s.join(t, "")
	w := c.until("welcome")
	seat := c.until("seated")
	_ = c.ws.Close()
	s.connected(w.Client, false)
	again := s.join(t, `,"resume":"`+w.Resume+`"`)
	if m := again.until("seated"); m.Session != seat.Session {
		t.Errorf("%+v, want %s", m, seat.Session)
	}
}

func TestClosingTellsEverybodyAndWaitsForNobody(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(t *testing.T) { testClosing(t, secure) })
	}
}

func testClosing(t *testing.T, secure bool) {
	s := newScene(t, options{tls: secure})
	reads, silent := s.join(t, ""), s.join(t, "")
	reads.until("queued")
	silent.until("queued")
	done := make(chan time.Duration, 1)
	go func() {
		began := time.Now()
		s.hub.Close()
		done <- time.Since(began)
	}()
	reads.closed(4503)
	if took := <-done; took > 4*time.Second {
		t.Errorf("closing took %s", took)
	}
	late := s.dial(t, nil)
	late.closed(4503)
}
