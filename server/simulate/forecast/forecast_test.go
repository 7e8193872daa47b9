package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestFloorIsThatOfTheField: for exponential sessions and the n-th in line.
func TestFloorIsThatOfTheField(t *testing.T) {
	for n, want := range map[int]float64{1: 0.69, 5: 0.35, 10: 0.25, 50: 0.11} {
		got := Floor([]Quote{{Position: n, Rate: Rate{Freed: 3}}})
		if math.Abs(got-want) > 0.006 {
			t.Errorf("position %d: %.4f, want %.2f", n, got, want)
		}
	}
}

// known are quotes of a single exponential wait of mean 1, of which some leave.
func known(n int, leaves float64) []Quote {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([]Quote, n)
	for i := range list {
		list[i] = Quote{At: float64(i), Position: 1, P50S: math.Ln2, P90S: math.Log(10), WaitedS: r.ExpFloat64(), Rate: Rate{Freed: 1}}
		if patience := r.ExpFloat64() / leaves; patience < list[i].WaitedS {
			list[i].WaitedS, list[i].Left = patience, true
		}
	}
	return list
}

func TestScoresOfAKnownWait(t *testing.T) {
	for _, leaves := range []float64{1e-9, 0.5} {
		quotes := known(100_000, leaves)
		for level, want := range Levels() {
			if got := Coverage(quotes, level); math.Abs(got-want) > 0.01 {
				t.Errorf("leaving at %v: coverage %.3f, want %.1f", leaves, got, want)
			}
		}
		e := ErrorsOf(quotes, Told(quotes))
		if math.Abs(e.WAPE-math.Ln2) > 0.02 || math.Abs(e.Pinball[0]-math.Ln2/2) > 0.01 || math.Abs(e.Pinball[1]-0.2303) > 0.02 {
			t.Errorf("leaving at %v: %+v", leaves, e)
		}
	}
}

func TestReversals(t *testing.T) {
	var r Reversals
	for at := 0.0; at <= 600; at += 10 {
		p := 1000 - at
		if at > 300 {
			p += 400 // one jump
		}
		r.See("a", at, p, 2*p)
	}
	if r.Minutes != 10 || r.Rises != 1 {
		t.Fatalf("%d rises in %d minutes", r.Rises, r.Minutes)
	}
	if r.Forget(601); len(r.shown) != 0 {
		t.Fatal("an entry that is gone is remembered")
	}
}

func TestRivalsKnowThePastAlone(t *testing.T) {
	quotes := []Quote{
		{At: 0, Position: 2, WaitedS: 10, Seats: 4, MeanS: 20, HeadS: 3, Served: 0.5},
		{At: 5, Position: 1, WaitedS: 1, Left: true},
		{At: 9, Position: 1, WaitedS: 5},
		{At: 12, Position: 1, WaitedS: 5},
		{At: 20, Position: 1, WaitedS: 5},
	}
	last := RollingAverage(quotes, 1)
	if !math.IsNaN(last[0]) || !math.IsNaN(last[2]) || last[3] != 10 || last[4] != 5 {
		t.Fatalf("last waits %v", last)
	}
	for _, r := range Rivals(quotes)[:3] {
		if want := map[string]float64{"queue length": 10, "head of line": 3, "ahead / rate": 4}[r.Name]; r.Points[0] != want {
			t.Errorf("%s: %v, want %v", r.Name, r.Points[0], want)
		}
	}
}
