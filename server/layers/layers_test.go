// Package layers holds the imports to one direction.
package layers

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/rendergate/rendergate/"

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
}

// rule forbids imports, and says why.
type rule struct {
	from   string   // packages it holds for: this one and those below
	not    []string // exceptions
	forbid func(imported string) bool
	why    string
}

func ours(path string) bool { return strings.HasPrefix(path, module) }

func under(path, folder string) bool {
	return path == module+folder || strings.HasPrefix(path, module+folder+"/")
}

func rules() []rule {
	return []rule{
		{
			from: "admission", why: "the core is pure: it imports the standard library alone, so that it can be replayed and simulated",
			forbid: func(i string) bool { return strings.Contains(strings.Split(i, "/")[0], ".") },
		},
		{
			from: "probe", why: "a probe knows nothing of the server; both ends share probe/wire",
			forbid: func(i string) bool { return under(i, "server") || under(i, "web") || under(i, "deploy") },
		},
		{
			from: "probe", why: "a probe decides nothing: a calibration's result is a message (probe/wire/calibration), of which server/config makes the profile",
			forbid: func(i string) bool { return under(i, "admission") },
		},
		{
			from: "server", not: []string{"server/cmd"}, why: "of the probe the server imports the messages alone (probe/wire)",
			forbid: func(i string) bool { return under(i, "probe") && !under(i, "probe/wire") },
		},
		{
			from: "server", not: []string{"server/cmd"}, why: "the server does not know how it is installed",
			forbid: func(i string) bool { return under(i, "deploy") },
		},
		{
			from: "", why: "the program joins the packages; nothing imports it",
			forbid: func(i string) bool { return under(i, "server/cmd") },
		},
	}
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range list(t) {
		for _, r := range rules() {
			if !r.holds(p.ImportPath) {
				continue
			}
			for _, imported := range p.Imports {
				if r.forbid(imported) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, r.why)
				}
			}
		}
	}
}

func (r rule) holds(path string) bool {
	if r.from != "" && !under(path, r.from) {
		return false
	}
	for _, exception := range r.not {
		if under(path, exception) {
			return false
		}
	}
	return ours(path)
}

// list asks the go command for the packages of the module, tests aside.
func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("only %d packages found: is this the module's root?", len(all))
	}
	return all
}
