// Package showroom draws the demo's world: a car on a turntable in a dark hall,
// with coloured lamps, pillars that move like a sound's spectrum, and cut stones
// in the air, all mirrored by a polished floor. What it draws follows from the
// [View] alone: the same view gives the same picture.
package showroom

import (
	"image"
	"math"

	"github.com/rendergate/rendergate/deploy/demo/scene/raster"
)

// View is what is to be seen.
type View struct {
	Seconds float64 // since the show began
	Around  raster.Vec
	Yaw     float64 // radians
	Pitch   float64 // radians, looking down
	Zoom    float64 // distance from Around, metres
	Paint   raster.Vec
	Detail  float64 // how much there is to draw, 1 being usual; above 0 to MaxDetail
	Lines   [][]byte
}

// MaxDetail bounds how much there is to draw.
const MaxDetail = 16

// Cost is what a frame took, counted and not timed.
type Cost struct {
	Triangles, Pixels int
}

// Show draws views. It is for one goroutine.
type Show struct {
	coarse *raster.Canvas // as large as the picture
	fine   *raster.Canvas // twice as wide and high
	out    *image.RGBA
	floor  *floor
	room   room
	plain  *cast // of usual detail
	rich   *cast // of high detail; nil until it is asked for
	text   *text
	eye    raster.Vec
	w, h   int
}

// New makes a show of pictures of that size, pixels. It draws the textures,
// which takes some tenths of a second.
func New(w, h int) *Show {
	s := &Show{
		coarse: raster.NewCanvas(w, h), fine: raster.NewCanvas(2*w, 2*h), out: image.NewRGBA(image.Rect(0, 0, w, h)),
		room: room{sky: dusk(), lights: lamps()}, plain: newCast(8), text: newText(h), w: w, h: h,
	}
	s.floor = newFloor(s.room.sky, s.room.lights, textureBits(w))
	return s
}

// lamps are the coloured lights around the turntable.
func lamps() []light {
	return []light{
		{at: raster.Vec{X: 2.5, Y: 5.5, Z: 3.2}, colour: raster.Vec{X: 1.5, Y: 1.45, Z: 1.35}},
		{at: raster.Vec{X: -5.5, Y: 3.2, Z: 3.5}, colour: raster.Vec{X: .15, Y: .75, Z: 1.5}},
		{at: raster.Vec{X: 4.5, Y: 2.6, Z: -5}, colour: raster.Vec{X: 1.5, Y: .2, Z: .75}},
		{at: raster.Vec{X: -4, Y: 4.5, Z: -4.5}, colour: raster.Vec{X: 1.1, Y: .65, Z: .2}},
	}
}

// How many of each there are at detail 1.
const (
	pillarsPer = 64
	stonesPer  = 72
	maxRings   = 8 // of pillars
)

// Draw gives the picture of a view. It is good until the next call.
func (s *Show) Draw(v View) (*image.RGBA, Cost) {
	canvas, cast := s.choose(v.Detail)
	cam := v.Camera(canvas.W, canvas.H)
	s.eye = cam.Eye
	turn := raster.About(v.Seconds * tableSpeed)
	s.arrange(&v, cast)
	s.light(&v, cast.car, turn)
	canvas.Clear()
	paintSky(canvas, &cam, s.room.sky)
	cast.draw(canvas, &cam, true)
	s.floor.draw(canvas, &cam, turn)
	cast.draw(canvas, &cam, false)
	if canvas == s.fine {
		halve(s.out, canvas)
	} else {
		smooth(s.out, canvas)
	}
	s.text.draw(s.out, v.Lines)
	return s.out, Cost{Triangles: canvas.Triangles, Pixels: canvas.Pixels}
}

// richFrom is the detail from which bodies are cut finer, and the picture is
// drawn twice as wide and high as it is shown.
const richFrom = 2

func (s *Show) choose(detail float64) (*raster.Canvas, *cast) {
	if detail < richFrom {
		return s.coarse, s.plain
	}
	if s.rich == nil {
		s.rich = newCast(20)
	}
	return s.fine, s.rich
}

