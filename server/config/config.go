// Package config reads the service's YAML file and the profiles it names. Every
// key has a default, so an empty file is valid; everything that is wrong is told
// at once, with line, column, and what would be right. docs/config.md is the
// reference of all keys.
package config

import (
	"net"
	"path/filepath"
	"strings"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/quantity"
)

// Config is the whole file. Start from [Default], [Parse] or [Load].
type Config struct {
	Listen         string          `yaml:"listen"`     // host:port; an empty host means all addresses
	PublicURL      string          `yaml:"public_url"` // scheme://host[:port]; derived from Listen if the file has none
	TLS            *TLS            `yaml:"tls"`        // nil: plain HTTP, as behind a proxy
	Data           string          `yaml:"data"`       // folder of the embedded journal
	NATS           *NATS           `yaml:"nats"`       // nil: the embedded journal
	Secrets        string          `yaml:"secrets"`    // folder of keys and tokens; as Data if the file has none
	AllowedOrigins []string        `yaml:"allowed_origins"`
	TrustedProxies []Proxy         `yaml:"trusted_proxies"`
	Limits         Limits          `yaml:"limits"`
	Auth           Auth            `yaml:"auth"`
	Log            Log             `yaml:"log"`
	Pools          map[string]Pool `yaml:"pools"`

	publicSet bool
	secretSet bool
}

// TLS are the PEM files of the service's own certificate.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// NATS is an external cluster that keeps the journal.
type NATS struct {
	URL         string `yaml:"url"`         // nats://… or tls://…, several with commas
	Credentials string `yaml:"credentials"` // file; empty for none
	Replicas    int    `yaml:"replicas"`    // of the stream, 1 to 5
}

// SetDefaults is what a nats section starts from.
func (n *NATS) SetDefaults() { n.Replicas = 3 }

// Limits hold for each address from which clients come.
type Limits struct {
	ConnectionsPerAddress int `yaml:"connections_per_address"`
	JoinsPerMinute        int `yaml:"joins_per_minute"`
}

// Auth is who may do what.
type Auth struct {
	Operators []Operator `yaml:"operators"`
	Tokens    []APIToken `yaml:"tokens"`
	Hosts     []Host     `yaml:"hosts"`
	Players   Players    `yaml:"players"`
}

// Operator may log in to the admin page.
type Operator struct {
	Name         string `yaml:"name"`
	PasswordHash string `yaml:"password_hash"` // argon2id, PHC format
}

// APIToken lets a script make the operator's calls.
type APIToken struct {
	Name      string `yaml:"name"`       // stands in the audit trail
	TokenHash string `yaml:"token_hash"` // sha256:HEX
}

// Host is a render host's token; the host "*" only enrols others.
type Host struct {
	Host      string `yaml:"host"`
	TokenHash string `yaml:"token_hash"` // sha256:HEX
}

// Players takes players' identity and class from the operator's own login.
type Players struct {
	JWKSURL  string `yaml:"jwks_url"` // empty: players have no identity
	Issuer   string `yaml:"issuer"`   // wanted iss; empty: any
	Audience string `yaml:"audience"` // wanted aud; empty: any
	Required bool   `yaml:"required"` // nobody joins without
}

// Log is how the service logs, to standard error.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // auto, text, json
}

// Pool is one pool: its apps and its policy.
type Pool struct {
	Apps       map[string]App `yaml:"apps"` // empty only until checked: then one app, named as the pool
	Threshold  Threshold      `yaml:"threshold"`
	Uplink     Uplink         `yaml:"uplink"`
	Session    Session        `yaml:"session"`
	Spectators Spectators     `yaml:"spectators"`
	Queue      Queue          `yaml:"queue"`
	Placement  Placement      `yaml:"placement"`
}

// App is an application that a pool serves.
type App struct {
	Profile string `yaml:"profile"` // file; empty: not calibrated, only what is measured counts

	loaded admission.Profile
	doubt  string // why the profile is to be warned of
}

