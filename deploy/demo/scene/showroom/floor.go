package showroom

import (
	"math"
	"math/bits"

	"github.com/rendergate/rendergate/deploy/demo/scene/raster"
)

// Sizes of the floor, metres.
const (
	hallSize   = 32 // the floor's texture spans this, and ends in the haze
	tableSize  = 6.4
	tableEdge  = 3.0 // radius of the turntable
	hazeStarts = 7
	hazeEnds   = 19
)

// texture is a square picture with its halved ones; level 0 has 1<<bits a side.
type texture struct {
	bits   int
	levels [][]uint32
	size   float32 // metres a side; its middle is the origin
}

// newTexture draws a texture once; colour is asked for each place in metres.
func newTexture(bits int, size float32, colour func(x, z float32) raster.Vec) *texture {
	t := &texture{bits: bits, size: size}
	n := 1 << bits
	pix := make([]uint32, n*n)
	for y := range n {
		for x := range n {
			at := func(i int) float32 { return (float32(i) + 0.5 - float32(n)/2) * size / float32(n) }
			pix[y*n+x] = raster.Pack(tone(colour(at(x), at(y))))
		}
	}
	for t.levels = append(t.levels, pix); n > 1; {
		pix, n = halved(pix, n), n/2
		t.levels = append(t.levels, pix)
	}
	return t
}

func halved(pix []uint32, n int) []uint32 {
	half := n / 2
	out := make([]uint32, half*half)
	for y := range half {
		for x := range half {
			i := 2*y*n + 2*x
			a, b := raster.Blend(pix[i], pix[i+1], 128), raster.Blend(pix[i+n], pix[i+n+1], 128)
			out[y*half+x] = raster.Blend(a, b, 128)
		}
	}
	return out
}

// level is the level whose texels are about as large as a pixel's footprint,
// metres.
func (t *texture) level(footprint float32) int {
	texel := t.size / float32(int(1)<<t.bits)
	n := int(math.Log2(float64(max(1, footprint/texel))) + 0.4)
	return min(n, t.bits)
}

// floor is the polished floor with the turntable in it.
type floor struct {
	hall, table *texture
	sky         palette
}

// textureBits are those of the textures' sides for a picture of that width: as
// many texels as pixels, in a power of two.
func textureBits(width int) int { return min(10, bits.Len(uint(width-1))) } //nolint:gosec // a width is positive

func newFloor(sky palette, lights []light, bits int) *floor {
	room := &room{lights: lights, sky: sky}
	grey := surface{albedo: raster.Vec{X: .075, Y: .075, Z: .09}}
	lit := func(x, z float32) raster.Vec {
		return room.shade(&grey, point{at: raster.Vec{X: x, Z: z}, normal: raster.Vec{Y: 1}})
	}
	f := &floor{sky: sky}
	f.hall = newTexture(bits, hallSize, func(x, z float32) raster.Vec { return hallFloor(lit(x, z), x, z) })
	f.table = newTexture(bits, tableSize, func(x, z float32) raster.Vec { return tableTop(x, z) })
	return f
}

// hallFloor is the floor of tiles with dark seams, and the ring of light around
// the turntable.
func hallFloor(lit raster.Vec, x, z float32) raster.Vec {
	const tile = 1.6
	seam := func(v float32) float32 {
		_, f := math.Modf(float64(abs(v)/tile + 0.5))
		return edge(0.028-abs(float32(f)-0.5)*tile, 0.03)
	}
	c := lit.Times(1 - 0.5*max(seam(x), seam(z)))
	r := raster.Sqrt(x*x + z*z)
	ring := edge(0.05-abs(r-tableEdge-0.1), 0.05)
	halo := 0.05 / (0.12 + (r-tableEdge-0.1)*(r-tableEdge-0.1)*4)
	return c.Plus(raster.Vec{X: .25, Y: .75, Z: 1}.Times(ring*1.4 + halo*0.35))
}

// tableTop is brushed metal with marks at its edge and the car's soft shadow.
// The turntable is lit evenly, since it turns under the lights.
func tableTop(x, z float32) raster.Vec {
	r := raster.Sqrt(x*x + z*z)
	angle := math.Atan2(float64(z), float64(x))
	grain := float32(math.Sin(float64(r)*170)+math.Sin(float64(r)*61)) * 0.012
	shine := float32(math.Pow(math.Cos(angle), 2)) * 0.05
	c := raster.Vec{X: .10, Y: .105, Z: .12}.Times(1 + grain + shine*3)
	_, turn := math.Modf((angle/(2*math.Pi) + 1) * 72)
	mark := edge(0.18-abs(float32(turn)-0.5), 0.08) * edge(r-2.72, 0.02) * edge(2.84-r, 0.02)
	c = c.Plus(raster.Vec{X: .6, Y: .62, Z: .65}.Times(mark * 0.6))
	return c.Times(1 - 0.93*carShadow(x, z))
}

