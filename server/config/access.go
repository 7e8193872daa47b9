package config

import (
	"strings"

	"github.com/rendergate/rendergate/server/auth"
)

// Need says which secrets the first start has to make.
func (c *Config) Need() auth.Need {
	return auth.Need{Operator: len(c.Auth.Operators) == 0, Hosts: len(c.Auth.Hosts) == 0}
}

// Operators are those of the file.
func (c *Config) Operators() []auth.Operator {
	out := make([]auth.Operator, 0, len(c.Auth.Operators))
	for _, o := range c.Auth.Operators {
		out = append(out, auth.Operator{Name: o.Name, PasswordHash: o.PasswordHash})
	}
	return out
}

// APITokens are those of the file.
func (c *Config) APITokens() []auth.Token {
	out := make([]auth.Token, 0, len(c.Auth.Tokens))
	for _, t := range c.Auth.Tokens {
		out = append(out, auth.Token{Name: t.Name, Hash: t.TokenHash})
	}
	return out
}

// HostTokens are those of the file.
func (c *Config) HostTokens() []auth.Token {
	out := make([]auth.Token, 0, len(c.Auth.Hosts))
	for _, h := range c.Auth.Hosts {
		out = append(out, auth.Token{Name: h.Host, Hash: h.TokenHash})
	}
	return out
}

// Origins are those that may connect: the public URL if the file sets one, else
// whatever host a browser reached the service by; and those allowed besides.
func (c *Config) Origins() auth.Origins {
	if !c.publicSet {
		return auth.NewOrigins("", c.AllowedOrigins)
	}
	return auth.NewOrigins(c.PublicURL, c.AllowedOrigins)
}

// Proxies are the trusted ones.
func (c *Config) Proxies() auth.Proxies {
	out := make(auth.Proxies, 0, len(c.TrustedProxies))
	for _, p := range c.TrustedProxies {
		out = append(out, p.Prefix)
	}
	return out
}

// Secure says whether browsers reach the service by HTTPS.
func (c *Config) Secure() bool { return strings.HasPrefix(c.PublicURL, "https:") }
