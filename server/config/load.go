package config

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rendergate/rendergate/probe/wire/document"
)

// Load reads the config file at the path, and the profiles it names. Paths in
// the file are relative to its folder. The error is [document.Problems], unless
// the file cannot be read at all.
func Load(path string) (*Config, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	c, d := parse(path, data)
	if c != nil {
		c.resolve(filepath.Dir(path), d.Has)
		c.checkFiles(d)
		c.loadProfiles(d)
		c.derive()
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Parse reads a config without looking at any other file: profiles stay unread,
// and paths as they are written. Name stands in errors. The error is
// [document.Problems].
func Parse(name string, data []byte) (*Config, error) {
	c, d := parse(name, data)
	if err := d.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func parse(name string, data []byte) (*Config, *document.Document) {
	c := bare()
	d := document.Decode(name, data, c)
	c.publicSet = d.Has("public_url") && c.PublicURL != ""
	c.secretSet = d.Has("secrets") && c.Secrets != ""
	c.follow(d)
	checker{Config: c, d: d}.all()
	c.derive()
	return c, d
}

// follow gives the bitrates that the file leaves out from those it sets: one
// stream leaves a session, so spectators get what its player does.
func (c *Config) follow(d *document.Document) {
	for name, p := range c.Pools {
		key := "pools." + name + ".spectators."
		if !d.Has(key+"bitrate") && p.Session.Bitrate > 0 { // one mistake is told once
			p.Spectators.Bitrate = p.Session.Bitrate
		}
		if !d.Has(key + "low_bitrate") {
			p.Spectators.LowBitrate = min(p.Spectators.LowBitrate, p.Spectators.Bitrate)
		}
		c.Pools[name] = p
	}
}

// readFile reads a file of bounded size.
func readFile(path string) (data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// One byte more than allowed, so that the document can say that it is too long.
	return io.ReadAll(io.LimitReader(f, document.MaxBytes+1))
}

// checkFiles says which named files cannot be read.
func (c *Config) checkFiles(d *document.Document) {
	files := map[string]string{}
	if c.TLS != nil {
		files["tls.cert"], files["tls.key"] = c.TLS.Cert, c.TLS.Key
	}
	if c.NATS != nil {
		files["nats.credentials"] = c.NATS.Credentials
	}
	for key, path := range files {
		if path == "" {
			continue
		}
		if f, err := os.Open(path); err != nil {
			d.Reject(key, "cannot be read: %v", err)
		} else if err := f.Close(); err != nil {
			d.Reject(key, "cannot be read: %v", err)
		}
	}
}

func (c *Config) loadProfiles(d *document.Document) {
	for _, pool := range c.PoolNames() {
		for name, a := range c.Pools[pool].Apps {
			if a.Profile == "" {
				continue
			}
			key := "pools." + pool + ".apps." + name + ".profile"
			f, err := loadProfile(a.Profile)
			p := f.profile()
			switch {
			case err != nil:
				d.Reject(key, "%v", err)
			case p.App != name:
				d.Reject(key, "%s is the profile of app %q, not of %q: calibrate this app, or name the app %q", a.Profile, p.App, name, p.App)
			default:
				a.loaded, a.doubt = p, f.doubt()
				c.Pools[pool].Apps[name] = a
			}
		}
	}
}

// SetListen changes where the service listens, as --listen does, and with it the
// public URL where that follows from it.
func (c *Config) SetListen(addr string) error {
	if err := checkListen(addr); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	c.Listen = addr
	c.derive()
	return nil
}

// SetData changes the data folder, as --data does, and with it the folder of the
// secrets where that follows from it.
func (c *Config) SetData(dir string) {
	c.Data, c.NATS = dir, nil
	c.derive()
}

// SetNATS takes an external cluster for the journal, as --nats does.
func (c *Config) SetNATS(url string) error {
	if err := checkNATS(url); err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	if c.NATS == nil {
		c.NATS = &NATS{}
		c.NATS.SetDefaults()
	}
	c.NATS.URL = url
	return nil
}

func checkListen(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf(`want host:port or :port such as ":8080", got %q`, addr)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("want a port from 0 to 65535, got %q", port)
	}
	return nil
}