// carShadow is how much of the light the car takes from the floor under it.
func carShadow(x, z float32) float32 {
	dx, dz := max(0, abs(x)-1.75), max(0, abs(z)-0.62)
	d := raster.Sqrt(dx*dx + dz*dz)
	f := max(0, 1-d/0.75)
	return f * f
}

// draw lays the floor over what it mirrors, row by row: without roll a row is
// at one depth, so its texture goes by even steps.
func (f *floor) draw(c *raster.Canvas, cam *raster.Camera, turn raster.Turn) {
	for y := range c.H {
		ray := cam.Ray(0.5, float32(y)+0.5)
		if ray.Y > -1e-4 {
			continue
		}
		depth := -cam.Eye.Y / ray.Y
		middle := cam.Ray(cam.CX, float32(y)+0.5).Unit()
		r := row{
			y: y, at: cam.Eye.Plus(ray.Times(depth)), step: cam.Right.Times(depth / cam.Focal),
			haze: uint32(255 * edge(depth-(hazeStarts+hazeEnds)/2, hazeEnds-hazeStarts)),
			keep: mirrorOf(-middle.Y), footprint: depth / cam.Focal / raster.Sqrt(max(0.05, -middle.Y)),
		}
		r.horizon = raster.Pack(tone(f.sky.at(0)))
		f.drawRow(c, &r, turn)
	}
}

// mirrorOf is how much of what it mirrors the floor shows, of 256, by how
// steeply it is looked at (Schlick's approximation, with more polish).
func mirrorOf(steep float32) uint32 {
	g := 1 - steep
	g *= g
	return uint32(256 * min(0.75, 0.16+0.6*g*g))
}

// row is one line of the floor.
type row struct {
	y          int
	at, step   raster.Vec // of its first pixel, and from one to the next
	haze, keep uint32     // of 256
	horizon    uint32
	footprint  float32 // of a pixel, metres
}

func (f *floor) drawRow(c *raster.Canvas, r *row, turn raster.Turn) {
	enter, leave := r.crossing(c.W)
	hall := walk{texture: f.hall, at: r.at, step: r.step, row: r}
	table := walk{texture: f.table, at: turn.Back(r.at), step: turn.Back(r.step), row: r}
	line := c.Row(r.y)
	hall.draw(line, 0, enter)
	table.draw(line, enter, leave)
	hall.draw(line, leave, c.W)
	c.Pixels += c.W
}

// crossing is where the row goes over the turntable.
func (r *row) crossing(width int) (enter, leave int) {
	a := r.step.X*r.step.X + r.step.Z*r.step.Z
	b := r.at.X*r.step.X + r.at.Z*r.step.Z
	d := b*b - a*(r.at.X*r.at.X+r.at.Z*r.at.Z-tableEdge*tableEdge)
	if !(d > 0) {
		return 0, 0
	}
	s := raster.Sqrt(d)
	within := func(x float32) int { return int(min(float32(width), max(0, x))) }
	return within((-b - s) / a), within((-b + s) / a)
}

// walk draws a part of a row from a texture.
type walk struct {
	*texture
	at, step raster.Vec
	row      *row
}

// draw goes over the texture in fixed point. Outside of the texture all is
// haze, so wrapping around does not show.
func (w *walk) draw(line []uint32, from, to int) {
	if from >= to {
		return
	}
	level := w.level(w.row.footprint)
	pix, bits := w.levels[level], w.bits-level
	scale := float32(int(1)<<bits) / w.size
	start := w.at.Plus(w.step.Times(float32(from)))
	u, v := fix((start.X+w.size/2)*scale), fix((start.Z+w.size/2)*scale)
	du, dv := fix(w.step.X*scale), fix(w.step.Z*scale)
	mask := int64(1)<<bits - 1
	keep, haze, horizon := w.row.keep, w.row.haze, w.row.horizon
	line = line[from:to]
	for i, under := range line {
		texel := pix[(v>>16&mask)<<bits|u>>16&mask]
		line[i] = raster.Blend(raster.Add(texel, raster.Scale(under, keep)), horizon, haze)
		u, v = u+du, v+dv
	}
}

func fix(x float32) int64 { return int64(x * 65536) }
