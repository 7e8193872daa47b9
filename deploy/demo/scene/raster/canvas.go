package raster

// Canvas is a picture with depth. A pixel is 0x00BBGGRR; its depth is 1 over
// the distance, so that larger is nearer and 0 is infinitely far.
type Canvas struct {
	W, H  int
	Pix   []uint32
	Depth []float32
	// Triangles and Pixels count what was drawn since Clear: what a frame cost,
	// told without a clock.
	Triangles, Pixels int

	inverse []float32 // 1/n for every width of a span
}

// NewCanvas makes a canvas of so many pixels.
func NewCanvas(w, h int) *Canvas {
	c := &Canvas{W: w, H: h, Pix: make([]uint32, w*h), Depth: make([]float32, w*h), inverse: make([]float32, w+1)}
	for n := 1; n <= w; n++ {
		c.inverse[n] = 1 / float32(n)
	}
	return c
}

// Clear makes everything infinitely far and the counts zero. It leaves the
// colours: whoever paints the background paints all of it.
func (c *Canvas) Clear() {
	clear(c.Depth)
	c.Triangles, c.Pixels = 0, 0
}

// Row gives one line of pixels.
func (c *Canvas) Row(y int) []uint32 { return c.Pix[y*c.W : (y+1)*c.W] }

// Pack makes a pixel of a colour whose parts are 0 to 255; beyond is cut off.
func Pack(v Vec) uint32 {
	return uint32(limit(v.X)) | uint32(limit(v.Y))<<8 | uint32(limit(v.Z))<<16
}

// limit keeps a part of a colour in its range. NaN becomes 0.
func limit(x float32) float32 {
	if x > 255 {
		return 255
	}
	if x > 0 {
		return x
	}
	return 0
}

// Vertex is a corner of a triangle in the picture with its colour, 0 to 255.
type Vertex struct {
	Point
	Colour Vec
}

// Triangle draws a triangle whose front is seen counter-clockwise; the colour
// goes over from corner to corner.
func (c *Canvas) Triangle(a, b, d *Vertex) {
	t, ok := c.setUp(a, b, d)
	if !ok {
		return
	}
	c.Triangles++
	t.slope(a, b, d)
	for y := t.first; y < t.last; y++ {
		if x0, x1 := t.span(y, c.W); x0 < x1 {
			c.shade(&t, y, x0, x1)
		}
	}
}

// Flat draws a triangle of one colour.
func (c *Canvas) Flat(a, b, d *Vertex, pixel uint32) {
	t, ok := c.setUp(a, b, d)
	if !ok {
		return
	}
	c.Triangles++
	for y := t.first; y < t.last; y++ {
		if x0, x1 := t.span(y, c.W); x0 < x1 {
			c.fill(&t, y, spanOf{x0, x1, pixel})
		}
	}
}

type spanOf struct {
	x0, x1 int
	pixel  uint32
}

func (c *Canvas) fill(t *setup, y int, s spanOf) {
	depth := c.Depth[y*c.W+s.x0 : y*c.W+s.x1]
	pix := c.Pix[y*c.W+s.x0 : y*c.W+s.x1]
	pix = pix[:len(depth)]
	w := t.depthAt(s.x0, y)
	for i, old := range depth {
		if w > old {
			depth[i], pix[i] = w, s.pixel
		}
		w += t.wx
	}
	c.Pixels += len(depth)
}

// shade draws one line of a triangle. The colour is kept within its range at
// both ends, and so in between: a corner just outside the triangle's pixels
// would else wrap around to a bright dot.
func (c *Canvas) shade(t *setup, y, x0, x1 int) {
	depth := c.Depth[y*c.W+x0 : y*c.W+x1]
	pix := c.Pix[y*c.W+x0 : y*c.W+x1]
	pix = pix[:len(depth)]
	from, to := t.colourAt(x0, y), t.colourAt(x1-1, y)
	r, g, b := fixed(from.X), fixed(from.Y), fixed(from.Z)
	n := c.inverse[max(1, len(depth)-1)]
	dr, dg, db := step(r, to.X, n), step(g, to.Y, n), step(b, to.Z, n)
	w := t.depthAt(x0, y)
	for i, old := range depth {
		if w > old {
			depth[i] = w
			pix[i] = uint32(r)>>16&0xff | uint32(g)>>8&0xff00 | uint32(b)&0xff0000
		}
		w += t.wx
		r, g, b = r+dr, g+dg, b+db
	}
	c.Pixels += len(depth)
}

// fixed is a part of a colour with 16 bits behind the point.
func fixed(x float32) int32 { return int32(limit(x) * 65536) }

func step(from int32, to, inverse float32) int32 {
	return int32(float32(fixed(to)-from) * inverse)
}
