package plan

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Demand is what is asked of a pool.
type Demand struct {
	Arrivals  float64       // players an hour
	Length    time.Duration // of a session, mean
	LengthP90 time.Duration // 0: sessions are exponential, with a P90 of 2.3 times the mean
	MaxLength time.Duration // sessions are ended then; 0: never
	Overhead  time.Duration // a seat is held so much longer than it is played on: start and end
	Accept    time.Duration // how long an offer waits for its answer, where one had to wait
	Patience  time.Duration // mean, of those who wait; 0: nobody gives up
	WaitP90   time.Duration // nine in ten players wait no longer
	Seats     int           // sessions per host
	Bitrate   float64       // bits per second per session
}

// Row is what one number of hosts gives.
type Row struct {
	Hosts       int     `json:"hosts"`
	Seats       int     `json:"seats"`
	Utilisation float64 `json:"utilisation"` // share of the seats' time
	Waits       float64 `json:"waits"`       // share of players who have to wait
	MeanS       float64 `json:"wait_mean_s"` // waits are 0 where Stable is false
	P50S        float64 `json:"wait_p50_s"`
	P90S        float64 `json:"wait_p90_s"`
	P90HalfS    float64 `json:"wait_p90_half_s"` // half the 95 % interval; 0 where a formula holds
	GaveUp      float64 `json:"gave_up"`
	Blocked     float64 `json:"blocked"`         // share that would be turned away if nobody could wait (Erlang B)
	UplinkBps   float64 `json:"uplink_bps"`      // mean
	PeakBps     float64 `json:"uplink_peak_bps"` // all seats taken
	Stable      bool    `json:"stable"`          // the queue does not grow for ever
	Meets       bool    `json:"meets"`           // the wait that was asked for
	Method      string  `json:"method"`          // "erlang" or "simulation"
}

// The methods.
const (
	Erlang     = "erlang"
	Simulation = "simulation"
)

// Answer is the plan.
type Answer struct {
	Hosts   int     `json:"hosts"`   // the fewest that meet the wait
	Erlangs float64 `json:"erlangs"` // seats that would be busy if nobody had to wait
	Why     string  `json:"why"`     // of the method
	Rows    []Row   `json:"rows"`    // around Hosts, and the number that was asked for
	Curve   []Row   `json:"curve"`   // for a plot
}

// Check says what cannot be.
func (d Demand) Check() error {
	switch {
	case !(d.Arrivals > 0 && d.Arrivals <= 1e7):
		return fmt.Errorf("arrivals are %v an hour; want more than 0 and at most 10 million", d.Arrivals)
	case d.Length < time.Second || d.Length > 7*24*time.Hour:
		return fmt.Errorf("the mean length of a session is %s; want 1 s to 7 days", d.Length)
	case d.Seats < 1:
		return errors.New("the profile names no seats per host: calibrate it, or give --seats")
	case d.WaitP90 < 0 || d.Patience < 0 || d.Overhead < 0 || d.Accept < 0 || d.MaxLength < 0 || d.LengthP90 < 0:
		return errors.New("a duration is negative; want 0 or more")
	case d.load() > maxSeats:
		return fmt.Errorf("the demand keeps %.0f seats busy; at most %d can be planned", d.load(), maxSeats)
	}
	if d.LengthP90 > 0 {
		if _, ok := d.sigma(); !ok {
			return fmt.Errorf("a P90 of %s does not go with a mean of %s; want more than 1 and at most 2.27 times the mean", d.LengthP90, d.Length)
		}
	}
	return nil
}

const maxSeats = 200_000

