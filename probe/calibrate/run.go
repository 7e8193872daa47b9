package calibrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Host is where copies of an application run.
type Host interface {
	// Facts are what it is; they do not change.
	Facts() Facts
	// Open starts a copy and returns when it is ready and at its scene. An
	// error that is an [EndedError] says that this copy does not run.
	Open(ctx context.Context, p Place) error
	// Close ends a copy, and returns when nothing of it is left.
	Close(copies ...int)
	// Read waits for the next reading.
	Read(ctx context.Context) (Reading, error)
}

// Place is a copy and the GPU that it is given, -1 for none. Copies are
// numbered from 1; a number is used once in a calibration.
type Place struct{ Copy, GPU int }

// Facts are what a host is. Capacity is what a load of 1 is, by key, where it
// is known: cores, bytes, bits per second, sessions.
type Facts struct {
	Machine  calibration.Machine
	Capacity map[string]float64
}

// EndedError says which copies do not run, and why.
type EndedError struct{ Copies map[int]string }

func (e *EndedError) Error() string {
	for _, why := range e.Copies {
		return why // one is enough for one line
	}
	return "a copy ended"
}

// Options of a calibration. Thresholds, Period and Tell are needed.
type Options struct {
	App        string
	Command    []string
	Thresholds map[string]float64 // by kind, fractions; none: no limit
	MaxCopies  int                // 0: as many as fit
	GPUs       []int              // that copies are spread over; none: copies get none
	Repeat     int                // how often all is measured; 0 means once
	Rule       Rule
	Soak       time.Duration // how long the answer is confirmed
	Floor      float64       // frames a second that every copy must deliver; 0: load decides
	Period     time.Duration // between readings
	Tell       func(calibration.Progress)
}

// Run opens one copy after another on the host and says how many fit. Where it
// ends early, by an error or by ctx, the result holds what was measured until
// then and says that it is partial. All copies are closed when it returns.
func Run(ctx context.Context, host Host, o Options) (calibration.Result, error) {
	r := &ramp{host: host, o: o, facts: host.Facts(), began: time.Now(), points: map[string][]point{}, means: map[string][]point{}}
	err := r.repeat(ctx)
	r.closeAll()
	if ctx.Err() != nil {
		err = fmt.Errorf("stopped at %s", copies(r.reached))
	}
	return r.result(err), err
}

// ramp is one calibration under way.
type ramp struct {
	host  Host
	o     Options
	facts Facts
	began time.Time

	run      int
	last     int                // the newest copy's number
	open     []Place            // in the order in which they were opened
	reached  int                // the most copies that were measured
	under    int                // the most copies that were seen under every threshold
	points   map[string][]point // what is held against thresholds
	means    map[string][]point
	steps    []calibration.Step
	starts   []float64
	answers  []answer
	findings []calibration.Finding
	rest     *float64 // load that was nobody's, without copies
}

// answer is what one run came to.
type answer struct {
	fits    int
	perGPU  []int
	binding string // a key, or one of the words of package calibration
	soak    *measured
	past    *measured // with one more copy, where it was opened
	gpu     int       // that the one more was for
	check   *calibration.Check
	// foretold is what each number of copies was to come to, by key, before it
	// was opened.
	foretold map[int]map[string]*calibration.Check
}

// measured is a step with what it was made from.
type measured struct {
	calibration.Step
	watch *watch
}

func (r *ramp) repeat(ctx context.Context) error {
	for r.run = 1; r.run <= max(1, r.o.Repeat); r.run++ {
		a, err := r.climb(ctx)
		if err != nil {
			return err
		}
		r.answers = append(r.answers, a)
		r.closeAll()
	}
	return nil
}

// climb opens copies until one is too many, and confirms the number before.
func (r *ramp) climb(ctx context.Context) (answer, error) {
	base, err := r.measure(ctx, calibration.Base)
	if err != nil {
		return answer{}, err
	}
	r.lookAtBase(base)
	a := answer{foretold: map[int]map[string]*calibration.Check{}}
	for a.binding == "" {
		if err := r.step(ctx, &a); err != nil {
			return a, err
		}
	}
	return a, r.confirm(ctx, &a)
}

