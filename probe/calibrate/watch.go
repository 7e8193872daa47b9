package calibrate

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// Reading is what a host says at one moment. What is absent is unknown, never
// zero.
type Reading struct {
	Loads     map[string]float64 // by key, fractions of the resource
	Copies    map[int]Use        // what each copy uses by itself, by its number
	SwapBps   float64            // bytes a second to and from swap
	Throttled string             // why the hardware slows down; empty: it does not
	Ended     map[int]string     // copies that ended by themselves since the last reading, and why
}

// Use is what one copy uses.
type Use struct {
	Loads  map[string]float64 // by kind
	Frames *float64           // frames a second that it delivered
}

// watch follows all loads of a host until each has settled.
type watch struct {
	rule   Rule
	period time.Duration
	loads  map[string]*Settling
	levels map[string]calibration.Level
	copies map[int]*followed
	count  int // readings
	cpu    []float64
	own    []float64 // of each in cpu, what copies used; NaN where that is not known
	alien  float64   // the most of the CPU that was left out at a moment
	swaps  int
	slow   string
	must   []string // keys that must be read before anything is said
}

// followed is what one copy used, reading after reading.
type followed struct {
	loads  map[string][]float64
	frames []float64
}

func newWatch(r Rule, period time.Duration) *watch {
	return &watch{rule: r, period: period, loads: map[string]*Settling{}, levels: map[string]calibration.Level{}, copies: map[int]*followed{}}
}

// add takes a reading in and says whether every load has settled.
func (w *watch) add(r Reading) bool {
	w.count++
	for key, y := range r.Loads {
		s := w.loads[key]
		if s == nil {
			s = NewSettling(w.rule, w.period)
			w.loads[key] = s
		}
		if key == calibration.CPU {
			w.cpu, w.own = append(w.cpu, y), append(w.own, ownCPU(r))
			clean := w.withoutBursts()
			s.y, y = clean[:len(clean)-1], clean[len(clean)-1]
		}
		w.levels[key] = s.Add(y)
	}
	for n, use := range r.Copies {
		w.follow(n, use)
	}
	w.lookBeside(r)
	return w.settled()
}

func (w *watch) follow(n int, use Use) {
	f := w.copies[n]
	if f == nil {
		f = &followed{loads: map[string][]float64{}}
		w.copies[n] = f
	}
	for kind, y := range use.Loads {
		f.loads[kind] = append(f.loads[kind], y)
	}
	if use.Frames != nil {
		f.frames = append(f.frames, *use.Frames)
	}
}

// ownCPU is what all copies used together; NaN if that of one is not known.
func ownCPU(r Reading) float64 {
	sum := 0.0
	for _, use := range r.Copies {
		own, seen := use.Loads[calibration.CPU]
		if !seen {
			return math.NaN()
		}
		sum += own
	}
	return sum
}

// burst is by how much the load that is no copy's must stand out to be left out.
const burst = 0.03

// rest is the load that is no copy's, where it is known.
func (w *watch) rest() []float64 {
	var rest []float64
	for i, own := range w.own {
		if !math.IsNaN(own) {
			rest = append(rest, w.cpu[i]-own)
		}
	}
	return rest
}

// withoutBursts is the CPU's load without what another program took for a
// moment, as a cron job does: the load that is no copy's is cut where it stands
// out from itself by more than three deviations (by the median, so that what is
// there half of the time or more stays in).
func (w *watch) withoutBursts() []float64 {
	rest := w.rest()
	if len(rest) == 0 {
		return slices.Clone(w.cpu)
	}
	middle := median(rest)
	off := make([]float64, len(rest))
	for i, v := range rest {
		off[i] = math.Abs(v - middle)
	}
	most := middle + max(burst, 3*1.4826*median(off))
	clean := slices.Clone(w.cpu)
	for i, own := range w.own {
		if over := w.cpu[i] - own - most; over > 0 { // not where own is NaN
			clean[i] -= over
			w.alien = max(w.alien, over)
		}
	}
	return clean
}

// lookBeside notes what else there is: swap, throttling.
func (w *watch) lookBeside(r Reading) {
	if r.SwapBps > swapping {
		w.swaps++
	}
	if r.Throttled != "" {
		w.slow = r.Throttled
	}
}

// swapping is from how many bytes a second on swap is in use: a page now and
// then is none.
const swapping = 256 << 10

func (w *watch) settled() bool {
	if elapsed := time.Duration(w.count) * w.period; elapsed >= w.rule.Most {
		return true
	} else if elapsed < w.rule.Least {
		return false
	}
	for _, l := range w.levels {
		if l.Verdict == calibration.Rising {
			return false
		}
	}
	return len(w.levels) > 0 && w.unread() == ""
}

// unread is a resource that was known before and is not now: what is unknown is
// not zero, so nothing can be said without it.
func (w *watch) unread() string {
	for _, key := range w.must {
		if _, known := w.levels[key]; !known {
			return key
		}
	}
	return ""
}

// traces are the readings, by key.
func (w *watch) traces() map[string][]float64 {
	all := make(map[string][]float64, len(w.loads))
	for key, s := range w.loads {
		y := s.y
		if key == calibration.CPU {
			y = w.cpu // as it was
		}
		all[key] = make([]float64, len(y))
		for i, v := range y {
			all[key][i] = math.Round(v*1e4) / 1e4
		}
	}
	return all
}

// frames is what the slowest copy delivered in the newer half of the time: the
// 0.05 quantile of its readings, so that it says what it stays above. Known
// says whether every one of n copies told.
func (w *watch) frames(n int) (slowest float64, known bool) {
	slowest = math.Inf(1)
	told := 0
	for _, f := range w.copies {
		if len(f.frames) == 0 {
			continue
		}
		told++
		slowest = min(slowest, quantile(f.frames[len(f.frames)/2:], 0.05))
	}
	return slowest, n > 0 && told >= n
}

// spread is how one copy's use varies in time, of all copies, and what it
// seldom exceeds; ok is false where copies are not seen by themselves.
func (w *watch) spread(kind string) (deviation, peak float64, ok bool) {
	var squares, count float64
	var all []float64
	for _, f := range w.copies {
		y := f.loads[kind]
		y = y[len(y)/2:] // what was before is the start
		mean := average(y)
		for _, v := range y {
			squares += (v - mean) * (v - mean)
		}
		count += float64(len(y))
		all = append(all, y...)
	}
	if count < 2 {
		return 0, 0, false
	}
	return math.Sqrt(squares / count), quantile(all, 0.95), true
}

// means are what each copy used of a kind, on average, in the newer half.
func (w *watch) means(kind string) map[int]float64 {
	all := map[int]float64{}
	for n, f := range w.copies {
		if y := f.loads[kind]; len(y) > 0 {
			all[n] = average(y[len(y)/2:])
		}
	}
	return all
}

// ownUse is what one copy uses by its own account, where that is known and agrees
// with what the host's load says: memory of the host goes up and down by more
// than a small copy takes.
func (w *watch) ownUse(kind string, mean, half float64) (own, ownHalf float64) {
	means := slices.Collect(maps.Values(w.means(kind)))
	if len(means) == 0 {
		return mean, half
	}
	own = average(means)
	var squares float64
	for _, m := range means {
		squares += (m - own) * (m - own)
	}
	if math.Abs(own-mean) > half {
		return mean, half // shared with others, or held by others for it
	}
	n := float64(len(means))
	return own, max(0.02*own, student(len(means)-1)*math.Sqrt(squares/max(1, n-1)/n))
}

func (w *watch) keys() []string { return slices.Sorted(maps.Keys(w.levels)) }
