package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestGolden holds the messages to the files that both ends are tested
// against: nothing in a file is unknown to the types, and what the types write
// is what the file says, to the byte once white space is gone.
func TestGolden(t *testing.T) {
	frames := map[string]func() any{
		"hello":       func() any { return new(FromHost) },
		"sample":      func() any { return new(FromHost) },
		"session":     func() any { return new(FromHost) },
		"welcome":     func() any { return new(ToHost) },
		"start":       func() any { return new(ToHost) },
		"stop":        func() any { return new(ToHost) },
		"drain":       func() any { return new(ToHost) },
		"publish":     func() any { return new(ToHost) },
		"ack":         func() any { return new(ToHost) },
		"error":       func() any { return new(ToHost) },
		"stream_info": func() any { return new(StreamInfo) },
		"calibrate":   func() any { return new(ToHost) },
		"calibration": func() any { return new(FromHost) },

		"calibration_result": func() any { return new(FromHost) },
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) != len(frames) {
		t.Fatalf("%d golden files for %d frames: %v", len(files), len(frames), err)
	}
	for name, empty := range frames {
		t.Run(name, func(t *testing.T) { checkGolden(t, filepath.Join("testdata", name+".json"), empty()) })
	}
}

func checkGolden(t *testing.T, path string, frame any) {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if err := strict.Decode(frame); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	got, err := json.Marshal(frame)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, raw); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s\n got %s\nwant %s", path, got, want.Bytes())
	}
}