// step opens one copy more, unless that is not safe, and sets what binds.
func (r *ramp) step(ctx context.Context, a *answer) error {
	if r.o.MaxCopies > 0 && len(r.open) >= r.o.MaxCopies || len(r.open) >= mostCopies {
		a.binding = calibration.BindingMaxCopies
		return nil
	}
	p := Place{Copy: r.last + 1, GPU: r.pickGPU()}
	a.gpu = p.GPU
	checks := r.foretell(p.GPU)
	a.foretold[len(r.open)+1] = checks
	if key, why := r.unsafe(checks); why != "" {
		a.binding, a.check = key, checks[key]
		a.check.Skipped = why
		return nil
	}
	m, err := r.add(ctx, p)
	var ended *EndedError
	switch {
	case errors.As(err, &ended) && len(r.open) > 0:
		a.binding = calibration.BindingStarting
		return nil
	case err != nil:
		return err
	}
	key, over, sure := r.over(m)
	if over && !sure { // at the edge: a longer look decides
		if m, err = r.measure(ctx, calibration.Soaking); err != nil {
			return err
		}
		key, over, _ = r.over(m)
	}
	if !over {
		r.under = max(r.under, len(r.open))
		return nil
	}
	a.passed(m, key)
	r.closeNewest()
	return nil
}

// passed notes that this number of copies is too many.
func (a *answer) passed(m *measured, key string) {
	a.binding, a.past, a.check = key, m, a.foretold[m.Copies][key]
	if a.check != nil {
		a.check.Seen = m.Levels[key].Judged
	}
}

// confirm soaks at the answer, and goes down until one holds.
func (r *ramp) confirm(ctx context.Context, a *answer) error {
	for tries := 0; len(r.open) > 0; {
		m, err := r.measure(ctx, calibration.Soaking)
		var ended *EndedError
		if errors.As(err, &ended) {
			if err := r.mend(ctx, ended); err != nil {
				return err
			}
			if tries++; tries > 1 {
				a.binding, a.past, a.check = calibration.BindingStarting, nil, nil
				r.closeNewest()
			}
			continue
		}
		if err != nil {
			return err
		}
		if key, over, _ := r.over(m); over {
			a.passed(m, key)
			r.closeNewest()
			continue
		}
		a.soak = m
		break
	}
	a.fits, a.perGPU = len(r.open), r.perGPU()
	return nil
}

// brim is the use of memory and VRAM above which nothing more is opened, and
// copies are closed at once: past it programs crash, or the host does.
const brim = 0.97

// measure waits until the loads have settled, or soaks.
func (r *ramp) measure(ctx context.Context, phase calibration.Phase) (*measured, error) {
	rule := r.o.Rule
	if phase == calibration.Soaking {
		rule.Least, rule.Most = r.o.Soak, r.o.Soak+rule.Most
	}
	w := newWatch(rule, r.o.Period)
	for key := range r.points {
		if r.bounded(key) {
			w.must = append(w.must, key)
		}
	}
	if _, err := r.read(ctx); err != nil { // its window began before the change
		return nil, err
	}
	for done := false; !done; {
		reading, err := r.read(ctx)
		if err != nil {
			return nil, err
		}
		done = w.add(reading) || r.brims(reading)
		r.tell(phase, w)
	}
	if key := w.unread(); key != "" {
		return nil, fmt.Errorf("the load of %s can no longer be read: how many copies fit cannot be told without it", key)
	}
	return r.keep(phase, w), nil
}

func (r *ramp) read(ctx context.Context) (Reading, error) {
	reading, err := r.host.Read(ctx)
	if err == nil && len(reading.Ended) > 0 {
		err = &EndedError{reading.Ended}
	}
	return reading, err
}

func (r *ramp) brims(reading Reading) bool {
	for key, y := range reading.Loads {
		if r.bounded(key) && hard(key) && y > brim {
			return true
		}
	}
	return false
}

// keep notes a step, and its levels as points of the curves.
func (r *ramp) keep(phase calibration.Phase, w *watch) *measured {
	n := len(r.open)
	s := calibration.Step{
		Run: r.run, Copies: n, PerGPU: r.perGPU(), Soak: phase == calibration.Soaking,
		Levels: w.levels, Trace: w.traces(), PeriodS: r.o.Period.Seconds(),
	}
	if n > 0 && !s.Soak && len(r.starts) > 0 {
		s.StartS = r.starts[len(r.starts)-1]
	}
	if slowest, known := w.frames(n); known {
		s.Frames = &slowest
	}
	for key, l := range w.levels {
		if elastic(key) && l.Judged > brim {
			continue // there was no more to be had: it says nothing of what was wanted
		}
		at := float64(r.on(key))
		r.points[key] = append(r.points[key], point{at, l.Judged, l.Half})
		r.means[key] = append(r.means[key], point{at, l.Mean, l.Half})
	}
	r.steps = append(r.steps, s)
	r.reached = max(r.reached, n)
	m := &measured{s, w}
	r.look(m)
	return m
}

func copies(n int) string {
	if n == 1 {
		return "1 copy"
	}
	return fmt.Sprintf("%d copies", n)
}
