package agent

import (
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
)

// hostURL is the address of one of this host's sockets on the server.
func (a *agent) hostURL(path ...string) string {
	parts := append([]string{a.o.Config.Host}, path...)
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	u := *a.server
	u.Scheme = map[string]string{"https": "wss"}[u.Scheme]
	if u.Scheme == "" {
		u.Scheme = "ws"
	}
	return strings.TrimRight(u.String(), "/") + "/v1/hosts/" + strings.Join(parts, "/")
}

func (a *agent) apps() []string { return slices.Sorted(maps.Keys(a.o.Config.Apps)) }

// publishURL is where a session publishes its stream; empty for nowhere.
func (a *agent) publishURL(session string) string {
	r, _ := a.launcher.Session(session)
	return r.Publish
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
