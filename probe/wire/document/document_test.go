package document_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/probe/wire/quantity"
)

type file struct {
	Name  string            `yaml:"name"`
	Count int               `yaml:"count"`
	Ratio float64           `yaml:"ratio"`
	On    bool              `yaml:"on"`
	Wait  quantity.Duration `yaml:"wait"`
	List  []string          `yaml:"list"`
	Parts map[string]part   `yaml:"parts"`
	TLS   *part             `yaml:"tls"`
	Items []part            `yaml:"items"`
}

type part struct {
	Rate  quantity.Rate `yaml:"rate"`
	Cert  string        `yaml:"cert"`
	Inner inner         `yaml:"inner"`
}

type inner struct {
	Depth int `yaml:"depth"`
}

func (p *part) SetDefaults() { p.Rate = 8e6 }

func defaults() file {
	return file{Name: "default", Wait: quantity.Duration(time.Minute), List: []string{"a"}, Parts: map[string]part{"default": {}}}
}

func TestDecode(t *testing.T) {
	v := defaults()
	d := document.Decode("f.yaml", []byte(`# a comment
name: x
count: -3
ratio: 1.5
on: true
wait: 30m
list: [b, "c"]
parts:
  one: {cert: c.pem}
  two:
    rate: 1 Mbit/s
    inner:
      depth: 4
tls: {cert: t.pem}
items:
  - cert: i
  - rate: 2 Mbit/s
`), &v)
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	if v.Name != "x" || v.Count != -3 || v.Ratio != 1.5 || !v.On || v.Wait.Std() != 30*time.Minute || len(v.List) != 2 || v.List[1] != "c" {
		t.Fatalf("got %+v", v)
	}
	if len(v.Parts) != 2 || v.Parts["one"].Rate != 8e6 || v.Parts["one"].Cert != "c.pem" || v.Parts["two"].Rate != 1e6 || v.Parts["two"].Inner.Depth != 4 {
		t.Fatalf("got %+v", v.Parts)
	}
	if v.TLS == nil || v.TLS.Cert != "t.pem" || v.TLS.Rate != 8e6 || len(v.Items) != 2 || v.Items[0].Rate != 8e6 {
		t.Fatalf("got %+v %+v", v.TLS, v.Items)
	}
	if !d.Has("parts.two.inner.depth") || d.Has("parts.one.rate") {
		t.Fatal("Has is wrong about what the file sets")
	}
}

