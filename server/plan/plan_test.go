package plan

import (
	"math"
	"strings"
	"testing"
	"time"
)

// TestErlangB: B(2, 1) and B(5, 3) by hand; the others from the sum itself,
// a^c/c! over the sum of a^k/k!.
func TestErlangB(t *testing.T) {
	for _, tt := range []struct {
		c    int
		a    float64
		want float64
	}{{0, 3, 1}, {1, 1, 0.5}, {2, 1, 0.2}, {5, 3, 0.110054}, {10, 5, 0.018385}, {5, 0, 0}} {
		if got := ErlangB(tt.c, tt.a); math.Abs(got-tt.want) > 1e-6 {
			t.Errorf("B(%d, %v) = %v, want %v", tt.c, tt.a, got, tt.want)
		}
	}
	for c := 1; c <= 60; c++ {
		a := 0.9 * float64(c)
		term, sum := 1.0, 1.0
		for k := 1; k <= c; k++ {
			term *= a / float64(k)
			sum += term
		}
		if got := ErlangB(c, a); math.Abs(got-term/sum) > 1e-12 {
			t.Errorf("B(%d, %v) = %v, want %v", c, a, got, term/sum)
		}
	}
}

// TestHospital is the emergency room of Hillier and Lieberman, Introduction to
// Operations Research, 17.6: two patients an hour, twenty minutes each, two
// doctors: one in six waits, 1/24 hour on average over all, and 0.022 of all
// wait more than half an hour.
func TestHospital(t *testing.T) {
	q := queue{servers: 2, rate: 2.0 / 3600, mean: 1200}
	if c := ErlangC(2, q.load()); math.Abs(c-1.0/6) > 1e-9 {
		t.Errorf("the share that waits is %v, want 1/6", c)
	}
	if w := q.meanWait().Seconds(); math.Abs(w-150) > 1e-3 {
		t.Errorf("the mean wait is %v s, want 150", w)
	}
	if w := q.quantile(1 - math.Exp(-2)/6).Seconds(); math.Abs(w-1800) > 1e-3 {
		t.Errorf("the quantile is %v s, want 1800", w)
	}
	if w := q.quantile(0.8); w != 0 {
		t.Errorf("four in five do not wait at all, got %s", w)
	}
	full := queue{servers: 2, rate: 1, mean: 2}
	if full.quantile(0.5) != forever || full.meanWait() != forever || ErlangC(2, 2) != 1 {
		t.Error("a queue that grows for ever has an end")
	}
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within*want {
		t.Errorf("%s is %v, want %v within %v %%", what, got, want, 100*within)
	}
}

// TestSimulationOfTheClosedQueue: where the formula holds, the simulation says
// the same.
func TestSimulationOfTheClosedQueue(t *testing.T) {
	d := Demand{Arrivals: 120, Length: 12 * time.Minute}
	for _, seats := range []int{26, 28, 32} {
		q := queue{servers: seats, rate: d.rate(), mean: 720}
		o := d.simulate(seats)
		near(t, "the share that waits", o.waited, ErlangC(seats, q.load()), 0.06)
		near(t, "the mean wait", o.mean, q.meanWait().Seconds(), 0.12)
		near(t, "the load", o.busy, q.load()/float64(seats), 0.02)
	}
}

// TestOneServer is the formula of Pollaczek and Khinchine for the mean wait of
// M/G/1: rate E[S^2] / (2 (1 - load)).
func TestOneServer(t *testing.T) {
	d := Demand{Arrivals: 60, Length: 40 * time.Second, LengthP90: 80 * time.Second}
	sigma, ok := d.sigma()
	if !ok {
		t.Fatal("such a distribution exists")
	}
	near(t, "the P90", 40*math.Exp(sigma*z90-sigma*sigma/2), 80, 1e-9)
	second := 1600 * math.Exp(sigma*sigma)
	near(t, "the mean wait", d.simulate(1).mean, d.rate()*second/(2*(1-d.load())), 0.06)
}

