package gate

import (
	"net/http"
	"strings"
)

// cookieName is the gate's cookie; each session has its own, by its path.
const cookieName = "rendergate-seat"

// ours begin the names of the service's cookies and the gate's. Browsers do not
// tell ports apart, so on one machine the operator's cookie comes here too.
const ours = "rendergate"

// cookie is the right to a session, for its path alone.
func (g *Gate) cookie(at place, value string) *http.Cookie {
	c := &http.Cookie{Name: cookieName, Value: value, Path: at.prefix() + "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if g.o.PublicURL.Scheme == "https" {
		// The play page embeds the session from another site, maybe.
		c.Secure, c.SameSite, c.Partitioned = true, http.SameSiteNoneMode, true
	}
	return c
}

// isOurs says whether a cookie's name is one of the service's or the gate's.
func isOurs(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, prefix := range []string{"__host-", "__secure-"} {
		name = strings.TrimPrefix(name, prefix)
	}
	return strings.HasPrefix(name, ours)
}

// stripCookies takes our cookies out of a request on its way to an application.
func stripCookies(h http.Header) {
	var kept []string
	for _, line := range h.Values("Cookie") {
		for part := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(part, "=")
			if part = strings.TrimSpace(part); part != "" && !isOurs(name) {
				kept = append(kept, part)
			}
		}
	}
	h.Del("Cookie")
	if len(kept) > 0 {
		h.Set("Cookie", strings.Join(kept, "; "))
	}
}

// scopeCookies keeps an application's cookies to its session's path. Those that
// bear our names are dropped: it could otherwise end its player's right.
func scopeCookies(h http.Header, prefix string) {
	lines := h.Values("Set-Cookie")
	h.Del("Set-Cookie")
	for _, line := range lines {
		if scoped, ok := scopeCookie(line, prefix); ok {
			h.Add("Set-Cookie", scoped)
		}
	}
}

func scopeCookie(line, prefix string) (string, bool) {
	parts := strings.Split(line, ";")
	name, _, ok := strings.Cut(parts[0], "=")
	if !ok || isOurs(name) {
		return "", false
	}
	kept := []string{strings.TrimSpace(parts[0])}
	path := "/"
	for _, attribute := range parts[1:] {
		key, value, _ := strings.Cut(strings.TrimSpace(attribute), "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "domain", "":
		case "path":
			path = strings.TrimSpace(value)
		default:
			kept = append(kept, strings.TrimSpace(attribute))
		}
	}
	if !strings.HasPrefix(path, "/") {
		path = "/"
	}
	return strings.Join(append(kept, "Path="+scope(path, prefix)), "; "), true
}

// scope puts a path of the application under its session's prefix.
func scope(path, prefix string) string {
	if path == prefix || strings.HasPrefix(path, prefix+"/") {
		return path
	}
	return prefix + path
}
