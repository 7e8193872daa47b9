package admission

import (
	"math"
	"testing"
)

func TestProject(t *testing.T) {
	full := func(seen float64) Use { return Use{Seen: Known(seen), Visible: 1, Mean: 0.2, Spread: 0.05} }
	for name, tt := range map[string]struct {
		load Load
		want Projection
	}{
		"empty host":                      {Load{Measured: Known(0.1), New: 0.2}, Projection{Now: 0.1, With: 0.3}},
		"offered seat counts in full":     {Load{Measured: Known(0.1), New: 0.2, Sessions: []Use{{Mean: 0.2}}}, Projection{Now: 0.3, With: 0.5, Reserved: 0.2}},
		"half visible, host only":         {Load{Measured: Known(0.3), New: 0.2, Sessions: []Use{{Visible: 0.5, Mean: 0.2}}}, Projection{Now: 0.4, With: 0.6, Reserved: 0.1}},
		"half visible, seen":              {Load{Measured: Known(0.3), New: 0.2, Sessions: []Use{{Seen: Known(0.05), Visible: 0.5, Mean: 0.2}}}, Projection{Now: 0.35, With: 0.55, Reserved: 0.05}},
		"seen above its cost":             {Load{Measured: Known(0.5), New: 0.2, Sessions: []Use{full(0.4)}}, Projection{Now: 0.5, With: 0.7}},
		"seen more than measured":         {Load{Measured: Known(0.2), New: 0.2, Sessions: []Use{full(0.3)}}, Projection{Now: 0.3, With: 0.5, Reserved: 0.1}},
		"departed is credited":            {Load{Measured: Known(0.5), New: 0.2, Departed: 0.2}, Projection{Now: 0.3, With: 0.5}},
		"departed never below zero":       {Load{Measured: Known(0.1), New: 0.2, Departed: 0.2}, Projection{Now: 0, With: 0.2}},
		"margin of the new one":           {Load{Measured: Known(0.1), New: 0.2, Spread: 0.1, Z: 1}, Projection{Now: 0.1, With: 0.4, Margin: 0.1}},
		"margins add up in squares":       {Load{Measured: Known(0.1), New: 0.2, Spread: 0.03, Z: 1, Sessions: []Use{{Mean: 0.2, Spread: 0.04}}}, Projection{Now: 0.3, With: 0.55, Reserved: 0.2, Margin: 0.05}},
		"visible has no margin":           {Load{Measured: Known(0.3), New: 0.2, Z: 1, Sessions: []Use{full(0.2)}}, Projection{Now: 0.3, With: 0.5}},
		"one unseen makes it host only":   {Load{Measured: Known(0.5), New: 0.2, Sessions: []Use{full(0.4), {Visible: 1, Mean: 0.2}}}, Projection{Now: 0.5, With: 0.7}},
		"an unseen start does not matter": {Load{Measured: Known(0.5), New: 0.2, Sessions: []Use{full(0.4), {Mean: 0.2}}}, Projection{Now: 0.7, With: 0.9, Reserved: 0.2}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Project(tt.load)
			for _, x := range [][2]float64{
				{got.Now, tt.want.Now}, {got.With, tt.want.With}, {got.Reserved, tt.want.Reserved}, {got.Margin, tt.want.Margin},
			} {
				if math.Abs(x[0]-x[1]) > 1e-12 {
					t.Fatalf("got %+v, want %+v", got, tt.want)
				}
			}
		})
	}
}

func TestMomentForgets(t *testing.T) {
	m := moment{mean: 1, weight: profileWeight}
	for range 2000 {
		m.observe(2)
	}
	if math.Abs(m.mean-2) > 0.001 || m.variance > 0.001 || m.weight != remembered {
		t.Fatalf("after two thousand observations of 2: %+v", m)
	}
	m.observe(3)
	if m.mean < 2.004 || m.mean > 2.006 {
		t.Fatalf("one more counts for a two-hundredth: %+v", m)
	}
}