// tableSpeed is how fast the turntable turns, radians a second.
const tableSpeed = 0.25

// light lights the car as it stands. Corners that turn away, from the eye and
// from where the floor sees them, are left dim: they are hardly ever seen.
func (s *Show) light(v *View, body *raster.Body, turn raster.Turn) {
	body.Turn = turn
	kinds := surfaces(v.Paint)
	below := raster.Vec{X: s.eye.X, Y: -s.eye.Y, Z: s.eye.Z}
	for i, n := range body.Normal {
		kind := &kinds[body.Material[i]]
		p := point{at: body.World(body.Pos[i]), normal: turn.Of(n)}
		p.view = s.eye.Minus(p.at).Unit()
		if p.normal.Dot(p.view) < -0.3 && p.normal.Dot(below.Minus(p.at)) < 0 {
			body.Colour[i] = tone(kind.albedo.Mul(s.room.sky.ambient))
			continue
		}
		body.Colour[i] = tone(s.room.shade(kind, p))
	}
}

// cast are the bodies of the show. They are made when they are first needed and
// kept, so that frames allocate nothing.
type cast struct {
	car             *raster.Body
	pillar, stone   *raster.Mesh
	pillars, stones []*raster.Body
	shownPillars    int
	shownStones     int
}

// newCast makes a cast cut into so many parts: the car between two stations,
// the stones around.
func newCast(parts int) *cast {
	return &cast{car: raster.NewBody(car(parts)), pillar: raster.Pillar(), stone: raster.Crystal(parts)}
}

func grow(bodies []*raster.Body, mesh *raster.Mesh, n int) []*raster.Body {
	for len(bodies) < n {
		bodies = append(bodies, raster.NewBody(mesh))
	}
	return bodies
}

func (c *cast) draw(canvas *raster.Canvas, cam *raster.Camera, mirrored bool) {
	for _, b := range c.pillars[:c.shownPillars] {
		b.Draw(canvas, cam, mirrored)
	}
	c.car.Draw(canvas, cam, mirrored)
	for _, b := range c.stones[:c.shownStones] {
		b.Draw(canvas, cam, mirrored)
	}
}

// arrange puts pillars and stones where they are at that moment.
func (s *Show) arrange(v *View, c *cast) {
	detail := min(MaxDetail, max(0, v.Detail))
	c.shownPillars, c.shownStones = int(min(detail, maxRings)*pillarsPer), int(detail*stonesPer)
	c.pillars = grow(c.pillars, c.pillar, c.shownPillars)
	c.stones = grow(c.stones, c.stone, c.shownStones)
	for i, b := range c.pillars[:c.shownPillars] {
		placePillar(b, i, v.Seconds)
	}
	for i, b := range c.stones[:c.shownStones] {
		s.placeStone(b, i, v.Seconds)
	}
}

// placePillar puts pillar i into its ring: each ring of 64 stands behind the
// one before.
func placePillar(b *raster.Body, i int, t float64) {
	ring, k := i/pillarsPer, i%pillarsPer
	angle := 2 * math.Pi * (float64(k) + 0.5*float64(ring%2)) / pillarsPer
	radius := 9.5 + 0.95*float64(ring)
	height := 0.5 + 0.5*math.Sin(3*angle+t*0.9+float64(ring)) + 0.6*math.Pow(math.Sin(7*angle-t*1.3), 2)
	tall := float32(0.35 + 0.9*height + 0.25*float64(ring))
	b.Turn = raster.About(-angle)
	b.Scale = raster.Vec{X: 0.34, Y: tall, Z: 0.34}
	b.At = raster.Vec{X: float32(radius * math.Cos(angle)), Z: float32(radius * math.Sin(angle))}
	hue := hueOf(angle/(2*math.Pi) + 0.02*t)
	far := edge(float32(radius)-15, 8) * 0.6
	for j := range b.Colour {
		bright := float32(0.10) + 0.12*abs(b.Normal[j].X)
		if b.Material[j] == 1 {
			bright = 1
		}
		b.Colour[j] = tone(raster.Mix(hue.Times(bright), dusk().horizon, far))
	}
}

