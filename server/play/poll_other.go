//go:build !linux

package play

// poller is for Linux; elsewhere a goroutine waits for each connection.
type poller struct{ done chan struct{} }

func newPoller() (*poller, error) { return &poller{done: make(chan struct{})}, nil }

func (p *poller) add(*conn) error          { return nil }
func (p *poller) park(*conn) (bool, error) { return false, nil }

func (p *poller) run(func(*conn)) error {
	<-p.done
	return nil
}

func (p *poller) close() error {
	close(p.done)
	return nil
}
