package showroom

import (
	"math"
	"slices"

	"github.com/rendergate/rendergate/deploy/demo/scene/raster"
)

// What surfaces are made of.
const (
	paint uint8 = iota
	glass
	trim
	lamp
	tail
	tyre
	rim
	arch
)

// station is the car's shape at one place of its length, from bottom to roof,
// metres. The car looks along x and is as wide to both sides of it.
type station struct {
	x                  float32
	bottomY, bottomZ   float32
	sideY, sideZ       float32 // where it is widest
	beltY, beltZ       float32 // below the windows
	roofY, roofZ, topY float32 // edge of roof or bonnet, and its middle
}

// drawn by eye: a coupé, 4.4 m long
func stations() []station {
	return []station{
		{-2.22, .46, .60, .60, .76, .82, .70, .85, .52, .86},
		{-2.12, .34, .72, .58, .86, .88, .80, .92, .62, .93},
		{-1.85, .24, .80, .56, .95, .93, .88, .96, .68, .97},
		{-1.45, .20, .82, .56, .97, .94, .89, 1.05, .64, 1.08},
		{-1.00, .18, .83, .55, .96, .92, .88, 1.19, .58, 1.23},
		{-0.50, .17, .83, .54, .94, .90, .87, 1.25, .57, 1.30},
		{-0.05, .17, .83, .53, .93, .88, .86, 1.23, .57, 1.28},
		{0.35, .17, .83, .52, .93, .86, .86, 1.08, .61, 1.13},
		{0.75, .17, .83, .51, .94, .84, .86, .90, .68, .94},
		{1.30, .17, .83, .50, .96, .78, .87, .81, .68, .84},
		{1.75, .19, .80, .46, .93, .70, .84, .73, .64, .75},
		{2.05, .22, .70, .42, .82, .60, .74, .62, .54, .64},
		{2.20, .30, .52, .42, .62, .52, .56, .53, .42, .54},
	}
}

// ring is the outline at a station, from the bottom's middle over one side to
// the roof's middle.
func (s station) ring() []raster.Vec {
	corners := []raster.Vec{
		{X: s.x, Y: s.bottomY}, {X: s.x, Y: s.bottomY, Z: s.bottomZ}, {X: s.x, Y: s.sideY, Z: s.sideZ},
		{X: s.x, Y: s.beltY, Z: s.beltZ}, {X: s.x, Y: s.roofY, Z: s.roofZ}, {X: s.x, Y: s.topY},
	}
	var out []raster.Vec
	for i, n := range ringSteps() {
		for k := range n {
			f := float32(k) / float32(n)
			p := raster.Mix(corners[i], corners[i+1], f)
			// Sheet metal is never flat: it swells a little between its edges.
			p.Z *= 1 + 0.05*f*(1-f)*boolTo(i == 1 || i == 2)
			if i == 4 {
				p.Y += (corners[5].Y - corners[4].Y) * f * (1 - f)
			}
			out = append(out, p)
		}
	}
	return append(out, corners[5])
}

// ringSteps is into how many faces each part of the outline is cut: underside,
// sill, side, window, roof.
func ringSteps() []int { return []int{1, 3, 4, 4, 5} }

func boolTo(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// between gives the shape at x by a curve through the stations (Catmull, Rom 1974).
func between(all []station, i int, f float32) station {
	at := func(k int) [10]float32 {
		s := all[min(max(k, 0), len(all)-1)]
		return [10]float32{s.x, s.bottomY, s.bottomZ, s.sideY, s.sideZ, s.beltY, s.beltZ, s.roofY, s.roofZ, s.topY}
	}
	p0, p1, p2, p3 := at(i-1), at(i), at(i+1), at(i+2)
	var v [10]float32
	for k := range v {
		v[k] = p1[k] + 0.5*f*(p2[k]-p0[k]+f*(2*p0[k]-5*p1[k]+4*p2[k]-p3[k]+f*(3*(p1[k]-p2[k])+p3[k]-p0[k])))
	}
	return station{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]}
}

// car builds the car: a body of rings, so many from station to station, and its
// wheels.
func car(parts int) *raster.Mesh {
	b := &builder{mesh: &raster.Mesh{}, index: map[corner]int32{}}
	all := stations()
	for i := range len(all) - 1 {
		for k := range parts {
			b.rings = append(b.rings, between(all, i, float32(k)/float32(parts)).ring())
		}
	}
	b.rings = append(b.rings, all[len(all)-1].ring())
	b.body()
	for _, x := range []float32{1.36, -1.38} {
		for _, side := range []float32{1, -1} {
			b.wheel(x, side)
		}
	}
	b.smooth()
	return b.mesh
}

// corner tells corners apart that lie at one place but are of two materials.
type corner struct {
	ring, step int
	side       int
	material   uint8
}

type builder struct {
	mesh  *raster.Mesh
	rings [][]raster.Vec
	index map[corner]int32
}

func (b *builder) body() {
	last := len(b.rings) - 1
	for i := range last {
		for j := range len(b.rings[i]) - 1 {
			m := b.material(i, j)
			for _, side := range []int{1, -1} {
				b.face([4]corner{{i, j, side, m}, {i + 1, j, side, m}, {i + 1, j + 1, side, m}, {i, j + 1, side, m}})
			}
		}
	}
	for _, end := range []int{0, last} {
		for j := 1; j < len(b.rings[end])-2; j++ {
			b.end(end, j)
		}
	}
}

