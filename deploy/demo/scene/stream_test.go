package scene

import (
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestFlight(t *testing.T) {
	now := time.Unix(1000, 0)
	f := &flight{fps: 20}
	send := func() uint32 { n := f.begin(now); f.taken(); return n }
	if !f.room() {
		t.Fatal("no room for the first frame")
	}
	send()
	last := send()
	if f.room() {
		t.Fatalf("room for a third frame before any has arrived; %d were told", f.acked)
	}
	if _, skipped := f.told(); skipped != 1 {
		t.Fatalf("%d frames skipped, want 1", skipped)
	}
	f.landed(last+1, now) // was never sent
	f.landed(last+1<<31, now)
	if f.room() {
		t.Fatal("a number that was never sent made room")
	}
	f.landed(last, now.Add(100*time.Millisecond))
	if rtt, _ := f.told(); rtt != 100*time.Millisecond {
		t.Fatalf("round trip %v, want 100 ms", rtt)
	}
	if n := f.window(); n != 4 { // two, and two that are on a way of 100 ms at 20 frames a second
		t.Fatalf("%d frames may be under way, want 4", n)
	}
	f.landed(last, now.Add(time.Hour)) // told already
	if rtt, _ := f.told(); rtt != 100*time.Millisecond {
		t.Fatalf("a pong that came twice made the round trip %v", rtt)
	}
	f.begin(now)
	if f.room() {
		t.Fatal("room although the writer has not taken the last frame")
	}
}

// TestFlightNeverQueues plays random ways: no more frames are under way than fit
// into the window, whatever pongs come.
func TestFlightNeverQueues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &flight{fps: rapid.Float64Range(1, 60).Draw(t, "fps")}
		now := time.Unix(1000, 0)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "ms")) * time.Millisecond)
			if rapid.Bool().Draw(t, "send") && f.room() {
				f.begin(now)
				f.taken()
			} else {
				f.landed(f.acked+rapid.Uint32Range(0, 20).Draw(t, "ack"), now)
			}
			if n := f.begun - f.acked; n > mostInFlight {
				t.Fatalf("%d frames under way", n)
			}
		}
	})
}

// noise is a picture that JPEG cannot make small.
func noise() *image.RGBA {
	r := rand.New(rand.NewPCG(1, 2))
	p := image.NewRGBA(image.Rect(0, 0, 320, 180))
	for i := range p.Pix {
		p.Pix[i] = uint8(r.Uint32())
	}
	return p
}

// TestCoderKeepsTheBitrate sends ten seconds of noise by a clock of its own.
func TestCoderKeepsTheBitrate(t *testing.T) {
	picture := noise()
	for _, bps := range []float64{200e3, 2e6, 50e6} {
		c := newCoder(bps, 20)
		now, bits, biggest, frames := time.Unix(1000, 0), 0.0, 0.0, 0
		for range 200 {
			if c.may(now) {
				f := c.encode(picture)
				frames++
				bits += float64(len(f.data) * 8)
				biggest = max(biggest, float64(len(f.data)*8))
				f.release()
			}
			now = now.Add(50 * time.Millisecond)
		}
		if most := bps*(10+burst) + biggest; bits > most {
			t.Errorf("at %v bit/s: %v bits in 10 s, want at most %v", bps, bits, most)
		}
		if frames == 0 || frames < 200 && c.quality != leastQuality {
			t.Errorf("at %v bit/s: %d of 200 frames at quality %d", bps, frames, c.quality)
		}
	}
}

func TestCoderFindsTheQuality(t *testing.T) {
	c := newCoder(4e6, 20)
	for range 500 {
		c.adapt(float64(c.quality) / 50) // as if 50 were just right
	}
	if c.quality < 42 || c.quality > 50 {
		t.Errorf("quality %d, want near 50", c.quality)
	}
	for range 500 {
		c.adapt(0.1)
	}
	if c.quality != mostQuality {
		t.Errorf("quality %d of an easy picture, want %d", c.quality, mostQuality)
	}
}

// TestFramesComeBack holds a frame to its holders: its memory is used again when
// the last has let go, and not before.
func TestFramesComeBack(t *testing.T) {
	c := newCoder(4e6, 20)
	f := c.encode(noise())
	f.hold()
	f.release()
	if g := c.encode(noise()); g == f {
		t.Fatal("a frame that is held was used again")
	}
	if f.held.Load() != 1 {
		t.Fatalf("held %d times, want once", f.held.Load())
	}
}
