package raster

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func vertex(x, y, depth float32, colour Vec) *Vertex {
	return &Vertex{Point: Point{X: x, Y: y, W: 1 / depth}, Colour: colour}
}

// big covers the whole canvas of 64 by 48 at one depth.
func big(depth float32, colour Vec) [3]*Vertex {
	return [3]*Vertex{vertex(-100, -100, depth, colour), vertex(-100, 300, depth, colour), vertex(300, -100, depth, colour)}
}

func TestNearerWinsInAnyOrder(t *testing.T) {
	red, blue := Vec{X: 255}, Vec{Z: 255}
	for name, order := range map[string][2]bool{"near first": {true, false}, "far first": {false, true}} {
		c := NewCanvas(64, 48)
		for _, near := range order {
			v := big(9, blue)
			if near {
				v = big(3, red)
			}
			c.Triangle(v[0], v[1], v[2])
		}
		for i, p := range c.Pix {
			if p != Pack(red) {
				t.Fatalf("%s: pixel %d is %06x, want the nearer one's", name, i, p)
			}
		}
	}
}

func TestOnlyFrontsAreDrawn(t *testing.T) {
	c := NewCanvas(64, 48)
	v := big(3, Vec{X: 255})
	c.Triangle(v[0], v[2], v[1])
	c.Flat(v[0], v[2], v[1], 1)
	if c.Triangles != 0 || c.Pixels != 0 {
		t.Fatalf("%d triangles seen from behind were drawn", c.Triangles)
	}
}

// TestSharedEdges cuts a quadrilateral along its diagonal, in both shapes that
// there are: each pixel belongs to one half, none to both and none to neither.
func TestSharedEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := func(name string, low, high float32) float32 { return rapid.Float32Range(low, high).Draw(t, name) }
		a := vertex(at("ax", 0, 12), at("ay", 0, 8), 2, Vec{})
		b := vertex(at("bx", 0, 12), at("by", 40, 48), 2, Vec{})
		d := vertex(at("dx", 52, 64), at("dy", 40, 48), 2, Vec{})
		e := vertex(at("ex", 52, 64), at("ey", 0, 8), 2, Vec{})
		one, two := NewCanvas(64, 48), NewCanvas(64, 48)
		one.Flat(a, b, d, 1)
		two.Flat(a, d, e, 1)
		whole := NewCanvas(64, 48)
		whole.Flat(a, b, e, 1)
		whole.Flat(b, d, e, 1)
		for i := range one.Pix {
			if one.Pix[i]+two.Pix[i] != whole.Pix[i] {
				t.Fatalf("pixel %d,%d: %d and %d, want %d in all", i%64, i/64, one.Pix[i], two.Pix[i], whole.Pix[i])
			}
		}
	})
}

// TestColoursStayWithin holds colours that go over from corner to corner to
// their range: a step too far would wrap from dark to bright.
func TestColoursStayWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		corner := func() *Vertex {
			return vertex(rapid.Float32Range(-90, 150).Draw(t, "x"), rapid.Float32Range(-90, 150).Draw(t, "y"),
				rapid.Float32Range(0.3, 50).Draw(t, "depth"), Vec{X: 255, Y: rapid.Float32Range(0, 2).Draw(t, "green")})
		}
		c := NewCanvas(64, 48)
		c.Triangle(corner(), corner(), corner())
		for i, p := range c.Pix {
			if c.Depth[i] != 0 && (p&0xff < 254 || p>>8&0xff > 3 || p>>16 != 0) {
				t.Fatalf("pixel %d is %06x, outside of what its corners have", i, p)
			}
		}
	})
}

