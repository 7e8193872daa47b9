package document

import (
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// scalar decodes a plain value: text, true or false, or a number.
func (w walk) scalar(c cursor, into reflect.Value) {
	raw, ok := rawText(c.node)
	if !ok {
		w.d.add(at(c.node), c.path, "want %s, got %s", wantOf(into.Kind()), kindOf(c.node))
		return
	}
	if err := setScalar(c.node, raw, into); err != nil {
		w.d.add(at(c.node), c.path, "%v", err)
	}
}

func setScalar(node ast.Node, raw string, into reflect.Value) error {
	switch kind := into.Kind(); kind {
	case reflect.String:
		if !isText(node) {
			return fmt.Errorf("want text, got %s; put it in quotes: %q", kindOf(node), raw)
		}
		into.SetString(raw)
	case reflect.Bool:
		b, ok := node.(*ast.BoolNode)
		if !ok {
			return fmt.Errorf("want true or false, got %q", raw)
		}
		into.SetBool(b.Value)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(raw, 10, into.Type().Bits())
		if err != nil || isText(node) {
			return fmt.Errorf("want a whole number such as 100, got %q", raw)
		}
		into.SetInt(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(raw, 64)
		if err != nil || isText(node) || math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("want a number such as 1.5, got %q", raw)
		}
		into.SetFloat(f)
	default:
		return fmt.Errorf("a %s cannot be set from a file", kind)
	}
	return nil
}

// rawText is a value as it is written, without quotes.
func rawText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	}
	return "", false
}

func isText(node ast.Node) bool {
	return node.Type() == ast.StringType || node.Type() == ast.LiteralType
}

func wantOf(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a number"
	}
	return "text"
}

// kindOf names what stands there, for errors.
func kindOf(node ast.Node) string {
	switch node.Type() {
	case ast.MappingType, ast.MappingValueType:
		return "keys with values"
	case ast.SequenceType:
		return "a list"
	case ast.StringType, ast.LiteralType:
		raw, _ := rawText(node)
		return strconv.Quote(clip(raw))
	case ast.BoolType, ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType:
		return strconv.Quote(clip(node.GetToken().Value))
	case ast.NullType:
		return "nothing"
	}
	return "something that is not read here"
}

func clip(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// at is where a value begins. A mapping's own token is the colon behind its
// first key, so the key is asked for.
func at(node ast.Node) position {
	switch n := node.(type) {
	case *ast.MappingValueNode:
		return at(n.Key)
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return at(n.Values[0].Key)
		}
	}
	if t := node.GetToken(); t != nil && t.Position != nil {
		return position{t.Position.Line, t.Position.Column}
	}
	return position{1, 1}
}
