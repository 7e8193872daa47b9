package admission

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// newOne is a session that is asked for and takes that much, for sure.
func newOne(cost float64) Use { return Use{Mean: cost, Usual: cost} }

// shown is a session in full view, seen to take as much as its app costs.
func shown(seen float64) Use { return Use{Seen: Known(seen), Visible: 1, Mean: 0.2, Usual: 0.2} }

// TestProjectNow looks at what the host shows, and does not show yet. What
// sessions usually take is less here: it is known and nothing.
func TestProjectNow(t *testing.T) {
	for name, tt := range map[string]struct {
		load Load
		want Projection
	}{
		"empty host":                      {Load{Measured: Known(0.1)}, Projection{Now: 0.1}},
		"unknown is taken as nothing":     {Load{}, Projection{}},
		"offered seat counts in full":     {Load{Measured: Known(0.1), Sessions: []Use{{Mean: 0.2}}}, Projection{Now: 0.3, Reserved: 0.2}},
		"half visible, host only":         {Load{Measured: Known(0.3), Sessions: []Use{{Visible: 0.5, Mean: 0.2}}}, Projection{Now: 0.4, Reserved: 0.1}},
		"half visible, seen":              {Load{Measured: Known(0.3), Sessions: []Use{{Seen: Known(0.05), Visible: 0.5, Mean: 0.2}}}, Projection{Now: 0.4, Reserved: 0.1}},
		"seen above its cost":             {Load{Measured: Known(0.5), Sessions: []Use{shown(0.4)}}, Projection{Now: 0.5}},
		"seen more than measured":         {Load{Measured: Known(0.2), Sessions: []Use{shown(0.3)}}, Projection{Now: 0.3, Reserved: 0.1}},
		"departed is credited":            {Load{Measured: Known(0.5), Departed: 0.2}, Projection{Now: 0.3}},
		"departed never below zero":       {Load{Measured: Known(0.1), Departed: 0.2}, Projection{}},
		"departed never below what shows": {Load{Measured: Known(0.5), Departed: 0.4, Sessions: []Use{shown(0.2)}}, Projection{Now: 0.2}},
		"one unseen makes it host only":   {Load{Measured: Known(0.2), Sessions: []Use{shown(0.4), {Visible: 1, Mean: 0.2}}}, Projection{Now: 0.2}},
		"an unseen start does not matter": {Load{Measured: Known(0.2), Sessions: []Use{shown(0.4), {Mean: 0.2}}}, Projection{Now: 0.6, Reserved: 0.4}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.load.Rest, tt.load.New = Known(-9), newOne(0.2)
			tt.want.New, tt.want.With = 0.2, tt.want.Now+0.2
			projects(t, tt.load, tt.want)
		})
	}
}

// TestProjectUsual looks at what sessions take in the long run.
func TestProjectUsual(t *testing.T) {
	usual := func(u float64) Use { return Use{Seen: Known(0), Visible: 1, Mean: 0.2, Usual: u} }
	for name, tt := range map[string]struct {
		load Load
		want Projection
	}{
		"rest as it usually is": {
			Load{Measured: Known(0.1), Rest: Known(0.3)},
			Projection{Now: 0.1, Usual: 0.3, With: 0.5},
		},
		"rest not known yet": {
			Load{Measured: Known(0.5), Sessions: []Use{shown(0.4)}},
			Projection{Now: 0.5, Usual: 0.1 + 0.2, With: 0.7},
		},
		"rest not known yet, host only": {
			Load{Measured: Known(0.5), Sessions: []Use{{Visible: 0.5, Mean: 0.2, Usual: 0.3}}},
			Projection{Now: 0.6, Usual: 0.5 - 0.1 + 0.3, With: 0.9, Reserved: 0.1},
		},
		"a dip admits nobody": {
			Load{Measured: Known(0.1), Rest: Known(0.1), Sessions: []Use{usual(0.3), usual(0.3)}},
			Projection{Now: 0.1, Usual: 0.7, With: 0.9},
		},
		"nor does what is usual in a peak": {
			Load{Measured: Known(0.8), Rest: Known(0), Sessions: []Use{usual(0.3)}},
			Projection{Now: 0.8, Usual: 0.3, With: 1},
		},
		"those who do not show yet are usual too": {
			Load{Measured: Known(0), Rest: Known(0), Sessions: []Use{{Mean: 0.2, Usual: 0.4}}},
			Projection{Now: 0.2, Usual: 0.4, With: 0.6, Reserved: 0.2},
		},
		"less than nothing beyond the costs": {
			Load{Measured: Known(0.1), Rest: Known(-0.3), Sessions: []Use{{Visible: 1, Mean: 0.4, Usual: 0.4}}},
			Projection{Now: 0.1, Usual: 0.1, With: 0.3},
		},
		"never below nothing": {
			Load{Measured: Known(0), Rest: Known(-0.3)},
			Projection{With: 0.2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.load.New, tt.want.New = newOne(0.2), 0.2
			projects(t, tt.load, tt.want)
		})
	}
}

