package scene

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/rendergate/rendergate/deploy/demo/scene/showroom"
)

// figures are what the scene tells of itself.
type figures struct {
	FPS       float64 `json:"fps"`
	RenderMS  float64 `json:"render_ms"` // of a frame, mean
	EncodeMS  float64 `json:"encode_ms"`
	Triangles int     `json:"triangles"`
	Quality   int     `json:"quality"`
	Level     int     `json:"level"`
}

// statsFrame is sent to the player once a second; RTT and dropped are of its
// own connection.
type statsFrame struct {
	Type string `json:"type"` // "stats"
	figures
	RTTMS   float64 `json:"rtt_ms"`
	Dropped uint64  `json:"dropped"` // frames not sent since the connection began
}

// meter counts frames and their times, by the second.
type meter struct {
	shown  figures
	since  time.Time
	frames int
	drawn  time.Duration
	coded  time.Duration
}

type frameTimes struct {
	at           time.Time
	drawn, coded time.Duration
	cost         showroom.Cost
}

func (m *meter) frame(t frameTimes) {
	if m.since.IsZero() {
		m.since = t.at
	}
	m.frames++
	m.drawn += t.drawn
	m.coded += t.coded
	m.shown.Triangles = t.cost.Triangles
}

func (m *meter) due(now time.Time) bool { return now.Sub(m.since) >= time.Second }

// publish closes the second and gives its figures.
func (m *meter) publish(now time.Time, level, quality int) figures {
	n := float64(m.frames)
	m.shown.FPS = n / now.Sub(m.since).Seconds()
	m.shown.RenderMS = m.drawn.Seconds() * 1000 / n
	m.shown.EncodeMS = m.coded.Seconds() * 1000 / n
	m.shown.Level, m.shown.Quality = level, quality
	m.since, m.frames, m.drawn, m.coded = now, 0, 0, 0
	return m.shown
}

func (f figures) frame(rtt time.Duration, dropped uint64) []byte {
	data, err := json.Marshal(statsFrame{Type: "stats", figures: f, RTTMS: float64(rtt.Microseconds()) / 1000, Dropped: dropped})
	if err != nil {
		return []byte(`{"type":"stats"}`) // never: the figures are finite
	}
	return data
}

// board writes the lines in the picture, into memory of its own.
type board struct {
	first, second []byte
	lines         [2][]byte
}

type boardLine struct {
	session string
	now     time.Time
	meter   figures
	level   int
}

// maxShown bounds how much of a session's name is shown.
const maxShown = 28

func (b *board) write(l boardLine) [][]byte {
	b.first = append(append(b.first[:0], "session "...), l.session[:min(maxShown, len(l.session))]...)
	b.second = strconv.AppendFloat(b.second[:0], l.meter.FPS, 'f', 1, 64)
	b.second = append(b.second, " fps  "...)
	b.second = strconv.AppendFloat(b.second, l.meter.RenderMS, 'f', 1, 64)
	b.second = append(b.second, " ms  scene "...)
	b.second = strconv.AppendInt(b.second, int64(l.level), 10)
	b.second = append(b.second, "  "...)
	b.second = l.now.UTC().AppendFormat(b.second, "15:04:05.0")
	b.lines = [2][]byte{b.first, b.second}
	return b.lines[:]
}
