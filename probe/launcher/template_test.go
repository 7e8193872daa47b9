package launcher

import (
	"strings"
	"testing"
)

func TestTemplates(t *testing.T) {
	v := Values{Session: "s1", App: "showroom", Copy: 3, GPU: 1, Port: 20001, Ports: []int{20001, 20002}, Dir: "/srv", BitrateBps: 8e6}
	for text, want := range map[string]string{
		"":                                  "",
		"plain":                             "plain",
		"ws://127.0.0.1:{{.Port}}/x":        "ws://127.0.0.1:20001/x",
		"{{.Session}} {{.App}} {{.GPU}}":    "s1 showroom 1",
		"{{.Dir}} {{.BitrateBps}}":          "/srv 8000000",
		":{{.Copy}}":                        ":3",
		"{{index .Ports 1}}":                "20002",
		"{{range .Ports}}-p {{.}} {{end}}":  "-p 20001 -p 20002 ",
		"{{if ge .GPU 0}}-g{{.GPU}}{{end}}": "-g1",
		"{{printf \"%05d\" .Port}}":         "20001",
	} {
		tm, err := ParseTemplate(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, err := tm.Expand(v); err != nil || got != want || tm.String() != text {
			t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"{{.port}}": "unknown name .port; want {{.Session}}",
		"{{if lt .GPU 99}}{{else}}{{.Nope}}{{end}}": "unknown name .Nope",
		"{{if .Nope}}{{end}}":                       "unknown name .Nope",
		"{{.Port.X}}":                               "unknown name .Port.X",
		"{{.Port":                                   "unclosed action",
		"{{range 1000000000}}{{end}}":               "the only loop",
		"{{define \"x\"}}{{end}}":                   "{{define}}",
		"{{template \"x\"}}":                        "has no use here",
		"{{$x := .Port}}{{$x}}":                     "variables have no use",
		"{{index .Ports 99}}":                       "out of range",
		"{{call .Port}}":                            "call has no use here",
		"{{.}}":                                     "has no use here",
		"a\x00b":                                    "zero byte",
		"{{printf \"%100000d\" .Port}}":             "expands to more than",
		strings.Repeat("x", maxExpanded+1):          "bytes long",
	} {
		if _, err := ParseTemplate(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %q in it", text, err, want)
		}
	}
}

// FuzzTemplate checks that a template that was taken expands to bounded text
// for any session, and reads back the same.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"x", "{{.Port}}", "{{range .Ports}}{{.}}{{end}}", "{{if ge .GPU 0}}a{{else}}b{{end}}", "{{index .Ports 1}}",
		"{{printf \"%d\" .Port | len}}", "{{with .App}}{{.}}{{end}}", "{{break}}", "{{/* c */}}", "{{and .Port (or .GPU .Dir)}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tm, err := ParseTemplate(text)
		if err != nil {
			return
		}
		if tm.String() != text {
			t.Fatalf("reads back as %q", tm)
		}
		for _, v := range []Values{{Session: "s", Ports: make([]int, 16), GPU: 3}, {Session: "s", Ports: make([]int, 16), GPU: -1}} {
			if out, err := tm.Expand(v); err == nil && len(out) > maxExpanded {
				t.Fatalf("expands to %d bytes", len(out))
			}
		}
	})
}

func TestLedgerForgetsTheOldest(t *testing.T) {
	var l ledger
	l.note("first", 1)
	for i := range maxLedger {
		l.note(strings.Repeat("s", i%50+1)+string(rune('a'+i%26))+strings.Repeat("x", i/50), 2)
	}
	if len(l.attempts) > maxLedger || len(l.order) > maxLedger {
		t.Fatalf("%d remembered", len(l.attempts))
	}
	l.note("a", 3)
	l.note("a", 2)
	if l.attempt("a") != 3 {
		t.Fatalf("attempt %d, want the newest", l.attempt("a"))
	}
}
