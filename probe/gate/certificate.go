package gate

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateEvery is how often the files are looked at for a renewal.
const certificateEvery = time.Minute

// Certificate makes a TLS configuration of a certificate and its key, as PEM
// files. It reads them anew when they change, so that a renewal needs no restart.
func Certificate(cert, key string, log *slog.Logger) (*tls.Config, error) {
	c := &certificate{cert: cert, key: key, log: log}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("reading the gate's certificate: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

type certificate struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	changed time.Time // the files' newest
	looked  time.Time
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= certificateEvery {
		c.looked = now
		if newest, err := c.newest(); err == nil && !newest.Equal(c.changed) {
			if err := c.load(); err != nil {
				c.log.Error("the renewed certificate cannot be used; the old one stays", "err", err)
			}
		}
	}
	return c.pair, nil
}

// load reads both files. The caller holds mu, or is alone.
func (c *certificate) load() error {
	newest, err := c.newest()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	c.pair, c.changed = &pair, newest
	return nil
}

func (c *certificate) newest() (time.Time, error) {
	var newest time.Time
	for _, file := range []string{c.cert, c.key} {
		info, err := os.Stat(file)
		if err != nil {
			return newest, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}
