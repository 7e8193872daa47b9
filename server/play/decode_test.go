package play_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rendergate/rendergate/server/play"
)

var server = map[string]func() any{
	"welcome": func() any { return &play.Welcome{} }, "queued": func() any { return &play.Queued{} },
	"offered": func() any { return &play.Offered{} }, "starting": func() any { return &play.Starting{} },
	"seated": func() any { return &play.Seated{} }, "watching": func() any { return &play.Watching{} },
	"refused": func() any { return &play.Refused{} }, "notice": func() any { return &play.Notice{} },
	"ended": func() any { return &play.Ended{} }, "error": func() any { return &play.Failure{} },
}

func TestGoldenMessages(t *testing.T) {
	files, err := filepath.Glob("testdata/messages/*.json")
	if err != nil || len(files) != 19 {
		t.Fatalf("%d golden messages, %v; want 19", len(files), err)
	}
	for _, file := range files {
		golden, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		golden = bytes.TrimSpace(golden)
		var m any
		if of := server[strings.TrimSuffix(filepath.Base(file), ".json")]; of != nil {
			m = of()
			err = json.Unmarshal(golden, m)
		} else {
			m, err = play.Decode(golden)
		}
		again, encoding := json.Marshal(m)
		if err != nil || encoding != nil || !bytes.Equal(again, golden) {
			t.Errorf("%s: %v %v\n got %s\nwant %s", file, err, encoding, again, golden)
		}
	}
}

func TestBadInput(t *testing.T) {
	for _, frame := range []string{
		``, `x`, `[]`, `{}`, `{"type":1}`, `{"type":"nonsense"}`, `{"type":"join"}`, `{"type":"join","intent":"eat"}`,
		`{"type":"join","intent":"play","app":3}`, `{"type":"accept"}`, `{"type":"ticket","session":""}`,
		`{"type":"sharing","session":"s","mode":"all"}`, `{"type":"report","fps":1}`,
		`{"type":"report","fps":-1,"rtt_ms":1,"bitrate_bps":1,"frames_dropped":1}`,
	} {
		if m, err := play.Decode([]byte(frame)); err == nil {
			t.Errorf("%s is taken for %v", frame, m)
		}
	}
}

// FuzzDecode holds that a frame is either a valid message, which says the same
// when it is written and read again, or an error that fits into a close frame
// and says what is wanted.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/messages/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden messages: %v", err)
	}
	for _, file := range files {
		golden, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(golden)
	}
	f.Add([]byte(`{"type":"report","fps":1e400,"rtt_ms":null,"bitrate_bps":-0,"frames_dropped":"1"}`))
	f.Add([]byte("{\"type\":\"\xff\u2028\"}"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := play.Decode(frame)
		if (m == nil) != (err != nil) {
			t.Fatalf("%v and %v", m, err)
		}
		if err != nil {
			if text := err.Error(); !strings.Contains(text, "want") || !utf8.ValidString(text) || len(text) > 400 {
				t.Fatalf("%q is answered with %q", frame, text)
			}
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		if same, err := play.Decode(again); err != nil || same != m {
			t.Fatalf("%+v reads as %+v, %v", m, same, err)
		}
	})
}
