package raster

// Body is a mesh at its place, with its corners in the picture and its colours.
// It is kept from frame to frame, so that drawing allocates nothing.
type Body struct {
	*Mesh
	Turn   Turn
	Scale  Vec // along the mesh's own axes, before the turn
	At     Vec
	Colour []Vec // one for each of the mesh's normals, 0 to 255

	corners []Vertex
}

// NewBody puts a mesh at the origin.
func NewBody(m *Mesh) *Body {
	return &Body{
		Mesh: m, Turn: Still(), Scale: Vec{1, 1, 1},
		Colour: make([]Vec, m.Shaded()), corners: make([]Vertex, len(m.Pos)),
	}
}

// World is where a point of the mesh is in the world.
func (b *Body) World(p Vec) Vec { return b.Turn.Of(p.Mul(b.Scale)).Plus(b.At) }

// Draw draws the body as the camera sees it. Mirrored draws it upside down
// below the floor, as the floor reflects it.
func (b *Body) Draw(c *Canvas, cam *Camera, mirrored bool) {
	for i, p := range b.Pos {
		at := b.World(p)
		if mirrored {
			at.Y = -at.Y
		}
		b.corners[i].Point = cam.Project(at)
	}
	if b.Flat {
		b.drawFlat(c, mirrored)
		return
	}
	for i := range b.corners {
		b.corners[i].Colour = b.Colour[i]
	}
	for _, t := range b.Tri {
		if mirrored {
			t[1], t[2] = t[2], t[1]
		}
		c.Triangle(&b.corners[t[0]], &b.corners[t[1]], &b.corners[t[2]])
	}
}

func (b *Body) drawFlat(c *Canvas, mirrored bool) {
	for i, t := range b.Tri {
		if mirrored {
			t[1], t[2] = t[2], t[1]
		}
		c.Flat(&b.corners[t[0]], &b.corners[t[1]], &b.corners[t[2]], Pack(b.Colour[i]))
	}
}
