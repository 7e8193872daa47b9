package showroom

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/rendergate/rendergate/deploy/demo/scene/raster"
)

func usual(seconds float64) View {
	return View{
		Seconds: seconds, Around: raster.Vec{Y: 0.6}, Yaw: 0.9, Pitch: 0.16, Zoom: 7.2, Paint: raster.Vec{X: .75, Y: .03, Z: .05},
		Detail: 1, Lines: [][]byte{[]byte("session s-1"), []byte("20.0 fps")},
	}
}

func TestSameViewSamePicture(t *testing.T) {
	one, two := New(320, 180), New(320, 180)
	one.Draw(usual(99)) // what was drawn before does not matter
	for _, seconds := range []float64{0, 1.25, 3600} {
		a, costA := one.Draw(usual(seconds))
		b, costB := two.Draw(usual(seconds))
		if !bytes.Equal(a.Pix, b.Pix) || costA != costB {
			t.Fatalf("at %v s the same view gave two pictures", seconds)
		}
	}
}

func TestThingsMove(t *testing.T) {
	s := New(320, 180)
	a, _ := s.Draw(usual(1))
	before := bytes.Clone(a.Pix)
	b, _ := s.Draw(usual(1.05))
	if bytes.Equal(before, b.Pix) {
		t.Fatal("nothing moved between two frames")
	}
}

func TestMoreDetailCostsMore(t *testing.T) {
	s := New(320, 180)
	last := Cost{}
	for _, detail := range []float64{0.3, 1, 2, 4, 8, 16} {
		v := usual(2)
		v.Detail = detail
		_, cost := s.Draw(v)
		if cost.Triangles <= last.Triangles || cost.Pixels <= last.Pixels {
			t.Fatalf("detail %v costs %+v, no more than the one below: %+v", detail, cost, last)
		}
		last = cost
	}
	v := usual(2)
	v.Detail = MaxDetail * 10
	if _, cost := s.Draw(v); cost != last {
		t.Fatalf("beyond the most: %+v, want %+v", cost, last)
	}
}

// TestAnyView draws from wherever the camera may be.
func TestAnyView(t *testing.T) {
	s := New(160, 90)
	rapid.Check(t, func(t *rapid.T) {
		v := usual(rapid.Float64Range(0, 1e5).Draw(t, "seconds"))
		v.Yaw, v.Pitch = rapid.Float64Range(-7, 7).Draw(t, "yaw"), rapid.Float64Range(0.05, 1.2).Draw(t, "pitch")
		v.Zoom = rapid.Float64Range(4.2, 12).Draw(t, "zoom")
		v.Around.X = rapid.Float32Range(-2.2, 2.2).Draw(t, "x")
		picture, _ := s.Draw(v)
		for i, w := range s.coarse.Depth {
			if math.IsNaN(float64(w)) || math.IsInf(float64(w), 0) {
				t.Fatalf("depth of pixel %d is %v", i, w)
			}
		}
		for i := 3; i < len(picture.Pix); i += 4 {
			if picture.Pix[i] != 255 {
				t.Fatalf("pixel %d can be seen through", i/4)
			}
		}
	})
}

func TestFramesAllocateNothing(t *testing.T) {
	s := New(320, 180)
	for _, detail := range []float64{1, 4} {
		v := usual(1)
		v.Detail = detail
		s.Draw(v) // makes the bodies that it needs
		if n := testing.AllocsPerRun(5, func() { v.Seconds += 0.05; s.Draw(v) }); n != 0 {
			t.Errorf("detail %v: %v allocations a frame, want none", detail, n)
		}
	}
}

// TestHitsCar paints the car anew and asks of every pixel that has changed much
// whether a tap there is on the car. Below, the floor mirrors it.
func TestHitsCar(t *testing.T) {
	const w, h = 320, 180
	s := New(w, h)
	v := usual(4)
	v.Pitch, v.Zoom = 0.5, 9
	v.Lines = nil
	red, _ := s.Draw(v)
	before := bytes.Clone(red.Pix)
	v.Paint = raster.Vec{X: .02, Y: .3, Z: .9}
	blue, _ := s.Draw(v)
	cam := v.Camera(w, h)
	changed, hit := 0, 0
	for i := 0; i < len(before); i += 4 {
		if d := int(before[i]) - int(blue.Pix[i]); d < 90 {
			continue // a mirrored car differs less
		}
		changed++
		if x, y := i/4%w, i/4/w; HitsCar(v.Seconds, cam.Eye, cam.Ray(float32(x)+0.5, float32(y)+0.5)) {
			hit++
		}
	}
	if changed < 500 || hit*100 < changed*95 {
		t.Fatalf("a tap hits on %d of the car's %d pixels", hit, changed)
	}
	if HitsCar(v.Seconds, cam.Eye, cam.Ray(3, 3)) {
		t.Fatal("the sky is not the car")
	}
}

// TestFloorMirrors looks for the car's colour below it, on the turntable.
func TestFloorMirrors(t *testing.T) {
	s := New(320, 180)
	v := usual(0)
	v.Paint = raster.Vec{X: 1}
	a, _ := s.Draw(v)
	red := bytes.Clone(a.Pix)
	v.Paint = raster.Vec{Z: 1}
	b, _ := s.Draw(v)
	cam := v.Camera(320, 180)
	at := cam.Project(raster.Vec{Y: -0.5})
	sum := 0
	for x := int(at.X) - 40; x < int(at.X)+40; x++ {
		i := b.PixOffset(x, int(at.Y))
		sum += int(red[i]) - int(b.Pix[i])
	}
	if sum < 80*4 {
		t.Fatalf("the floor is %d redder under a red car than under a blue one, of %d", sum, 80*255)
	}
}

func TestTextIsReadable(t *testing.T) {
	s := New(640, 360)
	v := usual(0)
	with, _ := s.Draw(v)
	pix := bytes.Clone(with.Pix)
	v.Lines = nil
	without, _ := s.Draw(v)
	bright := 0
	for i := 0; i < len(pix); i += 4 {
		if pix[i] > 200 && pix[i+1] > 200 && without.Pix[i] < 150 {
			bright++
		}
	}
	if bright < 150 {
		t.Fatalf("%d bright pixels of letters, want more", bright)
	}
}

// The picture's cost against detail; see the ratio of the lines.
func BenchmarkDraw(b *testing.B) {
	for name, detail := range map[string]float64{"usual": 1, "heavy": 9} {
		b.Run(name, func(b *testing.B) {
			s := New(640, 360)
			v := usual(0)
			v.Detail = detail
			b.ReportAllocs()
			for b.Loop() {
				v.Seconds += 0.05
				s.Draw(v)
			}
		})
	}
}
