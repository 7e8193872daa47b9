package play

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/rendergate/rendergate/admission"
)

// appendPlace appends the JSON of a queued message, but for its end, byte for
// byte as encoding/json has it, several times as fast: thousands of places
// change when one session ends. Block is the JSON of blocked_by.
func appendPlace(b []byte, at *admission.Place, block []byte) []byte {
	b = append(b, `{"type":"queued","entry":`...)
	b = appendText(b, at.Entry)
	b = append(b, `,"intent":`...)
	b = appendText(b, string(at.Intent))
	b = append(b, `,"position":`...)
	b = strconv.AppendInt(b, int64(at.Position), 10)
	b = append(b, `,"length":`...)
	b = strconv.AppendInt(b, int64(at.Length), 10)
	b = append(b, `,"class":`...)
	b = appendText(b, at.Class)
	b = append(b, `,"wait":`...)
	b = appendWait(b, at.Wait)
	b = append(b, `,"blocked_by":`...)
	return append(b, block...)
}

// endPlace ends what appendPlace began.
func endPlace(b []byte, moved admission.Why) []byte {
	if moved != "" {
		b = append(b, `,"moved":`...)
		b = appendText(b, string(moved))
	}
	return append(b, '}')
}

func appendWait(b []byte, w *admission.Wait) []byte {
	if w == nil {
		return append(b, "null"...)
	}
	b = append(b, `{"p50_s":`...)
	b = appendNumber(b, w.P50S)
	b = append(b, `,"p90_s":`...)
	b = appendNumber(b, w.P90S)
	return append(b, '}')
}

func appendNumber(b []byte, f float64) []byte {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return appendJSON(b, f)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// appendText leaves all but plain letters, digits and signs to encoding/json.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return appendJSON(b, s)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendJSON(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil { // a number that is none
		return append(b, "null"...)
	}
	return append(b, text...)
}
