package auth

// ReadHash gives a hash as it was understood.
func ReadHash(text string) (again string, memoryKiB, passes int, err error) {
	h, err := parseHash(text)
	return h.String(), int(h.memoryKiB), int(h.passes), err
}

// Keys says how many addresses are counted each by itself.
func (l *Limiter) Keys() (conns, joins int) { return len(l.conns), len(l.joins.byKey) }

// LimitedAddresses is the most of them.
const LimitedAddresses = limitedAddresses

// ParsePlayerKeys counts the keys of a set.
func ParsePlayerKeys(data []byte) (int, error) {
	keys, err := parsePlayerKeys(data)
	return len(keys), err
}

// CheapHash is the least that is allowed: tests log in a thousand times.
func CheapHash(password string) string {
	h := hash{memoryKiB: minMemoryKiB, passes: 1, lanes: 1, salt: []byte("somesalt")}
	h.key = h.derive(password, minKey)
	return h.String()
}
