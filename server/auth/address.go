package auth

import (
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks from which X-Forwarded-For is believed.
type Proxies []netip.Prefix

// maxHops bounds how many addresses of a header are looked at.
const maxHops = 32

// Client is the address that the call comes from. It is the peer's own, unless
// that is a trusted proxy: then the one that the proxy says, read from the right,
// up to the first that is no trusted proxy. What stands left of that anybody can
// have written. "" if the peer has no address (a socket file).
func (p Proxies) Client(r *http.Request) string {
	client, ok := parseHop(r.RemoteAddr)
	if !ok {
		return ""
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= max(0, len(hops)-maxHops) && p.trusted(client); i-- {
		next, ok := parseHop(strings.TrimSpace(hops[i]))
		if !ok {
			break // the last proxy that made sense
		}
		client = next
	}
	return client.String()
}

func (p Proxies) trusted(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// parseHop reads an address with or without a port, in brackets or not.
func parseHop(text string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

// addressKey is what limits count by: an IPv4 address, or the /64 of an IPv6
// one, since whoever has one has all of it.
func addressKey(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	n, _ := a.Prefix(64) // never fails for an IPv6 address
	return n.String()
}
