package showroom

import (
	"image"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// text writes lines into a picture with letters that were drawn once.
type text struct {
	width, height int               // of a letter's cell, pixels
	cells         [128]*image.Alpha // of printable ASCII
}

// newText draws the letters in a size that goes with the picture's height.
func newText(h int) *text {
	size := max(9, float64(h)/29)
	t := &text{}
	parsed, err := opentype.Parse(gomonobold.TTF)
	if err != nil {
		panic("the built-in font: " + err.Error())
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic("the built-in font: " + err.Error())
	}
	advance, _ := face.GlyphAdvance('0')
	t.width, t.height = advance.Ceil(), face.Metrics().Height.Ceil()
	for r := rune(' '); r < 127; r++ {
		cell := image.NewAlpha(image.Rect(0, 0, t.width, t.height))
		d := font.Drawer{Dst: cell, Src: image.Opaque, Face: face, Dot: fixed.P(0, face.Metrics().Ascent.Ceil())}
		d.DrawString(string(r))
		t.cells[r] = cell
	}
	return t
}

// draw writes the lines on a darker ground into the upper left corner.
func (t *text) draw(out *image.RGBA, lines [][]byte) {
	if len(lines) == 0 {
		return
	}
	widest := 0
	for _, l := range lines {
		widest = max(widest, len(l))
	}
	pad := t.width
	darken(out, image.Rect(pad, pad, 3*pad+widest*t.width, 2*pad+len(lines)*t.height))
	for i, l := range lines {
		for k, letter := range l {
			if letter < 128 && t.cells[letter] != nil {
				t.letter(out, image.Pt(2*pad+k*t.width, pad+pad/2+i*t.height), t.cells[letter])
			}
		}
	}
}

func darken(out *image.RGBA, box image.Rectangle) {
	box = box.Intersect(out.Rect)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		row := out.Pix[out.PixOffset(box.Min.X, y):out.PixOffset(box.Max.X-1, y)]
		for i := range row {
			if i%4 != 3 { // the fourth is the picture's opacity
				row[i] = uint8(uint32(row[i]) * 90 >> 8)
			}
		}
	}
}

// letter mixes one letter's pale ink in.
func (t *text) letter(out *image.RGBA, at image.Point, cell *image.Alpha) {
	box := image.Rectangle{Min: at, Max: at.Add(image.Pt(t.width, t.height))}.Intersect(out.Rect)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			a := uint32(cell.Pix[cell.PixOffset(x-at.X, y-at.Y)])
			o := out.Pix[out.PixOffset(x, y):]
			for i := range 3 {
				o[i] = uint8((uint32(o[i])*(255-a) + ink[i]*a) / 255)
			}
		}
	}
}

//nolint:gochecknoglobals // a colour that nothing changes
var ink = [3]uint32{214, 232, 240}