// FuzzTriangle draws whatever coordinates there may be: nothing is written
// outside, and depth is a number.
func FuzzTriangle(f *testing.F) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	f.Add(float32(1), float32(2), float32(1), float32(30), float32(2), float32(1), float32(5), float32(40), float32(1))
	f.Add(nan, float32(2), float32(1), float32(30), inf, float32(1), float32(5), -inf, float32(1))
	f.Add(float32(-3e38), float32(-3e38), float32(1e-30), float32(3e38), float32(-3e38), float32(4), float32(0), float32(3e38), float32(1))
	f.Fuzz(func(t *testing.T, ax, ay, aw, bx, by, bw, dx, dy, dw float32) {
		c := NewCanvas(16, 9)
		grey := Vec{100, 100, 100}
		a := &Vertex{Point{ax, ay, aw}, grey}
		b := &Vertex{Point{bx, by, bw}, grey}
		d := &Vertex{Point{dx, dy, dw}, grey}
		c.Triangle(a, b, d)
		c.Flat(a, d, b, Pack(grey))
		for i, w := range c.Depth {
			if math.IsNaN(float64(w)) || w < 0 {
				t.Fatalf("depth of pixel %d is %v", i, w)
			}
		}
		if c.Pixels > 2*16*9 || c.Triangles > 2 {
			t.Fatalf("%d triangles with %d pixels on a canvas of %d", c.Triangles, c.Pixels, 16*9)
		}
	})
}

func TestBlending(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint32Range(0, 0xffffff).Draw(t, "a"), rapid.Uint32Range(0, 0xffffff).Draw(t, "b")
		part := rapid.Uint32Range(0, 256).Draw(t, "part")
		sum, mix, dim := Add(a, b), Blend(a, b, part), Scale(a, part)
		for shift := 0; shift < 24; shift += 8 {
			x, y := a>>shift&255, b>>shift&255
			if got, want := sum>>shift&255, min(255, x+y); got != want {
				t.Fatalf("%d + %d = %d, want %d", x, y, got, want)
			}
			if got, want := mix>>shift&255, (x*(256-part)+y*part)>>8; got != want {
				t.Fatalf("%d and %d of %d: %d, want %d", x, part, y, got, want)
			}
			if got, want := dim>>shift&255, x*part>>8; got != want {
				t.Fatalf("%d of 256 parts of %d: %d, want %d", part, x, got, want)
			}
		}
		if (sum|mix|dim)>>24 != 0 {
			t.Fatalf("the fourth byte is used: %08x %08x %08x", sum, mix, dim)
		}
	})
}

func TestCameraSeesWhereItsRaysGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cam := Orbit{
			Around: Vec{Y: 0.6}, Yaw: rapid.Float64Range(-7, 7).Draw(t, "yaw"), Pitch: rapid.Float64Range(-1.4, 1.4).Draw(t, "pitch"),
			Distance: 7, Width: 640, Height: 360, View: 0.7,
		}.Camera()
		x, y := rapid.Float32Range(0, 640).Draw(t, "x"), rapid.Float32Range(0, 360).Draw(t, "y")
		p := cam.Project(cam.Eye.Plus(cam.Ray(x, y).Times(rapid.Float32Range(1, 30).Draw(t, "depth"))))
		if math.Abs(float64(p.X-x)) > 0.1 || math.Abs(float64(p.Y-y)) > 0.1 {
			t.Fatalf("what is seen at %v, %v is drawn at %v, %v", x, y, p.X, p.Y)
		}
		if cam.Right.Y != 0 {
			t.Fatal("the camera rolls")
		}
	})
}

func TestTurnBack(t *testing.T) {
	turn := About(0.7).After(Tilt(-0.4))
	v := Vec{1, -2, 3}
	if d := turn.Back(turn.Of(v)).Minus(v); d.Dot(d) > 1e-9 {
		t.Fatalf("there and back is off by %v", d)
	}
}

// TestFrontsLookOut holds the bodies' faces to counter-clockwise corners, seen
// from outside.
func TestFrontsLookOut(t *testing.T) {
	for name, m := range map[string]*Mesh{"crystal": Crystal(8), "pillar": Pillar()} {
		middle := Vec{}
		for _, p := range m.Pos {
			middle = middle.Plus(p.Times(1 / float32(len(m.Pos))))
		}
		for i, n := range m.Normal {
			if m.Pos[m.Tri[i][0]].Minus(middle).Dot(n) <= 0 {
				t.Errorf("%s: face %d looks inwards", name, i)
			}
		}
	}
}
