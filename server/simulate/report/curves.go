package report

import (
	"fmt"
	"strings"

	"github.com/rendergate/rendergate/server/simulate"
)

// Curves draws the loss-load curves, one SVG file for each scenario that has
// some, by its file name. They need no style from outside, and their colours can
// be read on white and on black alike, as GitHub shows either.
func Curves(r simulate.Result) (map[string][]byte, error) {
	files := map[string][]byte{}
	looks := looksOf(r)
	for _, s := range r.Scenarios[:min(len(r.Scenarios), mostScenarios)] {
		c, ok := chartOf("", s, looks)
		if !ok {
			continue
		}
		c.Name = short(s.Name, 50)
		file, err := render("curves.html", c)
		if err != nil {
			return nil, err
		}
		files[free(files, fileName(s.Name))] = file
	}
	return files, nil
}

// fileName is a scenario's name as that of a file: nothing in it can lead to
// another folder.
func fileName(name string) string {
	safe := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}, short(name, 60))
	if safe = strings.Trim(safe, "-"); safe == "" {
		return "scenario"
	}
	return safe
}

// free is the first name that is not taken.
func free(files map[string][]byte, name string) string {
	file := name + ".svg"
	for n := 2; files[file] != nil; n++ {
		file = fmt.Sprintf("%s-%d.svg", name, n)
	}
	return file
}