// end closes the front or the back between its two sides, in strips of which
// the rear's upper ones are its lights.
func (b *builder) end(ring, j int) {
	m := trim
	if ring == 0 {
		m = paint
		if y := b.rings[ring][j].Y; y > 0.68 && y < 0.79 {
			m = tail
		}
	}
	c := [4]corner{{ring, j, 1, m}, {ring, j + 1, 1, m}, {ring, j + 1, -1, m}, {ring, j, -1, m}}
	if ring != 0 {
		slices.Reverse(c[:])
	}
	b.quad(c)
}

// material says what a face of the body is, by where it is.
func (b *builder) material(i, j int) uint8 {
	at := b.rings[i][j].Plus(b.rings[i+1][j+1]).Times(0.5)
	part := partOf(j)
	tall := b.rings[i][len(b.rings[i])-1].Y > 1.0
	switch {
	case part == 0, part == 1 && at.Y < 0.30:
		return trim
	case part == 2 && at.X > 1.93 && at.X < 2.13 && at.Y > 0.5:
		return lamp
	case part == 2 && at.X < -2.1 && at.Y > 0.7, part == 3 && at.X < -2.16:
		return tail
	case part == 3 && tall && windowAt(at.X):
		return glass
	case part == 4 && (at.X > -0.02 && at.X < 0.72 || at.X > -1.62 && at.X < -0.98):
		return glass
	}
	return paint
}

// windowAt leaves pillars between the side windows.
func windowAt(x float32) bool {
	return x > -1.30 && x < 0.42 && (x < -0.52 || x > -0.44)
}

func partOf(step int) int {
	for part, n := range ringSteps() {
		if step -= n; step < 0 {
			return part
		}
	}
	return len(ringSteps()) - 1
}

// face is a quad of one side; the other side's is mirrored and so turned round.
func (b *builder) face(c [4]corner) {
	if c[0].side < 0 {
		slices.Reverse(c[:])
	}
	b.quad(c)
}

func (b *builder) quad(c [4]corner) {
	v := [4]int32{b.vertex(c[0]), b.vertex(c[1]), b.vertex(c[2]), b.vertex(c[3])}
	b.mesh.Tri = append(b.mesh.Tri, [3]int32{v[0], v[1], v[2]}, [3]int32{v[0], v[2], v[3]})
}

func (b *builder) vertex(c corner) int32 {
	p := b.rings[c.ring][c.step]
	if p.Z == 0 {
		c.side = 1 // both sides meet in the middle
	}
	if i, ok := b.index[c]; ok {
		return i
	}
	p.Z *= float32(c.side)
	b.index[c] = b.point(p, c.material)
	return b.index[c]
}

func (b *builder) point(p raster.Vec, material uint8) int32 {
	b.mesh.Pos = append(b.mesh.Pos, p)
	b.mesh.Material = append(b.mesh.Material, material)
	return int32(len(b.mesh.Pos) - 1) //nolint:gosec // a car has a few thousand corners
}

// wheel puts a wheel and the dark arch around it at one side.
func (b *builder) wheel(x, side float32) {
	const radius, y = 0.34, 0.34
	disc := func(z, r float32, parts int, material func(int) uint8) {
		middle := raster.Vec{X: x, Y: y, Z: z * side}
		at := func(i int) raster.Vec {
			s, c := math.Sincos(2 * math.Pi * float64(i) / float64(parts))
			return raster.Vec{X: x + r*float32(c), Y: y + r*float32(s), Z: z * side}
		}
		for i := range parts {
			b.triangle([3]raster.Vec{middle, at(i), at(i + 1)}, side, material(i))
		}
	}
	disc(0.974, 0.40, 24, func(int) uint8 { return arch })
	disc(1.000, radius, 24, func(int) uint8 { return tyre })
	disc(1.003, radius*0.74, 30, func(i int) uint8 {
		if i%6 < 3 {
			return rim
		}
		return arch
	})
	disc(1.006, radius*0.2, 12, func(int) uint8 { return rim })
	b.tread(x, side)
}

// tread is the tyre's running surface, from its face inwards.
func (b *builder) tread(x, side float32) {
	const radius, y, parts = 0.34, 0.34, 24
	at := func(i int, z float32) raster.Vec {
		s, c := math.Sincos(2 * math.Pi * float64(i) / parts)
		return raster.Vec{X: x + radius*float32(c), Y: y + radius*float32(s), Z: z * side}
	}
	for i := range parts {
		b.triangle([3]raster.Vec{at(i, 1.0), at(i, 0.74), at(i+1, 0.74)}, side, tyre)
		b.triangle([3]raster.Vec{at(i, 1.0), at(i+1, 0.74), at(i+1, 1.0)}, side, tyre)
	}
}

func (b *builder) triangle(p [3]raster.Vec, side float32, material uint8) {
	if side < 0 {
		p[1], p[2] = p[2], p[1]
	}
	n := b.point(p[0], material)
	b.point(p[1], material)
	b.point(p[2], material)
	b.mesh.Tri = append(b.mesh.Tri, [3]int32{n, n + 1, n + 2})
}

// smooth gives each corner the mean normal of the faces around its place,
// whatever they are made of, so that panels and glass run into each other.
func (b *builder) smooth() {
	sum := map[raster.Vec]raster.Vec{}
	for _, t := range b.mesh.Tri {
		p := [3]raster.Vec{b.mesh.Pos[t[0]], b.mesh.Pos[t[1]], b.mesh.Pos[t[2]]}
		n := p[1].Minus(p[0]).Cross(p[2].Minus(p[0]))
		for _, at := range p {
			sum[at] = sum[at].Plus(n)
		}
	}
	for _, p := range b.mesh.Pos {
		b.mesh.Normal = append(b.mesh.Normal, sum[p].Unit())
	}
}
