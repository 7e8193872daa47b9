package admission

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestOrdered compares the chunked list with a sorted slice, over enough
// elements that chunks split and vanish.
func TestOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, naive := newOrdered(cmp.Compare[int]), []int{}
		for _, x := range rapid.SliceOfN(rapid.IntRange(0, 3000), 0, 4000).Draw(t, "inserted") {
			o.insert(x)
			if i, found := slices.BinarySearch(naive, x); !found {
				naive = slices.Insert(naive, i, x)
			}
		}
		for _, x := range rapid.SliceOfN(rapid.IntRange(0, 3000), 0, 2000).Draw(t, "removed") {
			i, found := slices.BinarySearch(naive, x)
			if o.rank(x) != i {
				t.Fatalf("rank of %d is %d, want %d", x, o.rank(x), i)
			}
			if o.remove(x) != found {
				t.Fatalf("removing %d says %v", x, !found)
			}
			if found {
				naive = slices.Delete(naive, i, i+1)
			}
		}
		compareOrdered(t, o, naive)
	})
}

func compareOrdered(t *rapid.T, o *ordered[int], naive []int) {
	if got := slices.Collect(o.all()); !slices.Equal(got, naive) || o.len() != len(naive) {
		t.Fatalf("it holds %v, want %v", got, naive)
	}
	x := rapid.IntRange(-1, 3001).Draw(t, "after")
	i, found := slices.BinarySearch(naive, x)
	if found {
		i++
	}
	if got := slices.Collect(o.after(x)); !slices.Equal(got, naive[i:]) {
		t.Fatalf("after %d: %v, want %v", x, got, naive[i:])
	}
	back := slices.Collect(o.backward())
	slices.Reverse(back)
	if !slices.Equal(back, naive) {
		t.Fatalf("backward: %v, want %v", back, naive)
	}
}

// TestOrderedRising: rising keys fill the chunks, as a queue's do.
func TestOrderedRising(t *testing.T) {
	o := newOrdered(cmp.Compare[int])
	for i := range 100 * chunkSize {
		o.insert(i)
	}
	if len(o.chunks) != 100 {
		t.Fatalf("%d chunks, want 100", len(o.chunks))
	}
}

// TestTimers compares the heap with sorting.
func TestTimers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h timers
		slots := make([]*timer, 20)
		for _, x := range rapid.SliceOf(rapid.IntRange(0, 20*50-1)).Draw(t, "sets") {
			h.set(&slots[x%20], timer{at: instant(x / 20), seq: uint64(x % 20)})
		}
		var want []*timer
		for _, s := range slots {
			if s != nil {
				want = append(want, s)
			}
		}
		slices.SortFunc(want, func(a, b *timer) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq))
		})
		for _, w := range want {
			if h.top() != w {
				t.Fatalf("first is %+v, want %+v", h.top(), w)
			}
			h.set(&slots[w.seq], timer{})
		}
		if h.top() != nil {
			t.Fatalf("left over: %+v", h.top())
		}
	})
}