// hueOf goes around the colours that the lamps have.
func hueOf(f float64) raster.Vec {
	part := func(shift float64) float32 {
		return float32(math.Pow(0.5+0.5*math.Cos(2*math.Pi*(f+shift)), 1.5))
	}
	return raster.Vec{X: part(0.45) + 0.05, Y: part(0.05)*0.75 + 0.05, Z: part(-0.12) + 0.12}
}

// placeStone puts stone i on its way around the car.
func (s *Show) placeStone(b *raster.Body, i int, t float64) {
	x := float64(i)
	spread := math.Mod(x*0.618034, 1)
	angle := 2*math.Pi*math.Mod(x*0.754878, 1) + t*(0.06+0.08*spread)
	radius := 3.9 + 3.4*spread
	b.Turn = raster.About(t*(0.5+spread) + x).After(raster.Tilt(0.3 * math.Sin(t*0.7+x)))
	size := float32(0.26 + 0.26*math.Mod(x*0.569840, 1))
	b.Scale = raster.Vec{X: size, Y: size * 1.25, Z: size}
	b.At = raster.Vec{
		X: float32(radius * math.Cos(angle)),
		Y: float32(1.0 + 2.9*math.Mod(x*0.438579, 1) + 0.12*math.Sin(t*1.1+x)),
		Z: float32(radius * math.Sin(angle)),
	}
	away := b.At.Minus(s.eye)
	b.Scale = b.Scale.Times(edge(raster.Sqrt(away.Dot(away))-4, 2.5)) // none right before the eye
	kind := surface{albedo: hueOf(x * 0.17).Times(0.8), mirror: 0.22, glow: hueOf(x * 0.17).Times(0.05)}
	for j, n := range b.Normal {
		normal := b.Turn.Of(n)
		b.Colour[j] = tone(s.room.shade(&kind, point{at: b.At, normal: normal, view: normal}))
	}
}

// Camera is the view's camera for a picture of that size, pixels.
func (v View) Camera(w, h int) raster.Camera {
	return raster.Orbit{
		Around: v.Around, Yaw: v.Yaw, Pitch: v.Pitch, Distance: v.Zoom, Width: w, Height: h, View: 0.72,
	}.Camera()
}

// HitsCar says whether a ray from the eye meets the car as it stands at that
// time, by two boxes around its body and its cabin.
func HitsCar(seconds float64, eye, ray raster.Vec) bool {
	turn := raster.About(seconds * tableSpeed)
	eye, ray = turn.Back(eye), turn.Back(ray)
	return meets(eye, ray, box{raster.Vec{X: -2.2, Y: 0.1, Z: -1}, raster.Vec{X: 2.2, Y: 0.92, Z: 1}}) ||
		meets(eye, ray, box{raster.Vec{X: -1.7, Y: 0.9, Z: -0.85}, raster.Vec{X: 0.7, Y: 1.3, Z: 0.85}})
}

type box struct{ low, high raster.Vec }

// meets says whether a ray goes through a box (by slabs; Kay, Kajiya 1986).
func meets(eye, ray raster.Vec, b box) bool {
	enter, leave := float32(0), float32(1e6)
	for _, s := range [3][4]float32{
		{eye.X, ray.X, b.low.X, b.high.X}, {eye.Y, ray.Y, b.low.Y, b.high.Y}, {eye.Z, ray.Z, b.low.Z, b.high.Z},
	} {
		if s[1] == 0 {
			if s[0] < s[2] || s[0] > s[3] {
				return false
			}
			continue
		}
		t0, t1 := (s[2]-s[0])/s[1], (s[3]-s[0])/s[1]
		enter, leave = max(enter, min(t0, t1)), min(leave, max(t0, t1))
	}
	return enter <= leave
}
