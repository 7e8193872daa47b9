package api

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/rendergate/rendergate/admission"
)

// FuzzPolicy: what a PATCH may set, the core takes.
func FuzzPolicy(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"threshold":{"cpu":0.7}}`, `{"threshold":{"over":0.05}}`, `{"threshold":{"over":-1}}`, `{"queue":{"offer_timeout_s":5,"max_lapses":1}}`, `{"session":{"max_length_s":1e300}}`,
		`{"placement":{"order":"pack","host_lost_s":1}}`, `{"uplink":{"budget_bps":-1}}`, `{"spectators":{"max_per_session":-1}}`,
		`{"queue":{"offer_timeout_s":1e12}}`, `{"session":{"max_length_s":1e12}}`, `{"session":{"sharing":"closed","bitrate_bps":0}}`,
	} {
		f.Add([]byte(text))
	}
	base := admission.DefaultPolicy()
	base.Apps["app"] = admission.Profile{App: "app"}
	f.Fuzz(func(t *testing.T, data []byte) {
		item := policyOf(base)
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if decoder.Decode(&item) != nil || item.check() != nil {
			return
		}
		p := item.apply(base)
		if err := p.Validate(); err != nil {
			t.Fatalf("%s is taken, and the core says: %v", data, err)
		}
		if p.Session.MaxLength < 0 || p.Queue.OfferTimeout <= 0 || p.Placement.HostLost <= 0 {
			t.Fatalf("%s gives %+v", data, p)
		}
	})
}

// TestAPolicyOfBefore does not say what share of time over the threshold is
// accepted: it is told as it is, and any other change may be made.
func TestAPolicyOfBefore(t *testing.T) {
	p := admission.DefaultPolicy()
	p.Threshold.Over = 0
	item := policyOf(p)
	if err := item.check(); err != nil || item.Threshold.Over != admission.DefaultOver {
		t.Errorf("%v, %v", item.Threshold.Over, err)
	}
}
