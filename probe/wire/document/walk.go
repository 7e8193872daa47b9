package document

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// walk carries a tree of YAML into Go values, noting every problem on its way
// instead of stopping at the first.
type walk struct{ d *Document }

// cursor is where a walk stands.
type cursor struct {
	node  ast.Node
	path  string
	depth int
}

func (c cursor) child(node ast.Node, path string) cursor {
	return cursor{node: node, path: path, depth: c.depth + 1}
}

// defaulter is an element of a map or list that does not start from zero.
type defaulter interface{ SetDefaults() }

func (w walk) decode(c cursor, into reflect.Value) {
	place := at(c.node)
	w.d.at[c.path] = place
	switch {
	case c.depth > MaxDepth:
		w.d.add(place, c.path, "nested too deep; want at most %d levels", MaxDepth)
		return
	case c.node.Type() == ast.NullType:
		return // a key without a value keeps its default
	case c.node.Type() == ast.AnchorType || c.node.Type() == ast.AliasType || c.node.Type() == ast.TagType:
		w.d.add(place, c.path, "anchors, aliases and tags are not read here; write the value out")
		return
	}
	if text, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		w.text(c, text)
		return
	}
	w.byKind(c, into)
}

func (w walk) byKind(c cursor, into reflect.Value) {
	switch into.Kind() {
	case reflect.Pointer:
		if into.IsNil() {
			into.Set(newElement(into.Type().Elem()))
		}
		w.decode(c, into.Elem())
	case reflect.Struct:
		w.fields(c, into)
	case reflect.Map:
		w.entries(c, into)
	case reflect.Slice:
		w.items(c, into)
	default:
		w.scalar(c, into)
	}
}

func (w walk) text(c cursor, into encoding.TextUnmarshaler) {
	raw, ok := rawText(c.node)
	if !ok {
		w.d.add(at(c.node), c.path, "want one value, got %s", kindOf(c.node))
		return
	}
	if err := into.UnmarshalText([]byte(raw)); err != nil {
		w.d.add(at(c.node), c.path, "%v", err)
	}
}

func (w walk) fields(c cursor, into reflect.Value) {
	known := fieldNames(into.Type())
	for _, kv := range w.pairs(c) {
		i := slices.Index(known, kv.key)
		if i < 0 {
			w.d.add(kv.place, join(c.path, kv.key), "unknown key; %s", suggest(kv.key, known))
			continue
		}
		w.value(c, kv, into.Field(i))
	}
}

// value decodes what stands behind a key; the place of an absent or nested value
// is its key's.
func (w walk) value(c cursor, kv pair, into reflect.Value) {
	path := join(c.path, kv.key)
	w.decode(c.child(kv.node, path), into)
	if t := kv.node.Type(); t == ast.MappingType || t == ast.NullType || t == ast.SequenceType || t == ast.MappingValueType {
		w.d.at[path] = kv.place
	}
}

func (w walk) entries(c cursor, into reflect.Value) {
	made := reflect.MakeMap(into.Type())
	for _, kv := range w.pairs(c) {
		element := newElement(into.Type().Elem()).Elem()
		w.value(c, kv, element)
		made.SetMapIndex(reflect.ValueOf(kv.key).Convert(into.Type().Key()), element)
	}
	into.Set(made)
}

func (w walk) items(c cursor, into reflect.Value) {
	list, ok := c.node.(*ast.SequenceNode)
	if !ok {
		w.d.add(at(c.node), c.path, "want a list such as [a, b], got %s", kindOf(c.node))
		return
	}
	made := reflect.MakeSlice(into.Type(), 0, len(list.Values))
	for i, node := range list.Values {
		element := newElement(into.Type().Elem()).Elem()
		w.decode(c.child(node, fmt.Sprintf("%s[%d]", c.path, i)), element)
		made = reflect.Append(made, element)
	}
	into.Set(made)
}

func newElement(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if d, ok := v.Interface().(defaulter); ok {
		d.SetDefaults()
	}
	return v
}

// pair is a key with its value.
type pair struct {
	key   string
	place position // of the key
	node  ast.Node
}

// pairs are the entries of a mapping. A key that stands twice counts once, the
// first time, and is a problem.
func (w walk) pairs(c cursor) []pair {
	mapping, ok := c.node.(ast.MapNode)
	if !ok {
		w.d.add(at(c.node), c.path, "want keys with values, got %s", kindOf(c.node))
		return nil
	}
	var pairs []pair
	seen := map[string]position{}
	for it := mapping.MapRange(); it.Next(); {
		kv := it.KeyValue()
		key, ok := rawText(kv.Key)
		p := pair{key: key, place: at(kv.Key), node: kv.Value}
		switch first, twice := seen[key]; {
		case !ok || key == "":
			w.d.add(p.place, c.path, "want a plain word as key, got %s", kindOf(kv.Key))
		case twice:
			w.d.add(p.place, join(c.path, key), "set already in line %d; remove one of the two", first.line)
		default:
			seen[key] = p.place
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// fieldNames are the keys of a struct, by field index.
func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if t.Field(i).IsExported() && name != "-" {
			names[i] = name
		}
	}
	return names
}

func suggest(key string, known []string) string {
	known = slices.DeleteFunc(slices.Clone(known), func(k string) bool { return k == "" })
	if near := Nearest(key, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "the keys here are " + strings.Join(known, ", ")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
