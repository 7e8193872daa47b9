package demo

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/config"
)

const serviceYAML = `# Written by rendergate demo at every start.
listen: %q
public_url: %q
data: %q
limits: {connections_per_address: 500, joins_per_minute: 6000}
auth:
  hosts: [{host: %s, token_hash: "sha256:%s"}]
pools:
  %s:
    apps: {%s: {profile: showroom.profile.yaml}}
    uplink: {budget: %q, when_full: wait}
`

const probeYAML = `# Written by rendergate demo at every start.
server: %q
token_file: %q
host: %s
pool: %s
scope: {kind: share, cores: %g}
gate: {listen: %q, public_url: %q, connections_per_address: 500}
apps:
  %s:
    command: [%q, demo-scene, --listen, "127.0.0.1:{{.Port}}", --session, "{{.Session}}", --bitrate-bps, "{{.BitrateBps}}"]
    upstream: "http://127.0.0.1:{{.Port}}"
    publish: "ws://127.0.0.1:{{.Port}}/publish"
    ready: {tcp: "127.0.0.1:{{.Port}}", timeout: 30s}
    stop_timeout: 2s
`

// writeConfigs writes what service and probe are started with.
func (d *demo) writeConfigs(ctx context.Context) error {
	token, err := d.hostToken()
	if err != nil {
		return err
	}
	if err := d.writeProfile(ctx); err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(token))
	host, gate := d.gateAddress()
	service := fmt.Sprintf(serviceYAML, d.o.Listen, d.url(), d.o.DataDir, Host, hex.EncodeToString(hash[:]), Pool, App, d.o.Uplink)
	probe := fmt.Sprintf(probeYAML, d.local(), d.file("host-token"), Host, Pool, d.o.Share, gate, host, App, d.o.Program)
	if err := os.WriteFile(d.file("probe.yaml"), []byte(probe), 0o600); err != nil {
		return fmt.Errorf("the probe's config: %w", err)
	}
	if err := os.WriteFile(d.file("service.yaml"), []byte(service), 0o600); err != nil {
		return fmt.Errorf("the service's config: %w", err)
	}
	if _, err := config.Load(d.file("service.yaml")); err != nil {
		return &UsageError{err} // as with an impossible --uplink
	}
	return nil
}

// gateAddress is where browsers reach the gate, and where it listens.
func (d *demo) gateAddress() (public, listen string) {
	host := d.o.Listen[:strings.LastIndex(d.o.Listen, ":")]
	name := d.publicHost()
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	return fmt.Sprintf("http://%s:%d", name, d.state.GatePort), fmt.Sprintf("%s:%d", host, d.state.GatePort)
}

// hostToken is the token of the demo's host, made at the first start.
func (d *demo) hostToken() (string, error) {
	data, err := os.ReadFile(d.file("host-token"))
	if err == nil {
		return strings.TrimSpace(string(data)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the host's token: %w", err)
	}
	token := "rgh_" + rand.Text() + rand.Text()
	return token, os.WriteFile(d.file("host-token"), []byte(token+"\n"), 0o600)
}

// writeProfile measures what one copy of the scene costs on this machine, at
// the first start; later starts keep the figures.
func (d *demo) writeProfile(ctx context.Context) error {
	path := d.file("showroom.profile.yaml")
	profile, err := config.LoadProfile(path)
	if err != nil {
		cost, err := measure(ctx, d.o.Program)
		if err != nil {
			return fmt.Errorf("measuring one copy of the scene: %w", err)
		}
		profile = admission.Profile{
			App: App, StartS: 1, SettleS: 5, Cost: cost,
			Spread: admission.Cost{CPUCores: cost.CPUCores / 10, MemoryBytes: cost.MemoryBytes / 10},
			Doubt:  doubt,
		}
	}
	profile.Seats = d.o.Seats
	return config.WriteProfile(path, profile,
		"Written by rendergate demo: one copy of the scene, measured for a few seconds on this machine.",
		"A spread of a tenth is assumed, since one copy tells nothing of it. Remove this file to measure again.")
}
