package calibrate

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// recorded is the load of one copy of a real program from its start, as
// `rendergate calibrate --max-copies 1 --min-settle 150s --cores 1` read it.
type recorded struct {
	Command  []string  `json:"command"`
	PeriodS  float64   `json:"period_s"`
	Readings []float64 `json:"readings"` // of one core
}

func recordings(t *testing.T) map[string]recorded {
	t.Helper()
	files, err := filepath.Glob("testdata/recorded/*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	all := map[string]recorded{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var r recorded
		if err := json.Unmarshal(data, &r); err != nil || len(r.Readings) < 140 || r.PeriodS != 1 {
			t.Fatalf("%s: %d readings, %v", f, len(r.Readings), err)
		}
		all[filepath.Base(f)] = r
	}
	return all
}

// TestRecordedLoads: on loads of real programs, what the rule says early is what
// they come to in the end, and it is sooner than the other rule, in sum, with no
// larger error.
func TestRecordedLoads(t *testing.T) {
	var mine, theirs judged
	for name, r := range recordings(t) {
		late := average(r.Readings[len(r.Readings)-90:])
		replay := func() func() float64 {
			i := -1
			return func() float64 { i = min(i+1, len(r.Readings)-1); return r.Readings[i] }
		}
		judge := func(rule func(func() float64) (float64, float64)) judged {
			mean, seconds := rule(replay())
			return judged{bias: 100 * math.Abs(mean-late), worst: 100 * math.Abs(mean-late), seconds: seconds}
		}
		a, b := judge(ours), judge(halves)
		t.Logf("%-12s comes to %.1f %% of a core; ours is off by %.2f points after %.0f s, halves that agree by %.2f after %.0f s", name, 100*late, a.worst, a.seconds, b.worst, b.seconds)
		if a.worst > 1 {
			t.Errorf("%s: off by %.2f points", name, a.worst)
		}
		mine, theirs = mine.with(a), theirs.with(b)
	}
	if mine.seconds > 0.9*theirs.seconds || mine.worst > max(theirs.worst, 0.8) {
		t.Errorf("ours %+v, theirs %+v", mine, theirs)
	}
}

// TestRecordedVerdicts: none of them is given up.
func TestRecordedVerdicts(t *testing.T) {
	for name, r := range recordings(t) {
		s := NewSettling(DefaultRule(), time.Second)
		for _, y := range r.Readings {
			if l := s.Add(y); l.Verdict != calibration.Rising {
				if l.Verdict == calibration.Restless {
					t.Errorf("%s: %+v", name, l)
				}
				break
			}
		}
	}
}