// TestPatience is the queue M/M/c+M (Palm's Erlang A), from its birth and death
// equations: in state n > c, those who wait leave at rate (n-c)/patience.
func TestPatience(t *testing.T) {
	d := Demand{Arrivals: 180, Length: 10 * time.Minute, Patience: 5 * time.Minute}
	const c = 30
	p := []float64{1}
	sum, lost := 1.0, 0.0
	for n := 1; n < 400; n++ {
		out := math.Min(float64(n), c)/600 + math.Max(0, float64(n-c))/300
		p = append(p, p[n-1]*d.rate()/out)
		sum += p[n]
	}
	for n := c + 1; n < len(p); n++ {
		lost += p[n] / sum * float64(n-c) / 300
	}
	o := d.simulate(c)
	near(t, "the share that gives up", o.gaveUp, lost/d.rate(), 0.05)
}

func TestCap(t *testing.T) {
	exponential := Demand{Length: 10 * time.Minute, MaxLength: 10 * time.Minute}
	near(t, "the mean of a capped exponential", exponential.played(), 600*(1-math.Exp(-1)), 1e-9)
	for _, limit := range []time.Duration{5 * time.Minute, 20 * time.Minute, 10 * time.Hour} {
		d := Demand{Length: 10 * time.Minute, LengthP90: 20 * time.Minute, MaxLength: limit}
		draw, r, sum := d.lengths(), stream(1), 0.0
		for range 200_000 {
			sum += draw(r) / 200_000
		}
		near(t, "the mean of a capped lognormal", d.played(), sum, 0.01)
	}
}

func TestPlan(t *testing.T) {
	d := Demand{Arrivals: 120, Length: 12 * time.Minute, WaitP90: 2 * time.Minute, Seats: 4, Bitrate: 8e6}
	a, err := Plan(d, 0)
	if err != nil {
		t.Fatal(err)
	}
	if a.Erlangs != 24 || len(a.Rows) != 3 {
		t.Fatalf("got %+v", a)
	}
	fewer, right, more := a.Rows[0], a.Rows[1], a.Rows[2]
	if fewer.Meets || !right.Meets || !more.Meets || right.Hosts != a.Hosts || right.Method != Erlang {
		t.Errorf("the edge is not at %d hosts: %+v", a.Hosts, a.Rows)
	}
	near(t, "the uplink", right.UplinkBps, 24*8e6, 1e-9)
	near(t, "its peak", right.PeakBps, float64(4*a.Hosts)*8e6, 1e-9)

	d.MaxLength, d.Overhead, d.Accept = 30*time.Minute, 20*time.Second, 5*time.Second
	b, err := Plan(d, 20)
	if err != nil {
		t.Fatal(err)
	}
	if last := b.Rows[len(b.Rows)-1]; last.Hosts != 20 || last.Method != Simulation || !strings.Contains(b.Why, "simulation") {
		t.Errorf("asked for 20 hosts, got %+v", b.Rows)
	}
	if again, _ := Plan(d, 20); again.Hosts != b.Hosts || again.Rows[0] != b.Rows[0] {
		t.Error("the same question has another answer")
	}
}

func TestMoreHostsNeverMakeItWorse(t *testing.T) {
	d := Demand{Arrivals: 90, Length: 9 * time.Minute, LengthP90: 15 * time.Minute, Patience: 10 * time.Minute, Seats: 1}
	before := math.Inf(1)
	for n := 8; n < 24; n++ {
		r := d.row(n)
		if r.P90S > before+1e-9 {
			t.Fatalf("with %d hosts the P90 is %v s, with one fewer %v s", n, r.P90S, before)
		}
		before = r.P90S
	}
}

func TestDemandsThatCannotBe(t *testing.T) {
	good := Demand{Arrivals: 10, Length: time.Minute, Seats: 1}
	for want, change := range map[string]func(*Demand){
		"arrivals":         func(d *Demand) { d.Arrivals = 0 },
		"arrivals are NaN": func(d *Demand) { d.Arrivals = math.NaN() },
		"mean length":      func(d *Demand) { d.Length = 0 },
		"seats per host":   func(d *Demand) { d.Seats = 0 },
		"negative":         func(d *Demand) { d.Patience = -1 },
		"2.27 times":       func(d *Demand) { d.LengthP90 = 3 * time.Minute },
		"more than 1":      func(d *Demand) { d.LengthP90 = 30 * time.Second },
		"can be planned":   func(d *Demand) { d.Arrivals, d.Length = 1e7, 24*time.Hour },
	} {
		d := good
		change(&d)
		if _, err := Plan(d, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if _, err := Plan(good, -1); err == nil {
		t.Error("a negative number of hosts was taken")
	}
}