// TestProjectMargin looks at what is kept free, on a host that usually takes 0.3.
func TestProjectMargin(t *testing.T) {
	seen := func(u Use) Use { u.Seen, u.Visible = Known(0), 1; return u }
	for name, tt := range map[string]struct {
		load Load
		want float64
	}{
		"of the new one":                 {Load{Z: 1, New: Use{Spread: 0.1}}, 0.1},
		"spread and swing of the new":    {Load{Z: 1, New: Use{Spread: 0.03, Swing: 0.04}}, 0.05},
		"times z":                        {Load{Z: 2, New: Use{Spread: 0.1}}, 0.2},
		"none for z = 0":                 {Load{New: Use{Spread: 0.1, Unsure: 1}, RestSwing: 1}, 0},
		"the rest swings":                {Load{Z: 1, RestSwing: 0.03, New: Use{Swing: 0.04}}, 0.05},
		"sessions add up in squares":     {Load{Z: 1, New: Use{Spread: 0.03}, Sessions: []Use{seen(Use{Swing: 0.04})}}, 0.05},
		"what is unsure adds up itself":  {Load{Z: 1, New: Use{Unsure: 0.03}, Sessions: []Use{seen(Use{Unsure: 0.04}), {Unsure: 0.03}}}, 0.1},
		"and then in a square":           {Load{Z: 1, New: Use{Unsure: 0.01, Swing: 0.04}, Sessions: []Use{{Unsure: 0.02}}}, 0.05},
		"host only: rest holds the seen": {Load{Z: 1, New: Use{Spread: 0.1}, Sessions: []Use{{Visible: 1, Spread: 1, Swing: 1, Unsure: 1}}}, 0.1},
		"host only: by half, squared":    {Load{Z: 1, New: Use{Spread: 0.03}, Sessions: []Use{{Visible: 0.5, Swing: 0.08}}}, 0.05},
		"host only: unsure by half":      {Load{Z: 1, New: Use{Unsure: 0.03}, Sessions: []Use{{Visible: 0.5, Unsure: 0.08}}}, 0.07},
		"host only: not there yet":       {Load{Z: 1, New: Use{Spread: 0.03}, Sessions: []Use{{Spread: 0.04}, {Visible: 1}}}, 0.05},
	} {
		t.Run(name, func(t *testing.T) {
			tt.load.Measured, tt.load.Rest = Known(0.1), Known(0.3)
			projects(t, tt.load, Projection{Now: 0.1, Usual: 0.3, Margin: tt.want, With: 0.3 + tt.want})
		})
	}
}

