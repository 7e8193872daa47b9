package trace

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
)

// disk is a file that can be full, or slow.
type disk struct {
	mu     sync.Mutex
	text   bytes.Buffer
	full   bool
	closed int
	slow   chan struct{} // if set, a write waits for it
}

func (d *disk) Write(p []byte) (int, error) {
	if d.slow != nil {
		<-d.slow
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return 0, errors.New("no space left on device")
	}
	return d.text.Write(p)
}

func (d *disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed++
	return nil
}

func (d *disk) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

func header() Header {
	return Header{Trace: Format, V: Version, Kind: Probe, Started: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), Host: "h", Pool: "p"}
}

// TestWhatIsRecordedIsOnDiskSoon, without a word from whoever gave it.
func TestWhatIsRecordedIsOnDiskSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		r := newRecorder(d, header(), slog.New(slog.DiscardHandler))
		r.Session(wire.Session{Session: "s", State: "ready"})
		synctest.Wait()
		if strings.Contains(d.String(), `"ready"`) {
			t.Fatal("each line is written by itself")
		}
		time.Sleep(flushEvery)
		synctest.Wait()
		if !strings.Contains(d.String(), `"session":{"session":"s","state":"ready"}}`) {
			t.Fatalf("after %v there is\n%s", flushEvery, d)
		}
		r.Close()
		if d.closed != 1 || !strings.HasSuffix(d.String(), `"end":true}`+"\n") {
			t.Errorf("closed %d times, ends with\n%s", d.closed, d)
		}
	})
}

// TestASlowDiskHoldsUpNobody: what finds no room is dropped, and counted in the
// trace and once in the log.
func TestASlowDiskHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, log := &disk{}, &bytes.Buffer{}
		r := newRecorder(d, header(), slog.New(slog.NewTextHandler(log, nil)))
		r.most, d.slow = 100, make(chan struct{})
		r.Put(Line{At: now(), Hello: &wire.Hello{Share: strings.Repeat("x", 1<<20)}}, 1)
		synctest.Wait() // the recorder waits for the disk
		for range r.most + 7 {
			r.Session(wire.Session{Session: "s", State: "ready"})
		}
		close(d.slow)
		synctest.Wait()
		for range r.most + 5 { // faster than the recorder is scheduled, or not
			r.Session(wire.Session{Session: "s", State: "ready"})
		}
		r.Close()
		lines, last := 0, Line{}
		damage, err := Read(strings.NewReader(d.String()), func(Header) error { return nil }, func(data []byte) error {
			var err error
			if last, err = DecodeLine(data); err == nil && !last.Said() {
				lines++
			}
			return err
		})
		if err != nil || damage != "" {
			t.Fatal(err, damage)
		}
		if !last.End || last.Dropped < 7 || lines+int(last.Dropped) != 2*r.most+13 {
			t.Errorf("%d lines, and %+v at the end", lines, last.Note)
		}
		if n := strings.Count(log.String(), "left out"); n != 1 {
			t.Errorf("told %d times:\n%s", n, log)
		}
	})
}

// TestAFullDiskEndsTheRecording, with one word about it, and nobody waits.
func TestAFullDiskEndsTheRecording(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, log := &disk{}, &bytes.Buffer{}
		r := newRecorder(d, header(), slog.New(slog.NewTextHandler(log, nil)))
		r.most, d.full = 100, true
		for range 3 {
			for range 2 * r.most {
				r.Session(wire.Session{Session: "s", State: "ready"})
			}
			time.Sleep(2 * flushEvery)
		}
		r.Close()
		if n := strings.Count(log.String(), "no space left"); n != 1 || d.closed != 1 || r.held != 0 {
			t.Errorf("told %d times, closed %d times, %d held:\n%s", n, d.closed, r.held, log)
		}
	})
}

// TestWhatIsNotJSONIsLeftOut: NaN, as of a driver gone mad.
func TestWhatIsNotJSONIsLeftOut(t *testing.T) {
	d, nan := &disk{}, math.NaN()
	r := newRecorder(d, header(), slog.New(slog.DiscardHandler))
	r.Sample(wire.Sample{CPU: &nan})
	r.Close()
	if !strings.Contains(d.String(), `"dropped":1`) {
		t.Errorf("got\n%s", d)
	}
}

func TestNobodyRecords(*testing.T) {
	var r *Recorder
	r.Hello(wire.Hello{})
	r.Start(wire.Start{})
	r.Sample(wire.Sample{})
	r.Session(wire.Session{})
	_ = r.Path()
	r.Close()
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	open := func(path string) (*Recorder, error) { return Open(path, header(), slog.New(slog.DiscardHandler)) }
	r, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "probe-20261127T120000.000Z.jsonl"); r.Path() != want {
		t.Errorf("in a folder it is %s, want %s", r.Path(), want)
	}
	if info, err := os.Stat(r.Path()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want it for its owner alone", info, err)
	}
	if _, err := open(r.Path()); err == nil || !strings.Contains(err.Error(), r.Path()+" exists and is not overwritten") {
		t.Errorf("over one that exists: %v", err)
	}
	if _, err := open(filepath.Join(dir, "no", "file")); err == nil {
		t.Error("in a folder that is not there")
	}
	r.Close()
	if _, err := os.Stat(r.Path()); !os.IsNotExist(err) {
		t.Errorf("a trace of nothing is kept (%v)", err)
	}
}

