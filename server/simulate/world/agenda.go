package world

import "container/heap"

// item is something that will happen.
type item struct {
	at float64
	n  int // order among those of one moment
	do func()
}

// agenda is what will happen, the earliest first.
type agenda struct {
	items []item
	n     int
}

func (a *agenda) Len() int { return len(a.items) }
func (a *agenda) Less(i, j int) bool {
	x, y := &a.items[i], &a.items[j]
	return x.at < y.at || x.at == y.at && x.n < y.n
}
func (a *agenda) Swap(i, j int) { a.items[i], a.items[j] = a.items[j], a.items[i] }

// Push is for [heap].
func (a *agenda) Push(x any) { a.items = append(a.items, x.(item)) }

// Pop is for [heap].
func (a *agenda) Pop() any {
	last := a.items[len(a.items)-1]
	a.items[len(a.items)-1] = item{}
	a.items = a.items[:len(a.items)-1]
	return last
}

func (a *agenda) add(at float64, do func()) {
	if at < Never {
		a.n++
		heap.Push(a, item{at, a.n, do})
	}
}

func (a *agenda) next() float64 {
	if len(a.items) == 0 {
		return Never
	}
	return a.items[0].at
}

func (a *agenda) take() item { return heap.Pop(a).(item) }
