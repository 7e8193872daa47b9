package launcher

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Defaults of an app.
const (
	DefaultReadyTimeout = 60 * time.Second
	DefaultStopTimeout  = 5 * time.Second
)

// App is how one application is started. All texts are templates.
type App struct {
	Name        string
	Command     []Template // program and arguments; no shell
	Dir         Template   // where it runs; empty: the probe's own folder
	Env         []EnvVar   // besides the probe's environment
	Upstream    Template   // http URL of its page and sockets, on loopback
	Publish     Template   // ws URL it publishes its stream on; empty: none
	Ready       Ready
	Ports       int           // how many ports a session needs, 1 to 16; 0 means 1
	StopTimeout time.Duration // from SIGTERM to SIGKILL; 0 means DefaultStopTimeout
}

// EnvVar is one variable of a session's environment.
type EnvVar struct {
	Name  string
	Value Template
}

// Ready says when a session is ready for its player. At most one of TCP, HTTP,
// Line and After is set; with none, it is when the upstream's port takes
// connections.
type Ready struct {
	TCP     Template       // host:port takes a connection
	HTTP    Template       // URL answers 200 to 299
	Line    *regexp.Regexp // a line of its output matches
	After   time.Duration  // it has run for so long
	Timeout time.Duration  // the most it may take; 0 means DefaultReadyTimeout
}

// plan is an app's templates filled in for one session.
type plan struct {
	values   Values
	args     []string
	dir      string
	env      []string
	upstream *url.URL
	publish  string
	ready    readiness
	stop     time.Duration
}

// expand fills in an app for a session.
func (a App) expand(v Values) (plan, error) {
	p := plan{stop: cmp.Or(a.StopTimeout, DefaultStopTimeout)}
	var err error
	if p.dir, err = a.Dir.Expand(v); err != nil {
		return p, fmt.Errorf("dir: %w", err)
	}
	v.Dir = p.dir
	p.values = v
	for i, arg := range a.Command {
		text, err := arg.Expand(v)
		if err != nil {
			return p, fmt.Errorf("command[%d]: %w", i, err)
		}
		p.args = append(p.args, text)
	}
	return p, errors.Join(p.expandEnv(a.Env), p.expandURLs(a), p.expandReady(a.Ready))
}

func (p *plan) expandEnv(vars []EnvVar) error {
	for _, e := range vars {
		text, err := e.Value.Expand(p.values)
		if err != nil {
			return fmt.Errorf("env %s: %w", e.Name, err)
		}
		p.env = append(p.env, e.Name+"="+text)
	}
	return nil
}

func (p *plan) expandURLs(a App) error {
	text, err := a.Upstream.Expand(p.values)
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	if p.upstream, err = url.Parse(text); err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	if p.publish, err = a.Publish.Expand(p.values); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

func (p *plan) expandReady(r Ready) error {
	p.ready = readiness{line: r.Line, after: r.After, timeout: cmp.Or(r.Timeout, DefaultReadyTimeout)}
	var err error
	if p.ready.tcp, err = r.TCP.Expand(p.values); err != nil {
		return fmt.Errorf("ready.tcp: %w", err)
	}
	if p.ready.http, err = r.HTTP.Expand(p.values); err != nil {
		return fmt.Errorf("ready.http: %w", err)
	}
	if p.ready == (readiness{timeout: p.ready.timeout}) && p.upstream != nil && p.upstream.Host != "" {
		p.ready.tcp = hostPort(p.upstream)
	}
	return nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// Secrets of the probe that no application is given.
const secretPrefix = "RENDERGATE_"

// environ is a session's environment: the probe's without what is the probe's
// own, what tells the session apart, and what the app's config adds. Two equal
// names are avoided, since programs differ in which they take.
func (p *plan) environ(mark string) []string {
	v := p.values
	own := []string{
		markSession + "=" + v.Session, markProbe + "=" + mark,
		"RENDERGATE_APP=" + v.App, "RENDERGATE_PORT=" + strconv.Itoa(v.Port),
	}
	if v.GPU >= 0 {
		// CUDA counts by speed unless told to count as NVML does.
		own = append(own, "CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES="+strconv.Itoa(v.GPU))
	}
	env := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, secretPrefix) })
	return overlay(overlay(env, own), p.env)
}

// overlay puts newer variables over older ones of the same name.
func overlay(older, newer []string) []string {
	name := func(e string) string { n, _, _ := strings.Cut(e, "="); return n }
	set := map[string]bool{}
	for _, e := range newer {
		set[name(e)] = true
	}
	return append(slices.DeleteFunc(older, func(e string) bool { return set[name(e)] }), newer...)
}
