package plan

import (
	"strings"
	"testing"
	"time"
)

func TestReportStandsAlone(t *testing.T) {
	d := Demand{Arrivals: 120, Length: 12 * time.Minute, LengthP90: 25 * time.Minute, WaitP90: 2 * time.Minute, Seats: 4, Bitrate: 8e6}
	a, err := Plan(d, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := a.Report(&b, d, "Hosts for <showroom>"); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"Hosts for &lt;showroom&gt;", "<polyline", "have to wait", "simulation"} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	for _, bad := range []string{"http://", "https://", "src=", "url(", "NaN", "Inf", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("the report has %q in it", bad)
		}
	}
}

func TestWait(t *testing.T) {
	for s, want := range map[float64]string{0: "0 s", 59.4: "59 s", 125: "2 min 5 s", 7260: "2 h 1 min"} {
		if got := Wait(Row{Stable: true}, s); got != want {
			t.Errorf("%v s: %q, want %q", s, got, want)
		}
	}
	if got := Wait(Row{}, 5); got != "grows for ever" {
		t.Errorf("a queue that grows: %q", got)
	}
}

func FuzzArrivals(f *testing.F) {
	for _, s := range []string{"120/h", "2/min", "0.5 / s", "900/d", "/h", "1e400/s", "NaN/h", "-1/h", "3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var a Arrivals
		if err := a.UnmarshalText([]byte(s)); err == nil && !(a > 0 && a.PerHour() <= 3.6e10) {
			t.Errorf("%q is %v an hour", s, a)
		}
	})
}
