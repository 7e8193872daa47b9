package play_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"type":"join","intent":"play"}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := play.Decode(frame)
		if (m == nil) != (err != nil) {
			t.Fatalf("%v and %v", m, err)
		}
	})
}
