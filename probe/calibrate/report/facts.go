package report

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// facts are what it was measured on, how and when.
func facts(r calibration.Result) []fact {
	all := machine(r.Machine)
	all = append(all,
		fact{"command", plain(typed(r.Command)), true},
		fact{"ended", when(r), false},
		fact{"took", span(r.DurationS), false},
		fact{"a copy is ready after", median(r.StartS), false},
		fact{"its load settles in", median(r.SettleS), false},
	)
	kept := all[:0]
	for _, f := range all {
		if f.Text != "" {
			kept = append(kept, f)
		}
	}
	return kept
}

func machine(m calibration.Machine) []fact {
	all := []fact{{"host", plain(m.Name), false}, {"CPU", cpu(m), false}, {"memory", positive(calibration.Memory, m.MemoryBytes), false}}
	for i, g := range m.GPUs[:min(len(m.GPUs), mostUses)] {
		text := plain(g.Name)
		if size := positive(calibration.VRAM, g.VRAMBytes); size != "" {
			text += ", " + size
		}
		all = append(all, fact{fmt.Sprintf("GPU %d", i), text, false})
	}
	return append(all, fact{"driver", plain(m.Driver), false}, fact{"system", plain(m.System), false})
}

func cpu(m calibration.Machine) string {
	text := plain(m.CPU)
	if finite(m.Cores) && m.Cores > 0 {
		text = strings.TrimPrefix(text+", "+plural(m.Cores, "core"), ", ")
	}
	if m.Share != "" {
		text += " (" + plain(m.Share) + ")"
	}
	return text
}

func positive(kind string, x float64) string {
	if !finite(x) || x <= 0 {
		return ""
	}
	return capacity(kind, x)
}

func when(r calibration.Result) string {
	if r.At.IsZero() {
		return ""
	}
	return r.At.UTC().Format("2 January 2006, 15:04 UTC")
}

func median(s float64) string {
	if !finite(s) || s <= 0 {
		return ""
	}
	return span(s) + " (median)"
}

// bare is an argument that a shell takes as it is.
var bare = regexp.MustCompile(`^[\w@%+=:,./{}-]+$`)

// typed is the command as it would be typed in a shell.
func typed(command []string) string {
	words := make([]string, len(command))
	for i, w := range command {
		if !bare.MatchString(w) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words[i] = w
	}
	return strings.Join(words, " ")
}
