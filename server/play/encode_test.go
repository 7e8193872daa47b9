package play

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rendergate/rendergate/admission"
)

// The fast encoding of a place is byte for byte the slow one.
func TestPlacesAreEncodedAsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64Range(0, 1e25)
		m := Queued{
			Type: "queued", Entry: rapid.String().Draw(t, "entry"), Intent: admission.Play,
			Position: rapid.Int().Draw(t, "position"), Length: rapid.Int().Draw(t, "length"), Class: rapid.String().Draw(t, "class"),
			Moved: admission.Why(rapid.SampledFrom([]string{"", "lapsed", "<&>"}).Draw(t, "moved")),
		}
		if rapid.Bool().Draw(t, "known") {
			m.Wait = &admission.Wait{P50S: number.Draw(t, "p50"), P90S: number.Draw(t, "p90")}
		}
		if rapid.Bool().Draw(t, "blocked") {
			m.BlockedBy = &admission.Block{Resource: admission.CPU, Host: "h", Device: admission.NoDevice, Projected: number.Draw(t, "projected")}
		}
		want, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		got := endPlace(appendPlace(nil, &admission.Place{
			Entry: m.Entry, Class: m.Class, Intent: m.Intent, Position: m.Position, Length: m.Length, Wait: m.Wait,
		}, appendJSON(nil, m.BlockedBy)), m.Moved)
		if string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

func TestCloseReasonsFit(t *testing.T) {
	for _, s := range []string{"short", strings.Repeat("x", 500), strings.Repeat("语", 100), strings.Repeat("é", 62)} {
		if got := short(s); len(got) > maxReason || !strings.HasPrefix(s, got) || strings.ToValidUTF8(got, "?") != got {
			t.Errorf("%q", got)
		}
	}
}
