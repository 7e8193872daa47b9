package world

// item is something that will happen.
type item struct {
	at float64
	n  int // order among those of one moment
	do func()
}

// agenda is what will happen: a heap with the earliest on top. It is written out
// since [container/heap] would allocate for each of the millions of items.
type agenda struct {
	items []item
	n     int
}

func (x *item) before(y *item) bool { return x.at < y.at || x.at == y.at && x.n < y.n }

func (a *agenda) add(at float64, do func()) {
	if !(at < Never) {
		return
	}
	a.n++
	x := item{at, a.n, do}
	a.items = append(a.items, x)
	i := len(a.items) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !x.before(&a.items[up]) {
			break
		}
		a.items[i] = a.items[up]
		i = up
	}
	a.items[i] = x
}

func (a *agenda) next() float64 {
	if len(a.items) == 0 {
		return Never
	}
	return a.items[0].at
}

func (a *agenda) take() item {
	n := len(a.items) - 1
	first, last := a.items[0], a.items[n]
	a.items[n] = item{}
	a.items = a.items[:n]
	i := 0
	for 2*i+1 < n {
		child := 2*i + 1
		if child+1 < n && a.items[child+1].before(&a.items[child]) {
			child++
		}
		if !a.items[child].before(&last) {
			break
		}
		a.items[i] = a.items[child]
		i = child
	}
	if n > 0 {
		a.items[i] = last
	}
	return first
}