// Plan finds the fewest hosts with which the wait holds. asked is a number of
// hosts to look at too, 0 for none.
func Plan(d Demand, asked int) (Answer, error) {
	if err := d.Check(); err != nil {
		return Answer{}, err
	}
	if asked < 0 || asked*d.Seats > maxSeats {
		return Answer{}, fmt.Errorf("hosts is %d; want 0 to %d with %d seats each", asked, maxSeats/d.Seats, d.Seats)
	}
	a := Answer{Erlangs: d.load(), Why: d.why()}
	a.Hosts = d.fewest()
	from, to := max(1, a.Hosts-1), a.Hosts+1
	for n := from; n <= to; n++ {
		a.Rows = append(a.Rows, d.row(n))
	}
	switch {
	case asked > 0 && asked < from:
		a.Rows = append([]Row{d.row(asked)}, a.Rows...)
	case asked > to:
		a.Rows = append(a.Rows, d.row(asked))
	}
	for n := max(1, a.Hosts-3); n <= a.Hosts+3; n++ {
		a.Curve = append(a.Curve, d.row(n))
	}
	return a, nil
}

// fewest doubles until the wait holds, and halves the interval then: more hosts
// never make the wait longer.
func (d Demand) fewest() int {
	high := max(1, int(d.load())/d.Seats)
	for !d.row(high).Meets && high*d.Seats <= 2*maxSeats {
		high *= 2
	}
	low := 0 // does not meet it
	for high-low > 1 {
		if mid := (low + high) / 2; d.row(mid).Meets {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

func (d Demand) rate() float64 { return d.Arrivals / 3600 }

// hold is how long a seat is held by one who did not wait, mean seconds.
func (d Demand) hold() float64 { return d.Overhead.Seconds() + d.played() }

// played is the mean length with the cap, seconds.
func (d Demand) played() float64 {
	m := d.Length.Seconds()
	if d.MaxLength == 0 {
		return m
	}
	limit := d.MaxLength.Seconds()
	if d.LengthP90 == 0 {
		return m * (1 - math.Exp(-limit/m))
	}
	sigma, _ := d.sigma()
	mu := math.Log(m) - sigma*sigma/2
	k := (math.Log(limit) - mu) / sigma
	return m*phi(k-sigma) + limit*(1-phi(k)) // of min(lognormal, limit)
}

func phi(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

func (d Demand) load() float64 { return d.rate() * d.hold() }

// closed says whether M/M/c is the demand's queue.
func (d Demand) closed() bool {
	return d.LengthP90 == 0 && d.MaxLength == 0 && d.Patience == 0 && d.Overhead == 0 && d.Accept == 0
}

func (d Demand) why() string {
	if d.closed() {
		return "Erlang C: random arrivals, exponential sessions, everybody waits"
	}
	return fmt.Sprintf("simulation of %d players, fixed seed: the closed formula does not hold with a P90, a cap, overhead, offers or patience", simulated)
}

func (d Demand) row(hosts int) Row {
	c := hosts * d.Seats
	r := Row{Hosts: hosts, Seats: c, Blocked: ErlangB(c, d.load()), PeakBps: float64(c) * d.Bitrate}
	if d.closed() {
		d.formula(&r)
	} else {
		d.sample(&r)
	}
	r.UplinkBps = r.Utilisation * float64(c) * d.Bitrate
	r.Meets = r.Stable && r.P90S <= d.WaitP90.Seconds()
	return r
}

func (d Demand) formula(r *Row) {
	q := queue{servers: r.Seats, rate: d.rate(), mean: d.Length.Seconds()}
	r.Method, r.Stable = Erlang, q.load() < float64(r.Seats)
	r.Utilisation, r.Waits = min(1, q.load()/float64(r.Seats)), ErlangC(r.Seats, q.load())
	if r.Stable {
		r.MeanS, r.P50S, r.P90S = q.meanWait().Seconds(), q.quantile(0.5).Seconds(), q.quantile(0.9).Seconds()
	}
}

func (d Demand) sample(r *Row) {
	r.Method = Simulation
	// Whoever waits holds the seat for the offer's answer too.
	r.Stable = d.Patience > 0 || d.rate()*(d.hold()+d.Accept.Seconds()) < float64(r.Seats)
	if !r.Stable {
		r.Utilisation, r.Waits = 1, 1
		return
	}
	o := d.simulate(r.Seats)
	r.Utilisation, r.Waits, r.GaveUp = o.busy, o.waited, o.gaveUp
	r.MeanS, r.P50S, r.P90S, r.P90HalfS = o.mean, quantileOf(o.waits, 0.5), quantileOf(o.waits, 0.9), o.p90Spread
}
