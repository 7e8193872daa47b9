// Package raster draws lit triangle meshes into a picture in memory: a software
// rasteriser with a depth buffer, for one thread, without allocation per frame.
package raster

import "math"

// Vec is a point or a direction. Y is up; lengths are metres.
type Vec struct{ X, Y, Z float32 }

// Plus adds.
func (a Vec) Plus(b Vec) Vec { return Vec{a.X + b.X, a.Y + b.Y, a.Z + b.Z} }

// Minus subtracts.
func (a Vec) Minus(b Vec) Vec { return Vec{a.X - b.X, a.Y - b.Y, a.Z - b.Z} }

// Times scales.
func (a Vec) Times(f float32) Vec { return Vec{a.X * f, a.Y * f, a.Z * f} }

// Mul multiplies part by part, as light does with a surface's colour.
func (a Vec) Mul(b Vec) Vec { return Vec{a.X * b.X, a.Y * b.Y, a.Z * b.Z} }

// Dot is the inner product.
func (a Vec) Dot(b Vec) float32 { return a.X*b.X + a.Y*b.Y + a.Z*b.Z }

// Cross is the outer product.
func (a Vec) Cross(b Vec) Vec {
	return Vec{a.Y*b.Z - a.Z*b.Y, a.Z*b.X - a.X*b.Z, a.X*b.Y - a.Y*b.X}
}

// Unit gives the same direction with length 1; of nothing, straight up.
func (a Vec) Unit() Vec {
	d := a.Dot(a)
	if !(d > 1e-20) {
		return Vec{Y: 1}
	}
	return a.Times(1 / Sqrt(d))
}

// Mix goes from a (at 0) to b (at 1).
func Mix(a, b Vec, f float32) Vec { return a.Times(1 - f).Plus(b.Times(f)) }

// Sqrt is the square root; the compiler makes one instruction of it.
func Sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// Turn is a rotation: its columns are where the axes go.
type Turn struct{ X, Y, Z Vec }

// Still turns nothing.
func Still() Turn { return Turn{Vec{X: 1}, Vec{Y: 1}, Vec{Z: 1}} }

// About turns around the vertical axis, by radians.
func About(angle float64) Turn {
	s, c := math.Sincos(angle)
	return Turn{Vec{X: float32(c), Z: float32(-s)}, Vec{Y: 1}, Vec{X: float32(s), Z: float32(c)}}
}

// Tilt turns around the x axis, by radians.
func Tilt(angle float64) Turn {
	s, c := math.Sincos(angle)
	return Turn{Vec{X: 1}, Vec{Y: float32(c), Z: float32(s)}, Vec{Y: float32(-s), Z: float32(c)}}
}

// Of applies the turn.
func (t Turn) Of(v Vec) Vec { return t.X.Times(v.X).Plus(t.Y.Times(v.Y)).Plus(t.Z.Times(v.Z)) }

// Back undoes the turn.
func (t Turn) Back(v Vec) Vec { return Vec{t.X.Dot(v), t.Y.Dot(v), t.Z.Dot(v)} }

// After is this turn behind the other.
func (t Turn) After(first Turn) Turn { return Turn{t.Of(first.X), t.Of(first.Y), t.Of(first.Z)} }
