package scene

import (
	"math"

	"github.com/rendergate/rendergate/deploy/demo/scene/raster"
	"github.com/rendergate/rendergate/deploy/demo/scene/showroom"
)

// stage is what the player can change: where the camera is, the car's colour,
// and how much there is to draw.
type stage struct {
	detail      float64 // of the options
	aspect      float64 // width / height
	level       int     // 1 calm to 4 heavy
	seconds     float64
	yaw, pitch  float64
	zoom        float64
	around      raster.Vec
	turnYaw     float64 // radians a second, fading
	turnPitch   float64
	moveX       float64 // held keys, -1 to 1
	moveY       float64
	untouched   float64 // seconds since the player last moved the camera
	colour, was int     // of paints
	blend       float64 // from was (0) to colour (1)
}

func newStage(detail, aspect float64) stage {
	return stage{
		detail: detail, aspect: aspect, level: normalLevel, yaw: 0.9, pitch: 0.17, zoom: 7.2,
		around: raster.Vec{Y: 0.6}, blend: 1, untouched: driftAfter,
	}
}

// Levels of the scene, and how much there is to draw at each.
const (
	normalLevel = 2
	levels      = 4
	driftAfter  = 4 // seconds; then the camera goes round by itself
)

func levelDetail(level int) float64 {
	return [levels + 1]float64{0, 0.3, 1, 2, 9}[level]
}

func paints() []raster.Vec {
	return []raster.Vec{
		{X: .75, Y: .03, Z: .05}, {X: .02, Y: .22, Z: .75}, {X: .85, Y: .42, Z: .02},
		{X: .02, Y: .42, Z: .28}, {X: .72, Y: .72, Z: .75}, {X: .03, Y: .03, Z: .04},
	}
}

// step goes on to a time, seconds since the start, with what the player did.
func (s *stage) step(seconds float64, did []input) {
	dt := min(0.25, max(0, seconds-s.seconds))
	s.seconds = seconds
	s.untouched += dt
	for _, in := range did {
		s.take(in)
	}
	s.move(dt)
	fade := math.Exp(-5 * dt)
	s.yaw += s.turnYaw * dt
	s.pitch += s.turnPitch * dt
	s.turnYaw, s.turnPitch = s.turnYaw*fade, s.turnPitch*fade
	if s.untouched > driftAfter {
		s.yaw += 0.06 * dt
	}
	s.yaw = math.Mod(s.yaw, 2*math.Pi)
	s.pitch = min(1.2, max(0.05, s.pitch))
	s.blend = min(1, s.blend+dt*2.5)
}

// take does what one input says.
func (s *stage) take(in input) {
	switch in.kind {
	case inOrbit:
		s.touch()
		s.yaw += in.x * 2.6
		s.pitch += in.y * 1.8
		s.turnYaw, s.turnPitch = in.x*6, in.y*4
	case inZoom:
		s.touch()
		s.zoom = min(12, max(4.2, s.zoom/in.x))
	case inMove:
		s.moveX, s.moveY = in.x, in.y
	case inTap:
		if s.hitsCar(in.x, in.y) {
			s.repaint()
		}
	case inPaint:
		s.repaint()
	case inScene:
		s.level = in.level
	}
}

func (s *stage) repaint() {
	s.was, s.colour, s.blend = s.colour, (s.colour+1)%len(paints()), 0
}

func (s *stage) touch() { s.untouched = 0 }

// move goes where the held keys say, level, not far from the turntable.
func (s *stage) move(dt float64) {
	if s.moveX == 0 && s.moveY == 0 {
		return
	}
	s.touch()
	cam := s.camera()
	right, ahead := cam.Right, raster.Vec{X: cam.Forward.X, Z: cam.Forward.Z}.Unit()
	way := right.Times(float32(s.moveX)).Plus(ahead.Times(float32(s.moveY))).Times(float32(2.5 * dt))
	s.around = s.around.Plus(way)
	const reach = 2.2
	if r := raster.Sqrt(s.around.X*s.around.X + s.around.Z*s.around.Z); r > reach {
		s.around.X, s.around.Z = s.around.X*reach/r, s.around.Z*reach/r
	}
}

// unit is the picture's height for the camera of a tap: only ratios matter.
const unit = 1000

func (s *stage) camera() raster.Camera { return s.view().Camera(int(unit*s.aspect), unit) }

// hitsCar says whether a place of the picture, each way 0 to 1, shows the car.
func (s *stage) hitsCar(x, y float64) bool {
	cam := s.camera()
	return showroom.HitsCar(s.seconds, cam.Eye, cam.Ray(float32(x*unit*s.aspect), float32(y*unit)))
}

// view is what is to be drawn.
func (s *stage) view() showroom.View {
	all := paints()
	return showroom.View{
		Seconds: s.seconds, Around: s.around, Yaw: s.yaw, Pitch: s.pitch, Zoom: s.zoom,
		Paint: raster.Mix(all[s.was], all[s.colour], float32(s.blend)), Detail: s.detail * levelDetail(s.level),
	}
}
