package admission

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// weighted is a trend by brute force: every observation is kept, with its weight.
type weighted struct{ xs, weights []float64 }

func (w *weighted) take(x, alpha float64) {
	for i := range w.weights {
		w.weights[i] *= 1 - alpha
	}
	w.xs, w.weights = append(w.xs, x), append(w.weights, alpha)
}

func (w *weighted) moments() (mean, variance float64) {
	for i, x := range w.xs {
		mean += w.weights[i] * x
	}
	for i, x := range w.xs {
		variance += w.weights[i] * square(x-mean)
	}
	return mean, variance
}

// TestTrend: until its memory is full every second counts alike, then older ones
// fade exponentially.
func TestTrend(t *testing.T) {
	const memory = 20.0
	rapid.Check(t, func(t *rapid.T) {
		var got trend
		var want weighted
		seconds := 0.0
		for range rapid.IntRange(1, 60).Draw(t, "samples") {
			x, dt := rapid.Float64Range(-1, 1).Draw(t, "x"), rapid.Float64Range(0.5, 30).Draw(t, "dt")
			seconds += dt
			got.take(x, dt, memory)
			want.take(x, math.Min(1, dt/math.Min(seconds, memory)))
			mean, variance := want.moments()
			if math.Abs(got.mean-mean) > 1e-9 || math.Abs(got.variance-variance) > 1e-9 || got.seconds != math.Min(seconds, memory) {
				t.Fatalf("%+v, want a mean of %v and a variance of %v", got, mean, variance)
			}
		}
	})
}

func TestTrendIsPlainAtFirst(t *testing.T) {
	var got trend
	for _, x := range []float64{1, 2, 6} {
		got.take(x, 1, 240)
	}
	if want := (trend{mean: 3, variance: 14.0 / 3, seconds: 3}); math.Abs(got.mean-want.mean)+math.Abs(got.variance-want.variance) > 1e-12 {
		t.Fatalf("%+v, want %+v", got, want)
	}
	got = trend{}
	got.take(1, 10, 240) // a long sample counts for more than a short one
	got.take(5, 30, 240)
	if got.mean != 4 || got.variance != 3 {
		t.Fatalf("%+v, want a mean of 4 and a variance of 3", got)
	}
}

func TestTrendForgets(t *testing.T) {
	got := trend{mean: 1, seconds: 100}
	for range 100 {
		got.take(2, 1, 100)
	}
	if want := 2 - math.Pow(0.99, 100); math.Abs(got.mean-want) > 1e-12 {
		t.Fatalf("%+v after its memory has gone by once, want a mean of %v", got, want)
	}
	for range 2000 {
		got.take(2, 1, 100)
	}
	if math.Abs(got.mean-2) > 1e-6 || got.variance > 1e-6 {
		t.Fatalf("%+v, and all that it remembers is 2", got)
	}
}

// TestAveraged compares with the mean of the autocorrelation over all pairs of
// moments in the window.
func TestAveraged(t *testing.T) {
	for _, window := range []float64{0.01, 0.5, 1, 5, 15, 30, 60, 600} {
		const n = 1000
		sum := 0.0
		for i := range n { // pairs that are i steps apart, in the middle of their steps
			apart := float64(i) * window / n
			pairs := 2 * float64(n-i)
			if i == 0 {
				pairs = n
			}
			sum += pairs * math.Exp(-apart/swingTime)
		}
		if want := sum / (n * n); math.Abs(averaged(window)-want) > 1e-4 {
			t.Errorf("%v s: %v of the variance is left, want %v", window, averaged(window), want)
		}
	}
}

// TestAveragedIsAShare: whatever window a host tells, it is a share that falls
// with its length.
func TestAveragedIsAShare(t *testing.T) {
	if got := averaged(0); got != 1 {
		t.Errorf("of no window %v is left, want all", got)
	}
	last := 1 + 1e-5
	for w := time.Nanosecond; w <= maxPeriod; w *= 3 {
		got := averaged(w.Seconds())
		if !(got > 0 && got <= last) {
			t.Errorf("%s: %v is left, and %v of a shorter one", w, got, last)
		}
		last = got + 1e-5
	}
}
