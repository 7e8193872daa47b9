package admission

import (
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// seeded is a fast source of chances: tens of thousands of histories a second
// would be lost on anything cleverer.
type seeded struct{ *rand.Rand }

func (s seeded) n(below int) int { return s.IntN(below) }

// drawn takes its chances from rapid, which makes a failing history short.
type drawn struct{ t *rapid.T }

func (d drawn) n(below int) int { return rapid.IntRange(0, below-1).Draw(d.t, "n") }

// TestHistories lives many short random histories on all cores. Set
// RENDERGATE_HISTORIES for another number. A failure names its seed.
func TestHistories(t *testing.T) {
	count := histories(t)
	var next, failed atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1); i <= count && failed.Load() == 0; i = next.Add(1) {
				d := seeded{rand.New(rand.NewPCG(uint64(i), 2))}
				if err := live(d, 8+int(i%40)); err != nil && failed.Add(1) == 1 {
					t.Errorf("history %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d histories", min(count, next.Load()))
}

func histories(t *testing.T) int64 {
	set := os.Getenv("RENDERGATE_HISTORIES")
	if set == "" {
		return defaultHistories
	}
	n, err := strconv.ParseInt(set, 10, 64)
	if err != nil || n < 1 {
		t.Fatalf("RENDERGATE_HISTORIES is %q: a number above 0 is expected", set)
	}
	return n
}

// TestHistoriesThatShrink lives some histories whose failures are easy to read.
func TestHistoriesThatShrink(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := live(drawn{t}, rapid.IntRange(1, 30).Draw(t, "steps")); err != nil {
			t.Fatal(err)
		}
	})
}
