package showroom

import "github.com/rendergate/rendergate/deploy/demo/scene/raster"

// light is a lamp without size.
type light struct {
	at     raster.Vec
	colour raster.Vec // may be above 1
}

// surface is how a material answers to light.
type surface struct {
	albedo raster.Vec
	mirror float32    // what it reflects when looked at straight on, 0 to 1
	glow   raster.Vec // what it sends out itself
}

// surfaces are the car's materials in the order of their constants.
func surfaces(colour raster.Vec) [8]surface {
	return [8]surface{
		paint: {albedo: colour.Times(0.75), mirror: 0.16},
		glass: {albedo: raster.Vec{X: .012, Y: .016, Z: .022}, mirror: 0.16},
		trim:  {albedo: raster.Vec{X: .03, Y: .03, Z: .035}, mirror: 0.03},
		lamp:  {albedo: raster.Vec{X: .6, Y: .6, Z: .6}, mirror: 0.1, glow: raster.Vec{X: 1.1, Y: 1.15, Z: 1.3}},
		tail:  {albedo: raster.Vec{X: .5, Y: .02, Z: .02}, mirror: 0.1, glow: raster.Vec{X: 1.2, Y: .05, Z: .07}},
		tyre:  {albedo: raster.Vec{X: .022, Y: .022, Z: .025}, mirror: 0.01},
		rim:   {albedo: raster.Vec{X: .42, Y: .43, Z: .46}, mirror: 0.3},
		arch:  {albedo: raster.Vec{X: .006, Y: .006, Z: .007}},
	}
}

// room is what surfaces are lit by.
type room struct {
	lights []light
	sky    palette
}

// point is a place on a surface, as it is lit.
type point struct {
	at, normal raster.Vec
	view       raster.Vec // to the eye, length 1
}

// shade gives the light that leaves a surface towards the eye, per channel, 1
// being as bright as the picture shows.
func (r *room) shade(s *surface, p point) raster.Vec {
	up := 0.5 + 0.5*p.normal.Y
	lit := r.sky.ambient.Times(0.25 + 0.75*up)
	shine := raster.Vec{}
	facing := p.normal.Dot(p.view)
	bounce := p.normal.Times(2 * facing).Minus(p.view)
	for i := range r.lights {
		l := &r.lights[i]
		to := l.at.Minus(p.at)
		d2 := to.Dot(to)
		to = to.Times(1 / raster.Sqrt(d2))
		fall := 1 / (1 + 0.035*d2)
		if n := p.normal.Dot(to); n > 0 {
			lit = lit.Plus(l.colour.Times(n * fall))
		}
		if s.mirror > 0 {
			if h := bounce.Dot(to); h > 0.8 {
				h = (h - 0.8) * 5
				h *= h
				shine = shine.Plus(l.colour.Times(h * h * h * 2.5 * fall))
			}
		}
	}
	out := s.albedo.Mul(lit).Plus(s.glow)
	if s.mirror == 0 {
		return out
	}
	graze := 1 - max(0, facing)
	graze *= graze
	mirror := s.mirror + (1-s.mirror)*graze*graze*0.8
	return out.Plus(r.sky.seen(bounce).Plus(shine).Times(mirror))
}

// tone brings light to what a screen shows: bright parts bend instead of
// burning out, and the root is close to the screen's own curve.
func tone(v raster.Vec) raster.Vec {
	return raster.Vec{X: toneOne(v.X), Y: toneOne(v.Y), Z: toneOne(v.Z)}
}

func toneOne(x float32) float32 {
	if !(x > 0) {
		return 0
	}
	return 255 * min(1, raster.Sqrt(x*(1+x*0.16)/(1+x*0.55)))
}
