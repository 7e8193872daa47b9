package config

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/auth"
)

// checker looks for values that each can be read but cannot be right.
type checker struct {
	*Config
	d *document.Document
}

func (c checker) all() {
	c.listen()
	c.journal()
	c.origins()
	c.limits()
	c.operators()
	c.tokens()
	c.hosts()
	c.players()
	c.word("log.level", c.Log.Level, "debug", "info", "warn", "error")
	c.word("log.format", c.Log.Format, "auto", "text", "json")
	c.pools()
}

// reject notes the error at the key, if there is one.
func (c checker) reject(key string, err error) {
	if err != nil {
		c.d.Reject(key, "%v", err)
	}
}

// word refuses a value that is none of those allowed.
func (c checker) word(key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	if near := document.Nearest(value, allowed); near != "" {
		c.d.Reject(key, "want %s, got %q: did you mean %q?", strings.Join(allowed, " or "), value, near)
		return
	}
	c.d.Reject(key, "want %s, got %q", strings.Join(allowed, " or "), value)
}

func (c checker) listen() {
	c.reject("listen", checkListen(c.Listen))
	if c.TLS != nil && (c.TLS.Cert == "" || c.TLS.Key == "") {
		c.d.Reject("tls", "want both cert and key, the PEM files of the certificate and of its private key")
	}
	if !c.publicSet {
		return
	}
	scheme, err := checkSite(strings.TrimSuffix(c.PublicURL, "/"))
	c.reject("public_url", err)
	if c.TLS != nil && scheme == "http" {
		c.d.Reject("public_url", "is http, but with tls the service speaks https only: write https://, or leave tls out behind a proxy")
	}
}

// checkSite wants scheme://host[:port] and nothing behind it, as an Origin is.
func checkSite(text string) (scheme string, err error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		return "", fmt.Errorf("want http:// or https:// and a host such as https://gate.example.com, got %q", text)
	case u.User != nil:
		return "", errors.New("want no user or password in it: browsers do not send them")
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery || strings.HasSuffix(text, "#"):
		return "", fmt.Errorf("want nothing behind the host, got %q: the service is served at the root of its host", text)
	case strings.HasSuffix(u.Host, ":"):
		return "", fmt.Errorf("want a port behind the colon, got %q", text)
	}
	if port := u.Port(); port != "" {
		return u.Scheme, checkListen(":" + port)
	}
	return u.Scheme, nil
}

func (c checker) journal() {
	if c.Data == "" {
		c.d.Reject("data", "want a folder such as ./data")
	}
	if c.NATS == nil {
		return
	}
	if c.d.Has("data") {
		c.d.Reject("nats", "and data are both set, but a journal has one place: remove data to keep it in the NATS cluster (keys and tokens have their own key, secrets), or remove nats")
	}
	c.reject("nats.url", checkNATS(c.NATS.URL))
	if r := c.NATS.Replicas; r < 1 || r > 5 {
		c.d.Reject("nats.replicas", "want 1 to 5, got %d", r)
	}
}

func checkNATS(text string) error {
	if text == "" {
		return errors.New("want the cluster's address such as nats://n1:4222,nats://n2:4222")
	}
	for part := range strings.SplitSeq(text, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || (u.Scheme != "nats" && u.Scheme != "tls") || u.Hostname() == "" {
			return fmt.Errorf("want nats:// or tls:// and a host such as nats://n1:4222, got %q", part)
		}
	}
	return nil
}

func (c checker) origins() {
	for i, o := range c.AllowedOrigins {
		key := fmt.Sprintf("allowed_origins[%d]", i)
		if o == "*" {
			c.d.Reject(key, "any origin would let every page act for whoever visits it: list the pages, such as https://www.example.com")
			continue
		}
		_, err := checkSite(o)
		c.reject(key, err)
	}
}

func (c checker) limits() {
	c.count("limits.connections_per_address", c.Limits.ConnectionsPerAddress, 1)
	c.count("limits.joins_per_minute", c.Limits.JoinsPerMinute, 1)
}

const maxCount = 10_000_000

func (c checker) count(key string, n, least int) {
	if n < least || n > maxCount {
		c.d.Reject(key, "want %d to %d, got %d", least, maxCount, n)
	}
}

func (c checker) operators() {
	seen := map[string]bool{}
	for i, o := range c.Auth.Operators {
		key := fmt.Sprintf("auth.operators[%d]", i)
		c.name(key+".name", o.Name, seen)
		c.reject(key+".password_hash", auth.CheckHash(o.PasswordHash))
	}
}

