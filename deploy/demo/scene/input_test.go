package scene

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseInput(t *testing.T) {
	for _, c := range []struct {
		frame string
		want  input
		err   string // part of it
	}{
		{`{"type":"orbit","dx":0.25,"dy":-1}`, input{kind: inOrbit, x: 0.25, y: -1}, ""},
		{`{"type":"zoom","by":1.5}`, input{kind: inZoom, x: 1.5}, ""},
		{`{"type":"move","x":-1,"y":0}`, input{kind: inMove, x: -1}, ""},
		{`{"type":"tap","x":1,"y":0}`, input{kind: inTap, x: 1}, ""},
		{`{"type":"paint"}`, input{kind: inPaint}, ""},
		{`{"type":"scene","level":4}`, input{kind: inScene, level: 4}, ""},
		{`{"type":"orbit","dx":1.01,"dy":0}`, input{}, "dx: want a number from -1 to 1"},
		{`{"type":"orbit","dx":1}`, input{}, "dy: want a number"},
		{`{"type":"zoom","by":0}`, input{}, "by: want a number from 0.5 to 2"},
		{`{"type":"zoom","by":1e999}`, input{}, "want a frame such as"},
		{`{"type":"tap","x":-0.1,"y":0}`, input{}, "x: want a number from 0 to 1"},
		{`{"type":"scene","level":5}`, input{}, "level: want 1 to 4"},
		{`{"type":"scene","level":1.5}`, input{}, "level"},
		{`{"type":"scene"}`, input{}, "level: want 1 to 4"},
		{`{"type":"quit"}`, input{}, "type: want orbit"},
		{`{"type":"paint","colour":"red"}`, input{}, "unknown field"},
		{`{"type":"paint"} {}`, input{}, "one JSON object"},
		{`[]`, input{}, "want a frame such as"},
		{`not json`, input{}, "want a frame such as"},
		{``, input{}, "want a frame such as"},
	} {
		got, err := parseInput([]byte(c.frame))
		switch {
		case c.err == "" && (err != nil || got != c.want):
			t.Errorf("%s: %+v, %v; want %+v", c.frame, got, err, c.want)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: error %v, want one with %q", c.frame, err, c.err)
		}
	}
}

// FuzzInput holds what gets through to its ranges, and the scene to a view that
// can be drawn.
func FuzzInput(f *testing.F) {
	for _, seed := range []string{
		`{"type":"orbit","dx":0.25,"dy":-1}`, `{"type":"zoom","by":2}`, `{"type":"move","x":-1,"y":1}`, `{"type":"tap","x":0.5,"y":0.5}`,
		`{"type":"scene","level":4}`, `{"type":"paint"}`, `{"type":"zoom","by":-0}`, `{"type":"tap","x":null,"y":0}`, `{}`, `{"type":"orbit","dx":1e308,"dy":0}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := parseInput(data)
		if err != nil {
			if in.kind == inScene && in.level != 0 {
				t.Fatalf("a level of %d with an error: %v", in.level, err)
			}
			return
		}
		if math.Abs(in.x) > 2 || math.Abs(in.y) > 1 || in.level < 0 || in.level > levels {
			t.Fatalf("%q got through as %+v", data, in)
		}
		s := newStage(1, 16.0/9)
		s.step(0.05, []input{in})
		checkStage(t, &s)
	})
}

// checkStage says whether what is to be drawn can be.
func checkStage(t interface{ Fatalf(string, ...any) }, s *stage) {
	v := s.view()
	cam := s.camera()
	for name, x := range map[string]float64{
		"yaw": v.Yaw, "pitch": v.Pitch, "zoom": v.Zoom, "x": float64(v.Around.X), "z": float64(v.Around.Z), "paint": float64(v.Paint.X),
	} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			t.Fatalf("%s is %v", name, x)
		}
	}
	if cam.Eye.Y < 0.5 {
		t.Fatalf("the camera is at height %v, in the floor or below", cam.Eye.Y)
	}
	if v.Detail <= 0 || s.level < 1 || s.level > levels {
		t.Fatalf("level %d, detail %v", s.level, v.Detail)
	}
}

func TestStageTakesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStage(1, 16.0/9)
		now := 0.0
		for range rapid.IntRange(1, 60).Draw(t, "frames") {
			now += rapid.Float64Range(0, 3).Draw(t, "dt")
			in := input{
				kind: inputKind(rapid.IntRange(0, int(inScene)).Draw(t, "kind")), x: rapid.Float64Range(0.5, 1).Draw(t, "x"),
				y: rapid.Float64Range(-1, 1).Draw(t, "y"), level: rapid.IntRange(1, levels).Draw(t, "level"),
			}
			s.step(now, []input{in})
			checkStage(t, &s)
		}
	})
}

func TestStage(t *testing.T) {
	s := newStage(1, 16.0/9)
	yaw, zoom, colour := s.yaw, s.zoom, s.colour
	s.step(0.05, []input{{kind: inOrbit, x: 0.1}, {kind: inZoom, x: 1.2}})
	if s.yaw <= yaw || s.zoom >= zoom {
		t.Errorf("yaw %v to %v, distance %v to %v; want more and less", yaw, s.yaw, zoom, s.zoom)
	}
	s.step(0.1, []input{{kind: inTap, x: 0.01, y: 0.01}})
	if s.colour != colour {
		t.Error("a tap beside the car painted it")
	}
	s.step(0.15, []input{{kind: inTap, x: 0.5, y: 0.52}})
	if s.colour == colour {
		t.Error("a tap on the car did not paint it")
	}
	at := s.around
	s.step(0.2, []input{{kind: inMove, y: 1}})
	s.step(0.3, nil)
	moved := s.around.Minus(at)
	s.step(0.35, []input{{kind: inMove}})
	still := s.around
	s.step(0.5, nil)
	if moved.Dot(moved) == 0 || s.around != still {
		t.Errorf("a held key moved by %v, a released one from %v to %v", moved, still, s.around)
	}
}

func TestInboxIsBounded(t *testing.T) {
	b := &inbox{}
	for range 10 * maxPending {
		b.put(input{kind: inPaint})
	}
	if n := len(b.take()); n != maxPending {
		t.Errorf("%d inputs wait for one frame, want %d", n, maxPending)
	}
	if n := len(b.take()); n != 0 {
		t.Errorf("%d inputs came twice", n)
	}
}
