package sampler

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v3/net"
)

// links are the interfaces whose sent bytes are the egress. None means all but loopback.
type links []string

// network adds the egress. Each interface is compared with itself: one that
// comes, goes, or counts anew must not show as traffic.
func (r *round) network(ctx context.Context) {
	all, err := net.IOCountersWithContext(ctx, true)
	if err == nil {
		err = r.s.chooseLinks(all)
	}
	r.s.said("network", err)
	if err != nil {
		return
	}
	var sent float64
	known := 0
	for _, n := range all {
		if !r.s.links.has(n.Name) {
			continue
		}
		rate := r.rate("sent "+n.Name, 8*float64(n.BytesSent))
		if rate == nil {
			continue
		}
		sent += *rate
		known++
	}
	if known > 0 && (known == len(r.s.links) || len(r.s.links) == 0) {
		r.sample.EgressBps = value(sent)
	}
}

func (l links) has(name string) bool {
	if len(l) == 0 {
		return !loopback(name)
	}
	return slices.Contains(l, name)
}

// loopback tells by name, as gopsutil gives no flags: lo, macOS's lo0 and
// Windows's "Loopback Pseudo-Interface 1".
func loopback(name string) bool {
	return name == "lo" || name == "lo0" || strings.HasPrefix(name, "Loopback")
}

// chooseLinks settles the interfaces at the first reading, and again when one is
// gone. Bridges and the far ends of containers would count the same bytes twice,
// so it is those that a default route names.
func (s *Sampler) chooseLinks(all []net.IOCountersStat) error {
	missing := func(name string) bool {
		return !slices.ContainsFunc(all, func(n net.IOCountersStat) bool { return n.Name == name })
	}
	if len(s.o.Interfaces) > 0 {
		s.links = links(s.o.Interfaces)
		if i := slices.IndexFunc(s.o.Interfaces, missing); i >= 0 {
			return fmt.Errorf("there is no interface %q", s.o.Interfaces[i])
		}
		return nil
	}
	if len(s.links) > 0 && !slices.ContainsFunc(s.links, missing) {
		return nil
	}
	s.links = slices.DeleteFunc(s.routed(), missing)
	return nil
}

// routed are the interfaces that default routes name, by both versions of IP.
func (s *Sampler) routed() []string {
	var names []string
	for file, parse := range map[string]func(string) []string{"net/route": parseRoutes, "net/ipv6_route": parseRoutes6} {
		if text, err := os.ReadFile(filepath.Join(s.proc(), file)); err == nil {
			names = append(names, parse(string(text))...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// parseRoutes reads /proc/net/route: the interfaces of routes to everywhere.
func parseRoutes(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) >= 8 && f[1] == "00000000" && f[7] == "00000000" && !loopback(f[0]) {
			names = append(names, f[0])
		}
	}
	return names
}

// parseRoutes6 reads /proc/net/ipv6_route.
func parseRoutes6(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) >= 10 && f[0] == strings.Repeat("0", 32) && f[1] == "00" && !loopback(f[9]) {
			names = append(names, f[9])
		}
	}
	return names
}