func (c checker) tokens() {
	seen := map[string]bool{}
	for i, t := range c.Auth.Tokens {
		key := fmt.Sprintf("auth.tokens[%d]", i)
		c.name(key+".name", t.Name, seen)
		c.reject(key+".token_hash", auth.CheckTokenHash(t.TokenHash))
	}
}

func (c checker) hosts() {
	seen := map[string]bool{}
	for i, h := range c.Auth.Hosts {
		key := fmt.Sprintf("auth.hosts[%d]", i)
		if h.Host != auth.Wildcard {
			c.name(key+".host", h.Host, seen)
		} else if seen[h.Host] {
			c.d.Reject(key+".host", `"*" stands there already; want one wildcard at most`)
		}
		seen[h.Host] = true
		c.reject(key+".token_hash", auth.CheckTokenHash(h.TokenHash))
	}
}

// name wants a name that is not taken.
func (c checker) name(key, name string, seen map[string]bool) {
	switch {
	case !auth.ValidName(name):
		c.d.Reject(key, `want 1 to 64 letters, digits, ".", "_" or "-", got %q`, name)
	case seen[name]:
		c.d.Reject(key, "%q stands there already; want a name of its own", name)
	}
	seen[name] = true
}

func (c checker) players() {
	p := c.Auth.Players
	if p.JWKSURL == "" {
		if p.Required {
			c.d.Reject("auth.players.required", "nobody could join: set jwks_url, where the keys of your login are")
		}
		return
	}
	if u, err := url.Parse(p.JWKSURL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		c.d.Reject("auth.players.jwks_url", "want a URL such as https://login.example.com/.well-known/jwks.json, got %q", p.JWKSURL)
	}
}

// CheckGate says what is wrong with a host's gate URL for players who come from
// the service's page; nil if they can go there.
func (c *Config) CheckGate(gateURL string) error {
	scheme, err := checkSite(strings.TrimSuffix(gateURL, "/"))
	if err != nil {
		return err
	}
	if scheme == "http" && strings.HasPrefix(c.PublicURL, "https:") {
		return fmt.Errorf("%s is http, but the page is %s: browsers refuse to open it from there; give the gate a certificate (gate.tls) or an https public_url", gateURL, c.PublicURL)
	}
	return nil
}

// Proxy is a network from which X-Forwarded-For is believed.
type Proxy struct{ netip.Prefix }

// UnmarshalText reads a network such as 10.0.0.0/8, or one address.
func (p *Proxy) UnmarshalText(text []byte) error {
	s := string(text)
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		p.Prefix = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		return nil
	}
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("want a network such as 10.0.0.0/8, or an address, got %q", s)
	}
	if n != n.Masked() {
		return fmt.Errorf("%s has bits set behind its length; want %s", s, n.Masked())
	}
	p.Prefix = n
	return nil
}

// Warnings are settings that can be meant, but often are not.
func (c *Config) Warnings() []string {
	var out []string
	if u, err := url.Parse(c.PublicURL); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		out = append(out, "public_url is http: passwords and tickets travel readable, and browsers withhold WebCodecs; use https")
	}
	for _, p := range c.TrustedProxies {
		if p.Bits() == 0 {
			out = append(out, "trusted_proxies has "+p.String()+": everybody can claim any address and so pass the limits")
		}
	}
	for _, name := range c.PoolNames() {
		if c.Pools[name].Uplink.WhenFull == string(admission.FullAllow) {
			out = append(out, "pools."+name+".uplink.when_full is allow: when the uplink is full, every picture stutters")
		}
		for _, app := range slices.Sorted(maps.Keys(c.Pools[name].Apps)) {
			if a := c.Pools[name].Apps[app]; a.doubt != "" {
				out = append(out, a.Profile+" "+a.doubt)
			}
		}
	}
	return out
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || (err == nil && a.IsLoopback())
}

// positive wants a rate above zero.
func (c checker) positive(key string, r quantity.Rate) {
	if r <= 0 {
		c.d.Reject(key, `want a rate above 0 such as "8 Mbit/s", got %q`, r.String())
	}
}

func (c checker) atLeast(key string, d quantity.Duration, least time.Duration) {
	if d.Std() < least {
		c.d.Reject(key, "want %s or more, got %s", quantity.Duration(least), d)
	}
}
