package launcher

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"time"
)

// How often readiness is tried, and how long one try may take.
const (
	tryEvery   = 100 * time.Millisecond
	tryTimeout = 2 * time.Second
)

// readiness is what to wait for, filled in for one session.
type readiness struct {
	tcp     string
	http    string
	line    *regexp.Regexp
	after   time.Duration
	timeout time.Duration
}

// wait returns nil once the session is ready. Matched is closed by the reader
// of its output. It does not notice that the process is gone: its caller does.
func (r readiness) wait(ctx context.Context, matched <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.timeout, fmt.Errorf("not ready within %v: %s", r.timeout, r.words()))
	defer cancel()
	switch {
	case r.tcp != "":
		return poll(ctx, r.tryTCP)
	case r.http != "":
		return poll(ctx, r.tryHTTP)
	case r.line != nil:
		return await(ctx, matched)
	}
	timer := time.NewTimer(r.after)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// words says what was waited for.
func (r readiness) words() string {
	switch {
	case r.tcp != "":
		return "nothing takes connections on " + r.tcp
	case r.http != "":
		return r.http + " does not answer 2xx"
	case r.line != nil:
		return fmt.Sprintf("no line of output matches %q", r.line)
	}
	return "it was to run for " + r.after.String()
}

func await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// poll tries until it works or the context ends.
func poll(ctx context.Context, try func(context.Context) bool) error {
	again := time.NewTicker(tryEvery)
	defer again.Stop()
	for !try(ctx) {
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (r readiness) tryTCP(ctx context.Context) bool {
	d := net.Dialer{Timeout: tryTimeout}
	conn, err := d.DialContext(ctx, "tcp", r.tcp)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func (r readiness) tryHTTP(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.http, nil)
	if err != nil {
		return false
	}
	// No proxy of the environment stands between us and a session, and no
	// connection is kept: each try is a new one.
	transport := &http.Transport{DisableKeepAlives: true}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	return res.Body.Close() == nil && err == nil && res.StatusCode/100 == 2
}
