package launcher

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
)

// PortRange is the ports on loopback that sessions are given, both ends
// included. Keep it outside the system's ephemeral range, from which others
// take ports without asking.
type PortRange struct{ From, To int }

// DefaultPorts lies below Linux's ephemeral range (32768 to 60999).
func DefaultPorts() PortRange { return PortRange{From: 20000, To: 29999} }

// ports lends ports to sessions. A port that was given back is the last to be
// lent again, so that connections to its former holder have ended.
type ports struct {
	mu   sync.Mutex
	r    PortRange
	next int
	lent map[int]bool
}

func newPorts(r PortRange) *ports {
	if r == (PortRange{}) {
		r = DefaultPorts()
	}
	return &ports{r: r, next: r.From, lent: map[int]bool{}}
}

// lend gives n ports that nothing listens on now.
func (p *ports) lend(ctx context.Context, n int) ([]int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []int
	for range p.r.To - p.r.From + 1 {
		if len(found) == n {
			break
		}
		port := p.next
		if p.next++; p.next > p.r.To {
			p.next = p.r.From
		}
		if !p.lent[port] && free(ctx, port) {
			found = append(found, port)
		}
	}
	if len(found) < n {
		return nil, fmt.Errorf("%d of %d ports free in %d to %d", len(found), n, p.r.From, p.r.To)
	}
	for _, port := range found {
		p.lent[port] = true
	}
	return found, nil
}

func (p *ports) giveBack(list []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, port := range list {
		delete(p.lent, port)
	}
}

// free says whether the port can be listened on.
func free(ctx context.Context, port int) bool {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
