package agent

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/ticket"
)

const (
	keysTimeout   = 10 * time.Second
	skewTolerance = 2.0 // seconds by which the skew may change before it counts
)

// trust keeps the gate's verifier in line with the service: its issuer, its
// keys, and its clock where this host's is off.
type trust struct {
	server *url.URL
	host   string
	give   func(*ticket.Verifier) // to the gate
	log    *slog.Logger

	mu     sync.Mutex
	issuer string
	keys   string
	skew   float64 // seconds by which this clock is ahead of the service's
}

// welcome takes the issuer and the keys' address from the service.
func (t *trust) welcome(w *wire.Welcome) error {
	at, err := t.server.Parse(w.JWKSURL)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return fmt.Errorf("jwks_url is %.200q; want a path or an http or https URL", w.JWKSURL)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.Issuer != t.issuer || at.String() != t.keys {
		t.issuer, t.keys = w.Issuer, at.String()
		t.renew()
	}
	return nil
}

// clock takes how far this host's clock is ahead of the service's; 0 if it is
// not worth a word.
func (t *trust) clock(skewS float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	settled := skewS == 0 && t.skew == 0 || skewS != 0 && math.Abs(skewS-t.skew) <= skewTolerance
	if settled || t.keys == "" || math.IsNaN(skewS) || math.Abs(skewS) > 1e8 {
		return
	}
	t.log.Warn("this host's clock differs from the service's; tickets are judged by the service's", "ahead_s", skewS)
	t.skew = skewS
	t.renew()
}

// renew makes a verifier. It refuses all tickets issued before now, so the
// used ones that the former knew stay refused.
func (t *trust) renew() {
	skew := time.Duration(t.skew * float64(time.Second))
	t.give(ticket.New(ticket.Options{
		Keys:   &ticket.Remote{URL: t.keys, Client: &http.Client{Timeout: keysTimeout}, Now: time.Now},
		Issuer: t.issuer, Audience: t.host, Now: func() time.Time { return time.Now().Add(-skew) },
	}))
}