func TestEmptyKeepsDefaults(t *testing.T) {
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n", "name:\nlist:\nparts:\nwait:\ntls:\n"} {
		v := defaults()
		if err := document.Decode("f.yaml", []byte(text), &v).Err(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if v.Name != "default" || v.Wait.Std() != time.Minute || len(v.List) != 1 || len(v.Parts) != 1 || v.TLS != nil {
			t.Errorf("%q: got %+v", text, v)
		}
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"nme: x", `f.yaml:1:1: nme: unknown key; did you mean "name"?`},
		{"zzzzzz: x", "f.yaml:1:1: zzzzzz: unknown key; the keys here are name, count, ratio, on, wait, list, parts, tls, items"},
		{"name: x\nname: y", "f.yaml:2:1: name: set already in line 1; remove one of the two"},
		{"name: 12", `f.yaml:1:7: name: want text, got "12"; put it in quotes: "12"`},
		{"name: [a]", `f.yaml:1:7: name: want text, got a list`},
		{"count: 1.5", `f.yaml:1:8: count: want a whole number such as 100, got "1.5"`},
		{"count: \"1\"", `f.yaml:1:8: count: want a whole number such as 100, got "1"`},
		{"count: 99999999999999999999", "want a whole number"},
		{"ratio: .nan", "want a number such as 1.5"}, {"ratio: .inf", "want a number such as 1.5"},
		{"on: yes", `f.yaml:1:5: on: want true or false, got "yes"`},
		{"wait: 30", `f.yaml:1:7: wait: want a duration with its unit`},
		{"wait: [30s]", "f.yaml:1:7: wait: want one value, got a list"},
		{"list: a", `f.yaml:1:7: list: want a list such as [a, b], got "a"`},
		{"list: [a, 2]", `f.yaml:1:11: list[1]: want text, got "2"`},
		{"parts:\n  one:\n    rate: 8 Mb\n", `f.yaml:3:11: parts.one.rate: want a rate such as "8 Mbit/s", got "8 Mb"`},
		{"parts:\n  one: {raet: 8 Mb}\n", `f.yaml:2:9: parts.one.raet: unknown key; did you mean "rate"?`},
		{"parts: [a]", "f.yaml:1:8: parts: want keys with values, got a list"},
		{"parts: {one: 3}", `parts.one: want keys with values, got "3"`},
		{"items:\n  - cert: a\n  - crt: b\n", `f.yaml:3:5: items[1].crt: unknown key; did you mean "cert"?`},
		{"- a\n- b\n", "f.yaml:1:1: want keys with values, got a list"},
		{"name: &a x\n", "f.yaml:1:7: name: anchors, aliases and tags are not read here"},
		{"name: !!str x\n", "anchors, aliases and tags"},
		{"name: x\n---\nname: y\n", "a second document"},
		{"name: \"x\n", "f.yaml:1:7: not YAML:"},
		{"\tname: x\n", "not YAML:"},
		{"name: [", "not YAML:"},
		{strings.Repeat("[", 100000), "nested too deep"},
		{strings.Repeat("x", document.MaxBytes+1), "want at most 262144"},
		{"? [a]\n: b\n", "not YAML: found an invalid key"},
		{"\"\": b\n", "want a plain word as key"},
	} {
		v := defaults()
		err := document.Decode("f.yaml", []byte(c.text), &v).Err()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v; want %q", c.text[:min(len(c.text), 40)], err, c.want)
		}
	}
}

func TestAllAtOnceInOrder(t *testing.T) {
	v := defaults()
	d := document.Decode("f.yaml", []byte("count: x\nnme: y\nparts:\n  one:\n    rate: 1\nwait: 5\n"), &v)
	d.Reject("parts.one.inner.depth", "want more")
	d.Reject("elsewhere", "is needed")
	var problems document.Problems
	if !errors.As(d.Err(), &problems) {
		t.Fatal("want problems")
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Key)
	}
	if s := strings.Join(got, " "); s != "elsewhere count nme parts.one.inner.depth parts.one.rate wait" {
		t.Fatalf("got %s:\n%v", s, problems)
	}
	if problems[3].Line != 4 || problems[3].Column != 3 {
		t.Fatalf("a key that is not set is rejected at %d:%d, want at what is around it, 4:3", problems[3].Line, problems[3].Column)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"wait", "degrade", "allow"}
	for word, want := range map[string]string{"wiat": "wait", "Wait": "wait", "degrad": "degrade", "alow": "allow", "no": "", "": ""} {
		if got := document.Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

// FuzzDecode checks that no input ends the process, and that every problem has a
// place in the file.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"name: x\n", "parts:\n  one: {rate: 8 Mbit/s}\n", "items:\n  - cert: a\n", "name: &a x\ncount: *a\n", "<<: {a: 1}\n",
		"? a\n: b\n", "[{]}", "name: |\n  text\n", "\"", "a: b: c", "!!binary x", "%YAML 1.2\n---\nname: x\n", "- - - -", "name: >-\n\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v := defaults()
		err := document.Decode("f.yaml", data, &v).Err()
		var problems document.Problems
		if err == nil {
			return
		}
		if !errors.As(err, &problems) {
			t.Fatalf("not problems: %v", err)
		}
		lines := strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data)), "\n") + 2
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Text == "" {
				t.Fatalf("%q: problem %+v of %d lines", data, p, lines)
			}
		}
	})
}
