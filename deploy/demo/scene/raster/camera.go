package raster

import "math"

// Camera looks at the world without roll: its right is always level, so that
// each row of the picture meets a level floor at one depth.
type Camera struct {
	Eye, Right, Up, Forward Vec
	Focal, CX, CY           float32 // pixels
}

// Orbit says where a camera stands: around a point, by angles in radians.
type Orbit struct {
	Around     Vec
	Yaw, Pitch float64 // pitch above 0 looks down
	Distance   float64 // metres
	Width      int     // of the picture, pixels
	Height     int
	View       float64 // vertical angle of view, radians
}

// Camera gives the camera of an orbit.
func (o Orbit) Camera() Camera {
	sy, cy := math.Sincos(o.Yaw)
	sp, cp := math.Sincos(o.Pitch)
	forward := Vec{float32(-cp * cy), float32(-sp), float32(-cp * sy)}
	right := Vec{float32(sy), 0, float32(-cy)}
	return Camera{
		Eye: o.Around.Minus(forward.Times(float32(o.Distance))), Forward: forward, Right: right, Up: right.Cross(forward),
		Focal: float32(float64(o.Height) / 2 / math.Tan(o.View/2)), CX: float32(o.Width) / 2, CY: float32(o.Height) / 2,
	}
}

// near is the least depth that is drawn, metres.
const near = 0.25

// Point is a point of the world in the picture.
type Point struct {
	X, Y float32 // pixels
	W    float32 // 1 / depth in metres; 0 if it is behind the camera
}

// Project gives where a point of the world is in the picture.
func (c *Camera) Project(p Vec) Point {
	d := p.Minus(c.Eye)
	depth := d.Dot(c.Forward)
	if depth < near {
		return Point{}
	}
	w := 1 / depth
	return Point{X: c.CX + c.Focal*d.Dot(c.Right)*w, Y: c.CY - c.Focal*d.Dot(c.Up)*w, W: w}
}

// Ray is the direction in which the camera sees a place of the picture, not of
// length 1: going by 1 goes one metre deep.
func (c *Camera) Ray(x, y float32) Vec {
	return c.Forward.Plus(c.Right.Times((x - c.CX) / c.Focal)).Plus(c.Up.Times((c.CY - y) / c.Focal))
}
