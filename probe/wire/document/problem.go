package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a file. Lines and columns count from 1.
type Problem struct {
	File         string
	Line, Column int
	Key          string // path of the key, such as "pools.showroom.threshold.cpu"; empty for the file
	Text         string // what is wrong, and what would be right
}

// Error gives "file:line:column: key: text".
func (p Problem) Error() string {
	if p.Key == "" {
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", p.File, p.Line, p.Column, p.Key, p.Text)
}

// Problems are all mistakes of a file, in the order in which they stand there.
type Problems []Problem

// maxShown bounds an error's text; a file that is no config at all has thousands.
const maxShown = 50

// Error gives one line for each.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i == maxShown {
			fmt.Fprintf(&b, "\nand %d more", len(ps)-maxShown)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.Error())
	}
	return b.String()
}

// Unwrap gives each problem, for [errors.As].
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Err is nil, or [Problems] with everything found so far.
func (d *Document) Err() error {
	if len(d.problems) == 0 {
		return nil
	}
	ps := slices.Clone(d.problems)
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Key, b.Key))
	})
	return Problems(ps)
}

// Nearest is the known word that is most likely meant; "" if none is near.
func Nearest(word string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if n := distance(strings.ToLower(word), k); n < least && n < len(k) {
			best, least = k, n
		}
	}
	return best
}

// distance is how many letters to add, drop, change or swap (Damerau and
// Levenshtein, adjacent swaps only) to make one word of the other.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
