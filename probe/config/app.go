package config

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/wire/document"
)

// Pattern is a regular expression (RE2). The zero value is none.
type Pattern struct{ *regexp.Regexp }

// UnmarshalText reads a regular expression.
func (p *Pattern) UnmarshalText(text []byte) error {
	if len(text) > 1000 {
		return fmt.Errorf("want a regular expression of at most 1000 bytes, got %d", len(text))
	}
	re, err := regexp.Compile(string(text))
	if err != nil {
		return fmt.Errorf(`want a regular expression such as "listening on \\d+": %w`, err)
	}
	p.Regexp = re
	return nil
}

// appCheck notes problems of one app.
type appCheck struct {
	d   *document.Document
	key string
}

func (c appCheck) reject(key, format string, args ...any) { c.d.Reject(c.key+"."+key, format, args...) }

// url checks what a template gives for a session.
func (c appCheck) url(key string, t launcher.Template, schemes ...string) {
	text, err := t.Expand(launcher.Sample())
	if err != nil {
		return // noted where it was read
	}
	if err := checkURL(text, schemes...); err != nil {
		c.reject(key, "%v", err)
	}
}

func (a App) check(c appCheck) {
	switch {
	case len(a.Command) == 0:
		c.reject("command", "is missing; want the program and its arguments, such as [./Showroom.sh, \"-port={{.Port}}\"]")
	case a.Command[0].Empty():
		c.reject("command[0]", "want a program, got nothing")
	}
	if a.Upstream.Empty() {
		c.reject("upstream", "is missing; want where the app serves its page, such as \"http://127.0.0.1:{{.Port}}\"")
	} else {
		c.url("upstream", a.Upstream, "https", "http")
	}
	if !a.Publish.Empty() {
		c.url("publish", a.Publish, "wss", "ws")
	}
	for _, name := range slices.Sorted(maps.Keys(a.Env)) {
		if !envPattern.MatchString(name) || strings.HasPrefix(name, "RENDERGATE_") {
			c.reject("env."+name, "want a name of letters, digits and '_' that does not begin with RENDERGATE_")
		}
	}
	if n := a.PortCount; n < 1 || n > mostPortCount {
		c.reject("port_count", "want 1 to %d, got %d", mostPortCount, n)
	}
	if a.Idle != IdleSocket && a.Idle != IdleUnknown {
		c.reject("idle", "want socket or unknown, got %.80q", a.Idle)
	}
	between(c.d, c.key+".stop_timeout", a.StopTimeout, leastStop, mostStop)
	a.Ready.check(c)
}

func (r Ready) check(c appCheck) {
	between(c.d, c.key+".ready.timeout", r.Timeout, 100*time.Millisecond, mostReady)
	var set []string
	for key, there := range map[string]bool{
		"tcp": !r.TCP.Empty(), "http": !r.HTTP.Empty(), "line": r.Line.Regexp != nil, "after": r.After > 0,
	} {
		if there {
			set = append(set, key)
		}
	}
	if slices.Sort(set); len(set) > 1 {
		c.reject("ready", "want one of tcp, http, line and after, got %s", strings.Join(set, " and "))
	}
	if !r.HTTP.Empty() {
		c.url("ready.http", r.HTTP, "https", "http")
	}
	if text, err := r.TCP.Expand(launcher.Sample()); err == nil && text != "" {
		if _, _, err := net.SplitHostPort(text); err != nil {
			c.reject("ready.tcp", "want an address such as \"127.0.0.1:{{.Port}}\", got %.80q", text)
		}
	}
	if r.After > r.Timeout {
		c.reject("ready.after", "want at most ready.timeout, %s, got %s", r.Timeout, r.After)
	}
}

// settings are for the launcher.
func (a App) settings(name string) launcher.App {
	app := launcher.App{
		Name: name, Command: a.Command, Dir: a.Dir, Upstream: a.Upstream, Publish: a.Publish,
		Ports: a.PortCount, StopTimeout: a.StopTimeout.Std(),
		Ready: launcher.Ready{
			TCP: a.Ready.TCP, HTTP: a.Ready.HTTP, Line: a.Ready.Line.Regexp,
			After: a.Ready.After.Std(), Timeout: a.Ready.Timeout.Std(),
		},
	}
	for _, env := range slices.Sorted(maps.Keys(a.Env)) {
		app.Env = append(app.Env, launcher.EnvVar{Name: env, Value: a.Env[env]})
	}
	return app
}
