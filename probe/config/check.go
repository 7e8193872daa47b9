package config

import (
	"errors"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rendergate/rendergate/probe/gate"
	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/probe/wire/quantity"
)

// What counts as the host.
const (
	ScopeMachine = "machine" // all of it
	ScopeCgroup  = "cgroup"  // the probe's own cgroup and its quota
	ScopeShare   = "share"   // a stated number of cores; load is what sessions use
)

// How a player's idleness is known.
const (
	IdleSocket  = "socket"  // by what comes over the session's WebSockets
	IdleUnknown = "unknown" // not at all: input takes a way that the gate does not see
)

const (
	defaultPeriod = time.Second
	leastPeriod   = 100 * time.Millisecond
	mostPeriod    = time.Minute
	leastStop     = 10 * time.Millisecond
	mostStop      = 5 * time.Minute
	mostReady     = time.Hour
	mostPortCount = 16
	leastPort     = 1024
	mostPort      = 65535
	mostCores     = 4096
	mostEncoders  = 4096
)

var (
	namePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`)
	// Windows calls one "Ethernet 2", Linux takes anything but spaces and slashes.
	interfacePattern = regexp.MustCompile(`^[^\s/][^/\x00-\x1f]{0,254}$`)
	envPattern       = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

const nameWords = `want 1 to 64 letters, digits, '.', '_' and '-'`

func validName(s string) bool { return namePattern.MatchString(s) }

// check notes what cannot work. Each problem stands at the key it is about.
func (c *Config) check(d *document.Document) {
	c.checkServer(d)
	checkName(d, "host", c.Host)
	checkName(d, "pool", c.Pool)
	between(d, "period", c.Period, leastPeriod, mostPeriod)
	c.checkScope(d)
	c.checkGate(d)
	c.checkPorts(d)
	if n := c.GPUs.EncoderSessions; n < 0 || n > mostEncoders {
		d.Reject("gpus.encoder_sessions", "want 0 (as the driver says) to %d, got %d", mostEncoders, n)
	}
	if g := c.Cgroup; g != "auto" && g != "none" && !strings.HasPrefix(g, "/") {
		d.Reject("cgroup", "want auto, none, or the folder of a cgroup v2 such as /sys/fs/cgroup/rendergate, got %.80q", g)
	}
	for i, name := range c.Interfaces {
		if !interfacePattern.MatchString(name) {
			d.Reject("interfaces["+strconv.Itoa(i)+"]", "want the name of a network interface such as eth0, got %.80q", name)
		}
	}
	c.checkApps(d)
}

func checkName(d *document.Document, key, name string) {
	if name == "" {
		d.Reject(key, "is missing; want the name by which the service knows this %s", key)
	} else if !validName(name) {
		d.Reject(key, "%s, got %.80q", nameWords, name)
	}
}

func (c *Config) checkServer(d *document.Document) {
	if c.Server == "" {
		d.Reject("server", "is missing; want the URL of the service, such as https://gate.example.com")
		return
	}
	if err := checkURL(c.Server, "http", "https"); err != nil {
		d.Reject("server", "%v", err)
	}
}

// checkURL says what is wrong with a URL that is to have one of the schemes.
func checkURL(text string, schemes ...string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme):
		return wrongURL(text, schemes)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("want a URL without user, query and fragment, got " + strconv.Quote(text))
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > mostPort {
			return errors.New("want a port of 1 to 65535, got " + strconv.Quote(port))
		}
	}
	return nil
}

func wrongURL(text string, schemes []string) error {
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return errors.New("want a URL such as " + schemes[len(schemes)-1] + "://host:port, got " + strconv.Quote(text))
}

func between(d *document.Document, key string, v quantity.Duration, least, most time.Duration) {
	if v.Std() < least || v.Std() > most {
		d.Reject(key, "want %s to %s, got %s", quantity.Duration(least), quantity.Duration(most), v)
	}
}

func (c *Config) checkScope(d *document.Document) {
	switch c.Scope.Kind {
	case ScopeShare:
		if !(c.Scope.Cores > 0 && c.Scope.Cores <= mostCores) {
			d.Reject("scope.cores", "a share needs its cores: more than 0 and at most %d, got %v", mostCores, c.Scope.Cores)
		}
	case ScopeMachine, ScopeCgroup:
		if d.Has("scope.cores") {
			d.Reject("scope.cores", "only a share has stated cores; write kind: share, or remove this")
		}
	default:
		d.Reject("scope.kind", "want machine, cgroup or share, got %.80q", c.Scope.Kind)
	}
}

func (c *Config) checkGate(d *document.Document) {
	g := c.Gate
	if err := checkListen(g.Listen); err != nil {
		d.Reject("gate.listen", "%v", err)
	}
	for i, origin := range g.FrameAncestors {
		if !gate.ValidOrigin(origin) {
			d.Reject("gate.frame_ancestors["+strconv.Itoa(i)+"]", "want an origin such as https://shop.example.com, with no path, got %.80q", origin)
		}
	}
	if g.Connections < 1 || g.Connections > 100_000 {
		d.Reject("gate.connections_per_address", "want 1 to 100000, got %d", g.Connections)
	}
	if (g.TLS.Cert == "") != (g.TLS.Key == "") {
		d.Reject("gate.tls", "a certificate and its key belong together; set both cert and key")
	}
	c.checkPublic(d)
}

func checkListen(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New(`want an address such as ":8443" or "127.0.0.1:8443", got ` + strconv.Quote(text))
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > mostPort {
		return errors.New("want a port of 0 to 65535, got " + strconv.Quote(port))
	}
	return nil
}

// checkPublic looks at the address that players' browsers are given.
func (c *Config) checkPublic(d *document.Document) {
	const key = "gate.public_url"
	text := c.Gate.PublicURL
	if text == "" {
		d.Reject(key, "is missing; want the URL at which browsers reach the gate, such as https://render-1.example.com")
		return
	}
	if err := checkURL(text, "http", "https"); err != nil {
		d.Reject(key, "%v", err)
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
	case strings.Trim(u.Path, "/") != "":
		d.Reject(key, "want no path behind the host, got %q", u.Path)
	case u.Scheme == "http" && c.Gate.TLS.Cert != "":
		d.Reject(key, "the gate has a certificate, so browsers reach it by https, got %q", text)
	case u.Scheme == "http" && strings.HasPrefix(c.Server, "https:") && !loopback(u.Hostname()):
		d.Reject(key, "a page on https cannot embed a gate on http; give the gate a certificate (gate.tls), or put it behind a proxy that has one")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *Config) checkPorts(d *document.Document) {
	p := c.Ports
	switch {
	case p.From < leastPort || p.From > mostPort:
		d.Reject("ports.from", "want %d to %d, got %d", leastPort, mostPort, p.From)
	case p.To > mostPort || p.To < p.From:
		d.Reject("ports.to", "want %d (from) to %d, got %d", p.From, mostPort, p.To)
	}
}

func (c *Config) checkApps(d *document.Document) {
	if len(c.Apps) == 0 {
		d.Reject("apps", "no app is named; a host needs at least one, with its command and upstream")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Apps)) {
		key := "apps." + name
		if !validName(name) {
			d.Reject(key, "%s as an app's name, got %.80q", nameWords, name)
		}
		c.Apps[name].check(appCheck{d: d, key: key})
	}
}

// Settings are for the launcher: how to start the apps.
func (c *Config) Settings() map[string]launcher.App {
	all := map[string]launcher.App{}
	for name, a := range c.Apps {
		all[name] = a.settings(name)
	}
	return all
}
