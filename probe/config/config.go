// Package config reads the probe's config file: YAML whose every mistake is told
// with its line and column, and with what would be right.
package config

import (
	"fmt"
	"os"

	"github.com/rendergate/rendergate/probe/gate"
	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/wire/document"
	"github.com/rendergate/rendergate/probe/wire/quantity"
)

// Config is what a probe is told. docs/config.md says what each key means.
type Config struct {
	Server    string            `yaml:"server"`     // URL of the service
	TokenFile string            `yaml:"token_file"` // empty: the token is in the environment
	Host      string            `yaml:"host"`
	Pool      string            `yaml:"pool"`
	Uplink    quantity.Rate     `yaml:"uplink"` // 0: no limit of its own
	Period    quantity.Duration `yaml:"period"` // between samples
	Scope     Scope             `yaml:"scope"`
	// Interfaces are those whose sent bytes are the egress; none: those of
	// default routes.
	Interfaces []string       `yaml:"interfaces"`
	Gate       Gate           `yaml:"gate"`
	Apps       map[string]App `yaml:"apps"`
	Ports      Ports          `yaml:"ports"`
	GPUs       GPUs           `yaml:"gpus"`
	Cgroup     string         `yaml:"cgroup"` // auto, none, or a folder
}

// Scope is what counts as the host.
type Scope struct {
	Kind  string  `yaml:"kind"`  // machine, cgroup or share
	Cores float64 `yaml:"cores"` // of a share
}

// Gate is where players come in.
type Gate struct {
	Listen         string   `yaml:"listen"`
	PublicURL      string   `yaml:"public_url"`
	TLS            TLS      `yaml:"tls"`
	FrameAncestors []string `yaml:"frame_ancestors"`
	Connections    int      `yaml:"connections_per_address"`
}

// TLS is the gate's certificate, as PEM files; none means plain HTTP.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// App is how one application is started.
type App struct {
	Command     []launcher.Template          `yaml:"command"`
	Dir         launcher.Template            `yaml:"dir"`
	Env         map[string]launcher.Template `yaml:"env"`
	Upstream    launcher.Template            `yaml:"upstream"`
	Publish     launcher.Template            `yaml:"publish"`
	Ready       Ready                        `yaml:"ready"`
	StopTimeout quantity.Duration            `yaml:"stop_timeout"`
	PortCount   int                          `yaml:"port_count"`
	Idle        string                       `yaml:"idle"` // socket or unknown
}

// Ready says when a session of an app is ready.
type Ready struct {
	TCP     launcher.Template `yaml:"tcp"`
	HTTP    launcher.Template `yaml:"http"`
	Line    Pattern           `yaml:"line"`
	After   quantity.Duration `yaml:"after"`
	Timeout quantity.Duration `yaml:"timeout"`
}

// Ports is the range of ports that sessions are given.
type Ports struct {
	From int `yaml:"from"`
	To   int `yaml:"to"`
}

// GPUs corrects what the driver says of the GPUs.
type GPUs struct {
	EncoderSessions int `yaml:"encoder_sessions"` // the most at once on each; 0: as the driver says, if it does
}

// Flags are the settings that the command line may give; they go before the file's.
type Flags struct {
	Server    string
	TokenFile string
}

// Load reads the file.
func Load(file string, flags Flags) (*Config, error) {
	data, err := os.ReadFile(file) // the operator names it
	if err != nil {
		return nil, fmt.Errorf("reading the probe's config: %w", err)
	}
	return Parse(file, data, flags)
}

// Parse reads a config. Name is the file's name for errors, which list every
// mistake.
func Parse(name string, data []byte, flags Flags) (*Config, error) {
	c := defaults()
	doc := document.Decode(name, data, c)
	if flags.Server != "" {
		c.Server = flags.Server
	}
	if flags.TokenFile != "" {
		c.TokenFile = flags.TokenFile
	}
	c.check(doc)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func defaults() *Config {
	ports := launcher.DefaultPorts()
	c := &Config{
		Period: quantity.Duration(defaultPeriod), Scope: Scope{Kind: ScopeMachine}, Cgroup: "auto",
		Gate:  Gate{Listen: ":8443", Connections: gate.DefaultConnections},
		Ports: Ports{From: ports.From, To: ports.To},
	}
	if name, err := os.Hostname(); err == nil && validName(name) {
		c.Host = name
	}
	return c
}

// SetDefaults is for the file's reader.
func (a *App) SetDefaults() {
	a.StopTimeout = quantity.Duration(launcher.DefaultStopTimeout)
	a.Ready.Timeout = quantity.Duration(launcher.DefaultReadyTimeout)
	a.PortCount, a.Idle = 1, IdleSocket
}
