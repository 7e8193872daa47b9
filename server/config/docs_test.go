package config

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/admission"
)

// TestDocNamesEveryKeyAndDefault holds docs/config.md to the types that the file
// is decoded into: no key is missing or gone, and no default is another.
func TestDocNamesEveryKeyAndDefault(t *testing.T) {
	text, err := os.ReadFile("docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	keys(want, "", reflect.ValueOf(*bare()))
	keys(want, "", reflect.ValueOf(profileFile{}))
	got := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|(?:[^|]|\\\\\\|)*\\| (none|`[^`]*`) \\|").FindAllStringSubmatch(string(text), -1) {
		got[m[1]] = strings.Trim(m[2], "`")
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if d, ok := got[key]; !ok {
			t.Errorf("docs/config.md lacks %s (default %s)", key, want[key])
		} else if d != want[key] {
			t.Errorf("docs/config.md says that %s is %s by default, it is %s", key, d, want[key])
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("docs/config.md names %s, which is no key", key)
		}
	}
}

// keys collects every key below v with its default, as the document writes it.
func keys(into map[string]string, path string, v reflect.Value) {
	if s, ok := v.Interface().(fmt.Stringer); ok {
		into[path] = s.String()
		return
	}
	dot := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Tag.Get("yaml"); name != "" {
				keys(into, dot(name), v.Field(i))
			}
		}
	case reflect.Pointer:
		into[path] = "none"
		element := reflect.New(v.Type().Elem())
		if d, ok := element.Interface().(interface{ SetDefaults() }); ok {
			d.SetDefaults()
		}
		keys(into, path, element.Elem())
	case reflect.Map:
		into[path] = "none"
		name := "<app>"
		element := reflect.New(v.Type().Elem()).Elem()
		if path == "pools" {
			into[path], name, element = DefaultPool, "<pool>", v.MapIndex(reflect.ValueOf(DefaultPool))
		}
		keys(into, dot(name), element)
	case reflect.Slice:
		var items []string
		for i := range v.Len() {
			items = append(items, fmt.Sprint(v.Index(i)))
		}
		into[path] = "[" + strings.Join(items, ", ") + "]"
		if v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem() != reflect.TypeFor[Proxy]() {
			keys(into, path+"[]", reflect.Zero(v.Type().Elem()))
		}
	case reflect.String:
		into[path] = v.String()
		if v.String() == "" {
			into[path] = `""`
		}
	default:
		into[path] = fmt.Sprint(v)
	}
}

// TestEveryPolicySettingHasAKey sets every field of a policy to something else
// than its default by keys alone, so that none is forgotten here.
func TestEveryPolicySettingHasAKey(t *testing.T) {
	c, err := Parse("f.yaml", []byte(`pools:
  p:
    apps: {a: {}}
    threshold: {cpu: 1%, gpu: 2%, vram: 3%, encoder: 4%, memory: 5%, over: 6%}
    uplink: {budget: 9 Gbit/s, when_full: degrade}
    session: {bitrate: 9 Mbit/s, max_length: 9m, idle_timeout: 9s, first_connect_timeout: 9s, reconnect_grace: 9s, sharing: ask}
    spectators: {max_per_session: 9, bitrate: 7 Mbit/s, low_bitrate: 6 Mbit/s, yield_to_players: false, reconnect_grace: 9s}
    queue: {max_length: 9, offer_timeout: 9s, on_lapse: leave, max_lapses: 9, reconnect_grace: 9s, classes: [x]}
    placement: {order: pack, max_starting: 9, host_lost: 9s}
`))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "policy", reflect.ValueOf(c.Pools["p"].Policy()), reflect.ValueOf(admission.DefaultPolicy()))
}

func same(t *testing.T, path string, a, b reflect.Value) {
	if a.Kind() == reflect.Struct {
		for i := range a.NumField() {
			same(t, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
		return
	}
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		t.Errorf("%s is still its default, %v: no key sets it", path, a)
	}
}