func projects(t *testing.T, l Load, want Projection) {
	t.Helper()
	got := Project(l)
	for _, x := range [][2]float64{
		{got.Now, want.Now}, {got.Usual, want.Usual}, {got.With, want.With},
		{got.Reserved, want.Reserved}, {got.New, want.New}, {got.Margin, want.Margin},
	} {
		if math.Abs(x[0]-x[1]) > 1e-12 {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
}

// TestManySwingLessThanFew is statistical multiplexing: the more sessions whose
// cost is known, the less is kept free for each.
func TestManySwingLessThanFew(t *testing.T) {
	l := Load{Measured: Known(0), Rest: Known(0), Z: 2, New: Use{Usual: 0.01, Swing: 0.004, Spread: 0.003}}
	last := math.Inf(1)
	for n := 1; n <= 64; n++ {
		each := Project(l).Margin / float64(n) // with the new one there are n
		if each >= last {
			t.Fatalf("%v for each of %d, and %v for each of %d", each, n, last, n-1)
		}
		if want := 2 * 0.005 / math.Sqrt(float64(n)); math.Abs(each-want) > 1e-12 {
			t.Fatalf("%v for each of %d, want %v", each, n, want)
		}
		last = each
		u := l.New
		u.Seen, u.Visible = Known(0.01), 1
		l.Sessions = append(l.Sessions, u)
	}
}

// drawLoad is any load whose rest is known. Where each is set, all sessions that
// show are seen.
func drawLoad(t *rapid.T, each bool) Load {
	share := func(name string) float64 { return rapid.Float64Range(0, 1).Draw(t, name) }
	use := func() Use {
		u := Use{
			Visible: share("visible"), Mean: share("mean"), Usual: share("usual"),
			Spread: share("spread"), Unsure: share("unsure"), Swing: share("swing"),
		}
		if each || rapid.Bool().Draw(t, "known") {
			u.Seen = Known(share("seen"))
		}
		return u
	}
	l := Load{
		Measured: Known(share("measured")), Departed: share("departed"), Rest: Known(share("rest")),
		RestSwing: share("rest swing"), New: use(), Z: rapid.Float64Range(0, 6).Draw(t, "z"),
	}
	for range rapid.IntRange(0, 5).Draw(t, "sessions") {
		l.Sessions = append(l.Sessions, use())
	}
	return l
}

// TestProjectIsSane: a projection is never negative, and what admits is made of
// the parts that are shown.
func TestProjectIsSane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLoad(t, rapid.Bool().Draw(t, "each"))
		if rapid.Bool().Draw(t, "rest unknown") {
			l.Rest = Reading{}
		}
		p := Project(l)
		for _, x := range []float64{p.Now, p.Usual, p.With, p.Reserved, p.New, p.Margin} {
			if !(x >= 0) || math.IsInf(x, 0) {
				t.Fatalf("%+v", p)
			}
		}
		if want := p.New + math.Max(p.Now, p.Usual+p.Margin); p.With != want {
			t.Fatalf("with %v, and its parts come to %v: %+v", p.With, want, p)
		}
		if p.Reserved > 0 && math.Abs(l.Measured.Value+p.Reserved-p.Now) > 1e-12 {
			t.Fatalf("measured and reserved are not what there is now: %+v", p)
		}
	})
}

// TestMoreNeverAdmitsMore: more load, cost, doubt or margin, or one session more,
// never lets a session in that would have been refused.
func TestMoreNeverAdmitsMore(t *testing.T) {
	more := map[string]func(l *Load, by float64){
		"measured":   func(l *Load, by float64) { l.Measured.Value += by },
		"departed":   func(l *Load, by float64) { l.Departed = math.Max(0, l.Departed-by) },
		"rest":       func(l *Load, by float64) { l.Rest.Value += by },
		"rest swing": func(l *Load, by float64) { l.RestSwing += by },
		"z":          func(l *Load, by float64) { l.Z += by },
		"new":        func(l *Load, by float64) { l.New.Usual += by },
		"new spread": func(l *Load, by float64) { l.New.Spread += by },
		"new swing":  func(l *Load, by float64) { l.New.Swing += by },
		"new unsure": func(l *Load, by float64) { l.New.Unsure += by },
		"a seat":     func(l *Load, by float64) { l.Sessions = append(l.Sessions, Use{Mean: by, Usual: by}) },
	}
	of := map[string]func(u *Use, by float64){
		"mean":    func(u *Use, by float64) { u.Mean += by },
		"usual":   func(u *Use, by float64) { u.Usual += by },
		"seen":    func(u *Use, by float64) { u.Seen.Value += by },
		"spread":  func(u *Use, by float64) { u.Spread += by },
		"swing":   func(u *Use, by float64) { u.Swing += by },
		"unsure":  func(u *Use, by float64) { u.Unsure += by },
		"visible": func(u *Use, by float64) { u.Visible = math.Max(0, u.Visible-by) },
	}
	for name, f := range of {
		more["session "+name] = func(l *Load, by float64) {
			if len(l.Sessions) > 0 {
				f(&l.Sessions[0], by)
			}
		}
	}
	for name, f := range more {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				l := drawLoad(t, rapid.Bool().Draw(t, "each"))
				before := Project(l).With
				f(&l, rapid.Float64Range(0, 1).Draw(t, "by"))
				if after := Project(l).With; after < before-1e-12 {
					t.Fatalf("%v, and %v before", after, before)
				}
			})
		})
	}
}
