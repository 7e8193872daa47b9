package admission

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// menu is how much of its load an app shows at that age: a menu, then a scene
// that loads until the end of a minute.
func menu(age float64) float64 { return math.Max(0.4, math.Min(1, (age-20)/40)) }

// rises is a session that came up so, seen in windows of a second.
func rises(course func(age float64) float64, usual float64) *rise {
	c := &rise{}
	for age := 1.0; age <= rampAfter; age++ {
		c.note(age, 1, usual*course(age-0.5))
	}
	return c
}

func TestRampNeedsSessions(t *testing.T) {
	var r ramp
	for n := range rampNeeded {
		if got := r.curve(); got != nil {
			t.Fatalf("after %d sessions the curve is %v", n, got)
		}
		c := rises(menu, 0.2)
		r.tell(c, 0.2)
		if !c.told {
			t.Fatal("it would tell again")
		}
	}
	curve := r.curve()
	if len(curve) != rampSteps {
		t.Fatalf("%d points", len(curve))
	}
	for i, got := range curve {
		middle := rampStep * (float64(i) + 0.5)
		want := math.Min(1, menu(middle)/shownInFull)
		if math.Abs(got-want) > 0.011 { // within a step the course bends
			t.Errorf("at %v s it shows %v, want %v", middle, got, want)
		}
	}
}

// TestRampOfNothing: a session that took nothing tells nothing of how it came up.
func TestRampOfNothing(t *testing.T) {
	var r ramp
	for range 2 * rampNeeded {
		r.tell(rises(menu, 0), 0)
	}
	if r.told != 0 || r.curve() != nil {
		t.Fatalf("%+v", r)
	}
}

// TestRampKeepsWhatFallsAgain: a loading screen that takes more than the menu
// after it makes nobody visible, and a gap in what was seen is no zero.
func TestRampKeepsWhatFallsAgain(t *testing.T) {
	loads := func(age float64) float64 {
		if age < 12 {
			return 1.5
		}
		return menu(age)
	}
	var r ramp
	for range rampNeeded {
		c := rises(loads, 1)
		c.seen[10], c.n[10] = 0, 0
		r.tell(c, 1)
	}
	curve := r.curve()
	for i := range curve {
		if i < 3 && curve[i] != 0.421 { // 0.4 / 0.95
			t.Errorf("point %d is %v, want what the menu shows", i, curve[i])
		}
		if i > 0 && curve[i] < curve[i-1] {
			t.Errorf("point %d is %v, and that before %v", i, curve[i], curve[i-1])
		}
	}
	if curve[10] != curve[11] {
		t.Errorf("unseen is %v, and the next is %v", curve[10], curve[11])
	}
}

// TestRampRemembersTheLast sessions: an app that starts differently after an
// update is learned anew.
func TestRampRemembersTheLast(t *testing.T) {
	var r ramp
	for range 2 * rampKept {
		r.tell(rises(func(float64) float64 { return 1 }, 1), 1)
	}
	for range 5 * rampKept {
		r.tell(rises(menu, 1), 1)
	}
	if got := r.curve()[1]; math.Abs(got-0.4/shownInFull) > 0.01 {
		t.Errorf("at 6 s it shows %v", got)
	}
}

func withRamp(curve []float64) *app { return &app{learned: &Learned{Ramp: curve}} }

func TestShows(t *testing.T) {
	var r ramp
	for range rampNeeded {
		r.tell(rises(menu, 1), 1)
	}
	learned := withRamp(r.curve())
	settles := &app{profile: Profile{SettleS: 20}}
	for name, tt := range map[string]struct {
		app  *app
		age  float64
		want float64
	}{
		"not there yet":             {learned, 0, 0},
		"never before":              {learned, -5, 0},
		"in the menu":               {learned, 10, 0.421},
		"while it loads":            {learned, 40, 0.5 / shownInFull},
		"loaded":                    {learned, 62, 1},
		"past the curve":            {learned, 1e6, 1},
		"profile: half":             {settles, 10, 0.5},
		"profile: settled":          {settles, 20, 1},
		"profile: long ago":         {settles, 1e6, 1},
		"the profile does not say":  {&app{}, 30, 0.5},
		"nothing learned of a ramp": {withRamp(nil), 30, 0.5},
		"a curve of one point":      {withRamp([]float64{0.5}), 4, 1},
	} {
		if got := tt.app.shows(tt.age); math.Abs(got-tt.want) > 0.002 {
			t.Errorf("%s: it shows %v, want %v", name, got, tt.want)
		}
	}
}

