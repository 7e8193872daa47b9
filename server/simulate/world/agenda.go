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
	a.items = append(a.items, item{at, a.n, do})
	for i := len(a.items) - 1; i > 0; {
		up := (i - 1) / 2
		if !a.items[i].before(&a.items[up]) {
			break
		}
		a.items[i], a.items[up] = a.items[up], a.items[i]
		i = up
	}
}

func (a *agenda) next() float64 {
	if len(a.items) == 0 {
		return Never
	}
	return a.items[0].at
}

func (a *agenda) take() item {
	first, last := a.items[0], len(a.items)-1
	a.items[0] = a.items[last]
	a.items[last] = item{}
	a.items = a.items[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if a.items[child].before(&a.items[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		a.items[i], a.items[least] = a.items[least], a.items[i]
		i = least
	}
}
