package auth

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Origins says from which pages browsers may connect and change things.
type Origins struct {
	public  string // empty: the page must be of the host that is asked
	allowed map[string]bool
}

// NewOrigins takes the service's public URL, empty if the operator has set none,
// and the origins allowed besides.
func NewOrigins(public string, allowed []string) Origins {
	o := Origins{allowed: map[string]bool{}}
	if u, ok := parseOrigin(public); ok {
		o.public = u
	}
	for _, a := range allowed {
		if u, ok := parseOrigin(a); ok {
			o.allowed[u] = true
		}
	}
	return o
}

// Allowed says whether the call's Origin may do what it does. A call without one
// is not of a page and passes; where a cookie stands for somebody, ask for an
// Origin besides.
func (o Origins) Allowed(r *http.Request) bool {
	headers := r.Header.Values("Origin")
	if len(headers) == 0 {
		return true
	}
	origin, ok := parseOrigin(headers[0])
	if !ok || len(headers) > 1 { // "null" is no origin either
		return false
	}
	if o.allowed[origin] || (o.public != "" && origin == o.public) {
		return true
	}
	_, host, _ := strings.Cut(origin, "://")
	return o.public == "" && host == strings.ToLower(stripUsualPort(r.Host, origin))
}

// List are the origins in the form of an Origin header, in order: those that may
// embed what a gate serves.
func (o Origins) List() []string {
	all := maps.Clone(o.allowed)
	if o.public != "" {
		all[o.public] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// parseOrigin gives scheme://host[:port] in lower case, without the usual port.
func parseOrigin(text string) (string, bool) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return "", false
	}
	if u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", false
	}
	return strings.ToLower(u.Scheme + "://" + stripUsualPort(u.Host, u.Scheme)), true
}

// stripUsualPort takes :80 off a host for http, :443 for https.
func stripUsualPort(host, scheme string) string {
	if strings.HasPrefix(scheme, "https") {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}
