package showroom

import (
	"encoding/binary"
	"image"

	"github.com/rendergate/rendergate/deploy/demo/scene/raster"
)

const opaque = 0xff000000

// smooth copies a canvas into the picture and smooths the steps along edges:
// where a pixel differs much from its neighbours it takes a part of them.
func smooth(out *image.RGBA, c *raster.Canvas) {
	for y := range c.H {
		above, row, below := c.Row(max(y-1, 0)), c.Row(y), c.Row(min(y+1, c.H-1))
		to := out.Pix[y*out.Stride : y*out.Stride+4*c.W]
		left := row[0]
		for x, p := range row {
			right, up, down := row[min(x+1, len(row)-1)], above[x], below[x]
			if differ(left, right) || differ(up, down) {
				around := raster.Blend(raster.Blend(left, right, 128), raster.Blend(up, down, 128), 128)
				p = raster.Blend(p, around, 128)
			}
			left = row[x]
			binary.LittleEndian.PutUint32(to[4*x:], p|opaque)
		}
	}
}

// edgeStep is how much an edge differs at least, of 255.
const edgeStep = 22

// differ says whether two pixels are of different things, by red and green.
func differ(a, b uint32) bool {
	r := int32(a&0xff) - int32(b&0xff)
	g := int32(a>>8&0xff) - int32(b>>8&0xff)
	return r > edgeStep || r < -edgeStep || g > edgeStep || g < -edgeStep
}

// halve makes each pixel of the picture of four of the canvas.
func halve(out *image.RGBA, c *raster.Canvas) {
	for y := range c.H / 2 {
		upper, lower := c.Row(2*y), c.Row(2*y+1)
		to := out.Pix[y*out.Stride : y*out.Stride+2*c.W]
		for x := range c.W / 2 {
			a, b := upper[2*x:2*x+2], lower[2*x:2*x+2]
			p := raster.Blend(raster.Blend(a[0], a[1], 128), raster.Blend(b[0], b[1], 128), 128)
			binary.LittleEndian.PutUint32(to[4*x:], p|opaque)
		}
	}
}
