package scenario

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/rendergate/rendergate/probe/wire/document"
)

//go:embed standard/*.yaml
var standard embed.FS

// order is that of the standard set in tables: from the plain case to the odd ones.
const order = `steady light declared-low declared-high flash-crowd bursty daily slow-ramp contention
	fast-samples slow-samples minute-samples lossy host-only failing-hosts restless uplink two-apps two-gpus`

// Standard is the built-in set.
func Standard() ([]*Scenario, error) {
	var set []*Scenario
	for name := range strings.FieldsSeq(order) {
		data, err := standard.ReadFile(path.Join("standard", name+".yaml"))
		if err != nil {
			return nil, fmt.Errorf("the standard set: %w", err)
		}
		s, err := Parse(name+".yaml", data)
		if err != nil {
			return nil, fmt.Errorf("the standard set: %w", err)
		}
		set = append(set, s)
	}
	return set, nil
}

// Load reads the file. Its error is [document.Problems], unless the file cannot
// be read at all.
func Load(file string) (*Scenario, error) {
	data, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	return Parse(file, data)
}

// read reads a file of bounded size.
func read(file string) (data []byte, err error) {
	f, err := os.Open(file) //nolint:gosec // the path that the operator gave
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// One byte more than allowed, so that the document can say that it is too long.
	return io.ReadAll(io.LimitReader(f, document.MaxBytes+1))
}

// warmUpPart is of the length, where a file says nothing of it.
const warmUpPart = 5

// Parse reads a scenario. File stands in errors, which are [document.Problems]; a
// scenario without a name has the file's.
func Parse(file string, data []byte) (*Scenario, error) {
	s := Default()
	d := document.Decode(file, data, s)
	if !d.Has("name") {
		s.Name = strings.TrimSuffix(path.Base(strings.ReplaceAll(file, `\`, "/")), ".yaml")
	}
	if !d.Has("warm_up") {
		s.WarmUp = s.Length / warmUpPart
	}
	checker{s, d}.all()
	if err := d.Err(); err != nil {
		return nil, err
	}
	return s, nil
}
