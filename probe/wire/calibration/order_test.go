package calibration

import (
	"math"
	"strings"
	"testing"
)

func TestOrders(t *testing.T) {
	for want, o := range map[string]Order{
		"":                                  {App: "a", Thresholds: map[string]float64{CPU: 0.8, VRAM: 0.95}, MaxCopies: 3, GPUs: "0, 1", SoakS: 0.5},
		"app is missing":                    {},
		`no resource "disk"`:                {App: "a", Thresholds: map[string]float64{"disk": 0.5}},
		"thresholds.cpu is 3; want":         {App: "a", Thresholds: map[string]float64{CPU: 3}},
		"thresholds.gpu is NaN":             {App: "a", Thresholds: map[string]float64{GPULoad: math.NaN()}},
		"max_copies is -1":                  {App: "a", MaxCopies: -1},
		"repeat is 101":                     {App: "a", Repeat: 101},
		"soak_s is -1; want 0":              {App: "a", SoakS: -1},
		"fps is NaN":                        {App: "a", FPS: math.NaN()},
		`gpus is "--out /etc/passwd"; want`: {App: "a", GPUs: "--out /etc/passwd"},
	} {
		err := o.Check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}

func TestFlags(t *testing.T) {
	o := Order{App: "a", Thresholds: map[string]float64{VRAM: 0.95, CPU: 0.8}, MaxCopies: 3, GPUs: "0,1", Repeat: 2, FPS: 28.5, PeriodS: 0.2, MinSettleS: 2, MaxSettleS: 60, SoakS: 1.5}
	want := "--app a --threshold cpu=0.8,vram=0.95 --max-copies 3 --gpus 0,1 --repeat 2 --fps 28.5 --period 200ms --min-settle 2000ms --max-settle 60000ms --soak 1500ms"
	if got := strings.Join(o.Flags(), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := strings.Join((Order{App: "a"}).Flags(), " "); got != "--app a" {
		t.Errorf("of an order that says nothing: %s", got)
	}
}