// TestPrivateThings are told apart, and not told.
func TestPrivateThings(t *testing.T) {
	m := newMask()
	for in, want := range map[string]string{
		`{"gate_url":"https://render-1.example.com:8443"}`:     `{"gate_url":"http://gate.invalid"}`,
		`{"reason":"no_show"}`:                                 `{"reason":"no_show"}`,
		`{"reason":"fork/exec /srv/app: no such file"}`:        `{"reason":"other"}`,
		`{"client":"c","class":"vip"}`:                         `{"client":"c","class":"vip"}`,
		`{"secret":"","identity":""}`:                          `{"secret":"","identity":""}`,
		`{"share":"a \"secret\":\"x\" in words","by":{"a":1}}`: `{"share":"a \"secret\":\"x\" in words","by":{"a":1}}`,
	} {
		if got := string(m.apply([]byte(in))); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
	in := `{"a":{"secret":"x\"y","identity":"ann"},"b":{"identity":"ann"},"c":{"identity":"bob"},"d":{"by":"ann"}}`
	out := m.apply([]byte(in))
	var got struct {
		A, B, C, D struct{ Secret, Identity, By string }
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.A.Identity != got.B.Identity || got.A.Identity == got.C.Identity || got.D.By == got.A.Identity {
		t.Errorf("%s becomes %s", in, out)
	}
	if bytes.Contains(out, []byte("ann")) || bytes.Contains(out, []byte("bob")) || bytes.Contains(out, []byte(`x\`)) {
		t.Errorf("%s becomes %s", in, out)
	}
	if again := newMask().apply([]byte(in)); bytes.Equal(again, out) {
		t.Error("two traces have the same stand-ins: they could be told of one another")
	}
}

// TestGoldenLines holds a probe's lines to the file that the reader is tested with.
func TestGoldenLines(t *testing.T) {
	raw, err := os.ReadFile("testdata/probe.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
	for i, line := range lines {
		var out []byte
		if i == 0 {
			h, err := decodeHeader(line)
			if err != nil {
				t.Fatal(err)
			}
			out, _ = json.Marshal(h)
		} else {
			l, err := DecodeLine(line)
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			out, _ = json.Marshal(l)
		}
		if !bytes.Equal(out, line) {
			t.Errorf("line %d\n got %s\nwant %s", i+1, out, line)
		}
	}
}

func TestReading(t *testing.T) {
	const head = `{"trace":"rendergate","v":1,"kind":"probe","started":"2026-11-27T12:00:00Z","host":"h","pool":"p"}` + "\n"
	const line = `{"at":"2026-11-27T12:00:01Z","session":{"session":"s","state":"ready"}}` + "\n"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fmt.Fprint(z, head+line+line)
	_ = z.Close()
	for name, tt := range map[string]struct {
		text   string
		lines  int
		damage string
		err    string
	}{
		"a header alone":                  {text: head},
		"two lines":                       {text: head + line + line, lines: 2},
		"no end of line at the end":       {text: head + strings.TrimSpace(line), lines: 1},
		"empty lines":                     {text: head + "\n" + line + "\n\n", lines: 1},
		"gzip":                            {text: zipped.String(), lines: 2},
		"gzip that is cut":                {text: zipped.String()[:zipped.Len()-12], lines: -1, damage: "damaged"},
		"a last line that is cut":         {text: head + line + line[:20], lines: 1, damage: "line 3: damaged"},
		"a last line of zeros":            {text: head + line + "\x00\x00", lines: 1, damage: "line 3: damaged"},
		"a line in between that is cut":   {text: head + line[:20] + "\n" + line, err: "line 2: not JSON"},
		"a line with something unknown":   {text: head + `{"at":"2026-11-27T12:00:01Z","dance":{}}`, err: `line 2: json: unknown field "dance"`},
		"a line without a time":           {text: head + `{"end":true}`, err: `line 2: no "at"`},
		"a line without a thing":          {text: head + `{"at":"2026-11-27T12:00:01Z"}`, err: "line 2: 0 things on the line; want one of hello"},
		"nothing":                         {err: "line 1: it is empty"},
		"something else":                  {text: "Rendergate\n", err: "line 1: invalid character"},
		"JSON of something else":          {text: `{"a":1}`, err: "line 1: this is no trace; want a header such as"},
		"a newer version":                 {text: `{"trace":"rendergate","v":2}`, err: "a trace of version 2, and this program reads 1"},
		"an unknown kind":                 {text: `{"trace":"rendergate","v":1,"kind":"relay"}`, err: `kind "relay"; want "server" or "probe"`},
		"a header that does not say when": {text: `{"trace":"rendergate","v":1,"kind":"probe"}`, err: `no "started"`},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			damage, err := Read(strings.NewReader(tt.text), func(Header) error { return nil }, func(data []byte) error {
				n++
				_, err := DecodeLine(data)
				return err
			})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || tt.lines >= 0 && n != tt.lines || !strings.Contains(damage, tt.damage) || (damage == "") != (tt.damage == "") {
				t.Errorf("%d lines, %q, %v; want %d and %q", n, damage, err, tt.lines, tt.damage)
			}
		})
	}
}
