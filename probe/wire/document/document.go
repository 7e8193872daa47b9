// Package document reads a config file of either end: YAML whose every mistake
// is told at once, each with its line and column, and with what would be right.
//
// It takes the plain part of YAML: mappings, lists and values. Anchors, aliases,
// tags and several documents in one file are refused, since a config that must
// be resolved to be read is one that nobody can check by looking at it.
package document

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// MaxBytes bounds a config file.
const MaxBytes = 256 << 10

// MaxDepth bounds how deep its values are nested.
const MaxDepth = 32

// Document is a file that was decoded, and what was found wrong with it.
type Document struct {
	name     string
	at       map[string]position // by path
	problems []Problem
	unread   int // so many of the problems are of values that could not be read
}

type position struct{ line, column int }

// Decode reads data over what into, a pointer to a struct, holds already: its
// defaults. Fields are named by their `yaml` tags. A map or list in the file
// replaces the default one; a new element with a SetDefaults method starts from
// that. Values that implement [encoding.TextUnmarshaler] parse themselves. Name
// is the file's name for errors. Look at [Document.Err] when all checks are done.
func Decode(name string, data []byte, into any) *Document {
	d := &Document{name: name, at: map[string]position{}}
	body := d.parse(data)
	if body == nil {
		return d
	}
	w := walk{d: d}
	w.decode(cursor{node: body}, reflect.ValueOf(into).Elem())
	d.unread = len(d.problems)
	return d
}

// parse gives the file's one value; nil if it is empty or cannot be read.
func (d *Document) parse(data []byte) ast.Node {
	if len(data) > MaxBytes {
		d.add(position{1, 1}, "", "the file has %d bytes; want at most %d", len(data), MaxBytes)
		return nil
	}
	if line, column, deep := nesting(data); deep {
		d.add(position{line, column}, "", "nested too deep; want at most %d levels", MaxDepth)
		return nil
	}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.addSyntax(err)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.CommentType:
		case body != nil:
			d.add(at(doc.Body), "", "a second document; want one file with one document")
		default:
			body = doc.Body
		}
	}
	return body
}

// nesting finds where brackets are nested deeper than any config needs: the
// parser would recurse as deep.
func nesting(data []byte) (line, column int, deep bool) {
	depth, line, column := 0, 1, 0
	for _, c := range data {
		column++
		switch c {
		case '\n':
			line, column = line+1, 0
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		}
		// Brackets inside text count too: one that opens and never closes is rare,
		// so the bound is generous.
		if depth > 16*MaxDepth {
			return line, column, true
		}
	}
	return 0, 0, false
}

func (d *Document) addSyntax(err error) {
	var typed yaml.Error
	if !errors.As(err, &typed) || typed.GetToken() == nil || typed.GetToken().Position == nil {
		d.add(position{1, 1}, "", "not YAML: %s", firstLine(err.Error()))
		return
	}
	p := typed.GetToken().Position
	d.add(position{p.Line, p.Column}, "", "not YAML: %s", firstLine(typed.GetMessage()))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// Forget drops what was found wrong so far: where the file is of a version that
// cannot be read, its keys and values are not mistakes.
func (d *Document) Forget() { d.problems, d.unread = nil, 0 }

// Has says whether the file sets the key at the path, such as "auth.operators[0].name".
func (d *Document) Has(path string) bool {
	_, ok := d.at[path]
	return ok
}

// Reject adds a problem at the path's place in the file, or, if the file does not
// set it, at the nearest one around it. Say what is wrong, and what would be right.
// A value that could not be read has been told already, and is not judged.
func (d *Document) Reject(path, format string, args ...any) {
	if slices.ContainsFunc(d.problems[:d.unread], func(p Problem) bool { return p.Key == path }) {
		return
	}
	place, ok := d.at[path]
	for around := path; !ok && around != ""; {
		around = parent(around)
		place, ok = d.at[around]
	}
	if !ok {
		place = position{1, 1}
	}
	d.add(place, path, format, args...)
}

// parent is the path of what a path's value stands in.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

func (d *Document) add(p position, key, format string, args ...any) {
	d.problems = append(d.problems, Problem{
		File: d.name, Line: p.line, Column: p.column, Key: key, Text: fmt.Sprintf(format, args...),
	})
}
