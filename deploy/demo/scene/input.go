package scene

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"
)

// inputKind says what a player did.
type inputKind int

const (
	inOrbit inputKind = iota // x, y: how far dragged, in parts of the picture's width and height
	inZoom                   // x: above 1 is nearer
	inMove                   // x to the right, y ahead: held until the next one
	inTap                    // x, y: where, from the upper left corner
	inPaint                  // the next colour
	inScene                  // level
)

// input is one thing that a player did.
type input struct {
	kind  inputKind
	x, y  float64
	level int
}

// maxInputBytes bounds a frame from the player.
const maxInputBytes = 1 << 10

// inputFrame is a frame as it comes. Each kind has its own fields; others are
// an error.
type inputFrame struct {
	Type  string   `json:"type"`
	DX    *float64 `json:"dx"`
	DY    *float64 `json:"dy"`
	By    *float64 `json:"by"`
	X     *float64 `json:"x"`
	Y     *float64 `json:"y"`
	Level *int     `json:"level"`
}

// parseInput reads one frame from the player.
func parseInput(data []byte) (input, error) {
	var f inputFrame
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return input{}, fmt.Errorf(`want a frame such as {"type":"orbit","dx":0.1,"dy":0}: %w`, err)
	}
	if d.More() {
		return input{}, errors.New("want one JSON object in a frame")
	}
	return f.input()
}

func (f *inputFrame) input() (input, error) {
	switch f.Type {
	case "orbit":
		return f.pair(inOrbit, pair{"dx", f.DX, -1, "dy", f.DY})
	case "move":
		return f.pair(inMove, pair{"x", f.X, -1, "y", f.Y})
	case "tap":
		return f.pair(inTap, pair{"x", f.X, 0, "y", f.Y})
	case "zoom":
		by, err := number("by", f.By, 0.5, 2)
		return input{kind: inZoom, x: by}, err
	case "paint":
		return input{kind: inPaint}, nil
	case "scene":
		if f.Level == nil || *f.Level < 1 || *f.Level > levels {
			return input{}, fmt.Errorf("level: want 1 to %d", levels)
		}
		return input{kind: inScene, level: *f.Level}, nil
	}
	return input{}, fmt.Errorf("type: want orbit, zoom, move, tap, paint or scene, got %.20q", f.Type)
}

// pair is two numbers with their names and the least they may be; the most is 1.
type pair struct {
	xName string
	x     *float64
	least float64
	yName string
	y     *float64
}

func (f *inputFrame) pair(kind inputKind, p pair) (input, error) {
	x, errX := number(p.xName, p.x, p.least, 1)
	y, errY := number(p.yName, p.y, p.least, 1)
	return input{kind: kind, x: x, y: y}, errors.Join(errX, errY)
}

func number(name string, v *float64, least, most float64) (float64, error) {
	if v == nil || math.IsNaN(*v) || *v < least || *v > most {
		return 0, fmt.Errorf("%s: want a number from %v to %v", name, least, most)
	}
	return *v, nil
}

// inbox gathers what the player does between two frames.
type inbox struct {
	mu   sync.Mutex
	in   []input
	next []input // the other of two slices that take turns
}

// maxPending bounds what waits for one frame; what is more is lost.
const maxPending = 64

func (b *inbox) put(in input) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.in) < maxPending {
		b.in = append(b.in, in)
	}
}

// take gives what has come; it is good until the next take but one.
func (b *inbox) take() []input {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.in
	b.in, b.next = b.next[:0], out
	return out
}
