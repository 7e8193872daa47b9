package raster

// Blend mixes two pixels: of 256 parts, so many are b's.
func Blend(a, b, part uint32) uint32 {
	rest := 256 - part
	rb := ((a&0xff00ff)*rest + (b&0xff00ff)*part) >> 8 & 0xff00ff
	g := ((a&0x00ff00)*rest + (b&0x00ff00)*part) >> 8 & 0x00ff00
	return rb | g
}

// Scale dims a pixel to so many of 256 parts.
func Scale(a, part uint32) uint32 {
	return (a&0xff00ff)*part>>8&0xff00ff | (a&0x00ff00)*part>>8&0x00ff00
}

// Add puts two pixels' light together; a channel that would overflow is full.
func Add(a, b uint32) uint32 {
	rb := a&0xff00ff + b&0xff00ff
	g := a&0x00ff00 + b&0x00ff00
	over := rb & 0x01000100
	rb |= over - over>>8
	if g&0x010000 != 0 {
		g |= 0xff00
	}
	return rb&0xff00ff | g&0x00ff00
}