// TestShowsIn: in a long window a session was not there for all of it.
func TestShowsIn(t *testing.T) {
	settles := &app{profile: Profile{SettleS: 20}}
	for name, tt := range map[string]struct{ age, window, want float64 }{
		"no window":                    {10, 0, 0.5},
		"a second":                     {10, 1, 0.475},
		"half a minute, just come":     {7.5, 30, 0.046875}, // seen for a quarter: 3.75 s old on average
		"half a minute, settled since": {30, 30, 0.671875},
		"half a minute, settled":       {50, 30, 1},
		"not there yet":                {0, 30, 0},
	} {
		if got := settles.showsIn(tt.age, tt.window); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestShowsRises: whatever curve is learned or journalled, an older session never
// shows less, and what shows is a share.
func TestShowsRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ramp
		for range rapid.IntRange(rampNeeded, 8).Draw(t, "sessions") {
			c := &rise{}
			for i := range c.n {
				c.n[i] = float64(rapid.IntRange(0, 2).Draw(t, "seen"))
				c.seen[i] = c.n[i] * rapid.Float64Range(0, 2).Draw(t, "share")
			}
			r.tell(c, 1)
		}
		a := withRamp(r.curve())
		if err := a.learned.check(); err != nil {
			t.Fatal(err)
		}
		window := rapid.SampledFrom([]float64{0, 0.5, 1, 30, 60}).Draw(t, "window")
		last := 0.0
		for age := 0.0; age < 2*rampAge; age += 0.7 {
			x := a.showsIn(age, window)
			if x < last-1e-12 || x > 1 {
				t.Fatalf("at %v it shows %v, and %v before", age, x, last)
			}
			last = x
		}
		if last != 1 {
			t.Fatalf("in the end it shows %v", last)
		}
	})
}

// TestRampIsJournalled: the pool learns how an app comes up from five sessions,
// keeps room for what does not show yet, and knows it after a restart.
func TestRampIsJournalled(t *testing.T) {
	s := newScene(t, func(p *Policy) {
		p.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 0.2}}
		p.Session.MaxLength = 0
	}).host("h", 0)
	var log []Event
	ids := []string{}
	for i := range rampNeeded {
		s.play(fmt.Sprint("p", i))
		ids = append(ids, s.session(fmt.Sprint("p", i)).ID)
	}
	s.second("h", 0.05*0.4*rampNeeded, uses(0.05*0.4, ids...)...)
	first := s.p.sessions[ids[0]]
	if got := first.playing(first.host.windowEnd); math.Abs(got-0.5/60) > 1e-12 {
		t.Fatalf("before anything is learned a second of sixty shows as %v", got)
	}
	for age := 2.0; age < rampAfter+61; age++ {
		s.now = s.now.Add(time.Second)
		x := 0.05 * menu(age-0.5)
		s.sample("h", x*rampNeeded, uses(x, ids...)...)
		events, _ := s.p.Run(s.now, Tick{})
		log = append(log, events...)
	}
	var told []float64
	for _, e := range log {
		if b, ok := e.Body.(CostsLearned); ok && len(b.Apps["app"].Ramp) > 0 {
			told = b.Apps["app"].Ramp
		}
	}
	if len(told) != rampSteps || math.Abs(told[1]-0.421) > 0.01 || told[20] != 1 {
		t.Fatalf("journalled: %v", told)
	}

	s.play("late")
	late := s.p.sessions[s.session("late").ID]
	shown := func(window time.Duration) float64 {
		s.now = s.now.Add(20 * time.Second)
		s.seq++
		x := Sample{Host: "h", Seq: s.seq, Received: s.now, WindowEnd: s.now, Window: window, Period: 30 * time.Second, CPU: Known(0.3)}
		if err := s.p.Observe(s.now, x); err != nil {
			t.Fatal(err)
		}
		return late.playing(late.host.windowEnd)
	}
	if got := shown(time.Second); math.Abs(got-0.421) > 0.011 {
		t.Errorf("after 20 s in the menu it shows as %v", got)
	}
	if got, want := shown(30*time.Second), late.app.showsIn(40, 30); got != want || got > 0.47 {
		t.Errorf("of half a minute of menu and loading it shows as %v, want %v", got, want)
	}

	data, err := s.p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	restored, err := Restore(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := restored.apps["app"].shows(10); got != s.p.apps["app"].shows(10) {
		t.Errorf("after a restart it shows as %v", got)
	}
	if got := restored.apps["app"].estimate.ramp.curve(); maxDistance(got, told) > 0.002 {
		t.Errorf("and goes on from %v, want %v", got, told)
	}
	again, err := restored.Snapshot()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("restored as another pool (%v)", err)
	}
}
