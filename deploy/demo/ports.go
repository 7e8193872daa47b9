package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
)

// choosePorts settles where service and gate listen; a later start on the same
// folder uses the same gate, so that links to sessions stay good.
func (d *demo) choosePorts(ctx context.Context) error {
	if data, err := os.ReadFile(d.file("state.json")); err == nil {
		_ = json.Unmarshal(data, &d.state) // what cannot be read is chosen anew
	}
	host, port, err := net.SplitHostPort(d.o.Listen)
	if err != nil {
		return &UsageError{fmt.Errorf("listen is %q; want an address such as 127.0.0.1:8080", d.o.Listen)}
	}
	if port == "0" {
		free, err := freePort(ctx, host, 0)
		if err != nil {
			return err
		}
		port = strconv.Itoa(free)
	}
	d.o.Listen = net.JoinHostPort(host, port)
	number, err := strconv.Atoi(port)
	if err != nil {
		return &UsageError{fmt.Errorf("listen has port %q; want a number", port)}
	}
	if _, err := freePort(ctx, host, number); err != nil {
		return &UsageError{fmt.Errorf("cannot listen on %s: %w; want a free port of this machine, such as --listen 127.0.0.1:0 finds", d.o.Listen, err)}
	}
	d.state.GatePort, err = d.gatePort(ctx, host, number)
	if err != nil {
		return err
	}
	d.state.Listen = d.o.Listen
	data, err := json.Marshal(d.state)
	if err != nil {
		return err
	}
	return os.WriteFile(d.file("state.json"), data, 0o600)
}

func (d *demo) gatePort(ctx context.Context, host string, service int) (int, error) {
	for _, port := range []int{d.state.GatePort, service + 1} {
		if port == 0 || port == service || port > 65535 {
			continue
		}
		if free, err := freePort(ctx, host, port); err == nil {
			return free, nil
		}
	}
	return freePort(ctx, host, 0)
}

// freePort says whether the port can be listened on; 0 finds one.
func freePort(ctx context.Context, host string, port int) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return 0, op.Err // the address is the caller's to name
	}
	if err != nil {
		return 0, err
	}
	defer l.Close()
	_, found, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(found)
}

// publicHost is how browsers on this machine, or near it, name the address.
func (d *demo) publicHost() string {
	host, _, _ := net.SplitHostPort(d.o.Listen)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			return name
		}
		return "127.0.0.1"
	}
	return host
}

func (d *demo) url() string {
	_, port, _ := net.SplitHostPort(d.o.Listen)
	return "http://" + net.JoinHostPort(d.publicHost(), port)
}

// local is the service's address for this machine itself.
func (d *demo) local() string {
	host, port, _ := net.SplitHostPort(d.o.Listen)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
