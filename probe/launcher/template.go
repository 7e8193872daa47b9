package launcher

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"text/template"
	"text/template/parse"
)

// Values is what the templates of an app may name.
type Values struct {
	Session    string // the session's id: letters, digits, '-', '_', '.'
	App        string // the app's name
	Copy       int    // the lowest number from 1 that no other session here has: for a folder or a display of each
	GPU        int    // the GPU's index, -1 for none
	Port       int    // a free port on loopback, the session's own; the first of Ports
	Ports      []int  // all of the session's ports
	Dir        string // the app's folder, empty for the probe's own
	BitrateBps int64  // what the stream is budgeted for, bits per second
}

// maxExpanded bounds what a template may grow to, in bytes.
const maxExpanded = 16 << 10

// Template is one text with {{.Session}}, {{.Copy}}, {{.GPU}}, {{.Port}}, {{.Ports}},
// {{.App}}, {{.Dir}} and {{.BitrateBps}} in it. The zero value is empty text.
type Template struct {
	text  string
	tmpl  *template.Template
	wrong error // why it cannot be expanded
}

// ParseTemplate reads a template. What it names must exist: a name that is not
// one of [Values] is an error here, not when a session starts.
func ParseTemplate(text string) (Template, error) {
	if len(text) > maxExpanded {
		return Template{}, fmt.Errorf("%d bytes long; want at most %d", len(text), maxExpanded)
	}
	if strings.ContainsRune(text, 0) {
		return Template{}, errors.New("holds a zero byte, which no command can be given")
	}
	tmpl, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		return Template{}, errors.New(strings.TrimPrefix(err.Error(), "template: :"))
	}
	if len(tmpl.Templates()) > 1 {
		return Template{}, errors.New("{{define}} and {{block}} have no use here")
	}
	t := Template{text: text, tmpl: tmpl}
	if tmpl.Tree != nil {
		if err := check(tmpl.Root); err != nil {
			return Template{}, err
		}
	}
	return t, t.try()
}

// try expands the template for a session with a GPU and one without, so that
// what fails only while expanding is found when the config is read.
func (t Template) try() error {
	for _, gpu := range []int{0, -1} {
		sample := Sample()
		sample.GPU = gpu
		if _, err := t.Expand(sample); err != nil {
			return err
		}
	}
	return nil
}

// String gives the template as it was written.
func (t Template) String() string { return t.text }

// Expand fills the template in.
func (t Template) Expand(v Values) (string, error) {
	if t.tmpl == nil {
		return "", t.wrong
	}
	var out bounded
	if err := t.tmpl.Execute(&out, v); err != nil {
		return "", errors.New(strings.TrimPrefix(err.Error(), "template: :"))
	}
	return out.String(), nil
}

var errExpanded = fmt.Errorf("expands to more than %d bytes", maxExpanded)

// bounded is a builder that refuses to grow past maxExpanded.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxExpanded {
		return 0, errExpanded
	}
	return b.Builder.Write(p)
}

// check walks a template for what cannot work or has no use in one: unknown
// names in branches that the trial would not take, and loops other than over
// the ports, which could run for ever.
func check(node parse.Node) error {
	switch n := node.(type) {
	case *parse.ListNode:
		return checkAll(n)
	case *parse.ActionNode:
		return checkPipe(n.Pipe)
	case *parse.IfNode:
		return errors.Join(checkPipe(n.Pipe), checkAll(n.List), checkAll(n.ElseList))
	case *parse.RangeNode:
		if n.Pipe.String() != ".Ports" || n.ElseList != nil {
			return errors.New("the only loop is {{range .Ports}}…{{end}}")
		}
		return nil
	case *parse.TextNode, *parse.CommentNode:
		return nil
	}
	return fmt.Errorf("%s has no use here; want %s, {{if}} or {{range .Ports}}", node, names())
}

func checkAll(list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, n := range list.Nodes {
		if err := check(n); err != nil {
			return err
		}
	}
	return nil
}

func checkPipe(pipe *parse.PipeNode) error {
	if len(pipe.Decl) > 0 {
		return errors.New("variables have no use here; want " + names())
	}
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			if err := checkArg(arg); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkArg(arg parse.Node) error {
	switch a := arg.(type) {
	case *parse.FieldNode:
		if len(a.Ident) != 1 || !known(a.Ident[0]) {
			return fmt.Errorf("unknown name %s; want %s", a, names())
		}
	case *parse.PipeNode:
		return checkPipe(a)
	case *parse.IdentifierNode:
		if a.Ident == "call" {
			return errors.New("call has no use here")
		}
	case *parse.DotNode, *parse.ChainNode, *parse.VariableNode:
		return fmt.Errorf("%s has no use here; want %s", a, names())
	}
	return nil
}

func known(name string) bool {
	_, ok := reflect.TypeFor[Values]().FieldByName(name)
	return ok
}

// names lists what a template may name, for errors.
func names() string {
	t := reflect.TypeFor[Values]()
	all := make([]string, t.NumField())
	for i := range all {
		all[i] = "{{." + t.Field(i).Name + "}}"
	}
	return strings.Join(all, ", ")
}

// UnmarshalText reads what [ParseTemplate] does, for config files.
// One that it refuses keeps its text, and does not expand.
func (t *Template) UnmarshalText(text []byte) (err error) {
	if *t, err = ParseTemplate(string(text)); err != nil {
		*t = Template{text: string(text), wrong: err}
	}
	return err
}

// Empty says whether the template is empty text.
func (t Template) Empty() bool { return t.text == "" }

// Sample is what a template is tried with before a session exists.
func Sample() Values {
	return Values{Session: "s1", App: "app", Copy: 1, Port: 20000, Ports: make([]int, 16), Dir: "/", BitrateBps: 8e6}
}
