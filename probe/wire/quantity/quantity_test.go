package quantity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/rendergate/rendergate/probe/wire/quantity"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		kind, text string
		want       float64
	}{
		{"rate", "8 Mbit/s", 8e6}, {"rate", "240Mbit/s", 240e6}, {"rate", "1.5 Gbit/s", 1.5e9},
		{"rate", "0", 0}, {"rate", "64 kbit/s", 64e3}, {"rate", "9600 bit/s", 9600}, {"rate", "2 Tbit/s", 2e12},
		{"bytes", "24 GiB", 24 << 30}, {"bytes", "512 MB", 512e6}, {"bytes", "1B", 1}, {"bytes", "0 B", 0}, {"bytes", "0", 0},
		{"share", "85%", 0.85}, {"share", "85 %", 0.85}, {"share", "0.85", 0.85}, {"share", "1", 1}, {"share", "0", 0}, {"share", "150%", 1.5},
		{"duration", "30m", 1800}, {"duration", "1h30m", 5400}, {"duration", "250ms", 0.25}, {"duration", "0", 0},
		{"duration", "2d", 2 * 86400}, {"duration", "1d12h", 36 * 3600},
	} {
		got, err := parse(c.kind, c.text)
		if err != nil || got != c.want {
			t.Errorf("%s %q = %v, %v; want %v", c.kind, c.text, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ kind, text, want string }{
		{"rate", "8 Mb", `want a rate such as "8 Mbit/s", got "8 Mb": the units are bit/s, kbit/s, Mbit/s, Gbit/s, Tbit/s`},
		{"rate", "8 mbit/s", "the units are"}, {"rate", "8", `want a rate with its unit, such as "8 Mbit/s", got "8"`},
		{"rate", "", `want a rate such as "8 Mbit/s", got ""`}, {"rate", "-8 Mbit/s", "never negative"},
		{"rate", "NaN Mbit/s", "want a rate"}, {"rate", "Inf Gbit/s", "want a rate"}, {"rate", "1e3 Mbit/s", "want a rate"},
		{"rate", "9999999 Tbit/s", "want at most 1000 Tbit/s"}, {"rate", "1.2.3 Mbit/s", "want a rate"}, {"rate", ".", "want a rate"},
		{"bytes", "24 G", `want a size such as "24 GiB", got "24 G": the units are B, kB, KiB`},
		{"bytes", "24 Mbit/s", "want a size"}, {"bytes", "9999 TiB", "want at most 1024 TiB"}, {"bytes", "-1 B", "never negative"},
		{"share", "85", `write "85%"`}, {"share", "85 percent", "want a share"}, {"share", "-5%", "never negative"},
		{"share", "%", "want a share"}, {"share", "1e-1", "want a share"}, {"share", "99999%", "at most 10000%"},
		{"duration", "30", `want a duration with its unit, such as "30s" or "1h30m", got "30"`}, {"duration", "-30s", "never negative"},
		{"duration", "30 minutes", "the units are ms, s, m, h, d"}, {"duration", "", "want a duration"},
		{"duration", "3651d", "ten years"}, {"duration", "1d-2h", "want a duration"}, {"duration", "d", "want a duration"},
		{"duration", "99999999999999999999d", "want a duration"}, {"duration", "+3s", "want a duration"},
	} {
		if got, err := parse(c.kind, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q = %v, %v; want an error with %q", c.kind, c.text, got, err, c.want)
		}
	}
}

func TestString(t *testing.T) {
	for _, c := range []struct {
		value interface{ String() string }
		want  string
	}{
		{quantity.Rate(8e6), "8 Mbit/s"}, {quantity.Rate(1.5e9), "1.5 Gbit/s"}, {quantity.Rate(0), "0"}, {quantity.Rate(0.5), "0.5 bit/s"},
		{quantity.Bytes(24 << 30), "24 GiB"}, {quantity.Bytes(512), "512 B"}, {quantity.Bytes(0), "0"},
		{quantity.Share(0.85), "85%"}, {quantity.Share(0.9), "90%"}, {quantity.Share(1.0 / 3), "0.3333333333333333"}, {quantity.Share(0), "0%"},
		{quantity.Duration(30 * time.Minute), "30m"}, {quantity.Duration(time.Hour), "1h"}, {quantity.Duration(90 * time.Second), "1m30s"},
		{quantity.Duration(48 * time.Hour), "2d"}, {quantity.Duration(0), "0"}, {quantity.Duration(10 * time.Minute), "10m"},
	} {
		if got := c.value.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestYAML checks the values under goccy/go-yaml itself, quoted and bare.
func TestYAML(t *testing.T) {
	var v struct {
		Rate  quantity.Rate
		Bytes quantity.Bytes
		Share []quantity.Share
		Wait  quantity.Duration
	}
	err := yaml.Unmarshal([]byte("rate: 8 Mbit/s\nbytes: \"24 GiB\"\nshare: [85%, 0.5, 1]\nwait: 30m\n"), &v)
	if err != nil || v.Rate != 8e6 || v.Bytes != 24<<30 || v.Share[0] != 0.85 || v.Share[1] != 0.5 || v.Share[2] != 1 || v.Wait.Std() != 30*time.Minute {
		t.Fatalf("got %+v, %v", v, err)
	}
	if err := yaml.Unmarshal([]byte("rate: 8 Mb\n"), &v); err == nil || !strings.Contains(err.Error(), `want a rate such as "8 Mbit/s", got "8 Mb"`) {
		t.Fatalf("got %v", err)
	}
}

// FuzzQuantity checks that whatever can be read is in bounds and reads back the
// same from how it prints itself.
func FuzzQuantity(f *testing.F) {
	for _, s := range []string{"8 Mbit/s", "24 GiB", "85%", "0.85", "30m", "1d12h", "0", "-1", "", "1e9 bit/s", "3.7 kB", "0.1 bit/s", ".5%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []string{"rate", "bytes", "share", "duration"} {
			v, err := parse(kind, text)
			if err != nil {
				continue
			}
			if !(v >= 0 && v <= 1.2e15) {
				t.Fatalf("%s %q is %v", kind, text, v)
			}
			printed := format(kind, text)
			if back, err := parse(kind, printed); err != nil || back != v {
				t.Fatalf("%s %q is %v, printed %q, read back as %v, %v", kind, text, v, printed, back, err)
			}
		}
	})
}

func parse(kind, text string) (float64, error) {
	switch kind {
	case "rate":
		v, err := quantity.ParseRate(text)
		return v.Bps(), err
	case "bytes":
		v, err := quantity.ParseBytes(text)
		return v.Count(), err
	case "share":
		v, err := quantity.ParseShare(text)
		return v.Fraction(), err
	}
	v, err := quantity.ParseDuration(text)
	return v.Std().Seconds(), err
}

func format(kind, text string) string {
	switch kind {
	case "rate":
		v, _ := quantity.ParseRate(text)
		return v.String()
	case "bytes":
		v, _ := quantity.ParseBytes(text)
		return v.String()
	case "share":
		v, _ := quantity.ParseShare(text)
		return v.String()
	}
	v, _ := quantity.ParseDuration(text)
	return v.String()
}
