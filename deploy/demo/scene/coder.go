package scene

import (
	"image"
	"image/jpeg"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
)

// frame is an encoded picture as it goes out: a kind byte and a JPEG. It is
// shared by those who look; the last who lets go gives its memory back.
type frame struct {
	data []byte
	held atomic.Int32
	home *sync.Pool
}

func (f *frame) hold() { f.held.Add(1) }

func (f *frame) release() {
	if f.held.Add(-1) == 0 {
		f.home.Put(f)
	}
}

// Write, WriteByte and Flush let the encoder write without a buffer between.
func (f *frame) Write(p []byte) (int, error) { f.data = append(f.data, p...); return len(p), nil }

// WriteByte appends one byte.
func (f *frame) WriteByte(b byte) error { f.data = append(f.data, b); return nil }

// Flush has nothing to do.
func (f *frame) Flush() error { return nil }

// Qualities between which the coder adapts, of JPEG's 1 to 100.
const (
	startQuality = 75
	leastQuality = 20
	mostQuality  = 85
)

// coder makes JPEGs within a bitrate: it lowers the quality when frames come
// out too large, and skips a frame where that is not enough.
type coder struct {
	bps     float64
	target  float64 // bits a frame
	quality int
	debt    float64 // bits sent ahead of the bitrate
	since   time.Time
	small   int // frames in a row well below the target
	pool    *sync.Pool
	skipped int
}

func newCoder(bps, fps float64) *coder {
	pool := &sync.Pool{}
	pool.New = func() any { return &frame{home: pool} }
	return &coder{bps: bps, target: 0.92 * bps / fps, quality: startQuality, pool: pool}
}

// burst is how far ahead of its bitrate a stream may be, in seconds.
const burst = 0.25

// may says whether the bitrate allows one more frame now.
func (c *coder) may(now time.Time) bool {
	if !c.since.IsZero() {
		c.debt = max(0, c.debt-now.Sub(c.since).Seconds()*c.bps)
	}
	c.since = now
	if c.debt > burst*c.bps {
		c.skipped++
		return false
	}
	return true
}

// encode makes a frame of a picture. The caller holds it once.
func (c *coder) encode(picture *image.RGBA) *frame {
	f, ok := c.pool.Get().(*frame)
	if !ok {
		f = &frame{home: c.pool}
	}
	f.data = append(f.data[:0], wire.ChunkKey)
	f.held.Store(1)
	_ = jpeg.Encode(f, picture, &jpeg.Options{Quality: c.quality}) //nolint:errcheck // a frame takes all that is written
	bits := float64(len(f.data) * 8)
	c.debt += bits
	c.adapt(bits / c.target)
	return f
}

// adapt moves the quality by how large a frame came out: down at once, up slowly.
func (c *coder) adapt(ratio float64) {
	switch {
	case ratio > 1:
		c.quality = max(leastQuality, c.quality-min(15, 1+int(12*(ratio-1))))
		c.small = 0
	case ratio < 0.85:
		if c.small++; c.small >= 5 {
			c.quality, c.small = min(mostQuality, c.quality+1), 0
		}
	default:
		c.small = 0
	}
}