// Threshold is the share of each resource that may be used.
type Threshold struct {
	CPU     quantity.Share `yaml:"cpu"`
	GPU     quantity.Share `yaml:"gpu"`
	VRAM    quantity.Share `yaml:"vram"`
	Encoder quantity.Share `yaml:"encoder"`
	Memory  quantity.Share `yaml:"memory"`
	Over    quantity.Share `yaml:"over"` // of time: how long a host may be over
}

// Uplink is the pool's own uplink.
type Uplink struct {
	Budget   quantity.Rate `yaml:"budget"` // 0: no budget
	WhenFull string        `yaml:"when_full"`
}

// Session is what holds for every session.
type Session struct {
	Bitrate             quantity.Rate     `yaml:"bitrate"`
	MaxLength           quantity.Duration `yaml:"max_length"`
	IdleTimeout         quantity.Duration `yaml:"idle_timeout"`
	FirstConnectTimeout quantity.Duration `yaml:"first_connect_timeout"`
	ReconnectGrace      quantity.Duration `yaml:"reconnect_grace"`
	Sharing             string            `yaml:"sharing"`
}

// Spectators limits those who look on.
type Spectators struct {
	MaxPerSession  int               `yaml:"max_per_session"`
	Bitrate        quantity.Rate     `yaml:"bitrate"`
	LowBitrate     quantity.Rate     `yaml:"low_bitrate"`
	YieldToPlayers bool              `yaml:"yield_to_players"`
	ReconnectGrace quantity.Duration `yaml:"reconnect_grace"`
}

// Queue is how people wait.
type Queue struct {
	MaxLength      int               `yaml:"max_length"`
	OfferTimeout   quantity.Duration `yaml:"offer_timeout"`
	OnLapse        string            `yaml:"on_lapse"`
	MaxLapses      int               `yaml:"max_lapses"`
	ReconnectGrace quantity.Duration `yaml:"reconnect_grace"`
	Classes        []string          `yaml:"classes"`
}

// Placement is where sessions go.
type Placement struct {
	Order       string            `yaml:"order"`
	MaxStarting int               `yaml:"max_starting"`
	HostLost    quantity.Duration `yaml:"host_lost"`
}

// DefaultPool is the name of the pool, and of its app, of an empty file.
const DefaultPool = "default"

// Default is the config of an empty file.
func Default() *Config {
	c, err := Parse("", nil)
	if err != nil {
		panic(err) // the defaults contradict themselves; a test holds them
	}
	return c
}

// bare are the defaults before anything is derived from them.
func bare() *Config {
	var p Pool
	p.SetDefaults()
	return &Config{
		Listen: ":8080", Data: "./data", AllowedOrigins: []string{}, TrustedProxies: []Proxy{},
		Limits: Limits{ConnectionsPerAddress: 64, JoinsPerMinute: 60},
		Log:    Log{Level: "info", Format: "auto"},
		Pools:  map[string]Pool{DefaultPool: p},
	}
}

// derive fills in what follows from other keys.
func (c *Config) derive() {
	if !c.publicSet {
		c.PublicURL = c.localURL()
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if !c.secretSet {
		c.Secrets = c.Data
	}
	for name, p := range c.Pools {
		if len(p.Apps) == 0 {
			p.Apps = map[string]App{name: {}}
			c.Pools[name] = p
		}
	}
}

// localURL is where the service is reached if nothing else is said.
func (c *Config) localURL() string {
	host, port, _ := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "localhost"
	}
	scheme, usual := "http", "80"
	if c.TLS != nil {
		scheme, usual = "https", "443"
	}
	if port == usual {
		return scheme + "://" + strings.TrimSuffix(net.JoinHostPort(host, ""), ":")
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// resolve makes the paths of the file relative to the folder it stands in.
func (c *Config) resolve(dir string, set func(path string) bool) {
	at := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	if set("data") {
		c.Data = at(c.Data)
	}
	c.Secrets = at(c.Secrets)
	if c.TLS != nil {
		c.TLS.Cert, c.TLS.Key = at(c.TLS.Cert), at(c.TLS.Key)
	}
	if c.NATS != nil {
		c.NATS.Credentials = at(c.NATS.Credentials)
	}
	for _, p := range c.Pools {
		for name, a := range p.Apps {
			a.Profile = at(a.Profile)
			p.Apps[name] = a
		}
	}
}
