package raster

import "math"

// Mesh is a body of triangles whose fronts are counter-clockwise. A smooth one
// has a normal and a material for each corner, a flat one for each triangle.
type Mesh struct {
	Pos      []Vec
	Tri      [][3]int32
	Normal   []Vec
	Material []uint8
	Flat     bool
}

// Shaded is how many normals the mesh has, and so how many colours it needs.
func (m *Mesh) Shaded() int { return len(m.Normal) }

// Add puts a flat triangle on.
func (m *Mesh) Add(a, b, c Vec, material uint8) {
	n := int32(len(m.Pos)) //nolint:gosec // meshes are small
	m.Pos = append(m.Pos, a, b, c)
	m.Tri = append(m.Tri, [3]int32{n, n + 1, n + 2})
	m.Normal = append(m.Normal, b.Minus(a).Cross(c.Minus(a)).Unit())
	m.Material = append(m.Material, material)
}

// Quad puts two flat triangles on, counter-clockwise.
func (m *Mesh) Quad(a, b, c, d Vec, material uint8) {
	m.Add(a, b, c, material)
	m.Add(a, c, d, material)
}

// Crystal is a cut stone, pointed at both ends, of height 1 and half as wide.
func Crystal(sides int) *Mesh {
	m := &Mesh{Flat: true}
	ring := func(i int, y, r float32) Vec {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(sides))
		return Vec{r * float32(c), y, r * float32(s)}
	}
	for i := range sides {
		top, bottom := Vec{Y: 0.5}, Vec{Y: -0.5}
		a, b := ring(i, 0.18, 0.25), ring(i+1, 0.18, 0.25)
		c, d := ring(i, -0.1, 0.21), ring(i+1, -0.1, 0.21)
		m.Add(top, b, a, 0)
		m.Quad(a, b, d, c, 0)
		m.Add(bottom, c, d, 0)
	}
	return m
}

// Pillar is an upright box on the floor, 1 by 1 by 1, open below. Its lid has
// material 1, its sides 0.
func Pillar() *Mesh {
	m := &Mesh{Flat: true}
	at := func(x, y, z float32) Vec { return Vec{x - 0.5, y, z - 0.5} }
	m.Quad(at(0, 0, 1), at(1, 0, 1), at(1, 1, 1), at(0, 1, 1), 0)
	m.Quad(at(1, 0, 0), at(0, 0, 0), at(0, 1, 0), at(1, 1, 0), 0)
	m.Quad(at(1, 0, 1), at(1, 0, 0), at(1, 1, 0), at(1, 1, 1), 0)
	m.Quad(at(0, 0, 0), at(0, 0, 1), at(0, 1, 1), at(0, 1, 0), 0)
	m.Quad(at(0, 1, 1), at(1, 1, 1), at(1, 1, 0), at(0, 1, 0), 1)
	return m
}
