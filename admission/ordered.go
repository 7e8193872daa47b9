package admission

import "iter"

// chunkSize bounds the memory that one insertion moves. With 512, a list of a
// million has about 2,000 chunks, and a rank costs a binary search and the
// adding up of as many lengths: microseconds.
const chunkSize = 512

// ordered is a sorted list in chunks: insert, remove and first are cheap at a
// million elements, rank is a few microseconds, and walking it is as fast as
// walking slices. Elements must be told apart by cmp.
type ordered[T any] struct {
	cmp    func(a, b T) int
	chunks [][]T
	n      int
}

func newOrdered[T any](cmp func(a, b T) int) *ordered[T] { return &ordered[T]{cmp: cmp} }

func (o *ordered[T]) len() int { return o.n }

// find returns the chunk and the place in it where x is or belongs.
func (o *ordered[T]) find(x T) (c, i int, found bool) {
	lo, hi := 0, len(o.chunks)
	for lo < hi { // the first chunk whose last element is not before x
		mid := (lo + hi) / 2
		chunk := o.chunks[mid]
		if o.cmp(chunk[len(chunk)-1], x) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(o.chunks) {
		return lo, 0, false
	}
	chunk := o.chunks[lo]
	a, b := 0, len(chunk)
	for a < b {
		mid := (a + b) / 2
		if o.cmp(chunk[mid], x) < 0 {
			a = mid + 1
		} else {
			b = mid
		}
	}
	return lo, a, a < len(chunk) && o.cmp(chunk[a], x) == 0
}

// insert adds x; it does nothing if x is there.
func (o *ordered[T]) insert(x T) {
	c, i, found := o.find(x)
	if found {
		return
	}
	o.n++
	if c == len(o.chunks) { // after everything
		if c == 0 || len(o.chunks[c-1]) == chunkSize {
			o.chunks = append(o.chunks, append(make([]T, 0, 8), x))
			return
		}
		o.chunks[c-1] = append(o.chunks[c-1], x)
		return
	}
	o.chunks[c] = insertAt(o.chunks[c], i, x)
	if len(o.chunks[c]) > chunkSize {
		o.split(c)
	}
}

func insertAt[T any](s []T, i int, x T) []T {
	var zero T
	s = append(s, zero)
	copy(s[i+1:], s[i:])
	s[i] = x
	return s
}

func (o *ordered[T]) split(c int) {
	chunk := o.chunks[c]
	half := len(chunk) / 2
	right := append(make([]T, 0, chunkSize), chunk[half:]...)
	clear(chunk[half:])
	o.chunks[c] = chunk[:half]
	o.chunks = insertAt(o.chunks, c+1, right)
}

// remove takes x out and says whether it was there.
func (o *ordered[T]) remove(x T) bool {
	c, i, found := o.find(x)
	if !found {
		return false
	}
	o.n--
	chunk := o.chunks[c]
	copy(chunk[i:], chunk[i+1:])
	clear(chunk[len(chunk)-1:])
	o.chunks[c] = chunk[:len(chunk)-1]
	if len(chunk) == 1 {
		copy(o.chunks[c:], o.chunks[c+1:])
		o.chunks[len(o.chunks)-1] = nil
		o.chunks = o.chunks[:len(o.chunks)-1]
	}
	return true
}

// rank is the number of elements before x.
func (o *ordered[T]) rank(x T) int {
	c, i, _ := o.find(x)
	for _, chunk := range o.chunks[:c] {
		i += len(chunk)
	}
	return i
}

func (o *ordered[T]) first() (x T, ok bool) {
	if o.n == 0 {
		return x, false
	}
	return o.chunks[0][0], true
}

// all walks the elements in order. The list must not change meanwhile.
func (o *ordered[T]) all() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, chunk := range o.chunks {
			for _, x := range chunk {
				if !yield(x) {
					return
				}
			}
		}
	}
}

// after walks the elements that come after x, which need not be there.
func (o *ordered[T]) after(x T) iter.Seq[T] {
	return func(yield func(T) bool) {
		c, i, found := o.find(x)
		if found {
			i++
		}
		for ; c < len(o.chunks); c, i = c+1, 0 {
			for _, y := range o.chunks[c][i:] {
				if !yield(y) {
					return
				}
			}
		}
	}
}

// backward walks the elements from the last to the first.
func (o *ordered[T]) backward() iter.Seq[T] {
	return func(yield func(T) bool) {
		for c := len(o.chunks) - 1; c >= 0; c-- {
			for i := len(o.chunks[c]) - 1; i >= 0; i-- {
				if !yield(o.chunks[c][i]) {
					return
				}
			}
		}
	}
}
