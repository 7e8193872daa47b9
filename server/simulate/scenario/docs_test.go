package scenario_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/server/simulate/scenario"
)

// TestDocNamesEveryKeyAndDefault holds docs/scenario.md to the types that a file
// is decoded into: no key is missing or gone, and no default is another.
func TestDocNamesEveryKeyAndDefault(t *testing.T) {
	text, err := os.ReadFile("../docs/scenario.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	keys(want, "", reflect.ValueOf(*scenario.Default()))
	got := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|[^|]*\\|[^|]*\\| `([^`]*)` \\|$").FindAllStringSubmatch(string(text), -1) {
		got[m[1]] = m[2]
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if d, ok := got[key]; !ok {
			t.Errorf("docs/scenario.md lacks %s (default %s)", key, want[key])
		} else if d != want[key] {
			t.Errorf("docs/scenario.md says that %s is %s by default, it is %s", key, d, want[key])
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("docs/scenario.md names %s, which is no key", key)
		}
	}
}

// keys collects every key below v with its default, as the document writes it.
func keys(into map[string]string, path string, v reflect.Value) {
	if s, ok := v.Interface().(fmt.Stringer); ok {
		into[path] = s.String()
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			keys(into, strings.TrimPrefix(path+"."+v.Type().Field(i).Tag.Get("yaml"), "."), v.Field(i))
		}
	case reflect.Map:
		keys(into, path+".<app>", v.MapIndex(reflect.ValueOf("app")))
	case reflect.String:
		into[path] = v.String()
		if v.String() == "" {
			into[path] = `""`
		}
	default:
		into[path] = fmt.Sprint(v)
	}
}
