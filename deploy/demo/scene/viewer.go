package scene

import (
	"encoding/binary"
	"math"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Limits of a socket.
const (
	writeTimeout = 10 * time.Second
	pongTimeout  = 20 * time.Second
	closeTimeout = time.Second
	maxNotes     = 8
	hardLimit    = 64 << 10 // a frame beyond it is not even read to its end
)

// viewer is one who looks: the player, or the publisher for spectators. A
// goroutine of its own writes to it, so that a slow one delays nobody.
type viewer struct {
	conn   *websocket.Conn
	first  []byte      // the text frame that comes before all others
	mail   chan mail   // one frame on its way to the writer
	notes  chan []byte // text frames; those that find no room are lost
	flight flight
	quit   chan struct{}
	once   sync.Once
	late   *time.Timer // closes the connection if the other end does not; owned by the writer
	code   int
	text   string
}

// mail is a frame and its number on this connection.
type mail struct {
	frame *frame
	seq   uint32
}

func newViewer(conn *websocket.Conn, fps float64, first []byte) *viewer {
	v := &viewer{conn: conn, first: first, mail: make(chan mail, 1), notes: make(chan []byte, maxNotes), quit: make(chan struct{})}
	v.flight.fps = fps
	return v
}

// stop ends the connection with a close code; 0 says nothing to the other end.
func (v *viewer) stop(code int, text string) {
	v.once.Do(func() {
		v.code, v.text = code, text
		close(v.quit)
		// A write that waits for a slow reader does not wait much longer.
		_ = v.conn.NetConn().SetWriteDeadline(time.Now().Add(closeTimeout))
	})
}

// note sends a text frame, if there is room.
func (v *viewer) note(data []byte) {
	select {
	case v.notes <- data:
	default:
	}
}

// give sends a frame. Only the hub calls it, and only after [flight.room].
func (v *viewer) give(f *frame) {
	f.hold()
	select {
	case v.mail <- mail{frame: f, seq: v.flight.begin(time.Now())}:
	default:
		f.release() // never: room says that the writer has taken the last one
	}
}

// write sends what there is to send until the connection ends.
func (v *viewer) write() {
	defer v.close()
	for err := v.message(websocket.TextMessage, v.first); ; {
		if err != nil {
			v.stop(0, "")
			return
		}
		select {
		case m := <-v.mail:
			err = v.frame(m)
		case n := <-v.notes:
			err = v.message(websocket.TextMessage, n)
		case <-v.quit:
			return
		}
	}
}

// frame sends a frame and a ping behind it. The pong comes back when the other
// end has taken the frame: a browser answers by itself and in order. So the
// stream knows what is under way without a word of the page, and the gate, which
// watches for data from the player, does not take it for input.
func (v *viewer) frame(m mail) error {
	defer m.frame.release()
	if err := v.message(websocket.BinaryMessage, m.frame.data); err != nil {
		return err
	}
	v.flight.taken()
	return v.conn.WriteControl(websocket.PingMessage, binary.BigEndian.AppendUint32(nil, m.seq), time.Now().Add(writeTimeout))
}

func (v *viewer) message(kind int, data []byte) error {
	if err := v.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return v.conn.WriteMessage(kind, data)
}

// close says why and lets the frame go that the hub put here after the end. The
// other end has a moment to close too: to break off would lose it the reason.
func (v *viewer) close() {
	if v.code != 0 {
		_ = v.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(v.code, v.text), time.Now().Add(closeTimeout))
		v.late = time.AfterFunc(closeTimeout, func() { _ = v.conn.Close() })
	} else {
		_ = v.conn.Close()
	}
	select {
	case m := <-v.mail:
		m.frame.release()
	default:
	}
}

// ended says whether the connection is to end.
func (v *viewer) ended() bool {
	select {
	case <-v.quit:
		return true
	default:
		return false
	}
}

// read takes what the other end sends until the connection ends; got is called
// with each data frame.
func (v *viewer) read(got func(data []byte)) {
	defer v.stop(0, "")
	v.conn.SetReadLimit(hardLimit)
	v.conn.SetPongHandler(v.pong)
	err := v.extend()
	for err == nil {
		var data []byte
		_, data, err = v.conn.ReadMessage()
		switch {
		case err != nil || v.ended():
		case len(data) > maxInputBytes:
			v.stop(closeTooLarge, "frame too large")
		default:
			got(data)
		}
	}
}

func (v *viewer) pong(payload string) error {
	if len(payload) == 4 {
		v.flight.landed(binary.BigEndian.Uint32([]byte(payload)), time.Now())
	}
	return v.extend()
}

// extend gives the other end more time.
func (v *viewer) extend() error { return v.conn.SetReadDeadline(time.Now().Add(pongTimeout)) }

// flight is what is on its way to one who looks. It allows as many frames as fit
// into the way there and back, and two more: enough to keep the rate over a long
// way, too few to queue up in front of a slow reader.
type flight struct {
	mu       sync.Mutex
	fps      float64
	begun    uint32 // frames given
	acked    uint32 // frames that have arrived
	waiting  bool   // one is with the writer
	at       [mostInFlight + 1]time.Time
	rtt      time.Duration // of the newest frame
	least    time.Duration // about the way itself, without queues
	skipped  uint64
	answered bool
}

const (
	leastInFlight = 2
	mostInFlight  = 15
)

// room says whether one more frame may be sent, and counts it as skipped if not.
func (f *flight) room() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting || int(f.begun-f.acked) >= f.window() {
		f.skipped++
		return false
	}
	return true
}

func (f *flight) window() int {
	return min(mostInFlight, leastInFlight+int(math.Ceil(f.least.Seconds()*f.fps)))
}

// skip counts a frame that was not sent for another reason.
func (f *flight) skip() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.skipped++
}

func (f *flight) begin(now time.Time) uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun++
	f.waiting = true
	f.at[f.begun%uint32(len(f.at))] = now
	return f.begun
}

// taken says that the writer has written the frame it had.
func (f *flight) taken() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = false
}

// landed says that a frame has arrived, and so all before it. Numbers that were
// not sent, or have been told, mean nothing.
func (f *flight) landed(seq uint32, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := seq - f.acked; n == 0 || n > f.begun-f.acked {
		return
	}
	f.acked = seq
	f.rtt = now.Sub(f.at[seq%uint32(len(f.at))])
	if !f.answered || f.rtt < f.least {
		f.least, f.answered = f.rtt, true
		return
	}
	f.least += (f.rtt - f.least) / 256 // a way that has become longer is believed slowly
}

// told gives the newest round trip and how many frames were not sent.
func (f *flight) told() (time.Duration, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rtt, f.skipped
}
