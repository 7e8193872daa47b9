package raster

// setup is a triangle made ready to be drawn line by line.
type setup struct {
	top, mid, bottom *Vertex
	long             float32 // slope of the edge from top to bottom
	upper, lower     float32 // slopes of the two others
	first, last      int     // lines
	ox, oy, ow       float32 // where the planes below start from
	wx, wy           float32 // change of depth's inverse a pixel
	colour           Vec
	cx, cy           Vec // change of colour a pixel
	inverse          float32
}

// setUp orders the corners and says whether anything is to be drawn: not of
// what is seen from behind, outside the picture, or behind the camera.
func (c *Canvas) setUp(a, b, d *Vertex) (setup, bool) {
	area := (b.X-a.X)*(d.Y-a.Y) - (d.X-a.X)*(b.Y-a.Y)
	if !(area < -1e-3) || a.W <= 0 || b.W <= 0 || d.W <= 0 {
		return setup{}, false
	}
	v0, v1, v2 := a, b, d
	if v1.Y < v0.Y {
		v0, v1 = v1, v0
	}
	if v2.Y < v0.Y {
		v0, v2 = v2, v0
	}
	if v2.Y < v1.Y {
		v1, v2 = v2, v1
	}
	first, last := max(0, ceil(v0.Y-0.5)), min(c.H, ceil(v2.Y-0.5))
	if first >= last || max(a.X, b.X, d.X) < 0 || min(a.X, b.X, d.X) > float32(c.W) {
		return setup{}, false
	}
	t := setup{top: v0, mid: v1, bottom: v2, first: first, last: last, ox: a.X, oy: a.Y, ow: a.W, inverse: 1 / area}
	t.long, t.upper, t.lower = slope(v0, v2), slope(v0, v1), slope(v1, v2)
	t.wx, t.wy = t.plane(a, b, d, b.W-a.W, d.W-a.W)
	return t, true
}

// slope is how far an edge goes to the right a line. Its upper end comes first,
// so that two triangles that share it find the same and leave no crack.
func slope(from, to *Vertex) float32 {
	if to.Y == from.Y {
		return 0
	}
	return (to.X - from.X) / (to.Y - from.Y)
}

// plane gives the change a pixel, to the right and down, of what changes by so
// much from the first corner to the others.
func (t *setup) plane(a, b, d *Vertex, toB, toD float32) (x, y float32) {
	x = (toB*(d.Y-a.Y) - toD*(b.Y-a.Y)) * t.inverse
	y = (toD*(b.X-a.X) - toB*(d.X-a.X)) * t.inverse
	return x, y
}

// slope finds how the colour changes.
func (t *setup) slope(a, b, d *Vertex) {
	t.colour = a.Colour
	toB, toD := b.Colour.Minus(a.Colour), d.Colour.Minus(a.Colour)
	t.cx.X, t.cy.X = t.plane(a, b, d, toB.X, toD.X)
	t.cx.Y, t.cy.Y = t.plane(a, b, d, toB.Y, toD.Y)
	t.cx.Z, t.cy.Z = t.plane(a, b, d, toB.Z, toD.Z)
}

// span is the pixels of a line whose centres the triangle covers.
func (t *setup) span(y, width int) (x0, x1 int) {
	at := float32(y) + 0.5
	l := t.top.X + (at-t.top.Y)*t.long
	r := t.top.X + (at-t.top.Y)*t.upper
	if at >= t.mid.Y {
		r = t.mid.X + (at-t.mid.Y)*t.lower
	}
	if l > r {
		l, r = r, l
	}
	return max(0, ceil(l-0.5)), min(width, ceil(r-0.5))
}

func (t *setup) depthAt(x, y int) float32 {
	return t.ow + (float32(x)+0.5-t.ox)*t.wx + (float32(y)+0.5-t.oy)*t.wy
}

func (t *setup) colourAt(x, y int) Vec {
	dx, dy := float32(x)+0.5-t.ox, float32(y)+0.5-t.oy
	return Vec{
		t.colour.X + dx*t.cx.X + dy*t.cy.X,
		t.colour.Y + dx*t.cx.Y + dy*t.cy.Y,
		t.colour.Z + dx*t.cx.Z + dy*t.cy.Z,
	}
}

func ceil(x float32) int {
	n := int(x)
	if float32(n) < x {
		n++
	}
	return n
}
