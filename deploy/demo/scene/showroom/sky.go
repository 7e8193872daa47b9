package showroom

import "github.com/rendergate/rendergate/deploy/demo/scene/raster"

// palette is the light of the hall: its ceiling, its horizon, and what comes
// from everywhere.
type palette struct {
	zenith, high, horizon raster.Vec
	ambient               raster.Vec
}

func dusk() palette {
	return palette{
		zenith: raster.Vec{X: .006, Y: .008, Z: .024}, high: raster.Vec{X: .022, Y: .022, Z: .075},
		horizon: raster.Vec{X: .17, Y: .085, Z: .17}, ambient: raster.Vec{X: .10, Y: .10, Z: .14},
	}
}

// at is the sky at a height: the sine of the angle above the horizon, 0 to 1.
func (p palette) at(height float32) raster.Vec {
	if height < 0 {
		height = -height
	}
	if height < 0.25 {
		f := 1 - height*4
		return raster.Mix(p.high, p.horizon, f*f)
	}
	return raster.Mix(p.high, p.zenith, min(1, (height-0.25)*1.6))
}

// seen is what a polished surface shows of the hall in a direction: the sky,
// the floor, and two long soft lights under the ceiling.
func (p palette) seen(d raster.Vec) raster.Vec {
	if d.Y < 0 {
		return p.at(d.Y).Times(0.35)
	}
	c := p.at(d.Y)
	if d.Y > 0.12 {
		x, z := d.X/d.Y, d.Z/d.Y
		for _, at := range [2]float32{-1.1, 1.1} {
			soft := edge(0.42-abs(z-at), 0.25) * edge(2.2-abs(x), 0.5)
			c = c.Plus(raster.Vec{X: 1.5, Y: 1.5, Z: 1.6}.Times(soft))
		}
	}
	return c
}

// edge goes from 0 to 1 within soft of 0.
func edge(inside, soft float32) float32 {
	f := min(1, max(0, inside/soft+0.5))
	return f * f * (3 - 2*f)
}

func abs(x float32) float32 {
	if x < 0 {
		return -x
	}
	return x
}

// paintSky fills the picture's rows with the sky, and below the horizon with
// the sky as the floor mirrors it. Without roll a row has one colour.
func paintSky(c *raster.Canvas, cam *raster.Camera, p palette) {
	for y := range c.H {
		pixel := raster.Pack(tone(p.at(cam.Ray(cam.CX, float32(y)+0.5).Unit().Y)))
		row := c.Row(y)
		row[0] = pixel
		for n := 1; n < len(row); n *= 2 {
			copy(row[n:], row[:n])
		}
	}
}
